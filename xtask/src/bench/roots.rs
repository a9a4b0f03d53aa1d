//! Whom both sides trust. Reading the roots is a part of every TLS program's start, and weighs more in curl than in the client;
//! so there are two figures, and the one with a single root is the harder aim.

use std::path::PathBuf;
use std::{fmt, fs};

use crate::world::World;

/// Where Linux distributions keep the roots that everybody trusts: Debian and its family, Red Hat and its own.
const MACHINE: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// The certificates of a race.
#[derive(Clone, Copy)]
pub(super) enum Roots {
    /// The sandbox's authority alone.
    One,
    /// The sandbox's authority among the roots of this machine, as a company's own is in its CI.
    Machine,
}

impl Roots {
    /// A file with them.
    pub(super) fn file(self, world: &World) -> Result<PathBuf, String> {
        let Self::Machine = self else { return Ok(world.sandbox.ca_file()) };
        let roots = MACHINE.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let path = world.folder().join("roots.pem");
        let written = fs::write(&path, format!("{roots}\n{}", world.sandbox.ca_pem()));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

impl fmt::Display for Roots {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::One => "one root",
            Self::Machine => "this machine's roots",
        })
    }
}
