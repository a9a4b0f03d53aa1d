//! The programs of the system that the tests drive: real peers, so that we are not only compatible with ourselves.
//!
//! As root on Debian what is missing is installed. The packages may start services of their own; nothing here talks to
//! them, the tests start what they need with their own configuration on free ports.

use std::fs;
use std::path::Path;

use super::dockers::{self, Docker};
use super::{Context, Outcome};
use crate::process::Call;
use crate::terminal::Terminal;
use crate::workspace::program;

/// A program, and the Debian packages that have it, best first; what is needed beside one is separated by a space.
struct Tool {
    program: &'static str,
    packages: &'static [&'static str],
}

/// Everything that a step or a test starts. `docker` is the command line only: no engine is used.
const TOOLS: &[Tool] = &[
    Tool { program: "docker", packages: dockers::PACKAGES },
    Tool { program: "docker-registry", packages: &["docker-registry"] },
    Tool { program: "skopeo", packages: &["skopeo"] },
    Tool { program: "podman", packages: &["podman"] },
    // What podman starts the broker's image with; not every runtime copes with every kernel's control groups.
    Tool { program: "runc", packages: &["runc"] },
    Tool { program: "shellcheck", packages: &["shellcheck"] },
    Tool { program: "curl", packages: &["curl"] },
    // What the orb may find in an image: other shells, and other programs that fetch and compute checksums.
    Tool { program: "dash", packages: &["dash"] },
    Tool { program: "busybox", packages: &["busybox"] },
    Tool { program: "wget", packages: &["wget"] },
    Tool { program: "openssl", packages: &["openssl"] },
    Tool { program: "shasum", packages: &["perl"] },
    // The static build of the broker, and its unit.
    Tool { program: "musl-gcc", packages: &["musl-tools"] },
    Tool { program: "systemd-analyze", packages: &["systemd"] },
    // The static build for arm, and a start of it.
    Tool { program: "aarch64-linux-gnu-gcc", packages: &["gcc-aarch64-linux-gnu libc6-dev-arm64-cross"] },
    Tool { program: "qemu-aarch64", packages: &["qemu-user"] },
    // They bring what no Debian has in the version that is wanted: the linters of workflows, and Node 24.
    Tool { program: "pip3", packages: &["python3-pip"] },
    Tool { program: "npm", packages: &["npm"] },
];

/// How apt waits for another that holds its lock.
const PATIENT: [&str; 2] = ["-o", "DPkg::Lock::Timeout=300"];

/// Looks, and installs what is missing where that is possible.
pub(super) fn tools(context: &Context<'_>) -> Outcome {
    let missing = missing();
    if missing.is_empty() {
        return Ok(found(context));
    }
    if context.options.without_system_tools {
        return Err(super::Trouble::LeftOut(format!("missing: {}", missing_names().join(", "))));
    }
    if program("apt-get").is_none() {
        let why = format!("please install: {} (no apt-get here)", missing_names().join(", "));
        return Err(why.into());
    }
    if !is_root() {
        let packages: Vec<_> = missing.iter().filter_map(|tool| tool.packages.last()).copied().collect();
        return Err(format!("not root; please run: {}", command(&packages)).into());
    }
    let packages: Vec<&str> =
        missing.iter().filter_map(|tool| available(tool.packages)).flat_map(str::split_whitespace).collect();
    install(&packages, &context.log, context.terminal)?;
    match missing_names().as_slice() {
        [] => Ok(found(context)),
        still => Err(format!("installed, and yet missing: {}", still.join(", ")).into()),
    }
}

/// Installs packages of Debian, as root.
///
/// # Errors
/// A sentence: what of it failed.
pub(super) fn install(packages: &[&str], log: &Path, terminal: &Terminal) -> Result<(), String> {
    let quiet = |arguments: &[&str]| Call::new("apt-get").arguments(arguments).set("DEBIAN_FRONTEND", "noninteractive");
    // One after the other, whoever else installs something.
    quiet(&["update", "-q"]).arguments(PATIENT).run(log, terminal)?;
    terminal.begin(&format!("installing {} ... ", packages.join(" ")));
    let install = quiet(&["install", "-y", "-q", "--no-install-recommends"]).arguments(PATIENT);
    install.arguments(packages).run(log, terminal)
}

/// What a person who is root would type instead.
pub(super) fn command(packages: &[&str]) -> String {
    format!("apt-get update && apt-get install -y --no-install-recommends {}", packages.join(" "))
}

/// Names of the programs that are not there.
pub(super) fn missing_names() -> Vec<&'static str> {
    missing().into_iter().map(|tool| tool.program).collect()
}

fn missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| program(tool.program).is_none()).collect()
}

/// Which docker command lines the tests use, since there are several ways to have one, and why there is no second.
fn found(context: &Context<'_>) -> String {
    let first = Docker::first().map(|docker| format!("docker {} at {}", docker.version, docker.path.display()));
    let second = match dockers::debians(context) {
        Ok(docker) => format!("and Debian's {}", docker.version),
        Err(why) => format!("and no other ({why})"),
    };
    format!("{} {second}", first.unwrap_or_default())
}

/// The first of the packages that this Debian has.
pub(super) fn available(packages: &[&'static str]) -> Option<&'static str> {
    let has = |package: &&&str| {
        let policy = Call::new("apt-cache")
            .arguments(["policy", package.split(' ').next().unwrap_or(package)])
            .set("LC_ALL", "C")
            .text();
        policy.is_ok_and(|text| text.contains("Candidate:") && !text.contains("Candidate: (none)"))
    };
    packages.iter().find(has).or(packages.last()).copied()
}

pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
}
