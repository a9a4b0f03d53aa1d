//! podman's `registries.conf`: to whom podman, buildah and skopeo give every login, before any file or after it.
//!
//! Follows containers-registries.conf(5): `credential-helpers` is a list of helpers, in which `containers-auth.json` stands for
//! the files of logins; of several texts the last one that has it counts, and an empty list is that one name. Read as far as it
//! matters: keys at the top of the file, up to the first table. By hand, because a TOML reader would be a tenth of the module.

use crate::docker::refused;
use crate::effect::Effects;
use crate::effect::docker::{Client, Config, Found};
use crate::error::Error;

/// What stands for the files of logins.
const FILES: &str = "containers-auth.json";

const KEY: &str = "credential-helpers";

/// The helpers that podman asks besides its files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outside {
    /// The one that is asked before the files, and gets the login.
    pub(super) first: Option<String>,
    /// Those that are asked after the files, and are logged out with them.
    pub(super) later: Vec<String>,
}

impl Outside {
    /// Of the texts in the order in which podman reads them.
    fn of(texts: &[String]) -> Self {
        let mut helpers = texts.iter().rev().find_map(|text| helpers(text)).unwrap_or_default();
        if helpers.first().is_none_or(|first| first == FILES) {
            helpers.retain(|name| name != FILES);
            return Self { first: None, later: helpers };
        }
        Self { first: Some(helpers.swap_remove(0)), later: Vec::new() }
    }
}

/// Looks at what podman is told; no other client reads it.
pub(super) async fn outside(effects: &Effects, client: Client) -> Result<Outside, Error> {
    if client != Client::Podman {
        return Ok(Outside::default());
    }
    match effects.config(Config::Registries).await? {
        Ok(Found::Texts(texts)) => Ok(Outside::of(&texts)),
        Ok(_) => Err(Error::bug("texts that were not read")),
        Err(trouble) => Err(refused(&trouble)),
    }
}

/// The list of a text; none if the text has none.
fn helpers(text: &str) -> Option<Vec<String>> {
    let mut rest = Scanner { rest: text };
    loop {
        rest.blank();
        // A table, or the end.
        if rest.rest.is_empty() || rest.rest.starts_with('[') {
            return None;
        }
        let key = rest.key();
        rest.blank();
        rest.take("=").then_some(())?;
        rest.blank();
        if key == KEY {
            return rest.list();
        }
        rest.skip_value();
    }
}

/// A reader of TOML that knows where a value ends.
struct Scanner<'t> {
    rest: &'t str,
}

impl Scanner<'_> {
    fn take(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// White space, line ends and comments.
    fn blank(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('#') {
                return;
            }
            self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]);
        }
    }

    fn key(&mut self) -> String {
        if let Some(quoted) = self.string() {
            return quoted;
        }
        let end = self.rest.find(['=', ' ', '\t', '\n']).unwrap_or(self.rest.len());
        let key = self.rest[..end].to_owned();
        self.rest = &self.rest[end..];
        key
    }

    /// A string of any of the four kinds. An escape stays as it is written: no helper's name has one.
    fn string(&mut self) -> Option<String> {
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| self.take(quote))?;
        let mut end = 0;
        while !self.rest[end..].starts_with(quote) {
            let mut characters = self.rest[end..].chars();
            let first = characters.next()?;
            let escaped = if first == '\\' && quote.starts_with('"') { characters.next() } else { None };
            end += first.len_utf8() + escaped.map_or(0, char::len_utf8);
        }
        let text = self.rest[..end].to_owned();
        self.rest = &self.rest[end + quote.len()..];
        Some(text)
    }

    fn list(&mut self) -> Option<Vec<String>> {
        let mut names = Vec::new();
        self.take("[").then_some(())?;
        loop {
            self.blank();
            if self.take("]") {
                return Some(names);
            }
            names.push(self.string()?);
            self.blank();
            self.take(",");
        }
    }

    /// A value of no matter: up to the end of its line, outside of strings and brackets.
    fn skip_value(&mut self) {
        let mut open = 0_usize;
        while let Some(character) = self.rest.chars().next() {
            if matches!(character, '"' | '\'') {
                // One that does not end takes all the rest, as no reader would take it.
                if self.string().is_none() {
                    self.rest = "";
                }
                continue;
            }
            match character {
                '[' | '{' => open += 1,
                ']' | '}' => open = open.saturating_sub(1),
                '#' => {
                    self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]);
                    continue;
                }
                '\n' if open == 0 => return,
                _ => {}
            }
            self.rest = &self.rest[character.len_utf8()..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Outside, helpers};

    #[test]
    fn the_list_is_found_where_podman_finds_it() {
        for (text, expected) in [
            ("", None),
            ("credential-helpers = []", Some(&[][..])),
            ("credential-helpers = [\"a\"]", Some(&["a"])),
            ("  credential-helpers=['a' , \"containers-auth.json\",]\n", Some(&["a", "containers-auth.json"])),
            ("credential-helpers = [ # one\n \"a\", # two ]\n \"b\"\n]", Some(&["a", "b"])),
            ("\"credential-helpers\" = [\"a\"]", Some(&["a"])),
            ("# credential-helpers = [\"a\"]\nx = 1", None),
            ("[other]\ncredential-helpers = [\"a\"]", None),
            ("[[registry]]\nlocation = \"x\"\n", None),
            ("x = \"\"\"\ncredential-helpers = ['a']\n\"\"\"\n", None),
            ("x = '#['\ny = [ [1], 'a]' ]\nz = { a = \"}\" }\ncredential-helpers = ['b']", Some(&["b"])),
            ("x = \"a\\\"b\" # ]\ncredential-helpers = ['b']", Some(&["b"])),
            ("unqualified-search-registries = [\n  \"docker.io\",\n]\ncredential-helpers = ['b']", Some(&["b"])),
            ("credential-helpers = 'a'", None),
            ("credential-helpers = ['a", None),
            ("credential-helpers", None),
            ("x = 'a", None),
        ] {
            let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
            assert_eq!(helpers(text), expected, "{text}");
        }
    }

    #[test]
    fn the_last_list_counts_and_says_who_comes_before_the_files() {
        for (texts, first, later) in [
            (&[][..], None, &[][..]),
            (&["credential-helpers = []"], None, &[]),
            (&["credential-helpers = ['a']"], Some("a"), &[]),
            (&["credential-helpers = ['a', 'containers-auth.json']"], Some("a"), &[]),
            (&["credential-helpers = ['containers-auth.json', 'a', 'b']"], None, &["a", "b"]),
            (&["credential-helpers = ['a']", "x = 1"], Some("a"), &[]),
            (&["credential-helpers = ['a']", "credential-helpers = ['b']"], Some("b"), &[]),
            (&["credential-helpers = ['a']", "credential-helpers = []"], None, &[]),
        ] {
            let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
            let later = later.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(Outside::of(&texts), Outside { first: first.map(str::to_owned), later }, "{texts:?}");
        }
    }
}
