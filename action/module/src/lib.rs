//! The module that the GitHub Action runs: [`hublease::action`] behind two exported functions.
//!
//! It imports what Rust's standard library needs to end after a fault, and nothing to open a socket, a file or a
//! variable with: all it can do is ask. One instance tells one story; a host that sees a trap drops the instance.

#![cfg(target_family = "wasm")]

use std::cell::RefCell;
use std::panic;

use hublease::action::Module;
use hublease_protocol::secret::Secret;

#[expect(unsafe_code, reason = "the generated glue of the canonical ABI")]
mod abi {
    wit_bindgen::generate!({ world: "action", path: "wit" });

    export!(Exported with_types_in self);

    use super::Exported;
}

thread_local! {
    static MODULE: RefCell<Module> = const { RefCell::new(Module::Idle) };
}

struct Exported;

impl abi::exports::hublease::action::session::Guest for Exported {
    fn begin(stage: String, inputs: String) -> String {
        // The message of a panic may hold what was read; its place does not.
        panic::set_hook(Box::new(|info| say_where(info.location())));
        let inputs = Secret::new(inputs);
        handed_out(&MODULE.with_borrow_mut(|module| module.begin(&stage, &inputs)))
    }

    fn advance(outcome: String) -> String {
        let outcome = Secret::new(outcome);
        handed_out(&MODULE.with_borrow_mut(|module| module.advance(&outcome)))
    }
}

/// The host gets a copy of its own, which the glue frees as soon as it was read.
fn handed_out(message: &Secret) -> String {
    message.expose().to_owned()
}

#[expect(clippy::print_stderr, reason = "the only text that the module ever prints")]
fn say_where(place: Option<&panic::Location<'_>>) {
    match place {
        Some(place) => eprintln!("internal error at {}:{}", place.file(), place.line()),
        None => eprintln!("internal error"),
    }
}
