//! `cargo xtask test --bare`: both commands of the README on a machine that has nothing.
//!
//! The machine is a directory with Debian's smallest system and what the README says has to be there beforehand. It is entered
//! with `chroot` in mount and process namespaces of its own, so that nothing stays mounted and nothing goes on running when the
//! commands have ended, or when this command is killed. The kernel and the network are this machine's; so are the certificate
//! authorities and the proxies, since a machine beside this one would have them too.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use crate::failure::Failure;
use crate::process::Call;
use crate::terminal::{Terminal, Tone, spell};
use crate::workspace::{Workspace, program};

/// The oldest Debian that is supported.
const RELEASE: &str = "bookworm";
/// What has to be there beforehand, by README.md: besides rustup, which this Debian does not have.
const BEFOREHAND: &str = "git,gcc,libc6-dev,ca-certificates";
/// Where the checkout is in there.
const CHECKOUT: &str = "root/hublease";
/// Where this machine's authorities are, in there and here.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";
/// Some 250 MB are fetched.
const BOOTSTRAP: Duration = Duration::from_secs(15 * 60);
/// Both commands, from nothing, on two slow cores.
const COMMANDS: Duration = Duration::from_secs(90 * 60);

/// Programs that make the machine, and the Debian package of each.
const MAKERS: [(&str, &str); 4] =
    [("debootstrap", "debootstrap"), ("unshare", "util-linux"), ("chroot", "coreutils"), ("rustup", "rustup")];

/// The variables under which programs look for authorities.
const AUTHORITY_VARIABLES: [&str; 6] =
    ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO"];

/// What a machine beside this one would be told as well.
const NETWORK_VARIABLES: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];

/// Mounts what a system has beside its files, and goes in. Its arguments: the directory, and a shell command.
const ENTER: &str = r#"set -eu
mount --make-rprivate /
# Its root is a mount of its own, as on a machine: podman remounts it.
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount -t tmpfs -o mode=0755 dev "$1/dev"
for node in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 0666 "$1/dev/${node%:*}" c 1 "${node#*:}"
done
mknod -m 0666 "$1/dev/tty" c 5 0
mkdir "$1/dev/pts" "$1/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$1/dev/pts"
mount -t tmpfs shm "$1/dev/shm"
ln -s pts/ptmx "$1/dev/ptmx"
ln -s /proc/self/fd "$1/dev/fd"
for stream in 0:stdin 1:stdout 2:stderr; do
    ln -s "/proc/self/fd/${stream%:*}" "$1/dev/${stream#*:}"
done
exec chroot "$1" /bin/sh -euc "$2"
"#;

/// What a newcomer types there.
const COMMANDS_THERE: &str = r#"cd "$HOME/hublease"
~/rustup-init -y --quiet --no-modify-path --default-toolchain none
PATH="$HOME/.cargo/bin:$PATH"
cargo xtask demo
cargo xtask test
"#;

/// Makes the machine and runs both commands there, with their output as it comes.
pub(super) fn run(workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    let begun = Instant::now();
    let log = workspace.log("bare")?;
    let makers = makers(terminal, &log)?;
    let machine = workspace.target.join("bare");
    terminal.begin(&format!("making a bare Debian ({RELEASE}) in {} ... ", machine.display()));
    make(workspace, terminal, &log, &makers, &machine)?;
    terminal.say(&format!("{} ({})", terminal.paint(Tone::Good, "ok"), spell(begun.elapsed())));
    if !workspace_is_committed(workspace)? {
        terminal.say("what is not committed is not there");
    }
    enter(&machine)
        .limit(COMMANDS)
        .run_in_sight(terminal)
        .map_err(|_long_command_line| "one of the two commands failed there".to_owned())?;
    terminal.say(&format!("both commands work on a bare Debian ({RELEASE}), in {}", spell(begun.elapsed())));
    Ok(())
}

/// The programs that make the machine, installed first where that is possible.
fn makers(terminal: &Terminal, log: &Path) -> Result<Vec<PathBuf>, Failure> {
    if fs::metadata("/proc/self").map_or(true, |data| data.uid() != 0) {
        return Err("`--bare` mounts file systems and changes its root directory: it needs Linux and root"
            .to_owned()
            .into());
    }
    let missing: Vec<_> = MAKERS.iter().filter(|(name, _)| program(name).is_none()).collect();
    if let Some(apt) = program("apt-get").filter(|_| !missing.is_empty()) {
        let packages = missing.iter().map(|(_, package)| *package);
        let quiet = |words: &[&str]| Call::new(&apt).arguments(words).set("DEBIAN_FRONTEND", "noninteractive");
        quiet(&["update", "-q"]).run(log, terminal)?;
        quiet(&["install", "-y", "-q", "--no-install-recommends"]).arguments(packages).run(log, terminal)?;
    }
    let find = |name: &str, package: &str| program(name).ok_or_else(|| format!("{name} is needed (package {package})"));
    Ok(MAKERS.iter().map(|(name, package)| find(name, package)).collect::<Result<_, _>>()?)
}

fn make(
    workspace: &Workspace,
    terminal: &Terminal,
    log: &Path,
    makers: &[PathBuf],
    machine: &Path,
) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", machine.display());
    if machine.exists() {
        fs::remove_dir_all(machine).map_err(failed)?;
    }
    let bootstrap = Call::new(&makers[0]).argument("--variant=minbase").argument(format!("--include={BEFOREHAND}"));
    bootstrap.argument(RELEASE).argument(machine).limit(BOOTSTRAP).run(log, terminal)?;
    let clone = Call::new("git").arguments(["clone", "--quiet", "--no-hardlinks"]).argument(&workspace.root);
    clone.argument(machine.join(CHECKOUT)).run(log, terminal)?;
    let init = machine.join("root/rustup-init");
    fs::copy(rustup(&makers[3])?, &init).map_err(failed)?;
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    fs::copy("/etc/resolv.conf", machine.join("etc/resolv.conf")).map_err(failed)?;
    let authorities = machine.join(AUTHORITIES);
    fs::copy(Path::new("/").join(AUTHORITIES), authorities.with_file_name("of-the-network.crt")).map_err(failed)?;
    Ok(())
}

/// rustup's own program. What is called `rustup` may be a link to it, and it installs itself when it is called `rustup-init`.
fn rustup(path: &Path) -> Result<PathBuf, String> {
    fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn workspace_is_committed(workspace: &Workspace) -> Result<bool, String> {
    let status = Call::new("git").arguments(["status", "--porcelain"]).directory(&workspace.root).text()?;
    Ok(status.trim().is_empty())
}

/// The way in: an environment with a home, a PATH and what the network needs.
fn enter(machine: &Path) -> Call {
    let call = Call::new("unshare").without(|_| true).arguments(["--mount", "--pid", "--fork", "--kill-child"]);
    let call = call.arguments(["/bin/sh", "-c", ENTER, "enter"]).argument(machine).argument(COMMANDS_THERE);
    let call = call.set("HOME", "/root").set("LANG", "C.UTF-8");
    let call = call.set("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let authorities = "/etc/ssl/certs/of-the-network.crt";
    let call = AUTHORITY_VARIABLES.iter().fold(call, |call, name| call.set(name, authorities));
    let given = NETWORK_VARIABLES.iter().filter_map(|name| Some((name, env::var_os(name)?)));
    given.fold(call, |call, (name, value)| call.set(name, value))
}
