//! Which room of a crate may name which: the tables below, from the top down. A room is a file or folder of `src/`.
//!
//! A room names only rooms further down in its table, so there is no circle. A row lists what it names today: a new arrow
//! between rooms is a line of this file, and is read as such. `docs/architecture.md` says why each room is where it is.

mod broker;
mod libraries;
mod tools;

use std::collections::{BTreeMap, BTreeSet};

use self::broker::BROKER;
use self::libraries::{HUB, PROTOCOL};
use self::tools::{SANDBOX, XTASK};
use super::source::{Source, line_of};

/// A room, and those that it may name.
type Row = (&'static str, &'static [&'static str]);

/// The tables by the folder of the crate's source.
const TABLES: [(&str, &[Row]); 6] = [
    ("src/", CLIENT),
    ("broker/src/", BROKER),
    ("hub/src/", HUB),
    ("protocol/src/", PROTOCOL),
    ("sandbox/src/", SANDBOX),
    ("xtask/src/", XTASK),
];

/// The crates that a crate may name besides foreign ones: the broker never reaches the client's stories, and Docker Hub's API
/// knows neither.
const CRATES: [(&str, &[&str]); 8] = [
    ("src/", &["hublease_protocol"]),
    ("action/module/src/", &["hublease", "hublease_protocol"]),
    ("broker/src/", &["hublease_hub", "hublease_protocol"]),
    ("hub/src/", &["hublease_protocol"]),
    ("protocol/src/", &[]),
    ("sandbox/src/", &["hublease_protocol"]),
    ("peers/src/", &[]),
    ("xtask/src/", &["hublease_peers", "hublease_sandbox"]),
];

const CLIENT: &[Row] = &[
    ("native", &["plan", "effect", "cli", "environment", "error"]),
    ("action", &["login", "logout", "whoami", "plan", "provider", "effect", "cli", "environment", "error"]),
    ("exec", &["login", "logout", "plan", "docker", "provider", "record", "lease", "effect", "error"]),
    ("token", &["logout", "plan", "provider", "record", "lease", "effect", "error"]),
    ("login", &["logout", "plan", "docker", "provider", "record", "lease", "effect", "error"]),
    ("logout", &["plan", "registry", "docker", "provider", "record", "lease", "effect", "error"]),
    ("check", &["plan", "registry", "docker", "record", "effect", "image", "error"]),
    ("whoami", &["plan", "identity", "effect"]),
    ("plan", &["docker", "provider", "identity", "effect", "image", "cli", "environment", "error"]),
    ("registry", &["docker", "record", "request", "effect", "image", "error"]),
    ("docker", &["record", "lease", "fingerprint", "request", "effect", "error"]),
    ("provider", &["record", "identity", "lease", "fingerprint", "request", "effect", "cli", "error"]),
    ("record", &["lease", "effect", "error"]),
    ("identity", &["request", "effect", "error"]),
    ("lease", &["fingerprint"]),
    ("fingerprint", &[]),
    ("request", &["effect", "error"]),
    ("effect", &["error"]),
    ("image", &[]),
    ("cli", &["environment", "error"]),
    ("environment", &[]),
    ("error", &[]),
];

/// Names of a crate's root, which is above every room: the session of a plan, and the address of Docker Hub. Where a table has
/// a room of that name, the room is meant.
const ROOT: [&str; 2] = ["session", "HUB"];

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    TABLES.iter().flat_map(|(folder, table)| arrows(sources, folder, table)).chain(crates(sources)).collect()
}

/// What a crate's rooms name, held against its table.
fn arrows(sources: &[Source], folder: &str, table: &[Row]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        let Some(room) = room_of(&source.name, folder) else { continue };
        let Some((room, may)) = table.iter().find(|(known, _)| *known == room) else {
            findings.push(format!("{}:1: the room `{room}` is not in the table of layers", source.name));
            continue;
        };
        for (at, named) in named(&source.code) {
            let line = line_of(&source.code, at);
            if source.is_test(line) || named == *room || is_of_root(named, table) {
                continue;
            }
            used.entry(room).or_default().insert(named.to_owned());
            if !may.contains(&named) {
                findings.push(format!(
                    "{}:{line}: `{room}` names `{named}`, which the table of layers does not let it",
                    source.name
                ));
            }
        }
    }
    // A crate that was not read has no unused rows.
    if used.is_empty() {
        return findings;
    }
    for (row, (room, may)) in table.iter().enumerate() {
        for named in *may {
            if !table[row + 1..].iter().any(|(below, _)| below == named) {
                findings.push(format!("{folder}: in the table of layers `{named}` is not below `{room}`"));
            }
            if !used.get(room).is_some_and(|used| used.contains(*named)) {
                findings.push(format!("{folder}: the table of layers lets `{room}` name `{named}`, and it does not"));
            }
        }
    }
    findings
}

/// Crates of this repository that a file names and its crate may not.
fn crates(sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    for source in sources {
        // Roots too, but for what is there for tests only.
        let below = |folder: &str| source.name.strip_prefix(folder).filter(|name| !name.starts_with("testing"));
        let Some((folder, may)) = CRATES.iter().find(|(folder, _)| below(folder).is_some()) else {
            if ["src/lib.rs", "src/main.rs"].iter().any(|root| source.name.ends_with(root)) {
                findings.push(format!("{}:1: the crate is not in the table of crates", source.name));
            }
            continue;
        };
        // The root of a program names the library beside it.
        let beside = source.name.strip_suffix("src/main.rs").map(|member| match member.trim_end_matches('/') {
            "" => "hublease".to_owned(),
            member => format!("hublease_{member}"),
        });
        for name in
            ["hublease", "hublease_protocol", "hublease_hub", "hublease_broker", "hublease_sandbox", "hublease_peers"]
        {
            let path = format!("{name}::");
            let places = source.code.match_indices(&path).filter(|(at, _)| begins_a_path(&source.code, *at));
            for line in places.map(|(at, _)| line_of(&source.code, at)) {
                if !may.contains(&name) && beside.as_deref() != Some(name) && !source.is_test(line) {
                    findings.push(format!("{}:{line}: `{folder}` does not know the crate `{name}`", source.name));
                }
            }
        }
    }
    findings
}

/// The room of a file below `folder`; none for the crate's roots and for what is there for tests only.
fn room_of<'a>(name: &'a str, folder: &str) -> Option<&'a str> {
    let below = name.strip_prefix(folder)?;
    let room = below.split('/').next()?.trim_end_matches(".rs");
    (!["lib", "main", "testing"].contains(&room)).then_some(room)
}

/// Every `crate::ROOM`, with its place.
fn named(code: &str) -> impl Iterator<Item = (usize, &str)> {
    const PATH: &str = "crate::";
    code.match_indices(PATH).filter(|(at, _)| begins_a_path(code, *at)).flat_map(|(at, _)| {
        let rest = &code[at + PATH.len()..];
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default(),
            None => rest.split(|character: char| !is_word(character)).next().unwrap_or_default(),
        };
        let word = |item: &'_ str| item.trim().len();
        list.split(',').filter(move |item| word(item) > 0).map(move |item| {
            let item = item.trim();
            (at, item.split(|character: char| !is_word(character)).next().unwrap_or(item))
        })
    })
}

fn is_of_root(name: &str, table: &[Row]) -> bool {
    ROOT.contains(&name) && !table.iter().any(|(room, _)| *room == name)
}

fn begins_a_path(code: &str, at: usize) -> bool {
    !code[..at].ends_with(|character: char| is_word(character) || character == ':' || character == '$')
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::{arrows, check, crates};
    use crate::test::rules::source::Source;

    const TABLE: &[super::Row] = &[("story", &["lease", "error"]), ("lease", &[]), ("error", &[])];

    fn found(name: &str, code: &str) -> Vec<String> {
        let whole = Source::new("src/story.rs", "use crate::lease::Lease;\nuse crate::{error, lease};\n");
        arrows(&[whole, Source::new(name, code)], "src/", TABLE)
    }

    #[test]
    fn a_planted_breach_is_named_with_its_file_line_and_rule() {
        let breach = "src/lease/handle.rs:2: `lease` names `story`, which the table of layers does not let it";
        assert_eq!(found("src/lease/handle.rs", "\nfn a() { crate::story::tell(); }\n"), [breach]);
        assert_eq!(found("src/lease.rs", "//! crate::story\n#[cfg(test)]\nmod tests { use crate::story; }\n").len(), 0);
        let stranger = "src/helper.rs:1: the room `helper` is not in the table of layers";
        assert_eq!(found("src/helper.rs", ""), [stranger]);
    }

    #[test]
    fn a_table_that_allows_too_much_or_a_circle_is_refused() {
        let source = [Source::new("src/story.rs", "use crate::lease::Lease;\n")];
        assert_eq!(
            arrows(&source, "src/", &[("lease", &[]), ("story", &["lease", "error"]), ("error", &[])]),
            [
                "src/: in the table of layers `lease` is not below `story`",
                "src/: the table of layers lets `story` name `error`, and it does not",
            ]
        );
    }

    #[test]
    fn the_broker_does_not_know_the_client() {
        let source = [Source::new("broker/src/leases/exchange.rs", "use hublease::login::login;\n")];
        assert_eq!(
            crates(&source),
            ["broker/src/leases/exchange.rs:1: `broker/src/` does not know the crate `hublease`"]
        );
        let roots = [
            Source::new("hub/src/lib.rs", "use hublease_broker::a;\n"),
            Source::new("broker/src/main.rs", "use hublease_broker::a;\nuse hublease::a;\n"),
            Source::new("src/main.rs", "use hublease::a;\n"),
            Source::new("action/module/src/lib.rs", "use hublease::a;\nuse hublease_sandbox::a;\n"),
            Source::new("hub/src/testing.rs", "use hublease_sandbox::a;\n"),
            Source::new("helper/src/lib.rs", ""),
        ];
        assert_eq!(
            crates(&roots),
            [
                "hub/src/lib.rs:1: `hub/src/` does not know the crate `hublease_broker`",
                "broker/src/main.rs:2: `broker/src/` does not know the crate `hublease`",
                "action/module/src/lib.rs:2: `action/module/src/` does not know the crate `hublease_sandbox`",
                "helper/src/lib.rs:1: the crate is not in the table of crates",
            ]
        );
        assert!(check(&[]).is_empty());
    }
}
