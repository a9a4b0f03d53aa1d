//! Logins that the real server refuses: what is said of each, and where the hint leads.

use serde_json::json;

use super::stage::{LEASE, ask, job};
use super::twins::{AUDIENCE, Twins};
use crate::support::known::Right;

/// Role, path, further flags, and what is right.
type Refusal = (&'static str, &'static str, &'static [&'static str], Right<'static>);

const NO_ROLE: &str = "does not know the role";
const NO_PROVIDER: &str = "a proxy answers in its place";

const fn right(
    moment: &'static str,
    code: i32,
    says: &'static [&'static str],
    not: &'static [&'static str],
) -> Right<'static> {
    Right { moment, code, says, does_not_say: not }
}

const REFUSALS: &[Refusal] = &[
    ("nobody", LEASE, &[], right("no such role", 4, &[NO_ROLE, "--vault-role"], &[])),
    (
        "another-project",
        LEASE,
        &[],
        right("bound claim with another value", 4, &["no rule of", "bound claim values"], &[]),
    ),
    (
        "without-policies",
        LEASE,
        &[],
        right("no policy for the path", 4, &["does not let this job use the path"], &["\\u{a}"]),
    ),
    ("dockerhub", LEASE, &["--vault-auth-path", "nope"], right("no such mount", 4, &["permission denied"], &[NO_ROLE])),
    ("from-elsewhere", LEASE, &[], right("login from another address", 4, &["permission denied"], &[NO_ROLE])),
    (
        "dockerhub",
        LEASE,
        &["--vault-namespace", "nope"],
        right("no such namespace", 4, &["--vault-namespace"], &[NO_ROLE]),
    ),
    ("one-use", LEASE, &[], right("a token of one use", 4, &["token_num_uses"], &[])),
    ("dockerhub", "secret/data/ci/nothing", &[], right("nothing at the path", 4, &["status 404"], &[])),
    ("dockerhub", "secret/data/ci/deleted", &[], right("the newest version is deleted", 4, &["was deleted"], &[])),
    (
        "dockerhub",
        "secret/data/ci/newline",
        &[],
        right("the stored value ends in a line break: the hint", 5, &["line break"], &[NO_PROVIDER]),
    ),
    (
        "dockerhub",
        "secret/data/ci/large",
        &[],
        right("the stored value is too large", 5, &["a stored one is stored anew"], &[NO_PROVIDER]),
    ),
    (
        "dockerhub",
        LEASE,
        &["--identity-token-env", "EARLY"],
        right("the identity token is of the future", 4, &["not yet valid"], &["no rule of"]),
    ),
    (
        "dockerhub",
        LEASE,
        &["--identity-token-env", "OTHER"],
        right("another audience", 4, &["does not accept the audience"], &[]),
    ),
];

#[test]
fn each_refusal_is_named_by_what_it_is() {
    let twins = Twins::start();
    let (address, mut job) = (twins.bao.url(), job(&twins));
    twins.put("ci/newline", &json!({ "username": "acmebot", "token": "ends in a line break\n" }));
    twins.put("ci/large", &json!({ "username": "acmebot", "token": "x".repeat(20_000) }));
    twins.put("ci/deleted", &json!({ "username": "acmebot", "token": "of the operator" }));
    assert_eq!(twins.bao.as_root(&twins.bao.ask("DELETE", "secret/data/ci/deleted")).status, 204);
    let (token, now) = (twins.sandbox.issuer().circleci().audience(AUDIENCE), twins.sandbox.now());
    let early =
        token.clone().claim("iat", json!(now + 3600)).claim("nbf", json!(now - 10)).claim("exp", json!(now + 7200));
    job.set("EARLY", &early.sign());
    job.set("OTHER", &token.audience("https://other.example.com").sign());
    for (role, path, more, right) in REFUSALS {
        ask("login", &job, &address, role, path, &[&["--client", "none"][..], more].concat()).is(right);
        assert_eq!(job.records().len(), 0, "{}", right.moment);
    }
    for address in ["/v1", "/ui"].map(|path| address.clone() + path) {
        let said = ask("login", &job, &address, "dockerhub", LEASE, &["--client", "none"]);
        said.is(&right("the address has a path", 2, &["the address of a server ends before"], &[NO_ROLE]));
    }
    assert_eq!((twins.postgres.made_roles().len(), twins.leases()), (0, 0));
}
