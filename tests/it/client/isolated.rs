//! Private configuration directories, and how the steps after a login find them.

use std::fs;

use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::Provider;

/// What a shell learns from the output of a login.
fn exported(stdout: &str) -> String {
    let script = "eval \"$OUTPUT\"; printf '%s' \"$DOCKER_CONFIG\"";
    let shell = std::process::Command::new("/bin/sh")
        .args(["-euc", script])
        .env_clear()
        .env("OUTPUT", stdout)
        .output()
        .unwrap();
    assert!(shell.status.success(), "{}", String::from_utf8_lossy(&shell.stderr));
    String::from_utf8(shell.stdout).unwrap()
}

#[test]
fn the_output_of_a_private_login_is_for_eval() {
    let world = World::new();
    let out = world.job("login").usual(Provider::Broker).arg("--isolated").run().code(0);
    let directory = exported(&out.stdout);
    assert!(fs::read_to_string(format!("{directory}/config.json")).unwrap().contains("https://index.docker.io/v1/"));
    assert!(!world.has_login());
    world.job("logout").usual(Provider::Broker).run().code(0);
    assert!(!fs::exists(directory).unwrap());
}

/// Whoever evaluates the output of a login, always, gets no word of a sentence run.
#[test]
fn standard_output_of_a_login_has_nothing_that_a_shell_would_run() {
    for provider in Provider::ALL {
        for more in ["--quiet", "-v", "--client=none", "--registry=dhi.io", "--isolated", "--isolated=copy-auths"] {
            let world = World::new();
            let out = world.job("login").usual(provider).arg(more).run().code(0);
            let is_private = more.starts_with("--isolated");
            let lines: Vec<_> = out.stdout.lines().collect();
            assert_eq!(lines.len(), usize::from(is_private), "{more}: {}", out.stdout);
            assert!(lines.iter().all(|line| line.starts_with("export DOCKER_CONFIG='")), "{}", out.stdout);
            assert_eq!(out.stderr.contains("logged in to"), more != "--quiet", "{more}: {}", out.stderr);
            let again = world.job("login").usual(provider).args(&[more, "--output=json"]).run().code(0);
            assert!(serde_json::from_str::<serde_json::Value>(&again.stdout).is_ok(), "{}", again.stdout);
            let undone = world.job("logout").usual(provider).run().code(0);
            assert_eq!(undone.stdout, "");
        }
    }
}

#[test]
fn beside_a_json_document_there_is_no_export_line() {
    let world = World::new();
    let out = world.job("login").usual(Provider::Broker).args(&["--isolated", "--output", "json"]).run().code(0);
    let document: serde_json::Value = serde_json::from_str(&out.stdout).unwrap();
    assert!(fs::exists(document["docker_config"].as_str().unwrap()).unwrap());
    world.job("logout").usual(Provider::Broker).run().code(0);
}

#[test]
fn a_later_step_in_the_private_directory_belongs_to_the_same_login() {
    for in_ci in [true, false] {
        let world = World::new();
        let job = |command| {
            let job = world.job(command).usual(Provider::Vault);
            if in_ci { job } else { job.without("CIRCLE_WORKFLOW_JOB_ID") }
        };
        let first = exported(&job("login").arg("--isolated").run().code(0).stdout);
        let repeated = job("login").arg("--isolated").env("DOCKER_CONFIG", first.as_str()).run().code(0);
        let second = exported(&repeated.says("the older login of this job is replaced").stdout);
        assert_ne!(first, second);
        assert_eq!(world.record_files().len(), 1);
        let out = job("logout").env("DOCKER_CONFIG", second.as_str()).run().code(0).says("revoked and confirmed");
        out.does_not_say("the earlier login is back");
        assert_eq!(leased(&world), Vec::<String>::new());
        assert!(!fs::exists(&first).unwrap() && !fs::exists(&second).unwrap());
    }
}

#[test]
fn a_private_login_does_not_mind_a_broken_file_and_leaves_it_alone() {
    for broken in ["{", "[]", r#"{"auths": []}"#] {
        let world = World::new();
        world.write_config(broken);
        world.job("login").usual(Provider::Broker).arg("--isolated").run().code(0);
        world.job("logout").usual(Provider::Broker).run().code(0).says("revoked and confirmed");
        world.program("true", "#!/bin/sh\n");
        let exec = world.job("exec").usual(Provider::Broker).then(&["true"]);
        exec.run().code(0).says("revoked and confirmed");
        assert_eq!(fs::read_to_string(world.config()).unwrap(), broken);
    }
}

#[test]
fn later_steps_on_circleci_and_github_learn_the_directory() {
    let world = World::new();
    for (provider, shape_variable, file) in
        [(Provider::Vault, "BASH_ENV", "bash-env"), (Provider::Docker, "GITHUB_ENV", "github-env")]
    {
        let path = world.path("spare").join(file);
        fs::write(&path, "before\n").unwrap();
        let job = world.job("login").usual(provider).arg("--isolated").env(shape_variable, path.display().to_string());
        let directory = exported(&job.run().code(0).stdout);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("before\n") && text.contains("DOCKER_CONFIG") && text.contains(&directory), "{text}");
        let logout = world.job("logout").usual(provider).env(shape_variable, path.display().to_string());
        // The later step has learned it.
        let out = logout.env("DOCKER_CONFIG", directory).run().code(0);
        let own = world.home().join(".docker").display().to_string();
        assert_eq!(exported(&out.stdout), own, "the old directory is given back");
        assert!(fs::read_to_string(&path).unwrap().trim_end().lines().rev().take(2).any(|line| line.contains(&own)));
    }
}
