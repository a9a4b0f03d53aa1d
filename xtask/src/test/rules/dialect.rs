//! One dialect of Rust in all crates: what rustfmt of the stable toolchain keeps as it is, and no lint sees.
//!
//! At the top of a file `mod` comes before `use`, and each module that is used has one line, with braces where several names
//! come from it. rustfmt of a nightly toolchain writes the second form by itself: `--config imports_granularity=Module`.

use super::source::{Source, end_of_item, line_of};

pub(super) fn check(source: &Source) -> Vec<String> {
    let find = |at: usize, what: String| format!("{}:{}: {what}", source.name, line_of(&source.code, at));
    let mut findings = Vec::new();
    let (mut modules, mut has_use): (Vec<(&str, &str)>, bool) = (Vec::new(), false);
    for (at, item) in items(&source.code) {
        let (visibility, item) = split_visibility(item);
        if let Some(path) = item.strip_prefix("use ") {
            has_use = true;
            if path.matches('{').count() > 1 {
                findings.push(find(at, "one line for each module: these braces hold other braces".to_owned()));
            }
            // An item that is only there on some platform or in tests is a line of its own.
            let is_conditional = source.code[..at].trim_end().ends_with(']');
            let module = module_of(path);
            if !is_conditional && !module.is_empty() {
                if modules.contains(&(visibility, module)) {
                    findings.push(find(at, format!("`{module}` is used in two lines")));
                }
                modules.push((visibility, module));
            }
        } else if has_use && item.starts_with("mod ") && item.ends_with(';') && !is_for_tests(&source.code, at) {
            findings.push(find(at, "`mod` comes before `use`".to_owned()));
        }
    }
    findings
}

/// Where each `use` and `mod` of the file's own level begins, and its text up to its end.
fn items(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let begins = code.split_inclusive('\n').filter_map(move |line| {
        let begin = at;
        at += line.len();
        let (visibility, item) = split_visibility(line);
        let is_indented = visibility.is_empty() && line.starts_with(' ');
        (!is_indented && (item.starts_with("use ") || item.starts_with("mod "))).then_some(begin)
    });
    begins.map(|begin| (begin, code[begin..=end_of_item(code, begin).min(code.len() - 1)].trim_end()))
}

/// `pub`, `pub(crate)` or nothing, and the rest.
fn split_visibility(item: &str) -> (&str, &str) {
    let end = match item.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.find(')').map_or(0, |at| at + "pub".len() + 1),
        Some(rest) if rest.starts_with(' ') => "pub".len(),
        _ => 0,
    };
    (&item[..end], item[end..].trim_start())
}

/// `a::b` of `a::b::{c, d};` and of `a::b::c;`.
fn module_of(path: &str) -> &str {
    let path = path.split('{').next().unwrap_or_default().trim_end_matches([';', ' ']);
    match path.strip_suffix("::") {
        Some(module) => module,
        None => path.split(" as ").next().unwrap_or_default().rsplit_once("::").map_or("", |(module, _)| module),
    }
}

/// Tests stand at the end of a file, whatever it uses.
fn is_for_tests(code: &str, at: usize) -> bool {
    code[..at].trim_end().ends_with("#[cfg(test)]")
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::test::rules::source::Source;

    #[test]
    fn each_form_is_seen() {
        for (code, findings) in [
            ("mod a;\npub mod b;\n\nuse std::fs;\nuse std::io::{self, Read};\n", [].as_slice()),
            ("use std::{fs, io};\n", &[]),
            (
                "use std::{fs, io::{Read, Write}};\n",
                &["a.rs:1: one line for each module: these braces hold other braces"],
            ),
            ("use std::io::Read;\nuse std::io::Write;\n", &["a.rs:2: `std::io` is used in two lines"]),
            ("use std::io::Read;\npub use std::io::Write;\n", &[]),
            ("use a::b as c;\nuse a::d;\n", &["a.rs:2: `a` is used in two lines"]),
            ("#[cfg(unix)]\nuse std::os::A;\n#[cfg(windows)]\nuse std::os::B;\n", &[]),
            ("use std::fs;\n\npub(crate) mod a;\n", &["a.rs:3: `mod` comes before `use`"]),
            ("use std::fs;\n\n#[cfg(test)]\nmod tests;\n", &[]),
            ("use std::fs;\n\nmod tests {\n    use super::a;\n}\n", &[]),
            ("use self::a::b;\n", &[]),
        ] {
            assert_eq!(check(&Source::new("a.rs", code)), findings, "{code}");
        }
    }
}
