//! The broker's image, as `deploy/Containerfile` has it built: what it is built from, and what an archive of it must hold.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::client::Outcome;

/// What the image is built from, laid out by the commands in the container file's header.
pub struct BrokersImage {
    folder: TempDir,
}

impl BrokersImage {
    /// With the broker of the tests in it.
    pub fn laid_out() -> Self {
        let folder = tempfile::Builder::new().prefix("hublease-peers-image-").tempdir().unwrap();
        let broker = std::env::var_os("HUBLEASE_BROKER_BIN").unwrap();
        xtask_image(&[Path::new("--lay-out"), folder.path(), Path::new(&broker)]).code(0);
        Self { folder }
    }

    /// Runs a builder: the file and the context are its last words.
    #[track_caller]
    pub fn build(&self, run: impl FnOnce(&[&str]) -> Outcome, words: &[&str]) {
        let context = self.folder.path().join("image").display().to_string();
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/Containerfile");
        run(&[words, &["--network", "none", "--file", file, &context]].concat()).code(0);
    }

    /// A file for an archive.
    pub fn archive(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Whether an archive holds what the container file promises.
#[track_caller]
pub fn is_as_promised(archive: &Path) {
    xtask_image(&[archive]).code(0).says("as deploy/Containerfile promises");
}

#[track_caller]
fn xtask_image(words: &[&Path]) -> Outcome {
    let mut command = Command::new(std::env::var_os("HUBLEASE_XTASK").unwrap());
    Outcome::of(&command.arg("image").args(words).stdin(Stdio::null()).output().unwrap())
}
