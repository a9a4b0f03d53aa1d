//! The driven story, stopped after effect k for every k of every provider, and `logout` afterwards.

use hublease::effect::{Asked, Effect, http::Destination};

use crate::support::{
    World,
    driven::{Driven, drive, leased},
    job::Provider,
};

/// What may still live after a stop at `k` and a `logout`: the lease that was minted when nobody could write it down.
fn is_unrecorded_mint(provider: Provider, trace: &[Asked], k: usize) -> bool {
    let is_exchange = |asked: &Asked| match &asked.effect {
        Effect::Http(request) => {
            request.to == Destination::Provider && request.path_and_query.ends_with("/oauth/token")
        }
        _ => false,
    };
    let written =
        |asked: &Asked| matches!(&asked.effect, Effect::Record(hublease::effect::record::Access::Write { .. }));
    let minted = trace.iter().take(k + 1).position(is_exchange);
    provider == Provider::Broker && minted.is_some_and(|minted| !trace[minted..=k].iter().any(written))
}

#[test]
fn whatever_a_login_left_at_its_death_is_dead_after_logout() {
    for provider in Provider::ALL {
        let mut k = 0;
        loop {
            let world = World::new();
            let before = leased(&world);
            let driven = drive(world.job("login").usual(provider).arg("--client").arg("none"), Some(k), |_, _| None);
            let mut before = before;
            if provider == Provider::Static {
                before = leased(&world);
            }
            check(&world, provider, &driven, k, &before);
            if driven.end.is_some() {
                assert!(k > 5, "{provider:?}: a story of {k} effects");
                break;
            }
            k += 1;
        }
    }
}

fn check(world: &World, provider: Provider, driven: &Driven, k: usize, before: &[String]) {
    let at = format!("{provider:?}, stopped after effect {k}: {:?}", driven.trace.last().map(|asked| &asked.effect));
    let has_record = !world.record_files().is_empty();
    let out = world.job("logout").usual(provider).run().code(0);
    let mut alive = leased(world);
    alive.retain(|item| !before.contains(item));
    if provider.revokes() && !is_unrecorded_mint(provider, &driven.trace, k) {
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
