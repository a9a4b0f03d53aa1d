//! What Vault says to each call, and what may then be said of lease and token. `of_lease_and_token_only_what_vault_said_is_said`
//! has over 60 lines, because it is the table.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use hublease_protocol::endpoint::Endpoint;
use hublease_protocol::secret::Secret;

use super::{
    Held, KEPT, NO_POLICY, NO_SELF, TOKEN_ENDED, TOKEN_REFUSED, UNNAMED, revoke_credential, revoke_token_after,
};
use crate::effect::http::{Failure, Obstacle, Response};
use crate::effect::{Effect, Outcome, Session, Step};
use crate::lease::RevocationOutcome::{self, AlreadyOver, Confirmed, DiesAlone, Ended, NotRevoked, Requested};
use crate::provider::vault::address::Address;

/// Answers, as a status and the texts of `errors`; a text that begins a page is the body itself.
type Answer = (u16, &'static [&'static str]);

const DONE: Answer = (204, &[]);
const KNOWN: Answer = (200, &[]);
const QUEUED: Answer = (202, &[]);
const UNKNOWN: Answer = (400, &["invalid lease"]);
const POLICY: Answer = (403, &["1 error occurred:\n\t* permission denied\n\n"]);
const REFUSED: Answer = (403, &["permission denied"]);
/// A firewall's.
const PAGE: Answer = (403, &["<html>no</html>"]);
const PLUGIN: Answer = (400, &["failed to revoke entry: err: failed to delete auth token 500"]);

/// What is held, before its time or after it.
#[derive(Clone, Copy)]
enum What {
    Lease,
    LeaseAfterItsTime,
    LeaseOfBatch,
    Asked,
    AskedByBatch,
    TokenAlone,
    TokenAloneAfterItsTime,
    TokenThatIsEnding,
}

fn held(what: What, token: &Secret) -> Held<'_> {
    Held {
        client_token: token,
        lease_id: matches!(what, What::Lease | What::LeaseAfterItsTime | What::LeaseOfBatch).then_some("db/creds/x/1"),
        may_have_lease: !matches!(what, What::TokenAlone | What::TokenAloneAfterItsTime | What::TokenThatIsEnding),
        batch: matches!(what, What::LeaseOfBatch | What::AskedByBatch),
        is_ending: matches!(what, What::TokenThatIsEnding),
        is_token_over: matches!(what, What::LeaseAfterItsTime | What::TokenAloneAfterItsTime),
    }
}

fn address() -> Address {
    let endpoint = Endpoint::parse("https://vault.example.com").unwrap();
    Address { endpoint, namespace: None, redirect: None }
}

/// Runs the calls; each answer belongs to the next call of that path.
fn run(what: What, answers: &[(&str, Answer)]) -> (Option<RevocationOutcome>, Option<RevocationOutcome>) {
    let mut left: VecDeque<_> = answers.iter().copied().collect();
    let came = Rc::new(RefCell::new(None));
    let result = Rc::clone(&came);
    let mut session = Session::start(|host| async move {
        let token = Secret::new("hvs.token");
        let address = address();
        let (undo, held) = (host.undoing(), held(what, &token));
        let lease = revoke_credential(&undo, &address, &held).await?;
        let revocation = revoke_token_after(&undo, &address, &held, lease).await?;
        *result.borrow_mut() = Some(revocation);
        Ok(0)
    });
    let mut outcome = None;
    loop {
        let asked = match session.step(outcome) {
            Step::Over(end) => {
                assert_eq!(end, Ok(0));
                break;
            }
            Step::Asked(asked) => asked,
        };
        outcome = Some(match asked.effect {
            Effect::Http(request) => {
                let (path, (status, errors)) = left.pop_front().unwrap();
                assert_eq!(request.path_and_query, format!("/v1/{path}"));
                let body = match (status, errors) {
                    (202 | 204, _) => String::new(),
                    (200, _) => r#"{"request_id":"1","data":{"id":"db/creds/x/1"}}"#.to_owned(),
                    (_, [page]) if page.starts_with('<') => (*page).to_owned(),
                    _ => serde_json::json!({ "errors": errors }).to_string(),
                };
                let body = Secret::new(body);
                Outcome::Http(Ok(Response { status, body, ..Response::default() }))
            }
            other => panic!("{other:?}"),
        });
    }
    assert!(left.is_empty(), "not asked: {left:?}");
    let revocation = came.take().unwrap();
    (revocation.credential, revocation.vault_token)
}

const PAGES: &str = "the answer is not understood: status 403, with an HTML page";
const LOOK: &str = "sys/leases/lookup";
const REVOKE: &str = "sys/leases/revoke";
const TOKEN: &str = "auth/token/revoke-self";

/// Name, what is held, the calls with their answers, and what is said of lease and token.
type Row =
    (&'static str, What, &'static [(&'static str, Answer)], Option<RevocationOutcome>, Option<RevocationOutcome>);

#[test]
fn of_lease_and_token_only_what_vault_said_is_said() {
    let no = |why: &str| Some(NotRevoked(why.to_owned()));
    let plugin =
        "Vault answered with status 400; it says: failed to revoke entry: err: failed to delete auth token 500";
    let batch_policy = format!("{NO_POLICY}, and a batch token cannot be revoked");
    let kept = || no(KEPT);
    let rows: &[Row] = &[
        // A lease, its look-up, its revocation and the end of its token.
        (
            "known and revoked",
            What::Lease,
            &[(LOOK, KNOWN), (REVOKE, DONE), (TOKEN, DONE)],
            Some(Confirmed),
            Some(Confirmed),
        ),
        // A server that stands by may not know it yet.
        ("unknown", What::Lease, &[(LOOK, UNKNOWN), (REVOKE, DONE), (TOKEN, DONE)], Some(Ended), Some(Confirmed)),
        (
            "unknown to both",
            What::Lease,
            &[(LOOK, UNKNOWN), (REVOKE, UNKNOWN), (TOKEN, DONE)],
            Some(AlreadyOver),
            Some(Confirmed),
        ),
        ("unknown, and the plugin fails", What::Lease, &[(LOOK, UNKNOWN), (REVOKE, PLUGIN)], no(plugin), kept()),
        (
            "not to be looked up",
            What::Lease,
            &[(LOOK, POLICY), (REVOKE, DONE), (TOKEN, DONE)],
            Some(Ended),
            Some(Confirmed),
        ),
        (
            "no such look-up",
            What::Lease,
            &[(LOOK, (405, &[])), (REVOKE, DONE), (TOKEN, DONE)],
            Some(Ended),
            Some(Confirmed),
        ),
        (
            "queued",
            What::Lease,
            &[(LOOK, KNOWN), (REVOKE, QUEUED), (TOKEN, DONE)],
            Some(Requested("Vault queued it")),
            Some(Confirmed),
        ),
        (
            "no right to revoke",
            What::Lease,
            &[(LOOK, KNOWN), (REVOKE, POLICY), (TOKEN, DONE)],
            Some(Requested(NO_POLICY)),
            Some(Confirmed),
        ),
        (
            "no right to revoke anything",
            What::Lease,
            &[(LOOK, KNOWN), (REVOKE, POLICY), (TOKEN, POLICY)],
            no(NO_SELF),
            no(NO_SELF),
        ),
        (
            "a token that lives on",
            What::Lease,
            &[(LOOK, KNOWN), (REVOKE, DONE), (TOKEN, POLICY)],
            Some(Confirmed),
            no(NO_SELF),
        ),
        (
            "a last use",
            What::Lease,
            &[(LOOK, KNOWN), (REVOKE, DONE), (TOKEN, REFUSED)],
            Some(Confirmed),
            Some(AlreadyOver),
        ),
        // A failure is one whatever the clock says, and keeps the token that may ask again.
        ("the plugin fails", What::Lease, &[(LOOK, KNOWN), (REVOKE, PLUGIN)], no(plugin), kept()),
        ("the plugin fails late", What::LeaseAfterItsTime, &[(LOOK, KNOWN), (REVOKE, PLUGIN)], no(plugin), kept()),
        (
            "known late",
            What::LeaseAfterItsTime,
            &[(LOOK, KNOWN), (REVOKE, DONE), (TOKEN, DONE)],
            Some(Confirmed),
            Some(Confirmed),
        ),
        // A page is nobody's word, whatever the clock says.
        ("a page", What::Lease, &[(LOOK, PAGE)], no(PAGES), kept()),
        ("a page midway", What::Lease, &[(LOOK, KNOWN), (REVOKE, PAGE)], no(PAGES), kept()),
        ("a page late", What::LeaseAfterItsTime, &[(LOOK, PAGE)], no(PAGES), kept()),
        ("a page for a token", What::TokenAloneAfterItsTime, &[(TOKEN, PAGE)], None, no(PAGES)),
        // A token that is not taken has ended only once its time has passed.
        ("refused", What::Lease, &[(LOOK, REFUSED)], no(TOKEN_REFUSED), kept()),
        ("refused midway", What::Lease, &[(LOOK, KNOWN), (REVOKE, REFUSED)], no(TOKEN_REFUSED), kept()),
        (
            "refused late",
            What::LeaseAfterItsTime,
            &[(LOOK, REFUSED), (TOKEN, REFUSED)],
            Some(Requested(TOKEN_ENDED)),
            Some(AlreadyOver),
        ),
        // A batch token dies alone.
        ("of a batch token", What::LeaseOfBatch, &[(LOOK, KNOWN), (REVOKE, DONE)], Some(Confirmed), Some(DiesAlone)),
        (
            "of a batch token without the right",
            What::LeaseOfBatch,
            &[(LOOK, KNOWN), (REVOKE, POLICY)],
            no(&batch_policy),
            Some(DiesAlone),
        ),
        // The answer that names the lease was lost.
        ("asked", What::Asked, &[(TOKEN, DONE)], Some(Requested("it ends with the Vault token")), Some(Confirmed)),
        ("asked, and refused", What::Asked, &[(TOKEN, REFUSED)], no(TOKEN_REFUSED), no(TOKEN_REFUSED)),
        ("asked by a batch token", What::AskedByBatch, &[], no(UNNAMED), Some(DiesAlone)),
        // Nothing was made.
        ("a token alone", What::TokenAlone, &[(TOKEN, DONE)], None, Some(Confirmed)),
        ("a token alone, refused", What::TokenAlone, &[(TOKEN, REFUSED)], None, no(TOKEN_REFUSED)),
        ("a token alone, refused late", What::TokenAloneAfterItsTime, &[(TOKEN, REFUSED)], None, Some(AlreadyOver)),
        ("a token whose end was asked for", What::TokenThatIsEnding, &[(TOKEN, REFUSED)], None, Some(AlreadyOver)),
        (
            "an unknown namespace",
            What::TokenAlone,
            &[(TOKEN, (404, &["namespace not found"]))],
            None,
            no("Vault answered with status 404; it says: namespace not found"),
        ),
    ];
    for (name, what, answers, credential, token) in rows {
        assert_eq!(run(*what, answers), (credential.clone(), token.clone()), "{name}");
    }
}

#[test]
fn a_server_that_is_gone_has_confirmed_nothing() {
    let mut session = Session::start(|host| async move {
        let token = Secret::new("hvs.token");
        let address = address();
        let held = held(What::LeaseAfterItsTime, &token);
        let lease = revoke_credential(&host.undoing(), &address, &held).await?;
        let Some(NotRevoked(why)) = lease else { return Ok(1) };
        Ok(u8::from(!why.contains("cannot be reached")))
    });
    let mut outcome = None;
    let end = loop {
        match session.step(outcome) {
            Step::Over(end) => break end,
            Step::Asked(asked) => {
                outcome = Some(match asked.effect {
                    Effect::Http(_) => Outcome::Http(Err(Failure::Unreachable(Obstacle::Closed))),
                    Effect::Random { .. } => Outcome::Text("0000".to_owned()),
                    _ => Outcome::Done,
                });
            }
        }
    };
    assert_eq!(end, Ok(0));
}
