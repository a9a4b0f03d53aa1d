//! The page `docs/providers.md`, made from [`FLAGS`].
//!
//! The same table makes the parser and the check that a provider honours a wish, so the page says what the program
//! does. A test compares the two.

use std::fmt::Write;

use super::Command::{Exec, Login, Token};
use super::{FLAGS, Flag, ProviderName, Support, Value};

const OPENING: &str = "\
# What each provider does with a flag

<!-- Made from src/cli/flags.rs by src/cli/table.rs; a test compares this page with them. After a change there run
     HUBLEASE_BLESS=1 cargo test --test it the_page_of_providers -->

A wish that the provider cannot honour is refused with exit code 2, never ignored:

- **sent**: it is part of a request, and the other side decides about it
- **local**: hublease does it itself
- **refused**: with this provider, the flag and its `HUBLEASE_…` variable are an error

The table holds for `login`, `exec` and `token`, and for `logout --workflow`. A plain `logout` needs no identity token,
and refuses the flags about it. A variable of another tool, such as `VAULT_ADDR`, may be there for others: a provider
that has no use for it passes it over.

";

const VARIABLES: &str = "
## Every flag, and its variable

A flag wins over its variable, and of two variables the first one wins. An empty variable counts as unset; an empty
flag is an error. A switch is written `--switch` or `--switch=false`, and its variable holds `true` or `false`. A
variable for a flag that may be repeated holds its values separated by spaces.

";

/// The whole page, as Markdown.
pub fn table() -> String {
    let mut page = OPENING.to_owned();
    honours(&mut page);
    page.push_str(VARIABLES);
    variables(&mut page);
    page
}

fn honours(page: &mut String) {
    let names: Vec<_> = ProviderName::ALL.iter().map(|provider| provider.name()).collect();
    row(page, &["flag", &names.join(" | ")]);
    row(page, &["---", &vec!["---"; names.len()].join(" | ")]);
    let asks = |flag: &&Flag| {
        flag.commands.iter().any(|command| matches!(command, Login | Exec | Token))
            || flag.support.contains(&Support::Refused)
    };
    for flag in FLAGS.iter().filter(asks) {
        row(page, &[&format!("`--{}`", flag.name), &flag.support.map(word).join(" | ")]);
    }
}

fn variables(page: &mut String) {
    row(page, &["flag", "variables", "commands", "what it does"]);
    row(page, &["---", "---", "---", "---"]);
    for flag in FLAGS {
        let variables: Vec<_> = flag.variables.iter().map(|name| format!("`{name}`")).collect();
        let commands: Vec<_> = flag.commands.iter().map(|command| command.name()).collect();
        row(page, &[&typed(flag), &variables.join(", "), &commands.join(", "), &help(flag)]);
    }
}

fn word(support: Support) -> &'static str {
    match support {
        Support::Sent => "sent",
        Support::Local => "local",
        Support::Refused => "refused",
    }
}

/// How the flag is written.
fn typed(flag: &Flag) -> String {
    let name = flag.name;
    match flag.value {
        Value::One(value) | Value::Many(value) => format!("`--{name} {value}`"),
        Value::Choice(_) => format!("`--{name} WORD`"),
        Value::Switch => format!("`--{name}`"),
    }
}

fn help(flag: &Flag) -> String {
    match flag.value {
        Value::Choice(words) => format!("{} ({})", flag.help, words.join(", ")),
        _ => flag.help.to_owned(),
    }
}

/// Writing to a `String` cannot fail.
fn row(page: &mut String, cells: &[&str]) {
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

#[cfg(test)]
mod tests {
    use super::{FLAGS, ProviderName, table};

    #[test]
    fn every_flag_has_its_row_and_no_cell_is_broken() {
        let page = table();
        for flag in FLAGS {
            assert!(page.contains(&format!("`--{}", flag.name)), "{}", flag.name);
            assert!(!flag.help.contains('|'), "{}: a `|` would end the cell", flag.name);
        }
        for line in page.lines().filter(|line| line.starts_with("| `")) {
            let cells = line.matches(" | ").count();
            assert!(cells == ProviderName::ALL.len() || cells == 3, "{line}");
        }
    }
}
