//! A home that cannot be written and disks that are full, in a mount namespace of the run's own.
//!
//! Where the system allows no such namespace these tests say so on standard error, and were not run.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::client::docker_traps::{leaves_nothing, login, logout, logs_out, world};
use crate::support::job::Job;
use crate::support::machine::which;

/// Makes `$1` read-only.
pub const READ_ONLY: &str = "/bin/mount --bind \"$1\" \"$1\" && /bin/mount -o remount,bind,ro \"$1\" || exit 99; shift";

/// Puts over `$1` a file system of `$2` KiB of which `$3` are in use.
const SMALL: &str = "/bin/mount -t tmpfs -o \"size=$2k,mode=0700\" tmpfs \"$1\" && \
    /usr/bin/head -c \"$3k\" /dev/zero > \"$1/ballast\" || exit 99; shift 3";

/// What a page of such a file system holds, in KiB.
const PAGE: usize = 4;

/// The words that prepare a mount namespace and run the rest in it; none where the system allows no namespace.
pub fn namespace(script: &str, arguments: &[&str]) -> Option<Vec<String>> {
    let unshare = which("unshare")?.display().to_string();
    let allowed = |flags: &str| {
        let words = [flags, "--", "/bin/sh", "-c", "/bin/mount -t tmpfs tmpfs /mnt"];
        Command::new(&unshare).args(words).output().is_ok_and(|output| output.status.success())
    };
    let Some(flags) = ["-m", "-rm"].into_iter().find(|flags| allowed(flags)) else {
        let _ =
            writeln!(std::io::stderr(), "not run: read-only homes and full disks (no mount namespace allowed here)");
        return None;
    };
    let script = format!("{script}; exec \"$@\"");
    let words = [unshare.as_str(), flags, "--", "/bin/sh", "-c", &script, "sh"];
    Some(words.iter().chain(arguments).map(|word| (*word).to_owned()).collect())
}

/// Runs a job with a directory that is read-only for it.
fn read_only<'w>(directory: &Path, job: Job<'w>) -> Option<Job<'w>> {
    let words = namespace(READ_ONLY, &[&directory.display().to_string()])?;
    Some(job.under(&words.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// Runs a job with a small directory of which so many pages are free.
fn small<'w>(directory: &Path, free: usize, job: Job<'w>) -> Option<Job<'w>> {
    let (used, all) = (PAGE, PAGE * (free + 1));
    let words = namespace(SMALL, &[&directory.display().to_string(), &all.to_string(), &used.to_string()])?;
    Some(job.under(&words.iter().map(String::as_str).collect::<Vec<_>>()))
}

#[test]
fn a_home_that_cannot_be_written_is_found_before_anything_is_minted() {
    let configs = [None, Some(r#"{"auths":{"ghcr.io":{}}}"#)];
    for (client, config) in ["docker", "none"].into_iter().flat_map(|client| configs.map(|config| (client, config))) {
        let world = world();
        if let Some(text) = config {
            world.write_config(text);
        }
        let before = world.sandbox.live();
        let Some(job) = read_only(&world.home(), login(&world).args(&["--client", client])) else { return };
        let outcome = job.run().code(6);
        assert_eq!(outcome.requests.len(), 0, "{client} {config:?}");
        outcome
            .says("error: docker's configuration directory cannot be used\n")
            .says("Read-only file system")
            .says("hint: give `--isolated`, or point DOCKER_CONFIG to a directory that this user may write\n");
        leaves_nothing(&world, &before);
    }
}

#[test]
fn in_a_home_that_cannot_be_written_a_private_login_works_as_the_hint_says() {
    for client in ["docker", "none"] {
        let world = world();
        let before = world.sandbox.live();
        let words = ["--client", client, "--isolated"];
        let Some(job) = read_only(&world.home(), login(&world).args(&words)) else { return };
        let private = crate::client::docker_traps::private::directory_of(&job.run().code(0));
        assert!(private.join("config.json").exists());
        let Some(job) = read_only(&world.home(), logout(&world)) else { return };
        job.run().code(0).says("the credential of acmebot: revoked and confirmed\n");
        assert!(!private.exists());
        leaves_nothing(&world, &before);
    }
}

#[test]
fn a_record_directory_that_cannot_be_written_is_found_before_anything_is_minted() {
    let world = world();
    let before = world.sandbox.live();
    let Some(job) = read_only(&world.path("tmp"), login(&world)) else { return };
    let outcome = job.run().code(6);
    assert_eq!(outcome.requests.len(), 0);
    outcome.says("error: the record that `logout` needs cannot be kept\n").says("Read-only file system");
    leaves_nothing(&world, &before);
}

#[test]
fn a_home_on_a_full_disk_leaves_no_lease_alive() {
    for client in ["docker", "none"] {
        let world = world();
        let before = world.sandbox.live();
        let Some(job) = small(&world.home(), 0, login(&world).args(&["--client", client])) else { return };
        job.run()
            .code(6)
            .says("error: docker's configuration directory cannot be used\n")
            .says("o space left on device")
            .says("hint: give `--isolated`, or point DOCKER_CONFIG to a directory that this user may write\n");
        leaves_nothing(&world, &before);
        login(&world).run().code(0);
        logs_out(&world, &before);
    }
}

#[test]
fn a_record_directory_on_a_full_disk_leaves_no_lease_alive_wherever_it_fills_up() {
    let (mut done, mut refused) = (0, 0);
    let cases = [&[][..], &["--isolated"]].into_iter().flat_map(|flags| (0..=8).map(move |free| (flags, free)));
    for (flags, free) in cases {
        let world = world();
        let before = world.sandbox.live();
        let Some(job) = small(&world.path("tmp"), free, login(&world).args(flags)) else { return };
        let outcome = job.run();
        match outcome.code {
            // The record went with the file system, so there is nothing more to undo here.
            0 => done += 1,
            _ => {
                outcome.code(6).says("o space left on device");
                assert_eq!(world.sandbox.live(), before, "{flags:?} with {free} pages");
                refused += 1;
            }
        }
    }
    assert!(done > 0 && refused > 2, "{done} {refused}");
}
