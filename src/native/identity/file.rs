//! The file of `--identity-token-file`. It may be a pipe, so it is read by the worker.

use std::fs::File;
use std::io;
use std::path::Path;

use hublease_protocol::claims::MAXIMUM_TOKEN;
use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;

use crate::native::process::capped::{self, Capped};

/// Reads the token; surrounding white space is not part of the token.
pub(in crate::native) fn read(path: &Path) -> Result<Secret, String> {
    let unreadable = |error: io::Error| printable(&error.to_string());
    let file = File::open(path).map_err(unreadable)?;
    let Capped::Whole(bytes) = capped::read(file, MAXIMUM_TOKEN).map_err(unreadable)? else {
        return Err(format!("it is larger than {MAXIMUM_TOKEN} bytes"));
    };
    let token = capped::text(bytes).ok_or("it is not text")?;
    match token.expose().trim() {
        "" => Err("it is empty".to_owned()),
        trimmed => Ok(Secret::new(trimmed)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use hublease_protocol::claims::MAXIMUM_TOKEN;

    use super::read;

    #[test]
    fn the_token_is_what_is_left_without_white_space() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let with = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            read(&path).map(|token| token.expose().to_owned())
        };
        assert_eq!(with(b" a.b.c\n").as_deref(), Ok("a.b.c"));
        assert_eq!(with(b"\n"), Err("it is empty".to_owned()));
        assert_eq!(with(b"\xff"), Err("it is not text".to_owned()));
        assert!(with(&vec![b'x'; MAXIMUM_TOKEN + 1]).is_err());
        assert!(read(Path::new("/nonexistent")).is_err());
        assert!(read(directory.path()).is_err());
    }
}
