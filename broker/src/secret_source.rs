//! Where a secret of an account is: its password, or a token of a pool.
//!
//! It is read each time it is needed and kept by nobody, so that a file or a value in Vault that was rotated is taken without
//! a restart. Only a variable cannot change while the program runs. What is said of a secret that cannot be read names
//! the place and never the content.

mod vault;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use hublease_hub::password::{PasswordSource, SecretError};
use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;
pub use vault::VaultSource;

use crate::limits::MAX_SECRET_BYTES;
use crate::secret_file::{self, Guard, Unguarded};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The content of a file, without line ends at its end.
    File(PathBuf),
    /// The value of an environment variable.
    Variable(String),
    /// A field of a secret in Vault or OpenBao.
    Vault(Box<VaultSource>),
}

impl SecretSource {
    /// The secret as it is now. Blocking: Vault may take until `PASSWORD_TIMEOUT`.
    ///
    /// # Errors
    /// When it cannot be read, or is empty.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let secret = match self {
            Self::File(path) => {
                let text = read_file(path, Guard::Secret)
                    .map_err(|why| SecretError::lasting("its file cannot be read", why))?;
                Secret::new(text.expose().trim_end_matches(['\r', '\n']))
            }
            Self::Variable(name) => match std::env::var(name) {
                Ok(value) => Secret::new(value),
                Err(_absent_or_no_text) => {
                    let sentence = format!("the variable `{name}` is not set, or is not text");
                    return Err(SecretError::lasting("its variable is not set", sentence));
                }
            },
            Self::Vault(source) => source.read()?,
        };
        if secret.is_empty() {
            Err(SecretError::lasting("it is empty", format!("{self} is empty")))
        } else {
            Ok(secret)
        }
    }
}

impl PasswordSource for SecretSource {
    fn read(&self) -> Result<Secret, SecretError> {
        self.read()
    }

    fn is_local(&self) -> bool {
        !matches!(self, Self::Vault(_))
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "the file `{}`", printable(&path.display().to_string())),
            Self::Variable(name) => write!(formatter, "the variable `{}`", printable(name)),
            Self::Vault(source) => write!(formatter, "the field `{}` in Vault", printable(&source.field)),
        }
    }
}

/// A whole file that holds a secret.
fn read_file(path: &Path, guard: Guard) -> Result<Secret, String> {
    let name = printable(&path.display().to_string());
    let file = secret_file::open(path, guard).map_err(|unguarded| match unguarded {
        Unguarded::Unreadable { error, .. } => format!("cannot read `{name}`: {error}"),
        Unguarded::Open(reason) => format!("`{name}` {reason}"),
    })?;
    read_all(path, file)
}

/// All of a file, up to what a secret may have.
fn read_all(path: &Path, file: impl Read) -> Result<Secret, String> {
    let name = printable(&path.display().to_string());
    let cannot = |error: std::io::Error| format!("cannot read `{name}`: {error}");
    let mut text = String::new();
    let read = file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text);
    let secret = Secret::new(text);
    match read.map_err(cannot)? as u64 {
        0..=MAX_SECRET_BYTES => Ok(secret),
        _ => Err(format!("`{name}` is larger than 16 KiB")),
    }
}

#[cfg(test)]
mod tests;
