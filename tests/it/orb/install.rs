//! `install`: in every shell and with every program that it may find, and what it says when it cannot.

use std::fs;
use std::os::unix::fs::symlink;

use hublease_sandbox::{Action, Fault, Service};

use crate::client::docker_traps::disk::{READ_ONLY, namespace};
use crate::orb::around::{Given, config, each, ready};
use crate::orb::machine::Image;
use crate::orb::releases::{ASSET, MIRROR_URL, target};
use crate::orb::workflow::Status;
use crate::support::World;
use crate::support::machine::{executable, which};

const INSTALL: &str = "Install hublease";
const NEEDS: [&str; 7] = ["docker-registry", "skopeo", "busybox", "dash", "wget", "openssl", "shasum"];

/// What is changed before a job.
type Change<'a> = &'a (dyn Fn(&World) + Sync);

/// Takes programs from PATH, and puts others there.
fn instead(world: &World, gone: &[&str], put: &[&str]) {
    let tools = world.path("tools");
    gone.iter().for_each(|name| drop(fs::remove_file(tools.join(name))));
    for name in put {
        let real = which(name).unwrap_or_else(|| panic!("{name} is not installed"));
        symlink(real, tools.join(name)).unwrap();
    }
}

/// Perl's program needs its own language and nothing else of PATH.
fn put_shasum(world: &World) {
    let [perl, shasum] = ["perl", "shasum"].map(|name| which(name).unwrap().display().to_string());
    executable(&world.path("tools/shasum"), &format!("#!/bin/sh\nexec '{perl}' '{shasum}' \"$@\"\n"));
}

#[test]
fn it_puts_the_released_program_on_path_once_in_every_shell_and_with_every_tool() {
    if !ready(&NEEDS) {
        return;
    }
    let cases: [(Image, &str, Change<'_>); 6] = [
        (Image::Bash, "curl and sha256sum", &|_| {}),
        (Image::Bash, "wget", &|world| instead(world, &["curl"], &["wget"])),
        (Image::Bash, "shasum", &|world| {
            instead(world, &["sha256sum"], &[]);
            put_shasum(world);
        }),
        (Image::Bash, "openssl", &|world| instead(world, &["sha256sum"], &["openssl"])),
        (Image::Dash, "curl and sha256sum", &|_| {}),
        (Image::Busybox, "curl, and busybox for the rest", &|_| {}),
    ];
    each(
        &cases,
        |_, (image, with, _)| format!("{image:?} with {with}"),
        |(image, with, prepare)| {
            let image = *image;
            let world = World::new();
            let steps = "
- dockerhub/install
- dockerhub/install
- run: {name: by path, command: '\"$HOME/.local/bin/hublease\" --version'}
- run: {name: by name, command: hublease --version, shell: bash -e}
";
            // Only bash reads the file that puts the directory on PATH.
            let steps = if image == Image::Bash { steps } else { steps.trim().rsplit_once('\n').unwrap().0 };
            let played = Given { world: &world, image, prepare }.play_one(&config("", steps));
            assert_eq!(played.status, Status::Success, "{image:?} with {with}: {played:#?}");
            let version = env!("CARGO_PKG_VERSION");
            played.steps[0].says(&format!("hublease {version} for {} is in ", target()));
            played.steps[1].says(&format!("hublease {version} is in ")).says(" already\n");
            assert!(played.steps[2..].iter().all(|ran| ran.output == format!("hublease {version}\n")), "{played:#?}");
            // The redirect, and the file.
            assert_eq!(world.asked(Service::Forwarded).len(), 2, "{image:?} with {with}");
            let rest: Vec<_> = fs::read_dir(world.home().join(".local/bin")).unwrap().collect();
            assert_eq!(rest.len(), 1, "{rest:?}");
        },
    );
}

#[test]
fn it_takes_a_directory_and_a_mirror_in_which_variables_are_filled_in() {
    if !ready(&NEEDS) {
        return;
    }
    let world = World::new();
    let steps = "
- dockerhub/install: {install_dir: $WHERE/bin, mirror: $MIRROR}
- run: {name: by name, command: command -v hublease}
";
    let place = world.path("work").display().to_string();
    let variables = [("WHERE", place.as_str()), ("MIRROR", MIRROR_URL)];
    let played = Given::usual(&world).play(&config("", steps), &variables, Vec::new());
    assert_eq!(played[0].step("by name").code(0).output, format!("{place}/bin/hublease\n"));
    assert!(world.asked(Service::Forwarded)[0].starts_with("GET /hublease/v"));
}

/// What is changed, the arguments, and what is said.
type Case<'a> = (Change<'a>, &'a str, &'a str, &'a str);

/// Every request for the file ends like this.
fn file(world: &World, action: Action) {
    world.sandbox.fault(Fault::on(Service::Forwarded, ASSET).then(action).always());
}

fn pretend(world: &World, system: &str, processor: &str) {
    let script = format!("#!/bin/sh\ncase $1 in -s) echo '{system}' ;; -m) echo '{processor}' ;; esac\n");
    world.program("uname", &script);
}

const TRANSFER: &str = "hint: the transfer was cut off, or the file is another one; nothing was installed\n";
const NETWORK: &str = "hint: look at the network and the proxy; the parameter mirror can name a server of yours\n";
const BUILD: &str = "hint: build it from its source, put it on PATH, and set install to false\n";

#[test]
fn what_it_cannot_do_fails_the_step_with_a_hint_and_leaves_no_program() {
    if !ready(&NEEDS) {
        return;
    }
    let cases: [Case<'_>; 11] = [
        (
            &|world| file(world, Action::RawBody(b"another program".to_vec())),
            "{}",
            "is not hublease 0.1.0: its SHA-256 is ",
            TRANSFER,
        ),
        (&|world| file(world, Action::RawBody(Vec::new())), "{}", "is not hublease 0.1.0: its SHA-256 is ", TRANSFER),
        (&|world| file(world, Action::CutMidBody(100_000)), "{}", "cannot be fetched\n", NETWORK),
        (&|world| file(world, Action::status(404)), "{}", "cannot be fetched\n", NETWORK),
        (&|world| pretend(world, "Linux", "riscv64"), "{}", "no hublease to fetch for a riscv64 processor", BUILD),
        (&|world| pretend(world, "Darwin", "arm64"), "{}", "no hublease to fetch for Darwin", BUILD),
        (&|world| instead(world, &["curl"], &[]), "{}", "neither curl nor wget is here\n", "hint: install one of them"),
        (
            &|world| instead(world, &["sha256sum"], &[]),
            "{}",
            "nothing here can compute a SHA-256",
            "hint: install one of",
        ),
        (
            &|_| {},
            "{install_dir: bin}",
            "install_dir is 'bin', which is no absolute path\n",
            "hint: begin it with / or $HOME/\n",
        ),
        (
            &|_| {},
            "{install_dir: /proc/bin}",
            "nothing can be written to /proc/bin\n",
            "hint: set install_dir to a directory",
        ),
        (
            &|world| world.program("circleci", "#!/bin/sh\necho 'unknown command' >&2\nexit 1\n"),
            "{mirror: $MIRROR}",
            "the variables in '$MIRROR' cannot be filled in\n",
            "hint: this needs CircleCI's own 'circleci env subst'; another program called circleci may hide it on PATH\n",
        ),
    ];
    each(
        &cases,
        |_, (.., error, _)| (*error).to_owned(),
        |(prepare, arguments, error, hint)| {
            let world = World::new();
            let steps = format!(
                "- dockerhub/install: {arguments}\n- dockerhub/logout: {{broker_url: https://broker.example.com}}"
            );
            let played = Given { world: &world, image: Image::Bash, prepare }.play_one(&config("", &steps));
            played.step(INSTALL).code(1).says("error: ").says(error).says(hint);
            // What runs always must not hide the failure behind another one.
            assert_eq!(played.codes().last(), Some(&("Log out of Docker Hub and revoke", 0)), "{played:#?}");
            let left: Vec<_> = fs::read_dir(world.home().join(".local/bin")).into_iter().flatten().collect();
            assert!(left.is_empty(), "{error}: {left:?}");
        },
    );
}

#[test]
fn a_home_that_cannot_be_written_is_named() {
    if !ready(&NEEDS) {
        return;
    }
    let world = World::new();
    fs::create_dir(world.home().join("project")).unwrap();
    let Some(under) = namespace(READ_ONLY, &[&world.home().display().to_string()]) else { return };
    let played = Given::usual(&world).play(&config("", "- dockerhub/install"), &[], under);
    let directory = world.home().join(".local/bin").display().to_string();
    let ran = played[0].step(INSTALL).code(1);
    ran.says(&format!("error: nothing can be written to {directory}\n"));
    ran.says("hint: set install_dir to a directory that this user may write to\n");
}
