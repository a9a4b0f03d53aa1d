//! The command line apart from the values of flags: commands, help, which provider is meant, and the streams.

use std::{fs, process};

use hublease::cli::{Command, FLAGS, Honour, ProviderName};

use crate::support::{
    World, binary,
    job::{Job, Provider, Shape},
    typed::{Bench, MARK, flag, good, needs},
    untouched::Untouched,
    which,
};

/// The width of a terminal that help should fit.
const WIDTH: usize = 100;

#[test]
fn every_command_explains_itself_with_an_example() {
    let world = World::new();
    for command in Command::ALL {
        for help in ["--help", "-h"] {
            let text = world.job(command.name()).arg(help).run().code(0);
            assert_eq!(text.stderr, "");
            let text = text.stdout;
            assert!(text.contains(command.about()) && text.contains(command.example()), "{text}");
            for flag in FLAGS.iter().filter(|flag| flag.commands.contains(command)) {
                assert!(text.contains(&format!("--{}", flag.name)), "{} --{}", command.name(), flag.name);
                assert!(flag.variables.iter().all(|name| text.contains(&format!("[{name}]"))), "{}", flag.name);
            }
        }
    }
    let text = world.job("--help").run().code(0).stdout;
    assert!(Command::ALL.iter().all(|command| text.contains(command.about())), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    let version = world.job("--version").run().code(0).stdout;
    assert_eq!(version, format!("hublease {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_examples_are_valid() {
    let world = World::new();
    for command in Command::ALL.iter().filter(|command| **command != Command::Whoami) {
        let example = command.example().split(" | ").next().unwrap();
        let (words, rest) = example.split_once(" -- ").unwrap_or((example, ""));
        let words: Vec<_> = words.split(' ').skip(2).collect();
        let job = world.job(command.name()).args(&words).args(&["--dry-run"]);
        let rest: Vec<_> = rest.split(' ').filter(|word| !word.is_empty()).collect();
        job.then(&rest).run().code(0);
    }
}

#[test]
fn what_no_command_knows_is_refused_and_not_repeated() {
    let world = World::new();
    let before = Untouched::of(&world);
    let secret = format!("--pasword={MARK}");
    for words in [
        &[MARK][..],
        &["help"],
        &["Login"],
        &["login", MARK],
        &["login", &secret],
        &["login", "-p", MARK],
        &["login", "--", MARK],
        &["login", "--username"],
        &["logout", "--scope", MARK],
        &["token", "--renew", MARK],
        &["exec", "--broker-url", "https://broker.example.com"],
        &["exec", "--broker-url", "https://broker.example.com", "--"],
        &["exec", "--broker-url", "https://broker.example.com", MARK],
        &["--dry-run", "login"],
        &["", "login"],
        &["logout", "--all", "--all"],
        &["logout", "-v", "-q"],
        &["logout", "--verbose=false=false"],
    ] {
        let outcome = world.job(words[0]).args(&words[1..]).run().code(2);
        assert!(outcome.stderr.starts_with("error: "), "{words:?}: {}", outcome.stderr);
        assert_eq!(outcome.stdout, "");
        outcome.does_not_say(MARK);
    }
    let bare = process::Command::new(binary("HUBLEASE_BIN")).env_clear().output().unwrap();
    let said = String::from_utf8(bare.stderr).unwrap();
    assert_eq!((bare.status.code(), said.contains("a command is missing")), (Some(2), true), "{said}");
    before.still(&world, "words that no command knows");
}

/// The cells of the table in `cli/flags.rs`: refused means refused, for a flag and for a variable of ours.
#[test]
fn a_wish_that_the_provider_cannot_honour_is_refused() {
    let world = World::new();
    let bench = Bench::new(&world);
    let before = Untouched::of(&world);
    let mut cells = 0;
    for command in Command::ALL {
        for flag in FLAGS.iter().filter(|flag| flag.commands.contains(command)) {
            let refusing = flag.honour.iter().zip(ProviderName::ALL).filter(|(honour, _)| **honour == Honour::Refused);
            for (_, provider) in refusing {
                let line = || match flag.name {
                    "as" => bench.line(*command, *provider, &[]).arg("--dry-run"),
                    _ => bench.line(*command, *provider, &[]),
                };
                let typed = line().arg(format!("--{}={}", flag.name, good(flag.name))).run().code(2);
                typed.says(&format!("cannot honour `--{}`", flag.name)).says(&format!("is {}", provider.name()));
                for name in flag.variables {
                    let outcome = line().env(name, good(flag.name));
                    if name.starts_with("HUBLEASE_") {
                        outcome.run().code(2).says(&format!("cannot honour `{name}`"));
                    } else if *command != Command::Whoami {
                        // It is there for others.
                        let plan = line().arg("--dry-run").run().code(0).stdout;
                        assert_eq!(outcome.arg("--dry-run").run().code(0).stdout, plan, "{name}");
                    }
                }
                cells += 1;
            }
        }
    }
    assert!(cells > 100, "{cells}");
    before.still(&world, "wishes that are refused");
}

#[test]
fn a_logout_without_an_address_refuses_what_only_a_provider_could_honour() {
    let world = World::new();
    let outcome = world.job("logout").arg("--vault-namespace=team").run().code(2);
    outcome.says("cannot honour `--vault-namespace`").says("give `--broker-url` or `--vault-addr`");
}

#[test]
fn two_selected_providers_are_an_error_that_names_both() {
    let world = World::new();
    let selecting = [
        ("docker", "connection-id", "HUBLEASE_CONNECTION_ID"),
        ("broker", "broker-url", "HUBLEASE_BROKER_URL"),
        ("vault", "vault-path", "HUBLEASE_VAULT_PATH"),
        ("vault", "vault-role", "HUBLEASE_VAULT_ROLE"),
    ];
    for (one, first, _) in selecting {
        for (other, second, variable) in selecting.iter().filter(|(other, ..)| *other != one) {
            if (one, *other) == ("docker", "broker") || (one, *other) == ("broker", "docker") {
                continue;
            }
            for command in ["login", "token", "whoami"] {
                let job = world.job(command).arg(format!("--{first}={}", good(first))).env(variable, good(second));
                let said = job.run().code(2).stderr;
                assert!(said.contains(&format!("{one} by `--{first}`")), "{said}");
                assert!(said.contains(&format!("{other} by `{variable}`")), "{said}");
            }
        }
    }
    // A connection id is a group of rules at a broker.
    let plan = world.job("login").args(&["--broker-url=https://broker.example.com", "--dry-run"]);
    plan.env("HUBLEASE_CONNECTION_ID", "team").run().code(0).says("provider: broker");
}

#[test]
fn only_what_selects_selects() {
    let world = World::new();
    let token = || world.job("token").args(&["--dry-run"]).env("DOCKERHUB_TOKEN", "kept-in-a-setting");
    // An ambient address of Vault is there for others, and `static` is never automatic.
    for job in [
        token(),
        token().env("VAULT_ADDR", "https://vault.example.com").env("VAULT_NAMESPACE", "team"),
        token().arg("--vault-addr=https://vault.example.com"),
        token().args(&["--secret-env=DOCKERHUB_TOKEN", "--username=acme"]),
        token().args(&["--provider=auto", "--username=acme"]),
    ] {
        job.run().code(2).says("nothing says which provider to ask");
    }
    for (arguments, provider) in [
        (&["--secret-env=DOCKERHUB_TOKEN", "--username=acme", "--provider=static"][..], "static"),
        (&["--vault-path=a/b", "--vault-addr=https://vault.example.com"], "vault"),
        (&["--broker-url=https://broker.example.com"], "broker"),
    ] {
        token().args(arguments).run().code(0).says(&format!("provider: {provider}"));
    }
    let connection = token().arg("--username=acme").env("DOCKERHUB_OIDC_CONNECTIONID", good("connection-id"));
    connection.run().code(0).says("provider: docker");
}

#[test]
fn what_a_provider_needs_is_named_when_it_is_missing() {
    let world = World::new();
    let bench = Bench::new(&world);
    for provider in ProviderName::ALL {
        for (name, _) in needs(*provider) {
            let outcome = bench.line(Command::Login, *provider, &[name]).run().code(2);
            outcome.says(&format!("--{name}")).says("is missing");
        }
    }
}

#[test]
fn an_audience_of_another_origin_has_to_be_meant() {
    let world = World::new();
    let bench = Bench::new(&world);
    for (provider, own) in [
        (ProviderName::Docker, "https://identity.docker.com"),
        (ProviderName::Broker, "https://broker.example.com"),
        (ProviderName::Vault, "https://vault.example.com"),
    ] {
        let line = |audience: &str| {
            bench.line(Command::Login, provider, &[]).arg("--dry-run").arg(format!("--audience={audience}"))
        };
        for elsewhere in [
            "https://evil.example.com",
            "http://evil.example.com",
            "HTTPS://evil.example.com",
            &format!("{own}.evil.example.com"),
            &format!("{own}:444"),
            &format!("{own}@evil.example.com"),
            "spiffe://cluster/build",
        ] {
            line(elsewhere).run().code(2).says("of `--audience`").says("--audience-elsewhere");
            line(elsewhere).arg("--audience-elsewhere").run().code(0).says(elsewhere);
        }
        for near in
            [own, &format!("{own}/"), &format!("{own}:443/path"), "0b0e5a44-6c1f-4a6d-9d0a-5f2f8c6f1a01", "plain"]
        {
            line(near).run().code(0);
        }
    }
}

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
    for (command, more) in [("login", ""), ("login", "--client=none"), ("token", "--format=secret"), ("token", "")] {
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

#[test]
fn verbose_and_quiet_exclude_each_other() {
    let world = World::new();
    assert!(flag("verbose").commands == flag("quiet").commands);
    for command in Command::ALL {
        world.job(command.name()).args(&["-v", "-q"]).then(&[]).run().code(2);
    }
}
