//! Which token of a pool is lent.

use tempfile::TempDir;

use super::*;
use crate::rules::{Glob, Pattern};
use crate::testing::write_secret;

/// Tokens whose content is `dckr_oat_NAME`. One whose name ends with `-public` pulls public images, too.
fn pool(tokens: &[(&str, &[&str], &[Action])]) -> (TempDir, Pool) {
    let place = tempfile::tempdir().unwrap();
    let token = |(name, repositories, actions): &(&str, &[&str], &[Action])| {
        let file = place.path().join(name);
        write_secret(&file, &format!("dckr_oat_{name}\n"));
        let pattern = |text: &&str| match Glob::parse(text) {
            Ok(glob) => Pattern::Glob(glob),
            Err(_) => Pattern::Text((*text).to_owned()),
        };
        Lendable {
            name: (*name).to_owned(),
            reach: Reach {
                repositories: repositories.iter().map(pattern).collect(),
                actions: actions.to_vec(),
                public_pull: name.ends_with("-public"),
            },
            source: SecretSource::File(file),
        }
    };
    let tokens = tokens.iter().map(token).collect();
    (place, Pool::new("owner".to_owned(), tokens))
}

const PULL: &[Action] = &[Action::Pull];
const PUSH: &[Action] = &[Action::Pull, Action::Push];

#[test]
fn the_narrowest_token_that_covers_all_of_the_scope_is_lent() {
    let (_place, pool) = pool(&[
        ("everything", &["acme/*", "other/*"], PUSH),
        ("read-all", &["acme/*"], PULL),
        ("app", &["acme/app"], PUSH),
        ("two", &["acme/app", "acme/base"], PUSH),
    ]);
    for (scope, expected) in [
        ("repository:acme/app:pull", Some("read-all")),
        ("repository:acme/app:pull,push", Some("app")),
        ("repository:acme/app:pull,push repository:acme/base:pull", Some("two")),
        ("repository:acme/x:pull,push", Some("everything")),
        ("repository:other/x:pull", Some("everything")),
        ("repository:acme/app:pull,push,delete", None),
        ("repository:third/x:pull", None),
    ] {
        let scope = Scope::parse(scope).unwrap();
        let lent = pool.lend(&scope, |_| 0);
        let name = lent.as_ref().ok().map(|lent| (lent.id.clone(), lent.token.expose().to_owned()));
        assert_eq!(name, expected.map(|name| (lent_id(name), format!("dckr_oat_{name}"))), "{scope}");
        assert_eq!(pool.covers(&scope), expected.is_some());
    }
}

#[test]
fn public_images_are_pulled_by_a_token_that_is_said_to_have_them() {
    let (_place, pool) = pool(&[("app-public", &["acme/app"], PULL), ("app", &["acme/app"], PULL)]);
    let scope = Scope::parse("repository:acme/app:pull").unwrap();
    let lent = |scope: &Scope| pool.lend(scope, |_| 0).ok().map(|lent| lent.id);
    assert_eq!(lent(&scope), Some(lent_id("app")), "the narrower one, unless more is wanted");
    assert_eq!(lent(&scope.with_public_pull().unwrap()), Some(lent_id("app-public")));
    let pushing = Scope::parse("repository:acme/app:push").unwrap();
    assert_eq!(lent(&pushing.with_public_pull().unwrap()), None);
}

#[test]
fn among_equals_the_one_that_the_fewest_hold_is_lent() {
    let (_place, pool) =
        pool(&[("a", &["acme/app"], PULL), ("b", &["acme/base", "acme/app"], PULL), ("c", &["acme/app"], PULL)]);
    let scope = Scope::parse("repository:acme/app:pull").unwrap();
    for (held, expected) in [([3, 0, 2], "c"), ([2, 0, 3], "a"), ([1, 0, 1], "a")] {
        let held = |name: &str| held[["a", "b", "c"].iter().position(|known| *known == name).unwrap()];
        assert_eq!(pool.lend(&scope, held).ok().map(|lent| lent.id), Some(lent_id(expected)));
    }
}

#[test]
fn a_token_is_read_anew_at_each_lease_and_nothing_but_a_token_is_handed_out() {
    let (place, pool) = pool(&[("app", &["acme/app"], PULL)]);
    let scope = Scope::parse("repository:acme/app:pull").unwrap();
    let lend = |content: &str| {
        write_secret(&place.path().join("app"), content);
        pool.lend(&scope, |_| 0).map(|lent| lent.token.expose().to_owned())
    };
    assert_eq!(lend("dckr_pat_second"), Ok("dckr_pat_second".to_owned()));
    let no_token = IssueError::NoToken { phrase: "what it was given as token is none" };
    assert_eq!(lend("SENTINEL-password"), Err(no_token));
    let sentence = pool.tokens[0].read().err().unwrap().sentence;
    assert!(!sentence.contains("SENTINEL"), "{sentence}");
}
