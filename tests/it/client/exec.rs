//! `exec`: a login around a command, revoked on every way out.

use std::fs;

use hublease::effect::child::{Act, Seen};
use hublease::effect::{Effect, Outcome};
use hublease_sandbox::{Action, Fault, Service};

use crate::support::World;
use crate::support::driven::{drive, leased};
use crate::support::job::{Job, Provider};
use crate::support::machine::until;

/// A shell on PATH, as users have one.
fn world() -> World {
    let world = World::new();
    world.program("sh", "#!/bin/sh\nexec /bin/sh \"$@\"\n");
    world
}

fn exec<'w>(world: &'w World, provider: Provider, script: &str) -> Job<'w> {
    world.job("exec").usual(provider).then(&["sh", "-c", script])
}

fn nothing_lives(world: &World, at: &str) {
    assert_eq!(leased(world), Vec::<String>::new(), "{at}");
    assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new(), "{at}");
    let names = fs::read_dir(world.records()).into_iter().flatten();
    let left: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{at}: {left:?}");
    assert!(!world.has_login(), "{at}");
}

#[test]
fn the_command_is_logged_in_and_its_code_wins() {
    for provider in [Provider::Broker, Provider::Vault] {
        for code in [0, 1, 7, 125, 255] {
            let world = world();
            let script =
                format!(r#"grep -q https://index.docker.io/v1/ "$DOCKER_CONFIG/config.json" || exit 99; exit {code}"#);
            world.program("grep", "#!/bin/sh\nexec /bin/grep \"$@\"\n");
            exec(&world, provider, &script).run().code(code).says("revoked and confirmed");
            nothing_lives(&world, &format!("{provider:?} {code}"));
        }
    }
}

#[test]
fn a_command_that_cannot_run_has_the_shells_codes() {
    let world = world();
    fs::write(world.path("bin").join("plain-file"), "not a program").unwrap();
    for (command, code, says) in [
        ("no-such-command", 127, "the command no-such-command does not exist"),
        ("plain-file", 126, "the command plain-file cannot be run"),
    ] {
        world.job("exec").usual(Provider::Vault).then(&[command]).run().code(code).says(says);
        nothing_lives(&world, command);
    }
}

#[test]
fn what_fails_before_the_command_is_125() {
    let world = world();
    world.sandbox.fault(Fault::on(Service::Vault, "/v1/auth/jwt-circleci/login").then(Action::status(403)).always());
    exec(&world, Provider::Vault, "exit 0").run().code(125).says("gave an answer that cannot be used");
    nothing_lives(&world, "refused");
}

#[test]
fn a_failed_revocation_is_7_only_when_strict_and_the_command_was_fine() {
    for (strict, command, code) in [(false, 0, 0), (true, 0, 7), (true, 3, 3)] {
        let world = world();
        world.sandbox.fault(Fault::on(Service::Forwarded, "/oauth/revoke").then(Action::status(400)).always());
        let mut job = exec(&world, Provider::Broker, &format!("exit {command}"));
        if strict {
            job = job.arg("--strict-revoke");
        }
        job.run().code(code).says("not revoked, lives until");
        assert!(!leased(&world).is_empty());
        assert_eq!(world.record_files().len(), 1, "a later logout can still revoke it");
        world.sandbox.clear_faults();
        world.job("logout").usual(Provider::Broker).run().code(0).says("revoked and confirmed");
        nothing_lives(&world, "afterwards");
    }
}

#[test]
fn signals_reach_the_command_and_the_lease_is_revoked() {
    for (signal, code) in [("INT", 42), ("TERM", 43), ("HUP", 44)] {
        let world = world();
        let started = world.path("spare/started");
        let script = format!(
            "trap 'exit 42' INT; trap 'exit 43' TERM; trap 'exit 44' HUP; : > '{}'; while :; do /bin/sleep 0.02; done",
            started.display()
        );
        let mut running = exec(&world, Provider::Broker, &script).spawn();
        running.process.wait_until(|| started.exists());
        running.process.signal(signal);
        running.wait().code(code).says("revoked and confirmed");
        nothing_lives(&world, signal);
    }
}

#[test]
fn a_killed_command_is_128_plus_the_signal() {
    let world = world();
    exec(&world, Provider::Broker, "kill -KILL $$").run().code(137).says("revoked and confirmed");
    nothing_lives(&world, "KILL");
}

#[test]
fn after_the_death_of_exec_itself_logout_of_the_same_job_revokes() {
    for provider in [Provider::Broker, Provider::Vault] {
        let world = world();
        let started = world.path("spare/started");
        let script = format!(": > '{}'; exec /bin/sleep 5", started.display());
        let mut running = exec(&world, provider, &script).spawn();
        running.process.wait_until(|| started.exists());
        running.process.child.kill().unwrap();
        running.process.child.wait().unwrap();
        assert_eq!(world.record_files().len(), 1);
        let other = world.job("logout").usual(provider).env("CIRCLE_WORKFLOW_JOB_ID", "another job");
        other.run().code(0).says("nothing to undo here");
        world.job("logout").usual(provider).run().code(0).says("revoked and confirmed");
        nothing_lives(&world, &format!("{provider:?}"));
    }
}

#[test]
fn a_renewal_leaves_the_older_lease_to_whoever_holds_it() {
    let world = world();
    // The command ends as soon as it sees another credential than the first one, and says when it has seen that.
    let seen = world.path("spare/seen");
    let script = format!(
        r#"first=$(/bin/cat "$DOCKER_CONFIG/config.json"); : > '{}'; while [ "$first" = "$(/bin/cat "$DOCKER_CONFIG/config.json")" ]; do /bin/sleep 0.02; done"#,
        seen.display()
    );
    let job = exec(&world, Provider::Broker, &script).args(&["--renew", "--client", "none"]);
    let (begin, mut passed) = (world.sandbox.now(), 0);
    let mut alive = Vec::new();
    let driven = drive(job, None, |_, asked| match &asked.effect {
        Effect::Now => Some(Outcome::Now(begin + passed)),
        Effect::Child(Act::Wait { .. }) if passed > 0 => {
            alive.push(leased(&world).len());
            None
        }
        // The first wait is over at once, as if its time had passed.
        Effect::Child(Act::Wait { seconds: Some(seconds) }) if passed == 0 => {
            until("the command has read the first credential", || seen.exists());
            passed = *seconds;
            Some(Outcome::Child(Seen::Deadline))
        }
        _ => None,
    });
    assert_eq!(driven.code(), 0, "{}", driven.stderr);
    assert_eq!(passed, 720, "80 % of the life of 900 seconds");
    assert!(!alive.is_empty() && alive.iter().all(|count| *count == 2), "{alive:?}: clients read a login once");
    let requests = world.sandbox.requests(Service::Forwarded).into_iter().map(|request| request.path);
    let asked: Vec<_> = requests.filter(|path| path.starts_with("/oauth/")).collect();
    assert_eq!(asked, ["/oauth/token", "/oauth/token", "/oauth/revoke", "/oauth/revoke"]);
    nothing_lives(&world, "renewed");
}

#[test]
fn of_many_renewals_no_more_than_two_leases_live() {
    let world = world();
    let job = exec(&world, Provider::Vault, "exit 0").args(&["--renew", "--client", "none"]);
    let (begin, mut passed, mut alive) = (world.sandbox.now(), 0, Vec::new());
    let driven = drive(job, None, |_, asked| match &asked.effect {
        Effect::Now => Some(Outcome::Now(begin + passed)),
        Effect::Child(Act::Wait { seconds }) => {
            alive.push(leased(&world).len());
            let seconds = seconds.unwrap();
            passed += seconds;
            world.sandbox.advance(seconds);
            Some(Outcome::Child(if alive.len() > 4 { Seen::Ended(0) } else { Seen::Deadline }))
        }
        Effect::Child(_) => Some(Outcome::Child(Seen::Running)),
        _ => None,
    });
    assert_eq!(driven.code(), 0, "{}", driven.stderr);
    // Of each lease live Vault's lease and what it gave.
    assert_eq!(alive, [2, 4, 4, 4, 4]);
    nothing_lives(&world, "renewed four times");
}

#[test]
fn two_at_once_do_not_touch_each_other() {
    let world = world();
    let go = world.path("spare/go");
    let script =
        format!("while [ ! -e '{}' ]; do /bin/sleep 0.02; done; [ -s \"$DOCKER_CONFIG/config.json\" ]", go.display());
    let first = exec(&world, Provider::Vault, &script).spawn();
    let mut second = exec(&world, Provider::Vault, &script).spawn();
    second.process.wait_until(|| world.record_files().len() == 2);
    fs::write(&go, "").unwrap();
    first.wait().code(0).says("revoked and confirmed");
    second.wait().code(0).says("revoked and confirmed");
    nothing_lives(&world, "both over");
}

#[test]
fn a_plan_that_cannot_begin_is_125_and_a_wrong_one_2() {
    let world = world();
    let plain = |world: &World| world.sandbox.vault_url();
    let flags = ["--vault-path", "dockerhub/token/acmebot/write", "--vault-addr"];
    let url = plain(&world);
    let job = || world.job("exec").args(&flags).arg(url.as_str()).then(&["sh", "-c", "exit 0"]);
    job().run().code(125).says("no identity token here");
    job().env("DOCKER_AUTH_CONFIG", "{}").run().code(125).says("DOCKER_AUTH_CONFIG");
    job().arg("--vault-method=").run().code(2);
}

#[test]
fn what_cannot_be_undone_does_not_replace_the_commands_code() {
    let world = world();
    world.program("chmod", "#!/bin/sh\nexec /bin/chmod \"$@\"\n");
    let script = "chmod 755 \"$DOCKER_CONFIG/..\"; exit 3";
    exec(&world, Provider::Broker, script).run().code(3).says("not everything could be undone");
}

#[test]
fn what_docker_keeps_beside_the_login_does_not_count_as_not_revoked() {
    let world = world();
    world.program("mkdir", "#!/bin/sh\nexec /bin/mkdir \"$@\"\n");
    // Made in both places since the login, and as different things: neither may go.
    let script = "mkdir \"$DOCKER_CONFIG/scout\" && : > \"$HOME/.docker/scout\"";
    let job = exec(&world, Provider::Broker, script).arg("--strict-revoke");
    job.run().code(0).says("without the login").says("left because of scout");
    assert_eq!(leased(&world), Vec::<String>::new());
}

#[test]
fn a_signal_does_not_put_off_the_renewal() {
    let world = world();
    let job = exec(&world, Provider::Vault, "exit 0").args(&["--renew", "--client", "none"]);
    let (begin, mut passed, mut waits) = (world.sandbox.now(), 0, Vec::new());
    let driven = drive(job, None, |_, asked| match &asked.effect {
        Effect::Now => Some(Outcome::Now(begin + passed)),
        Effect::Child(Act::Wait { seconds }) => {
            waits.push(*seconds);
            passed += 100;
            let seen = if waits.len() == 1 { Seen::Signal(1) } else { Seen::Ended(0) };
            Some(Outcome::Child(seen))
        }
        Effect::Child(_) => Some(Outcome::Child(Seen::Running)),
        _ => None,
    });
    assert_eq!(driven.code(), 0, "{}", driven.stderr);
    // The lease lives 300 seconds; a signal comes after 100 of the 240.
    assert_eq!(waits, [Some(240), Some(140)]);
}
