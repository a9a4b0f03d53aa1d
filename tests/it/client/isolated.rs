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
        for more in ["--quiet", "-v", "--client=none", "--registry=dhi.io", "--isolated"] {
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
            // What tells later steps of the directory tells them of docker's own again.
            let lines: Vec<_> = undone.stdout.lines().collect();
            assert_eq!(lines.len(), usize::from(is_private), "{more}: {}", undone.stdout);
            assert!(lines.iter().all(|line| line.starts_with("export DOCKER_CONFIG='")), "{}", undone.stdout);
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
        assert_eq!(first, second, "steps that know the first one find the second, too");
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
        let login = world.job("login").usual(Provider::Broker).arg("--isolated").run().code(0);
        login.says("warning: nothing of your own auth file is in the private directory: it cannot be understood\n");
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

/// What keeps the user's own directory from being used, what is said of it, and the value that later steps get back.
struct Unusable {
    arrange: fn(&World),
    environment: &'static [(&'static str, Option<&'static str>)],
    says: &'static [&'static str],
}

const UNUSABLE: &[Unusable] = &[
    Unusable {
        arrange: |_| {},
        environment: &[("HOME", None)],
        says: &["nothing of your own auth file is in the private directory: neither DOCKER_CONFIG nor HOME is set"],
    },
    Unusable {
        arrange: |world| fs::create_dir_all(world.config()).unwrap(),
        environment: &[],
        says: &["nothing of your own auth file is in the private directory: ", "config.json: it is not a file"],
    },
    Unusable {
        arrange: |world| world.write_config(&" ".repeat(1024 * 1024 + 1)),
        environment: &[],
        says: &["config.json: it is larger than 1 MiB"],
    },
    Unusable {
        arrange: |world| {
            world.write_config("");
            fs::write(world.config(), b"{\"a\":\"\xff\"}").unwrap();
        },
        environment: &[],
        says: &["nothing of your own auth file is in the private directory: it cannot be understood"],
    },
    Unusable {
        arrange: |world| fs::write(world.home().join(".docker"), "a file").unwrap(),
        environment: &[],
        says: &["nothing of your own auth file is in", "nothing of your own docker directory is in the private one: "],
    },
    Unusable {
        arrange: |_| {},
        environment: &[("DOCKER_CONFIG", Some("/dev/null"))],
        says: &["nothing of your own docker directory is in the private one: /dev/null: "],
    },
    Unusable {
        arrange: |world| {
            fs::create_dir(world.home().join(".docker")).unwrap();
            std::os::unix::fs::symlink("config.json", world.config()).unwrap();
        },
        environment: &[],
        says: &["nothing of your own auth file is in the private directory: "],
    },
];

#[test]
fn whatever_keeps_the_real_directory_from_being_used_keeps_no_private_one_from_being_made() {
    for Unusable { arrange, environment, says } in UNUSABLE {
        let world = World::new();
        arrange(&world);
        world.program("true", "#!/bin/sh\n");
        let job = |command| {
            let job = world.job(command).usual(Provider::Vault);
            environment.iter().fold(job, |job, (name, value)| match value {
                Some(value) => job.env(name, *value),
                None => job.without(name),
            })
        };
        let login = says.iter().fold(job("login").arg("--isolated").run().code(0), |login, says| login.says(says));
        let directory = exported(&login.stdout);
        let logout = job("logout").env("DOCKER_CONFIG", directory.as_str()).run().code(0);
        logout.says("revoked and confirmed");
        assert!(!fs::exists(&directory).unwrap());
        let exec = says.iter().fold(job("exec").then(&["true"]).run().code(0), |exec, says| exec.says(says));
        exec.says("revoked and confirmed");
        assert_eq!(leased(&world), Vec::<String>::new());
    }
}

/// The second login is for this registry; `told` is whether its step has learned of the first one's directory, as a shell does
/// that evaluates the output. A job's logout ends both.
#[test]
fn the_private_logins_of_one_job_share_a_directory() {
    for (second, told) in [("dhi.io", true), ("dhi.io", false), ("docker.io", true), ("docker.io", false)] {
        let world = World::new();
        world.write_config(r#"{"credsStore":"none-of-ours"}"#);
        let job = |command| world.job(command).usual(Provider::Vault);
        let first = exported(&job("login").arg("--isolated").run().code(0).stdout);
        let next = job("login").args(&["--isolated", "--registry", second]);
        let next = if told { next.env("DOCKER_CONFIG", first.as_str()) } else { next };
        assert_eq!(exported(&next.run().code(0).stdout), first, "{second} {told}");
        let config = fs::read_to_string(format!("{first}/config.json")).unwrap();
        let config: serde_json::Value = serde_json::from_str(&config).unwrap();
        for key in
            ["https://index.docker.io/v1/", if second == "dhi.io" { second } else { "https://index.docker.io/v1/" }]
        {
            assert!(config["auths"][key]["auth"].is_string(), "{second} {told} {key}");
        }
        job("logout").env("DOCKER_CONFIG", first.as_str()).run().code(0).says("revoked and confirmed");
        assert_eq!(leased(&world), Vec::<String>::new());
        assert!(!fs::exists(&first).unwrap());
        assert_eq!(world.record_files().len(), 0);
    }
}
