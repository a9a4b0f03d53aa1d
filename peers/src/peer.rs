//! What is known of a peer before it is there.

use std::io::Write;
use std::path::PathBuf;

/// Somebody else's program.
#[derive(Debug)]
pub struct Peer {
    /// Lower case, words joined by `-`; its tests are in the module of that name, with `_` for `-`.
    pub name: &'static str,
    /// Fixed, or the distribution's own where the distribution chooses.
    pub version: &'static str,
    /// Where it comes from.
    pub source: Source,
    /// Other peers whose programs its tests start, and [`NODE`].
    pub with: &'static [&'static str],
    /// Beginnings of the paths whose change makes its tests worth running first.
    pub touches: &'static [&'static str],
    /// What its tests show, in a line.
    pub proves: &'static str,
    /// Whether `cargo xtask test` runs its tests as well: it needs no toolchain, and takes seconds.
    pub quick: bool,
}

/// In [`Peer::with`]: the Node of the repository's own tests, by `HUBLEASE_NODE`.
pub const NODE: &str = "node";

/// Where a program comes from, and how it is found once it is there.
#[derive(Debug)]
pub enum Source {
    /// Debian's packages, in whatever version this Debian has; installed only by root.
    Debian {
        /// What `apt-get install` is told.
        packages: &'static [&'static str],
        /// Files that it may be, best first; `*` stands for a part of one name. The last in the order of names wins.
        program: &'static [&'static str],
    },
    /// Debian's packages, unpacked beside the system: nothing is installed, and no service of theirs begins. Run by root only.
    Unpacked {
        /// What is downloaded, with the libraries that a bare Debian lacks.
        packages: &'static [&'static str],
        /// The program below the folder into which they are unpacked.
        program: &'static str,
    },
    /// Packages of Python's index, by their checksums; nothing is built, and no dependency comes along.
    Python {
        /// The packages.
        packages: &'static [Pinned],
        /// The program below the folder into which they are installed.
        program: &'static str,
    },
    /// A program in JavaScript: `peers/node/<name>` holds it, and the `package.json` and `package-lock.json` that name every package
    /// with its checksum; no script of theirs is run.
    Node {
        /// The program's file.
        program: &'static str,
    },
    /// A program of a Go module: `peers/go/<name>` holds the `go.mod` and `go.sum` that name every version and checksum.
    Go {
        /// The package of its `main`.
        package: &'static str,
        /// What `go build` is told besides.
        flags: &'static [&'static str],
        /// Minutes of two processors for a build with nothing in any cache; the build's own time replaces it once known.
        minutes: u64,
    },
}

/// A package of an index, and the SHA-256 of each of its files that may be taken.
#[derive(Debug)]
pub struct Pinned {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// In hexadecimal, one for each platform.
    pub sha256: &'static [&'static str],
}

impl Peer {
    /// The variable by which the tests are told where the program is: `HUBLEASE_PEER_DOCKER_REGISTRY`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("HUBLEASE_PEER_{}", self.name.to_ascii_uppercase().replace('-', "_"))
    }

    /// The module of its tests.
    #[must_use]
    pub fn module(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The program, for a test.
    ///
    /// # Panics
    /// When the tests are not run by `cargo xtask peers`.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        let variable = self.variable();
        let path = std::env::var_os(&variable).map(PathBuf::from);
        path.unwrap_or_else(|| panic!("{variable} is not set: run the tests by `cargo xtask peers {}`", self.name))
    }
}

/// Names the file into which tests write a line each for who runs them: what was tried, and how much of it.
pub const REPORT: &str = "HUBLEASE_PEER_REPORT";

/// Adds a line to the report, where there is one.
///
/// # Panics
/// When it cannot be written.
pub fn report(line: &str) {
    let Some(path) = std::env::var_os(REPORT) else { return };
    let file = std::fs::File::options().create(true).append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.unwrap_or_else(|error| panic!("the report: {error}"));
}

impl Source {
    /// The registry, for people.
    #[must_use]
    pub fn registry(&self) -> &'static str {
        match self {
            Self::Debian { .. } | Self::Unpacked { .. } => "Debian",
            Self::Python { .. } => "PyPI",
            Self::Node { .. } => "npm",
            Self::Go { .. } => "Go",
        }
    }

    /// The toolchain or package manager without which it cannot be had.
    #[must_use]
    pub fn needs(&self) -> &'static str {
        match self {
            Self::Debian { .. } => "apt-get",
            Self::Unpacked { .. } => "apt-get and root",
            Self::Python { .. } => "python3",
            Self::Node { .. } => "npm",
            Self::Go { .. } => "go",
        }
    }
}
