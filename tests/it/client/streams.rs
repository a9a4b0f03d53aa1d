//! Where the output goes: a terminal, a full disk, a stream that is closed.

use std::{fs, process};

use crate::support::job::{Job, Provider, Shape};
use crate::support::machine::which;
use crate::support::untouched::Untouched;
use crate::support::{World, binary};

#[test]
fn a_credential_is_not_printed_on_a_terminal() {
    let script = which("script").expect("`script` is part of bsdutils, which Debian always has");
    let world = World::new();
    for (more, code, prints) in [("", 2, false), ("--force", 0, true), ("--dry-run", 0, false)] {
        let before = Untouched::of(&world);
        let job = world.job("token").shape(Shape::Circleci, Provider::Static).args(&["--format=secret"]);
        let words = [&job.words()[..], &[more.to_owned()]].concat().join(" ");
        let output = process::Command::new(&script)
            .args(["-qec", &format!("exec {} {words}", binary("HUBLEASE_BIN").display()), "/dev/null"])
            .env_clear()
            .envs(job.variables())
            .env("SHELL", "/bin/sh")
            .current_dir(world.path("work"))
            .stdin(process::Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(said.contains("dckr_pat_"), prints, "{said}");
        assert_eq!(said.contains("not printed on a terminal"), code == 2, "{said}");
        if !prints {
            before.still(&world, more);
        }
    }
}

/// Runs the job in a shell with these redirections.
fn redirected(world: &World, job: &Job<'_>, redirections: &str) -> i32 {
    let words: Vec<_> = job.words().iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    let line = format!("'{}' {} {redirections}", binary("HUBLEASE_BIN").display(), words.join(" "));
    let status = process::Command::new("/bin/sh")
        .args(["-c", &line])
        .env_clear()
        .envs(job.variables())
        .current_dir(world.path("work"))
        .status()
        .unwrap();
    world.search_texts("", &fs::read_to_string(world.path("said")).unwrap_or_default());
    status.code().unwrap()
}

#[test]
fn an_output_that_nobody_gets_is_an_error_and_nothing_stays_alive() {
    let world = World::new();
    let said = format!("2> '{}'", world.path("said").display());
    for (command, more) in
        [("login", "--isolated"), ("login", "--output=json"), ("token", "--format=secret"), ("token", "")]
    {
        let before = world.sandbox.live();
        let job = world.job(command).usual(Provider::Vault);
        let job = if more.is_empty() { job } else { job.arg(more) };
        assert_eq!(redirected(&world, &job, &format!("> /dev/full {said}")), 6, "{command}");
        let text = fs::read_to_string(world.path("said")).unwrap();
        assert!(text.contains("the output cannot be written") && text.contains("revoked and confirmed"), "{text}");
        assert_eq!(world.sandbox.live(), before, "{command}");
        assert!(!world.has_login());
        assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new());
    }
    for word in ["--help", "--version"] {
        assert_eq!(redirected(&world, &world.job(word), &format!("> /dev/full {said}")), 6);
    }
    let plan = world.job("login").usual(Provider::Vault).arg("--dry-run");
    assert_eq!(redirected(&world, &plan, &format!("> /dev/full {said}")), 6);
}

/// What a login prints is given to a shell (`eval "$(hublease login …)"`), the plan as well; and what a job was told by others, a
/// branch's name for instance, stands in it.
#[test]
fn a_shell_runs_nothing_of_a_plan() {
    let world = World::new();
    for value in [
        "$(touch ran)",
        "`touch ran`",
        "x; touch ran",
        "x' ; touch ran; '",
        "x\" ; touch ran; \"",
        "x & touch ran",
        "$IFS",
    ] {
        for form in ["text", "json"] {
            let job = world.job("login").args(&["--vault-addr=https://vault.example.com", "--vault-path=a/b"]);
            let job = job.args(&["--as=circleci", &format!("--vault-role={value}")]);
            let plan = job.args(&["--dry-run", "--output", form]).run().code(0).stdout;
            let output = process::Command::new("/bin/sh")
                .args(["-c", &plan])
                .env_clear()
                .current_dir(world.path("work"))
                .output();
            assert!(!world.path("work/ran").exists(), "{form}: {plan}");
            let said = String::from_utf8(output.unwrap().stdout).unwrap();
            assert_eq!(said, "", "{form}: {plan}");
            if form == "json" {
                let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
                assert_eq!(plan["role"], value);
            } else {
                assert!(plan.lines().all(|line| line.starts_with("# ")), "{plan}");
            }
        }
    }
}

/// Nothing that the program opens takes the place of a stream that is closed: a credential would be written there.
#[test]
fn a_closed_stream_is_not_replaced_by_a_file() {
    let world = World::new();
    for streams in [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let before = world.sandbox.live();
        for command in ["token", "login"] {
            let job = world.job(command).usual(Provider::Vault).args(&["-v"]);
            let job = if command == "login" { job.arg("--client=none") } else { job };
            assert_eq!(redirected(&world, &job, streams), 0, "{command} {streams}");
            for record in world.record_files() {
                let text = fs::read_to_string(record).unwrap();
                assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{streams}: {text}");
            }
        }
        assert!(world.has_login());
        world.job("logout").usual(Provider::Vault).run().code(0).says("revoked and confirmed");
        assert_eq!(world.sandbox.live(), before);
    }
}
