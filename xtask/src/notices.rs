//! `cargo xtask notices`: the licences of what is linked into program, broker and module, as one text for each.
//!
//! The texts are committed: users of the Action run the module out of the repository, and releases and images take the
//! others along as they are. `cargo xtask test` makes them anew and compares. What a crate needs is taken from its own
//! files in cargo's registry; a crate without a text that its licence asks for is a failure.

mod crates;
mod files;
mod licence;
mod text;

use std::fs;
use std::path::PathBuf;

use crate::binaries::ARM;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::workspace::Workspace;

/// What `cargo xtask notices --help` prints.
pub(crate) const HELP: &str = "\
usage: cargo xtask notices [--check]

Writes the licences of what is linked into program, broker and module to THIRD-PARTY-NOTICES, from the lock file and the
sources of the crates, which `cargo fetch` brings. `--check` compares, and fails where a text is missing or old.
";

/// Where the texts are.
const FOLDER: &str = "THIRD-PARTY-NOTICES";
/// A text must stay under this, in bytes. The broker's has 80 000; more means that licences are repeated.
const LARGEST: usize = 120_000;

/// What is shipped, and for what it is built.
struct Product {
    /// The name of its text.
    name: &'static str,
    package: &'static str,
    targets: &'static [&'static str],
}

const PRODUCTS: [Product; 3] = [
    Product {
        name: "hublease",
        package: "hublease",
        targets: &["x86_64-unknown-linux-musl", ARM, "x86_64-apple-darwin", "aarch64-apple-darwin"],
    },
    Product { name: "hublease-broker", package: "hublease-broker", targets: &["x86_64-unknown-linux-musl", ARM] },
    Product { name: "module", package: "hublease-action", targets: &["wasm32-wasip1"] },
];

/// `cargo xtask notices`.
pub(crate) fn run(options: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    let note = match options {
        [] => write(workspace)?,
        [option] if option == "--check" => check(workspace)?,
        _ => return Err(Failure::Usage("`cargo xtask notices` takes `--check`".to_owned())),
    };
    terminal.say(&note);
    Ok(())
}

/// Compares the committed texts with what they should be; the note says how many crates each names.
///
/// # Errors
/// A sentence: a text is missing or old, or cannot be made.
pub(crate) fn check(workspace: &Workspace) -> Result<String, String> {
    every(workspace, |path, text| match fs::read_to_string(path) {
        Ok(committed) if committed == text => Ok(()),
        Ok(_) => Err(format!("{} is old; run `cargo xtask notices`", path.display())),
        Err(error) => Err(format!("{}: {error}; run `cargo xtask notices`", path.display())),
    })
}

fn write(workspace: &Workspace) -> Result<String, String> {
    let folder = workspace.root.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    every(workspace, |path, text| fs::write(path, text).map_err(|error| format!("{}: {error}", path.display())))
}

fn every(workspace: &Workspace, each: impl Fn(&PathBuf, &str) -> Result<(), String>) -> Result<String, String> {
    let packages = crates::packages(workspace)?;
    let mut notes = Vec::new();
    for product in &PRODUCTS {
        let linked = crates::linked(workspace, product.package, product.targets, &packages)?;
        let text = text::of(product.name, &linked, &workspace.root)?;
        if text.len() >= LARGEST {
            return Err(format!(
                "the notices of {} have {} bytes; it must be under {LARGEST}",
                product.name,
                text.len()
            ));
        }
        each(&workspace.root.join(FOLDER).join(format!("{}.txt", product.name)), &text)?;
        notes.push(format!("{} {}", product.name, linked.len()));
    }
    Ok(format!("crates: {}", notes.join(", ")))
}
