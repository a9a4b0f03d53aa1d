//! `mode: whoami`: what the job can prove stands in the step's log, and there is nothing to undo.

use super::runner::Step;
use crate::support::World;
use crate::support::job::Provider;

#[test]
fn the_step_prints_the_rules_and_leaves_nothing_behind() {
    for provider in [Provider::Broker, Provider::Vault, Provider::Docker] {
        let world = World::new();
        let audience = match provider {
            Provider::Vault => world.sandbox.vault_url(),
            Provider::Broker => world.broker_url(),
            _ => "https://identity.docker.com".to_owned(),
        };
        let step = Step::new(&world, provider).input("mode", "whoami");
        let main = step.main().code(0).says("identity: GitHub Actions\n").says(&format!("  aud: {audience}\n"));
        let main = main.says("narrowest broker rule that would accept this job:\n").says("\"event_name\" = \"push\"\n");
        assert!(main.output.is_empty() && main.state.is_empty() && main.env.is_empty(), "{}", main.stdout);
        step.post(&main).code(0).says_only("nothing to undo here");
        assert!(!world.has_login());
    }
}

#[test]
fn without_a_provider_it_prints_what_there_is_to_say() {
    let world = World::new();
    let step = Step::new(&world, Provider::Broker).without_input("broker-url").input("mode", "whoami");
    step.main().code(0).says("\"YOUR-VAULT-ADDRESS\"");
}

#[test]
fn a_mode_is_one_of_two() {
    let world = World::new();
    for (mode, code) in [("", 0), ("login", 0), ("logout", 2), ("Whoami", 2)] {
        let main = Step::new(&world, Provider::Broker).input("client", "none").input("mode", mode).main().code(code);
        if code == 2 {
            main.says("the value of `mode` cannot be used").says("it is `login` or `whoami`");
        }
    }
}
