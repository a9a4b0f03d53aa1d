//! The story from end to end, for every provider.

use crate::support::World;
use crate::support::job::{Provider, Shape};

#[test]
fn a_job_logs_in_and_its_credential_is_dead_afterwards() {
    for (provider, shape) in [
        (Provider::Broker, Shape::Circleci),
        (Provider::Broker, Shape::Github),
        (Provider::Vault, Shape::Circleci),
        (Provider::Vault, Shape::Github),
        (Provider::Docker, Shape::Github),
    ] {
        let world = World::new();
        let before = world.sandbox.live();
        world.job("login").shape(shape, provider).run().code(0).says("logged in to docker.io as");
        assert!(world.has_login(), "{provider:?}");
        assert!(world.sandbox.live().len() > before.len());
        let out = world.job("logout").shape(shape, provider).run().code(0);
        let verdict = if provider.revokes() { "revoked and confirmed" } else { "cannot be revoked, dies at" };
        out.says(verdict);
        assert!(!world.has_login());
        assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new());
        if provider.revokes() {
            assert_eq!(world.sandbox.live(), before);
        }
    }
}
