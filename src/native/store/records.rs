//! The record directory: which it is, and what is done in it.
//!
//! `$RUNNER_TEMP/hublease`, else `$XDG_RUNTIME_DIR/hublease`, else `$TMPDIR/hublease-<uid>` with `/tmp` for an unset
//! `TMPDIR`. A variable counts if it is absolute and leads to a directory: containers inherit an `XDG_RUNTIME_DIR`
//! that does not exist in them.

use std::path::{Path, PathBuf};

use hublease_protocol::secret::Secret;
use rustix::process::geteuid;

use crate::effect::record::{Access, MAXIMUM_RECORD, MAXIMUM_RECORDS, Over, Stored, Trouble};
use crate::environment::Environment;
use crate::native::store::dirfd::Folder;

/// What a probe writes, in bytes: as much as a record with a Vault token and an earlier entry.
const PROBE: usize = 8 * 1024;

const SUFFIX: &str = ".json";

/// Where the records of this user and machine are.
pub(in crate::native) fn directory(environment: &Environment) -> PathBuf {
    let base =
        |name: &str| environment.value(name).map(PathBuf::from).filter(|path| path.is_absolute() && path.is_dir());
    if let Some(base) = base("RUNNER_TEMP").or_else(|| base("XDG_RUNTIME_DIR")) {
        return base.join("hublease");
    }
    base("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp")).join(format!("hublease-{}", geteuid().as_raw()))
}

/// Does what was asked in the directory at `path`.
pub(in crate::native) fn access(path: &Path, access: &Access) -> Result<Vec<Stored>, Trouble> {
    perform(path, access).map_err(Trouble)
}

fn perform(path: &Path, access: &Access) -> Result<Vec<Stored>, String> {
    let made = || Folder::open(path, true)?.ok_or_else(|| "the record directory went away".to_owned());
    match access {
        Access::Prepare => {
            let folder = made()?;
            let name = format!(".{}.probe", crate::native::random(8).map_err(|error| error.to_string())?);
            folder.write(&name, &" ".repeat(PROBE))?;
            folder.remove(&name)?;
            Ok(Vec::new())
        }
        Access::Read => Folder::open(path, false)?.map_or_else(|| Ok(Vec::new()), |folder| read(&folder)),
        Access::Write { name, body, over } => {
            let name = file_name(name)?;
            if body.len() > MAXIMUM_RECORD {
                return Err(format!("a record has at most {MAXIMUM_RECORD} bytes"));
            }
            let folder = made()?;
            // Held until the folder is closed, so that nobody writes between the look and the write.
            folder.lock()?;
            if let Some(stored) = in_the_way(&folder, &name, over)? {
                return Ok(vec![stored]);
            }
            folder.write(&name, body.expose())?;
            Ok(Vec::new())
        }
        Access::Erase { name } => {
            let name = file_name(name)?;
            if let Some(folder) = Folder::open(path, false)? {
                folder.remove(&name)?;
            }
            Ok(Vec::new())
        }
    }
}

/// What lies there instead of what the writer knows.
fn in_the_way(folder: &Folder, name: &str, over: &Over) -> Result<Option<Stored>, String> {
    let Over::Known(known) = over else { return Ok(None) };
    let body = folder.read(name, MAXIMUM_RECORD).transpose();
    let is_known = |body: &Result<Secret, String>| body.as_ref().ok().is_some_and(|body| Some(body) == known.as_ref());
    let name = name.trim_end_matches(SUFFIX).to_owned();
    Ok(body.filter(|body| !is_known(body)).map(|body| Stored { name, body }))
}

fn read(folder: &Folder) -> Result<Vec<Stored>, String> {
    let names = folder.names()?;
    let names: Vec<&str> =
        names.iter().filter_map(|name| name.strip_suffix(SUFFIX)).filter(|name| is_name(name)).collect();
    if names.len() > MAXIMUM_RECORDS {
        return Err(format!("there are more than {MAXIMUM_RECORDS} records in {}", folder.path().display()));
    }
    let stored = names.into_iter().filter_map(|name| {
        let body = folder.read(&format!("{name}{SUFFIX}"), MAXIMUM_RECORD).transpose()?;
        Some(Stored { name: name.to_owned(), body })
    });
    Ok(stored.collect())
}

fn file_name(name: &str) -> Result<String, String> {
    if is_name(name) { Ok(format!("{name}{SUFFIX}")) } else { Err("the name of a record has 64 digits".to_owned()) }
}

fn is_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    use hublease_protocol::secret::Secret;

    use super::{Access, MAXIMUM_RECORD, MAXIMUM_RECORDS, Over, access, directory};
    use crate::environment::Environment;

    fn write(name: &str, body: &str) -> Access {
        Access::Write { name: name.to_owned(), body: Secret::new(body), over: Over::Anything }
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    /// A name of 64 hexadecimal digits.
    fn name(number: usize) -> String {
        format!("{number:064x}")
    }

    fn bodies(path: &Path) -> Vec<(String, Result<String, ()>)> {
        let stored = access(path, &Access::Read).unwrap().into_iter();
        stored.map(|stored| (stored.name, stored.body.map(|body| body.expose().to_owned()).map_err(drop))).collect()
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_record_is_written_replaced_read_and_erased() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("hublease");
        assert_eq!(bodies(&path), []);
        assert!(access(&path, &Access::Erase { name: name(1) }).is_ok());
        assert!(!path.exists());
        access(&path, &Access::Prepare).unwrap();
        assert_eq!((mode(&path), fs::read_dir(&path).unwrap().count()), (0o700, 0));
        for body in ["one", "two"] {
            access(&path, &write(&name(1), body)).unwrap();
        }
        assert_eq!(mode(&path.join(format!("{}.json", name(1)))), 0o600);
        assert_eq!(bodies(&path), [(name(1), Ok("two".to_owned()))]);
        access(&path, &Access::Erase { name: name(1) }).unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_others_could_have_made_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("hublease");
        fs::create_dir(&path).unwrap();
        set_mode(&path, 0o755);
        let trouble = access(&path, &Access::Prepare).unwrap_err().0;
        assert!(trouble.ends_with("its mode is 0755, not 0700"), "{trouble}");
        set_mode(&path, 0o700);
        let link = root.path().join("link");
        symlink(&path, &link).unwrap();
        for what in [Access::Prepare, Access::Read, write(&name(1), "x"), Access::Erase { name: name(1) }] {
            assert!(access(&link, &what).is_err(), "{what:?}");
        }
        fs::write(root.path().join("file"), "").unwrap();
        assert!(access(&root.path().join("file"), &Access::Prepare).is_err());
        assert!(access(&root.path().join("missing/hublease"), &Access::Prepare).is_err());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[test]
    fn what_is_not_a_record_of_ours_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("hublease");
        access(&path, &Access::Prepare).unwrap();
        let file = |number| path.join(format!("{}.json", name(number)));
        symlink("/etc/hostname", file(1)).unwrap();
        fs::create_dir(file(2)).unwrap();
        for (number, content) in [(3, vec![b'x'; MAXIMUM_RECORD + 1]), (4, vec![0xff]), (5, b"wide".to_vec())] {
            fs::write(file(number), content).unwrap();
            set_mode(&file(number), 0o600);
        }
        set_mode(&file(5), 0o640);
        assert!(std::process::Command::new("mkfifo").arg(file(6)).status().unwrap().success());
        access(&path, &write(&name(7), "good")).unwrap();
        for other in ["README", "short.json", &format!("{}.json", "G".repeat(64))] {
            fs::write(path.join(other), "").unwrap();
        }
        let mut expected: Vec<_> = (1..7).map(|number| (name(number), Err(()))).collect();
        expected.push((name(7), Ok("good".to_owned())));
        assert_eq!(bodies(&path), expected);
    }

    #[test]
    fn names_and_sizes_have_limits() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("hublease");
        for name in ["", "../x", &"A".repeat(64), &"a".repeat(63)] {
            assert!(access(&path, &write(name, "x")).is_err());
            assert!(access(&path, &Access::Erase { name: name.to_owned() }).is_err());
        }
        assert!(access(&path, &write(&name(1), &"x".repeat(MAXIMUM_RECORD + 1))).is_err());
        access(&path, &Access::Prepare).unwrap();
        for number in 0..=MAXIMUM_RECORDS {
            fs::write(path.join(format!("{}.json", name(number))), "").unwrap();
        }
        assert!(access(&path, &Access::Read).is_err());
    }

    #[test]
    fn the_place_follows_the_environment() {
        let root = tempfile::tempdir().unwrap();
        let here = root.path().display().to_string();
        let place = |variables: &[(&str, &str)]| {
            directory(&Environment::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into()))))
        };
        let uid = rustix::process::geteuid().as_raw();
        assert_eq!(place(&[("RUNNER_TEMP", &here), ("XDG_RUNTIME_DIR", "/")]), root.path().join("hublease"));
        assert_eq!(place(&[("XDG_RUNTIME_DIR", &here), ("TMPDIR", "/")]), root.path().join("hublease"));
        assert_eq!(place(&[("TMPDIR", &here)]), root.path().join(format!("hublease-{uid}")));
        for variables in [&[][..], &[("RUNNER_TEMP", "relative")], &[("XDG_RUNTIME_DIR", "/nonexistent")]] {
            assert_eq!(place(variables), PathBuf::from(format!("/tmp/hublease-{uid}")));
        }
    }
}
