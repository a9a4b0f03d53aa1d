//! Credential helpers as the tests need them: one that works, and the ways in which one does not.
//!
//! Follows the protocol of docker-credential-helpers: one argument, errors on standard output with exit code 1.

use crate::support::World;
use crate::support::machine::which;

/// What a helper does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helper {
    /// Keeps logins, one JSON object in a line.
    Works,
    /// Lists, and fails to store.
    CannotStore,
    /// Takes a login, says nothing and keeps nothing.
    Forgets,
    /// Keeps another secret than it was given.
    Alters,
    /// Lists and stores, and fails to give.
    CannotGet,
    /// Lists and stores, and fails to erase.
    CannotErase,
    /// Fails whatever it is asked, as `pass` does before `pass init`.
    Uninitialised,
    /// Answers `list` with something else than JSON.
    Babbles,
}

/// Puts `docker-credential-NAME` on PATH.
pub fn plant(world: &World, name: &str, helper: Helper) {
    let (fail, uninitialised) = (
        "echo 'the key ring is locked'; exit 1",
        "echo 'pass not initialized: exit status 1: Error: password store is empty. Try \"pass init\".'; exit 1",
    );
    let early = match helper {
        Helper::Uninitialised => uninitialised,
        Helper::Babbles => "test \"$1\" = list && { echo 'Welcome to the key ring'; exit 0; }",
        Helper::CannotGet => "test \"$1\" = get && { echo 'the key ring is locked'; exit 1; }",
        _ => "",
    };
    let [cat, sed, grep, paste, mv] = ["cat", "sed", "grep", "paste", "mv"].map(|name| which(name).unwrap());
    let keep = match helper {
        Helper::CannotStore => fail.to_owned(),
        Helper::Forgets => format!("{} > /dev/null; exit 0", cat.display()),
        Helper::Alters => format!(
            "{} 's/\"Secret\":\"[^\"]*\"/\"Secret\":\"another\"/' >> \"$kept\"; echo >> \"$kept\"; exit 0",
            sed.display()
        ),
        _ => String::new(),
    };
    let erase = if helper == Helper::CannotErase { fail } else { "" };
    let script = format!(
        r#"#!/bin/sh
{{ printf 'argv:'; printf ' [%s]' "$0" "$@"; printf '\n'; export -p; }} >> '{trace}'
kept='{kept}'
test -e "$kept" || : > "$kept"
{early}
case "$1" in
store) {keep}
    {cat} >> "$kept"; echo >> "$kept" ;;
list) entries=$({sed} -n 's/.*"ServerURL":"\([^"]*\)","Username":"\([^"]*\)".*/"\1":"\2"/p' "$kept" | {paste} -sd, -)
    echo "{{$entries}}" ;;
get) {grep} -F "\"ServerURL\":\"$({cat})\"" "$kept" || {{ echo 'credentials not found in native keychain'; exit 1; }} ;;
erase) {erase}
    {grep} -vF "\"ServerURL\":\"$({cat})\"" "$kept" > "$kept.new"; {mv} "$kept.new" "$kept" ;;
*) exit 1 ;;
esac
"#,
        trace = world.path("children.log").display(),
        kept = kept(world).display(),
        cat = cat.display(),
        sed = sed.display(),
        grep = grep.display(),
        paste = paste.display(),
        mv = mv.display(),
    );
    world.program(&format!("docker-credential-{name}"), &script);
}

/// Where the helpers keep logins.
fn kept(world: &World) -> std::path::PathBuf {
    world.path("spare").join("helper-store")
}

/// What the helpers hold: server and user name, one pair for each login.
pub(super) fn holds(world: &World) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(kept(world)).unwrap_or_default();
    let parse = |line: &str| -> (String, String) {
        let login: serde_json::Value = serde_json::from_str(line).unwrap();
        (login["ServerURL"].as_str().unwrap().to_owned(), login["Username"].as_str().unwrap().to_owned())
    };
    text.lines().filter(|line| !line.is_empty()).map(parse).collect()
}

/// The calls of helpers, as `NAME ACTION`, in order.
pub fn calls(world: &World) -> Vec<String> {
    let bare = |line: String| line.replace(['[', ']'], "");
    let helpers = world.children().into_iter().filter(|line| line.starts_with("[docker-credential-"));
    helpers.map(|line| bare(line).replace("docker-credential-", "")).collect()
}
