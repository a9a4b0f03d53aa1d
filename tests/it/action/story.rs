//! A step and its post step, from the first mask to the last line.

use super::runner::Step;
use crate::support::{World, driven::leased, job::Provider};

#[test]
fn a_step_logs_in_and_its_post_step_revokes() {
    for provider in Provider::ALL {
        let world = World::new();
        let step = Step::new(&world, provider);
        let main = step.main().code(0);
        println!("{}\n{:#?}\n{:#?}\n{}\n{:?}", main.stdout, main.output, main.state, main.summary, main.trace());
        assert!(world.has_login());
        let post = step.post(&main).code(0);
        println!("{}\n{}\n{:?}", post.stdout, post.summary, post.trace());
        assert!(!world.has_login());
        if provider.revokes() {
            assert_eq!(leased(&world), Vec::<String>::new());
        }
    }
}
