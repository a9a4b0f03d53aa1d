//! What answers in a provider's place, and what a provider says in words of its own: what is told of it, with which exit code, and
//! what lives afterwards. A sentence claims what was said, and no more; the rows are beside this file, by the way there and back.
//!
//! Each row is run by the program's own session, and with the Action's module beside it.

mod back;
mod forward;

use hublease::error::Problem;
use hublease_sandbox::{Action, Fault, Service};

use crate::client::remote::back::{BACK, Back};
use crate::client::remote::forward::{FOREIGN, Foreign, Seat, WORDS, Words};
use crate::module::story::logout;
use crate::support::World;
use crate::support::driven::{drive, drive_beside, leased};
use crate::support::job::{Job, Provider, Shape};
use crate::support::module::{Beside, Code, Given};

/// An answer as it goes over the wire.
#[derive(Clone, Copy)]
struct Answer {
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &'static [u8],
}

impl Answer {
    fn action(self) -> Action {
        let headers = self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Action::Status(self.status, headers.collect(), self.body.to_vec())
    }
}

/// A login to which `seat` answers so, for ever; the deed may be done before.
fn log_in(seat: Seat, answer: Answer, is_done: bool, name: &str, wanted: (Problem, u8, &str), codes: &[Code]) {
    let (problem, code, says) = wanted;
    let world = World::new();
    let job = world.job("login").shape(Shape::Github, seat.provider()).args(&["--client", "none"]);
    let fault = Fault::on(seat.service(), seat.path()).then(answer.action()).always();
    world.sandbox.fault(if is_done { fault.after_handling() } else { fault });
    let beside = Beside::of(codes, "login", Given::of(&job));
    let driven = drive_beside(job, beside, None, |_, _| None);
    let row = format!("{seat:?}, {name}:\n{}", driven.stderr);
    let error = driven.error();
    assert_eq!((error.problem(), error.exit_code()), (problem, code), "{row}\n{error}");
    assert!(error.to_string().contains(says), "{row}\n{error}");
    assert!(!error.to_string().contains("SENTINEL"), "{row}\n{error}");
    assert!(!world.has_login(), "{row}");
    // Docker Identity revokes nothing: what it made behind an answer that was lost dies by itself.
    let lives = usize::from(is_done && seat == Seat::Docker);
    assert_eq!(leased(&world).len(), lives, "{row}");
    assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new(), "{row}");
    // The Vault token that made something has ended, and with it what it made.
    assert!(world.sandbox.live().iter().all(|item| item.kind != "token"), "{row}");
}

fn foreign(seat: Seat) {
    let codes = Code::both();
    for Foreign { name, answer, problem, says } in FOREIGN {
        let (problem, says) = seat.exception(name).unwrap_or((*problem, says));
        log_in(seat, *answer, false, name, (problem, problem.stage().exit_code(), says), &codes);
    }
}

#[test]
fn what_answers_in_place_of_a_broker_is_not_taken_for_it() {
    foreign(Seat::Broker);
}

#[test]
fn what_answers_in_place_of_a_brokers_metadata_is_not_taken_for_it() {
    foreign(Seat::Metadata);
}

#[test]
fn what_answers_in_place_of_a_vault_login_is_not_taken_for_it() {
    foreign(Seat::Login);
}

#[test]
fn what_answers_in_place_of_a_vault_path_is_not_taken_for_it() {
    foreign(Seat::Mint);
}

#[test]
fn what_answers_in_place_of_docker_identity_is_not_taken_for_it() {
    foreign(Seat::Docker);
}

/// A firewall that looks at answers lets the deed happen and shows a page instead: what was made is ended all the same.
#[test]
fn what_was_made_behind_a_page_is_ended() {
    let codes = Code::both();
    let page = Answer { status: 403, headers: &[("content-type", "text/html")], body: b"<html>SENTINEL</html>" };
    for seat in [Seat::Mint, Seat::Docker] {
        let wanted = (Problem::Answer, 5, "not understood: status 403, with an HTML page");
        log_in(seat, page, true, "a page in place of the answer", wanted, &codes);
    }
}

#[test]
fn words_mean_what_they_say_and_nothing_else() {
    let codes = Code::both();
    for Words { name, seat, answer, problem, code, says } in WORDS {
        log_in(*seat, *answer, false, name, (*problem, *code, says), &codes);
    }
}

/// The mark that some servers write before a text hides nothing.
#[test]
fn json_behind_a_mark_is_read() {
    let world = World::new();
    world.broker_url();
    let token = world.static_token();
    let body = format!("\u{feff}{{\"access_token\":\"{token}\",\"token_type\":\"N_A\",\"username\":\"acmebot\"}}");
    world.sandbox.fault(Fault::on(Service::Forwarded, "/oauth/token").always().then(Action::RawBody(body.into())));
    let job = world.job("login").usual(Provider::Broker).args(&["--client", "none"]);
    assert_eq!(drive(job, None, |_, _| None).code(), 0);
}

/// A logout, and what lives after it: credential and Vault token.
fn log_out(world: &World, post: Job<'_>, beside: Beside, row: &str) -> (u8, String, [bool; 2], bool) {
    let driven = drive_beside(post, beside, None, |_, _| None);
    assert!(!driven.stderr.contains("SENTINEL"), "{row}: {}", driven.stderr);
    let live = world.sandbox.live();
    let is_credential = |kind: &str| kind.contains("access token") || kind == "lease";
    let lives = [live.iter().any(|item| is_credential(item.kind)), live.iter().any(|item| item.kind == "token")];
    (driven.code(), driven.stderr, lives, !world.record_files().is_empty())
}

#[test]
fn of_a_logout_only_what_was_said_is_final() {
    let codes = Code::both();
    for Back { name, call, answer, says, code, lives, kept } in BACK {
        let world = World::new();
        let job = world.job("login").shape(Shape::Github, call.provider()).args(&["--client", "none"]);
        let given = Given::of(&job).with("strict-revoke", "true");
        let post = || logout(&world, &world.job("login").shape(Shape::Github, call.provider()), &given);
        assert_eq!(drive(job, None, |_, _| None).code(), 0, "{name}");
        world.sandbox.fault(Fault::on(call.service(), call.path()).then(answer.action()).always());
        let beside = Beside::of(&codes, "logout", given.clone());
        let (ended, stderr, alive, is_kept) = log_out(&world, post(), beside, name);
        assert!(stderr.contains(says), "{call:?}, {name}: {says}\n{stderr}");
        assert_eq!((ended, alive, is_kept), (*code, *lives, *kept), "{call:?}, {name}:\n{stderr}");
        assert_eq!(*code == 7, *kept, "{name}: what may live is kept, and is a failure");
        // What is kept is what the next logout needs.
        world.sandbox.clear_faults();
        let (ended, stderr, alive, is_kept) = log_out(&world, post(), Beside::default(), name);
        assert_eq!((ended, is_kept), (0, false), "{call:?}, {name}: again\n{stderr}");
        assert!(!kept || alive == [false, false], "{call:?}, {name}: again\n{stderr}");
    }
}
