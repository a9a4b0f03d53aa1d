//! What a line says, whose lines are written, and what becomes of those that cannot be.

use std::collections::BTreeSet;

use super::*;
use crate::testing::{Lines, NOW};

#[test]
fn a_line_is_json_in_a_fixed_order_without_what_is_not_known() {
    let lines = Lines::default();
    let audit = Audit::to(Box::new(lines.clone()));
    let decided = audit.record(Event::Exchange, NOW, |line| {
        (line.job, line.lease_id, line.expires_in) = (Some("a\n\"job\"".to_owned()), Some("1".to_owned()), Some(900));
        (Outcome::Issued, 7)
    });
    assert_eq!(decided, 7);
    let refused: Result<(), _> = Err(Refusal::new(Code::RateLimited, "too many"));
    audit.record(Event::RevokeByIdentity, NOW, |line| (line.outcome_of(&refused, |()| Outcome::Confirmed), ()));
    audit.settle();
    assert_eq!(
        lines.text(),
        concat!(
            r#"{"time":"2026-11-20T19:30:00Z","event":"exchange","outcome":"issued","job":"a\n\"job\"","#,
            r#""expires_in":900,"lease_id":"1"}"#,
            "\n",
            r#"{"time":"2026-11-20T19:30:00Z","event":"revoke_by_identity","outcome":"rate_limited","#,
            r#""reason":"too many"}"#,
            "\n",
        )
    );
}

#[test]
fn no_two_outcomes_share_a_word_with_each_other_or_with_a_refusal() {
    let done = [
        Outcome::Issued,
        Outcome::Confirmed,
        Outcome::Returned,
        Outcome::Expired,
        Outcome::Unknown,
        Outcome::Failed,
        Outcome::Elsewhere,
        Outcome::Requested,
        Outcome::Reported,
        Outcome::Adopted,
    ];
    let all: Vec<_> = done.into_iter().chain(Code::ALL.iter().copied().map(Outcome::Refused)).collect();
    let words: BTreeSet<_> = all.iter().map(|outcome| outcome.as_str()).collect();
    assert_eq!(words.len(), all.len());
}

#[test]
fn no_foreign_text_reaches_a_terminal_as_it_is() {
    let lines = Lines::default();
    let audit = Audit::to(Box::new(lines.clone()));
    let hostile = "a\u{9b}2J\u{85}\u{202e}b\u{2028}c\u{7f}\u{1b}[31m\u{feff}";
    audit.record(Event::Exchange, NOW, |line| {
        line.subject = Some(hostile.to_owned());
        (Outcome::Issued, ())
    });
    audit.settle();
    let text = lines.text();
    assert!(text.trim_end().bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text}");
    assert_eq!(lines.all()[0]["subject"], hostile, "and nothing of it is lost");
}

#[test]
fn a_stranger_has_so_many_lines_in_a_minute_and_whoever_is_believed_all_of_his() {
    let lines = Lines::default();
    let audit = Audit::to(Box::new(lines.clone()));
    let refuse = |client: Client, code: Code| {
        let refused: Result<(), _> = Err(Refusal::new(code, "no"));
        audit.record(Event::Exchange, NOW, |line| {
            line.stranger = Some(client);
            (line.outcome_of(&refused, |()| Outcome::Issued), ())
        });
    };
    let [one, other] = ["192.0.2.1", "2001:db8::1"].map(|address| Client::At(address.parse().unwrap()));
    let written = |client, code, tried: usize| {
        let before = lines.all().len();
        (0..tried).for_each(|_| refuse(client, code));
        audit.settle();
        lines.all().len() - before
    };
    let most = usize::try_from(AUDIT_STRANGERS_PER_MINUTE).unwrap();
    assert_eq!(written(one, Code::SignatureInvalid, 500), most, "of 500");
    assert_eq!(written(one, Code::MalformedRequest, 500), 0, "of 500 more");
    assert_eq!(written(other, Code::SignatureInvalid, 500), most, "of 500");
    assert_eq!(written(Client::Unnamed, Code::SignatureInvalid, 500), most, "of 500");
    assert_eq!(written(one, Code::ScopeNotGranted, 500), 500, "a rule has accepted this job");
    assert_eq!(written(Client::ThisMachine, Code::SignatureInvalid, 50), 50);
}
