//! Which pairs are warned of.

use super::*;
use crate::config::Config;
use crate::testing::CONFIG;

/// What is warned of two rules that begin alike and have more each.
fn found(first: &str, second: &str) -> Vec<String> {
    let rule = |name: &str, more: &str| {
        let repositories = if more.contains("repositories") { "" } else { "repositories = [\"acme/app\"]\n" };
        let claims =
            if more.contains("claims") { "" } else { "claims = { repository_id = \"77\", event_name = \"push\" }\n" };
        format!(
            "[[rule]]\nname = \"{name}\"\nissuer = \"github\"\naccount = \"acme\"\nactions = [\"pull\"]\n{repositories}{claims}{more}\n"
        )
    };
    let (head, _) = CONFIG.split_once("[[rule]]").unwrap();
    let config = Config::parse(&format!("{head}{}{}", rule("a", first), rule("b", second))).unwrap();
    let mut found = Vec::new();
    order(&config.rules, &mut found);
    assert!(found.iter().all(|warning| warning.code == "order_matters" && warning.about == "rule `a`"));
    let what = |warning: &Warning| Some(warning.sentence.split_once(" has another ")?.1.split_once(':')?.0.to_owned());
    found.iter().filter_map(what).collect()
}

/// What each rule says, and what differs.
#[test]
fn a_pair_is_warned_of_when_both_may_grant_the_same_and_give_something_else() {
    let claims = |more: &str| {
        format!("max_life_seconds = 60\nclaims = {{ repository_id = \"77\", event_name = \"push\", {more} }}")
    };
    let (life, public) = ("max_life_seconds = 60", "public_pull = true");
    let base = format!("{life}\nrepositories = [\"acme/base\"]");
    let tool = format!("{life}\nrepositories = [{{ glob = \"acme/a*\" }}]");
    let (main, tags) = (claims("ref = \"refs/heads/main\""), claims("ref = { glob = \"refs/tags/v*\" }"));
    let (list, flag) = (claims("groups = \"one\""), claims("safe = true"));
    let other_list = list.replace("one", "two").replace("60", "90");
    let other_flag = flag.replace("true", "false").replace("60", "90");
    let other = main.replace("77", "78");
    let (here, there) = ("networks = [\"192.0.2.0/24\"]", format!("{life}\nnetworks = [\"198.51.100.0/24\"]"));
    for (first, second, differing) in [
        ("", "", None),
        ("", life, Some("`max_life_seconds`")),
        ("", public, Some("`public_pull`")),
        (life, public, Some("`max_life_seconds` and `public_pull`")),
        ("", "revoke_workflow = true", Some("`revoke_workflow`")),
        ("", "max_life_seconds = 60\nreport_only = true", None),
        ("", &base, None),
        ("", &tool, Some("`max_life_seconds`")),
        ("", &main, Some("`max_life_seconds`")),
        ("", &other, None),
        (&main, &tags.replace("60", "90"), None),
        (&list, &other_list, Some("`max_life_seconds`")),
        (&flag, &other_flag, None),
        (here, &there, None),
        ("", &there, Some("`max_life_seconds`")),
    ] {
        assert_eq!(found(first, second), differing.into_iter().collect::<Vec<_>>(), "{first} / {second}");
    }
}
