//! The command line apart from the values of flags: commands, help, and which provider is meant.

use std::process;

use hublease::cli::{Command, FLAGS, ProviderName, Support};

use crate::support::typed::{Bench, MARK, flag, good, needs};
use crate::support::untouched::Untouched;
use crate::support::{World, binary};

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
            assert!(text.contains(command.about()), "{text}");
            assert!(command.examples().iter().all(|example| text.contains(example)), "{text}");
            assert!(text.contains(&format!("Usage: hublease {} ", command.name())), "{text}");
            // An example is one line that can be pasted.
            let mut lines = text.lines().filter(|line| !command.examples().contains(&line.trim()));
            assert!(lines.all(|line| line.chars().count() <= WIDTH), "{text}");
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
    let examples =
        |command: &Command| command.examples().iter().map(|example| (*command, *example)).collect::<Vec<_>>();
    for (command, example) in Command::ALL.iter().filter(|command| **command != Command::Whoami).flat_map(examples) {
        let example = example.split(" | ").next().unwrap();
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
    // What asks no provider has nothing that a provider could refuse.
    for command in Command::ALL.iter().filter(|command| **command != Command::Check) {
        for flag in FLAGS.iter().filter(|flag| flag.commands.contains(command)) {
            let refusing =
                flag.support.iter().zip(ProviderName::ALL).filter(|(honour, _)| **honour == Support::Refused);
            for (_, provider) in refusing {
                let line = || match flag.name {
                    "as" => bench.line(*command, *provider, &[]).arg("--dry-run"),
                    _ => bench.line(*command, *provider, &[]),
                };
                let typed = line().arg(format!("--{}={}", flag.name, good(flag.name))).run().code(2);
                typed.says(&format!("cannot honour `--{}`", flag.name)).says(&format!("is {}", provider.name()));
                for name in flag.variables {
                    let outcome = line().env(name, good(flag.name));
                    if name.starts_with("HUBLEASE_") && *command == Command::Logout {
                        // A job that uses two providers logs out of each, by `--provider`.
                        outcome.arg("--dry-run").run().code(0);
                    } else if name.starts_with("HUBLEASE_") {
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
    // As the hint says.
    let named = world.job("login").args(&["--dry-run", "--username=acme"]);
    let named = named.arg(format!("--connection-id={}", good("connection-id")));
    named.env("HUBLEASE_VAULT_PATH", "").run().code(0).says("provider: docker");
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
fn an_audience_that_is_not_the_provider_s_own_has_to_be_meant() {
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
            own.trim_start_matches("https://"),
            "sts.amazonaws.com",
            "pypi",
            "sigstore",
            "vault.example.com:8200",
            "api://AzureADTokenExchange",
            "0b0e5a44-6c1f-4a6d-9d0a-5f2f8c6f1a01",
            "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        ] {
            line(elsewhere).run().code(2).says("of `--audience`").says("--audience-elsewhere");
            line(elsewhere).arg("--audience-elsewhere").run().code(0).says(elsewhere);
        }
        for near in [own, &format!("{own}/"), &format!("{own}:443/path"), &own.replace("https", "HTTPS")] {
            line(near).run().code(0);
        }
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
