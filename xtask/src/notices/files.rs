//! The texts that a crate brings: its licences, and the notices beside them.

use std::fs;
use std::path::Path;

use super::crates::Crate;
use super::licence::{Licence, held, taken};

/// How the names of such files begin, in capitals.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "UNLICENSE", "COPYING", "COPYRIGHT", "NOTICE"];
/// The longest of them has 20 000 bytes; what is larger is no licence.
const LARGEST: u64 = 65_536;
/// After it a text of Apache 2.0 holds an example, in which some put their own notice.
const END_OF_APACHE: &str = "END OF TERMS AND CONDITIONS";

/// What is to be shown of a crate.
pub(super) struct Texts {
    /// The licences that were taken.
    pub(super) licences: Vec<Licence>,
    /// Whole texts besides the one of Apache 2.0, which is the same for all.
    pub(super) texts: Vec<String>,
}

/// Reads them.
///
/// # Errors
/// A sentence: the text of a licence that was taken is not there, or its terms are not known.
pub(super) fn of(found: &Crate) -> Result<Texts, String> {
    let place = |what: &dyn std::fmt::Display| format!("{} {}: {what}", found.name, found.version);
    let licences = taken(&found.licence).map_err(|why| place(&why))?;
    let (mut texts, mut shown) = (Vec::new(), Vec::new());
    for text in read(&found.folder).map_err(|why| place(&why))? {
        let held = held(&text);
        if held == [Licence::Apache2] {
            if licences.contains(&Licence::Apache2) {
                texts.extend(own_notice(&text));
            }
        } else if held.is_empty() || held.iter().any(|licence| licences.contains(licence)) {
            texts.push(text.trim().to_owned());
        }
        shown.extend(held);
    }
    // A crate may leave the text of Apache 2.0 to its readers: all of its copies are alike, and ours is shown.
    let missing = licences.iter().find(|licence| **licence != Licence::Apache2 && !shown.contains(licence));
    match missing {
        Some(licence) => Err(place(&format!("it brings no text of {}", licence.name()))),
        None => Ok(Texts { licences, texts }),
    }
}

/// The texts in a folder, by the names of their files.
fn read(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if NAMES.iter().any(|begin| name.starts_with(begin)) && entry.file_type().map_err(failed)?.is_file() {
            let size = entry.metadata().map_err(failed)?.len();
            if size > LARGEST {
                return Err(format!("{name} has {size} bytes, more than {LARGEST}"));
            }
            paths.push(entry.path());
        }
    }
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).map_err(failed)).collect()
}

/// The notice that somebody put into the example at the end of Apache 2.0, or before its text.
fn own_notice(text: &str) -> Option<String> {
    let (_, example) = text.split_once(END_OF_APACHE)?;
    let before = text.split("Apache License").next().unwrap_or_default();
    let is_own = |line: &&str| line.starts_with("Copyright") && !line.contains("yyyy]") && !line.contains("yyyy}");
    let lines: Vec<&str> = before.lines().chain(example.lines()).map(str::trim).filter(is_own).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::of;
    use crate::notices::crates::Crate;

    const MIT: &str = "Permission is hereby granted, free of charge, to any person obtaining a copy";
    const APACHE: &str = "Apache License\nVersion 2.0, January 2004\nEND OF TERMS AND CONDITIONS\n";

    /// The texts of a crate with this licence and these files, or why there are none.
    fn texts(licence: &str, files: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        let found = Crate {
            name: "a".to_owned(),
            version: "1".to_owned(),
            licence: licence.to_owned(),
            repository: String::new(),
            folder: folder.path().to_owned(),
        };
        of(&found).map(|texts| texts.texts)
    }

    #[test]
    fn what_the_taken_licence_asks_for_is_shown() {
        let both = [("LICENSE-APACHE", APACHE), ("LICENSE-MIT", MIT)];
        assert_eq!(texts("MIT OR Apache-2.0", &both).unwrap(), Vec::<String>::new());
        assert_eq!(texts("MIT", &[("license.md", MIT), ("README.md", MIT)]).unwrap(), [MIT]);
        assert_eq!(texts("Apache-2.0", &[]).unwrap(), Vec::<String>::new());
        // Notices are shown whatever was taken.
        let more = [both[0], both[1], ("NOTICE", "made by b"), ("COPYRIGHT", "by c")];
        assert_eq!(texts("MIT OR Apache-2.0", &more).unwrap(), ["by c", "made by b"]);
        let own = format!("{APACHE}\n   Copyright [yyyy] [name of copyright owner]\n   Copyright 2020 d\n");
        assert_eq!(texts("Apache-2.0", &[("LICENSE", &own)]).unwrap(), ["Copyright 2020 d"]);
    }

    #[test]
    fn a_crate_without_the_text_of_its_licence_is_refused() {
        assert_eq!(texts("MIT", &[("LICENSE", APACHE)]).unwrap_err(), "a 1: it brings no text of MIT");
        assert_eq!(texts("MIT", &[("LICENSE", "MIT")]).unwrap_err(), "a 1: it brings no text of MIT");
        assert!(texts("GPL-3.0", &[("LICENSE", MIT)]).unwrap_err().starts_with("a 1: `GPL-3.0`: no licence"));
        let large = "x".repeat(65_537);
        assert_eq!(texts("MIT", &[("NOTICE", &large)]).unwrap_err(), "a 1: NOTICE has 65537 bytes, more than 65536");
    }
}
