//! The GitHub Action's module as it was built: what it may do, that nothing it is told makes it hang, die or tell a
//! secret, and that it tells the program's own story. `faults.rs` has its table of providers and faults.

mod limits;
mod nonsense;
pub mod story;

use crate::support::module::{Answer, Code, Given, Guest, Limits, Trapped};

/// Part of every secret of these tests that no sandbox has handed out.
const MARK: &str = "s3cret-XYZZY";

/// More than the largest message that is read.
const TEN_MEGABYTES: usize = 10 * 1024 * 1024;

#[test]
fn it_can_do_nothing_but_answer() {
    let [core, component] = Code::both();
    // The means of the standard library to end after a panic; the adapter of the component adds its own needs.
    let preview1 = ["environ_get", "environ_sizes_get", "fd_write", "proc_exit"];
    assert_eq!(core.imports(), preview1.map(|name| format!("wasi_snapshot_preview1 {name}")));
    let preview2 = [
        "cli/environment",
        "cli/exit",
        "io/error",
        "io/streams",
        "cli/stdin",
        "cli/stdout",
        "cli/stderr",
        "clocks/wall-clock",
        "filesystem/types",
        "filesystem/preopens",
    ];
    assert_eq!(component.imports(), preview2.map(|name| format!("wasi:{name}@0.2.12")));
    assert_eq!(component.exports(), ["hublease:action/session@0.1.0"]);
    let functions = ["begin", "advance"].map(|name| format!("hublease:action/session@0.1.0#{name}"));
    let after = functions.each_ref().map(|name| format!("cabi_post_{name}"));
    let memory = ["cabi_realloc", "cabi_realloc_wit_bindgen_0_62_0", "memory"].map(str::to_owned);
    let mut expected = [&functions[..], &after, &memory].concat();
    expected.sort();
    let mut exports = core.exports();
    exports.sort();
    assert_eq!(exports, expected);
}

/// A login at a broker, by a job whose request token is a secret.
fn given() -> Given {
    let mut given = Given::default().with("broker-url", "https://broker.example.com");
    for (name, value) in [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://pipelines.example.com/token?api-version=2"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", MARK),
        ("GITHUB_ACTIONS", "true"),
    ] {
        given.environment.insert(name.to_owned(), value.to_owned());
    }
    given
}

/// An instance that waits for the outcome of its first effect, a look for docker.
fn begun(code: &Code, limits: Limits) -> Guest {
    let mut guest = code.start(limits);
    let answer = Answer::read(&guest.begin("login", &given().json()).unwrap());
    assert!(answer.ask.is_some_and(|ask| ask.forward && !ask.undo && !ask.mint));
    guest
}

/// It ended with 70 and this text, told no secret, and is still there to be asked again.
#[track_caller]
fn is_refused(guest: &Guest, answer: Result<String, Trapped>, text: &str) {
    let answer = answer.unwrap();
    assert!(!answer.contains(MARK), "a secret, where it should say `{text}`");
    let over = Answer::read(&answer).over();
    assert_eq!(over.code, 70, "{over:?}");
    assert!(over.error.as_ref().unwrap().contains(text), "{over:?} has no `{text}`");
    assert_eq!(guest.printed(), "");
}
