//! Words that may not stand in the code, or only in some rooms of it.
//!
//! clippy's lists know functions and types by their path. What they cannot see is here: methods of `Path`, constants,
//! attributes, configuration.

use super::source::{Source, line_of};

/// Nowhere: unfinished work, tests that do not run, lints that are silenced.
const NOWHERE: [&str; 5] = ["todo!", "unimplemented!", "dbg!", "#[ignore", "no_mangle"];

/// Neither in the client's story, which reaches files, variables, sockets and time through effects only, nor in the words that
/// it shares with the broker, nor in Docker Hub's API, which has sockets of its own as a client and nothing else.
const NOT_IN_THE_STORY: [&str; 24] = [
    ".exists()",
    ".try_exists()",
    ".is_file()",
    ".is_dir()",
    ".is_symlink()",
    ".metadata()",
    ".symlink_metadata()",
    ".canonicalize()",
    ".read_dir()",
    ".read_link()",
    "env::consts",
    "env::current_exe",
    "env::home_dir",
    "env::split_paths",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "ToSocketAddrs",
    "std::os::",
    "thread::",
    "io::stdin",
    "io::stdout",
    "io::stderr",
];

pub(super) fn check(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    let mut find = |at: usize, what: String| {
        findings.push((line_of(&source.code, at), what));
    };
    for word in NOWHERE {
        source.code.match_indices(word).filter(|(at, _)| begins_a_word(&source.code, *at)).for_each(|(at, _)| {
            find(at, format!("`{word}` is not allowed anywhere"));
        });
    }
    for (at, _) in source.code.match_indices("allow(") {
        let before = source.code[..at].trim_end();
        if before.ends_with(['[', ',', '(']) {
            find(at, "`allow(` is not allowed: use `expect` with a reason".to_owned());
        }
    }
    if is_story(&source.name) {
        for word in NOT_IN_THE_STORY {
            source.code.match_indices(word).for_each(|(at, _)| find(at, format!("`{word}` belongs to `native/`")));
        }
    }
    if is_portable(&source.name) && !may_choose_a_platform(&source.name) {
        for word in ["cfg(", "cfg!(", "cfg_attr("] {
            for (at, _) in source.code.match_indices(word) {
                let rest = &source.code[at + word.len()..];
                if begins_a_word(&source.code, at) && !rest.trim_start().starts_with("test)") {
                    find(at, format!("`{word}` belongs to `lib.rs` and `native/`"));
                }
            }
        }
    }
    findings.sort();
    findings.into_iter().map(|(line, what)| format!("{}:{line}: {what}", source.name)).collect()
}

fn begins_a_word(code: &str, at: usize) -> bool {
    !code[..at].ends_with(|character: char| character.is_alphanumeric() || character == '_')
}

fn is_client(name: &str) -> bool {
    name.starts_with("src/")
}

fn may_choose_a_platform(name: &str) -> bool {
    name == "src/lib.rs" || name == "src/native.rs" || name.starts_with("src/native/")
}

fn is_story(name: &str) -> bool {
    let is_native = name == "src/native.rs" || name.starts_with("src/native/") || name == "src/main.rs";
    let is_hub = name.starts_with("hub/src/") && !name.contains("/tests");
    is_hub || name.starts_with("protocol/src/") || (is_client(name) && !is_native)
}

/// Whatever the client may stand on; the broker is for Linux alone.
fn is_portable(name: &str) -> bool {
    is_client(name) || name.starts_with("protocol/src/") || name.starts_with("hub/src/")
}

#[cfg(test)]
mod tests {
    use super::{NOT_IN_THE_STORY, NOWHERE, check};
    use crate::test::rules::source::Source;

    fn findings(name: &str, code: &str) -> usize {
        check(&Source::new(name, code)).len()
    }

    #[test]
    fn every_word_is_found_where_it_may_not_be() {
        for word in NOWHERE {
            assert_eq!(findings("xtask/src/a.rs", &format!("fn a() {{ {word} }}")), 1, "{word}");
        }
        for word in NOT_IN_THE_STORY {
            assert!(findings("src/login.rs", &format!("fn a() {{ b{word}; }}")) > 0, "{word}");
            assert!(findings("protocol/src/secret.rs", &format!("fn a() {{ b{word}; }}")) > 0, "{word}");
            assert!(findings("hub/src/session.rs", &format!("fn a() {{ b{word}; }}")) > 0, "{word}");
            assert_eq!(findings("hub/src/client/tests.rs", &format!("fn a() {{ b{word}; }}")), 0, "{word}");
            assert_eq!(findings("src/native/a.rs", &format!("fn a() {{ b{word}; }}")), 0, "{word}");
            assert_eq!(findings("src/main.rs", &format!("fn a() {{ b{word}; }}")), 0, "{word}");
        }
    }

    #[test]
    fn the_platform_is_chosen_in_two_rooms_only() {
        for code in
            ["#[cfg(unix)]", "#[cfg(target_os = \"linux\")]", "#[cfg(feature = \"native\")]", "if cfg!(windows) {}"]
        {
            for name in ["src/plan.rs", "protocol/src/time.rs", "hub/src/client.rs"] {
                assert_eq!(findings(name, code), 1, "{name}: {code}");
            }
            assert_eq!(findings("src/lib.rs", code), 0, "{code}");
            assert_eq!(findings("src/native/run.rs", code), 0, "{code}");
            assert_eq!(findings("broker/src/main.rs", code), 0, "{code}");
        }
        assert_eq!(findings("src/plan.rs", "#[cfg(test)]"), 0);
    }

    #[test]
    fn silenced_lints_are_found_and_like_words_are_not() {
        assert_eq!(findings("sandbox/src/a.rs", "#[allow(dead_code)]"), 1);
        assert_eq!(findings("sandbox/src/a.rs", "#![cfg_attr(test, allow(dead_code))]"), 1);
        assert_eq!(findings("sandbox/src/a.rs", "vault.allow(1); fn allow(a: u8) {}"), 0);
        assert_eq!(findings("sandbox/src/a.rs", "// todo! in a comment\nlet a = \"dbg!\";"), 0);
    }
}
