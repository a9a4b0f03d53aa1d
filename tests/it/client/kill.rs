//! The driven story, stopped after effect k for every k of every provider, and `logout` afterwards.

use hublease::effect::http::Destination;
use hublease::effect::{Asked, Effect};

use crate::support::World;
use crate::support::driven::{Driven, drive, leased};
use crate::support::job::Provider;

/// What may still live after a stop and a `logout`: the lease that was minted when nobody could write it down.
fn is_unrecorded_mint(provider: Provider, trace: &[Asked]) -> bool {
    let is_exchange = |asked: &Asked| match &asked.effect {
        Effect::Http(request) => {
            request.to == Destination::Provider && request.path_and_query.ends_with("/oauth/token")
        }
        _ => false,
    };
    let written =
        |asked: &Asked| matches!(&asked.effect, Effect::Record(hublease::effect::record::Access::Write { .. }));
    let minted = trace.iter().position(is_exchange);
    provider == Provider::Broker && minted.is_some_and(|minted| !trace.iter().skip(minted).any(written))
}

fn run(provider: Provider) {
    for k in 0.. {
        let world = World::new();
        let before = leased(&world);
        let driven = drive(world.job("login").usual(provider).args(&["--client", "none"]), Some(k), |_, _| None);
        // The static token was not leased: it is there before and afterwards.
        let before = if provider == Provider::Static { leased(&world) } else { before };
        check(&world, provider, &driven, k, &before);
        if driven.end.is_some() {
            assert_eq!(driven.code(), 0);
            assert!(k > 5, "a story of {k} effects");
            break;
        }
    }
}

#[test]
fn what_a_broker_login_left_at_its_death_is_dead_after_logout() {
    run(Provider::Broker);
}

#[test]
fn what_a_vault_login_left_at_its_death_is_dead_after_logout() {
    run(Provider::Vault);
}

#[test]
fn what_a_docker_login_left_at_its_death_is_named_by_logout() {
    run(Provider::Docker);
}

#[test]
fn what_a_static_login_left_at_its_death_is_named_by_logout() {
    run(Provider::Static);
}

fn check(world: &World, provider: Provider, driven: &Driven, k: usize, before: &[String]) {
    let at = format!("{provider:?}, stopped after effect {k}: {:?}", driven.trace.last().map(|asked| &asked.effect));
    let has_record = !world.record_files().is_empty();
    let out = world.job("logout").usual(provider).run().code(0);
    let mut alive = leased(world);
    alive.retain(|item| !before.contains(item));
    if provider.revokes() && !is_unrecorded_mint(provider, &driven.trace) {
        assert_eq!(alive, Vec::<String>::new(), "{at}");
    }
    match (provider, has_record) {
        (_, false) => drop(out.says("nothing to undo here")),
        (Provider::Docker, true) => drop(out.says("cannot be revoked, dies at")),
        (Provider::Static, true) => drop(out.says("not a lease, lives on at its owner")),
        _ => {}
    }
    assert!(!world.has_login(), "{at}");
    assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new(), "{at}");
    world.job("logout").usual(provider).run().code(0).says("nothing to undo here");
}
