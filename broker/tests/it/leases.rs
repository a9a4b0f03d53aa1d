//! `leases` with the real program, beside a broker that serves and without one, against a whole Docker Hub.

use hublease_sandbox::{Fault, Service};
use serde_json::{Value, json};

use crate::desk::{Desk, Serving};

/// Two jobs of one CircleCI workflow, and one of GitHub: their leases, in this order.
pub(crate) fn three(desk: &Desk, serving: &Serving) -> [String; 3] {
    let issuer = desk.sandbox.issuer();
    issuer.set_job("job-1", "1");
    let first = serving.lease(issuer.circleci());
    issuer.set_job("job-2", "2");
    [first, serving.lease(issuer.circleci()), serving.lease(issuer.github())]
}

/// The ids of a listing, sorted.
fn ids(listing: &Value) -> Vec<String> {
    let leases = listing["leases"].as_array().unwrap();
    let mut ids: Vec<_> = leases.iter().map(|lease| lease["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn sorted(mut ids: Vec<&String>) -> Vec<String> {
    ids.sort();
    ids.into_iter().cloned().collect()
}

#[test]
fn who_holds_what_is_found_by_every_filter() {
    let desk = Desk::new();
    let serving = desk.serve();
    let [first, second, third] = &three(&desk, &serving);
    let identity = desk.sandbox.issuer().identity();
    let list = |words: &[&str]| {
        let listed = desk.leases(&[&["list", "--output", "json"], words].concat());
        assert_eq!(listed.code, 0, "{}", listed.err);
        listed.json()
    };
    let all = list(&[]);
    assert_eq!((ids(&all), &all["more"]), (sorted(vec![first, second, third]), &json!(false)));
    let lease = |id: &str| all["leases"].as_array().unwrap().iter().find(|lease| lease["id"] == id).unwrap().clone();
    let [of_first, of_third] = [first, third].map(|id| lease(id));
    let text = |lease: &Value, name: &str| lease[name].as_str().unwrap().to_owned();
    let project = identity.project_id.as_str();
    for (words, expected) in [
        (vec!["--state", "live"], vec![first, second, third]),
        (vec!["--state", "intent", "--state", "revoking"], vec![]),
        (vec!["--rule", "github-app"], vec![third]),
        (vec!["--rule", "github-app", "--rule", "circleci-app"], vec![first, second, third]),
        (vec!["--project", project], vec![first, second]),
        (vec!["--project", &identity.repository_id], vec![third]),
        (vec!["--account", "acme"], vec![first, second, third]),
        (vec!["--account", "nobody"], vec![]),
        (vec!["--job", &text(&of_first, "job")], vec![first]),
        (vec!["--job", "job-2", "--project", project], vec![second]),
        (vec!["--job", "9100000001 1 2", "--project", &identity.repository_id], vec![third]),
        (vec!["--workflow", &text(&of_first, "workflow")], vec![first, second]),
        (vec!["--workflow", &identity.workflow_id, "--project", project], vec![first, second]),
        (vec!["--workflow", &identity.run_id, "--project", project], vec![]),
        (vec!["--token-sha256", &text(&of_third, "token_sha256").to_uppercase()], vec![third]),
        (vec!["--credential-sha256", &text(&of_first, "credential_sha256").to_uppercase()], vec![first]),
        (vec!["--pool-token", &text(&of_first, "hub_id")], vec![first]),
        (vec!["--at", &text(&of_third, "created_at")], vec![first, second, third]),
        (vec!["--at", "2001-01-01T00:00:00Z"], vec![]),
        (vec!["--at", "2001-01-01 00:00:00"], vec![]),
        (vec!["--at", "7"], vec![]),
    ] {
        assert_eq!(ids(&list(&words)), sorted(expected), "{words:?}");
    }
    let newest = list(&["--limit", "1"]);
    assert_eq!((ids(&newest), &newest["more"]), (vec![third.clone()], &json!(true)));
}

#[test]
fn a_list_has_aligned_columns_and_says_when_there_is_more() {
    let desk = Desk::new();
    let serving = desk.serve();
    let [_, second, third] = &three(&desk, &serving);
    let listed = desk.leases(&["list", "--limit", "2"]);
    let lines: Vec<_> = listed.out.lines().collect();
    let names = ["LEASE", "STATE", "RULE", "ACCOUNT", "PROJECT", "CREATED", "ENDS", "SCOPE"];
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), names);
    assert_eq!((listed.code, lines.len()), (0, 3));
    for (line, id, rule) in [(lines[1], third, "github-app"), (lines[2], second, "circleci-app")] {
        let at = |name: &str| &line[lines[0].find(name).unwrap()..];
        assert!(line.starts_with(id.as_str()) && at("STATE").starts_with("live ") && at("RULE").starts_with(rule));
        assert!(at("ACCOUNT").starts_with("acme ") && at("SCOPE") == "repository:acme/app:pull", "{line}");
        assert!(at("CREATED")[..20].ends_with('Z') && at("ENDS")[..20].ends_with('Z'), "{line}");
    }
    assert_eq!(listed.said(), ["these are the newest 2, and there are more: raise `--limit`, or narrow the selection"]);
    let none = desk.leases(&["list", "--rule", "other"]);
    assert_eq!((none.code, none.out.as_str(), none.said()), (0, "", vec!["no lease of the journal is meant"]));
    for words in [&["--at", "yesterday"][..], &["--limit", "0"], &["--state", "dead"], &["--job", "job-1"]] {
        assert_eq!(desk.leases(&[&["list"], words].concat()).code, 2, "{words:?}");
    }
}

#[test]
fn one_lease_is_shown_whole() {
    let desk = Desk::new();
    let serving = desk.serve();
    let issuer = desk.sandbox.issuer();
    let id = serving.lease(issuer.circleci().claim("sub", json!("\u{1b}[2J\u{202e}::x")));
    let shown = desk.leases(&["show", &id]);
    let value = |name: &str| {
        let line = shown.out.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
        line[name.len()..].trim_start().to_owned()
    };
    assert_eq!((shown.code, value("lease"), value("state")), (0, id.clone(), "live".to_owned()));
    assert_eq!(value("label"), format!("hublease/sandbox/{id}"));
    assert_eq!(value("subject"), "\\u{1b}[2J\\u{202e}: :x");
    assert_eq!((value("closed_at").as_str(), value("scope").as_str()), ("-", "repository:acme/app:pull"));
    let exact = desk.leases(&["show", &id, "--output", "json"]);
    assert_eq!(exact.json()["subject"], "\u{1b}[2J\u{202e}::x");
    assert!(exact.out.is_ascii() && !exact.out.contains('\u{1b}'));
    let unknown = desk.leases(&["show", "nothing"]);
    assert_eq!((unknown.code, unknown.said()), (1, vec!["the journal has no lease of that id"]));
}

#[test]
fn what_is_revoked_beside_a_serving_broker_is_gone_and_confirmed() {
    let desk = Desk::new();
    let serving = desk.serve();
    let [first, second, third] = &three(&desk, &serving);
    assert_eq!(desk.tokens(), 3);

    let one = desk.leases(&["revoke", first]);
    assert_eq!((one.code, one.said()), (0, vec!["revoked and confirmed 1 of 1"]));
    let line = &one.lines()[0];
    assert_eq!(
        (&line["event"], &line["outcome"], &line["lease_id"]),
        (&json!("operator"), &json!("confirmed"), &json!(first))
    );
    assert_eq!(desk.tokens(), 2);
    let again = desk.leases(&["revoke", first]);
    assert_eq!((again.code, again.out.as_str()), (0, ""));
    assert_eq!(again.said(), ["nothing to revoke: no lease that is meant is open"]);

    // More than one is not ended by a slip of the hand, and a typing error is no success.
    for (words, code, sentence) in [
        (vec!["--all"], 2, "this would revoke 2 leases; say `--yes` to do so without being asked".to_owned()),
        (vec![second, third], 2, "this would revoke 2 leases; say `--yes` to do so without being asked".to_owned()),
        (vec![second, "nothing"], 1, "the journal has no lease `nothing`; nothing was revoked".to_owned()),
    ] {
        let refused = desk.leases(&[&["revoke"], &words[..]].concat());
        assert_eq!((refused.code, refused.said()), (code, vec![sentence.as_str()]), "{words:?}");
    }
    for words in [&[][..], &["--all", "--rule", "x"], &[first, "--all"], &[first, "--account", "acme"]] {
        assert_eq!(desk.leases(&[&["revoke", "--yes"], words].concat()).code, 2, "{words:?}");
    }
    assert_eq!(desk.tokens(), 2);

    let rule = desk.leases(&["revoke", "--rule", "github-app"]);
    assert_eq!((rule.code, rule.lines()[0]["lease_id"].clone()), (0, json!(third)));
    let workflow = desk.sandbox.issuer().identity().workflow_id;
    let project = desk.sandbox.issuer().identity().project_id;
    let rest = desk.leases(&["revoke", "--workflow", &workflow, "--project", &project]);
    assert_eq!((rest.code, rest.said(), desk.tokens()), (0, vec!["revoked and confirmed 1 of 1"], 0));
    let empty = desk.leases(&["revoke", "--all"]);
    assert_eq!((empty.code, empty.said()), (0, vec!["nothing to revoke: no lease that is meant is open"]));
}

#[test]
fn a_typing_error_is_no_success() {
    let desk = Desk::new();
    let serving = desk.serve();
    let empty = desk.leases(&["revoke", "--all"]);
    assert_eq!((empty.code, empty.said()), (0, vec!["nothing to revoke: no lease that is meant is open"]));
    let id = &serving.lease(desk.sandbox.issuer().circleci());
    let lease = desk.leases(&["show", id, "--output", "json"]).json();
    let text = |name: &str| lease[name].as_str().unwrap();
    let (project, hash) = (text("project"), text("token_sha256"));
    let other_hash = "0".repeat(64);
    let never = "the journal has never had such a lease, or has forgotten it after `keep_days`; nothing was revoked";
    let not_a_hash = "`--token-sha256` is a SHA-256 in 64 hexadecimal digits";
    let no_rule = "there is no rule `github-ap`, and no lease of it; nothing was revoked";
    let table: [(&[&str], i32, &str); 11] = [
        (&["--rule", "circleci-app", "--rule", "github-ap"], 1, no_rule),
        (&["--rule", "circleci-ap"], 1, never),
        (&["--project", "nowhere"], 1, never),
        (&["--account", "acne"], 1, never),
        (&["--pool-token", "none"], 1, never),
        (&["--job", "job-0", "--project", project], 1, never),
        (&["--rule", "circleci-app", "--account", "acne"], 1, never),
        (&["--token-sha256", &other_hash], 1, never),
        (&["--token-sha256", &hash[1..]], 2, not_a_hash),
        (&["--token-sha256", &format!("{}g", &hash[1..])], 2, not_a_hash),
        (&["--token-sha256", "SENTINEL"], 2, not_a_hash),
    ];
    for (words, code, sentence) in table {
        let refused = desk.leases(&[&["revoke", "--yes"], words].concat());
        assert_eq!((refused.code, refused.said()), (code, vec![sentence]), "{words:?}");
    }
    assert_eq!(desk.leases(&["list", "--token-sha256", &hash[1..]]).code, 2);
    assert_eq!(desk.tokens(), 1);
    // What was there and is over is no error, and neither is a rule beside it that has granted nothing yet.
    for said in ["revoked and confirmed 1 of 1", "nothing to revoke: no lease that is meant is open"] {
        let rules = ["--rule", "circleci-app", "--rule", "github-app"];
        let revoked = desk.leases(&[&["revoke", "--token-sha256", hash], &rules[..]].concat());
        assert_eq!((revoked.code, revoked.said()), (0, vec![said]));
    }
}

#[test]
fn what_docker_hub_does_not_confirm_is_written_down_all_the_same() {
    let desk = Desk::new();
    let serving = desk.serve();
    let leases = three(&desk, &serving);
    drop(serving);
    desk.sandbox.fault(Fault::on(Service::Hub, "/v2/orgs/").always());
    let revoked = desk.leases(&["revoke", "--all", "--yes"]);
    assert_eq!(revoked.code, 1, "{}", revoked.err);
    assert_eq!(revoked.said(), ["revoked and confirmed 0 of 3; 3 are removed by the running broker's sweeper"]);
    assert!(revoked.lines().iter().all(|line| line["outcome"] == "failed"));
    assert_eq!(desk.tokens(), 3);
    for id in &leases {
        assert_eq!(desk.leases(&["show", id, "--output", "json"]).json()["state"], "revoking");
    }
    assert_eq!(ids(&desk.leases(&["list", "--state", "live", "--output", "json"]).json()), [""; 0]);
}

#[test]
fn without_a_journal_there_is_nothing_to_read() {
    let desk = Desk::new();
    for words in [&["list"][..], &["show", "x"], &["revoke", "--all"]] {
        let failed = desk.leases(words);
        assert_eq!(failed.code, 1);
        assert!(failed.said()[0].contains("journal.db: the journal cannot be opened: "), "{}", failed.err);
    }
    assert!(!desk.path("journal.db").exists());
}

#[test]
fn a_credential_that_was_found_is_ended_by_one_command_that_repeats_nothing_of_it() {
    let desk = Desk::new();
    let serving = desk.serve();
    three(&desk, &serving);
    let found = serving.exchange(desk.sandbox.issuer().circleci());
    let [credential, id] = ["access_token", "lease_id"].map(|name| found[name].as_str().unwrap());
    let revoke = |input: &str| desk.leases_told(&["revoke", "--credential", "-"], input);
    for (input, code) in [("", 2), (" \n", 2), ("dckr_oat_SENTINEL", 1)] {
        let told = revoke(input);
        assert_eq!((told.code, told.out.as_str()), (code, ""), "{}", told.err);
        assert!(!told.err.contains("SENTINEL"), "{}", told.err);
    }
    let tokens = desk.tokens();
    let told = revoke(&format!(" {credential}\n"));
    assert_eq!((told.code, desk.tokens()), (0, tokens - 1), "{}", told.err);
    assert_eq!(told.lines()[0]["lease_id"], id);
    assert!(!format!("{}{}", told.out, told.err).contains(credential));
}
