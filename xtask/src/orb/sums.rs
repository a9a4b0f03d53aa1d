//! What the packed orb carries and its source cannot know: its version, and the checksums of the programs it installs.

/// For each program, the placeholder in the script and the end of its file name.
const PROGRAMS: [(&str, &str); 2] =
    [("@SHA256_X86_64@", "x86_64-unknown-linux-musl"), ("@SHA256_AARCH64@", "aarch64-unknown-linux-musl")];
const VERSION: &str = "@VERSION@";

/// Fills in the version, and the checksums that are there.
///
/// # Errors
/// A sentence: a placeholder is missing from the orb, or a checksum is not one.
pub(super) fn fill(orb: &str, version: &str, sums: Option<&str>) -> Result<String, String> {
    let mut filled = replace(orb, VERSION, version)?;
    let mut count = 0;
    for (placeholder, target) in PROGRAMS {
        if !filled.contains(placeholder) {
            return Err(format!("the orb has no placeholder {placeholder}"));
        }
        let name = format!("hublease-v{version}-{target}");
        if let Some(sum) = sums.map(|sums| find(sums, &name)).transpose()?.flatten() {
            filled = replace(&filled, placeholder, sum)?;
            count += 1;
        }
    }
    match (sums, count) {
        (Some(_), 0) => Err(format!("the checksums name no program `hublease-v{version}-…-unknown-linux-musl`")),
        _ => Ok(filled),
    }
}

/// # Errors
/// A sentence that names the first placeholder.
pub(super) fn complete(orb: &str) -> Result<(), String> {
    let left = PROGRAMS.iter().map(|(placeholder, _)| *placeholder).chain([VERSION]).find(|left| orb.contains(left));
    left.map_or(Ok(()), |left| Err(format!("the orb still has the placeholder {left}; see `--sums`")))
}

fn replace(orb: &str, placeholder: &str, by: &str) -> Result<String, String> {
    if orb.contains(placeholder) {
        Ok(orb.replace(placeholder, by))
    } else {
        Err(format!("the orb has no placeholder {placeholder}"))
    }
}

/// The checksum of a file, from lines as `sha256sum` writes them.
fn find<'a>(sums: &'a str, name: &str) -> Result<Option<&'a str>, String> {
    let lines = sums.lines().filter_map(|line| line.split_once([' ', '\t']));
    let mut found = lines.filter(|(_, rest)| rest.trim_start_matches([' ', '\t', '*']) == name).map(|(sum, _)| sum);
    let (first, second) = (found.next(), found.next());
    if second.is_some() {
        return Err(format!("{name} has two checksums"));
    }
    match first {
        Some(sum) if sum.len() != 64 || !sum.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) => {
            Err(format!("`{sum}` is no SHA-256 in lower case, at {name}"))
        }
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::{complete, fill};

    const ORB: &str = "v @VERSION@ a '@SHA256_X86_64@' b '@SHA256_AARCH64@'\n";
    const ONE: &str = "1111111111111111111111111111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222222222222222222222222222";

    #[test]
    fn checksums_are_found_by_the_names_of_the_release() {
        let other = format!("{TWO}  hublease-v1.2.3-x86_64-unknown-linux-musl.tar.gz\n{TWO}  SHA256SUMS\n");
        let sums = format!(
            "{other}{ONE}  hublease-v1.2.3-x86_64-unknown-linux-musl\n{TWO} *hublease-v1.2.3-aarch64-unknown-linux-musl\n"
        );
        let filled = fill(ORB, "1.2.3", Some(&sums)).unwrap();
        assert_eq!(filled, format!("v 1.2.3 a '{ONE}' b '{TWO}'\n"));
        assert_eq!(complete(&filled), Ok(()));
    }

    #[test]
    fn a_placeholder_that_is_left_is_refused_by_name() {
        let one = format!("{ONE}  hublease-v1.2.3-x86_64-unknown-linux-musl\n");
        for (sums, left) in [(None, "@SHA256_X86_64@"), (Some(one.as_str()), "@SHA256_AARCH64@")] {
            let error = complete(&fill(ORB, "1.2.3", sums).unwrap()).unwrap_err();
            assert_eq!(error, format!("the orb still has the placeholder {left}; see `--sums`"));
        }
        assert!(complete(ORB).is_err());
    }

    #[test]
    fn checksums_that_are_none_are_refused() {
        let name = "hublease-v1.2.3-x86_64-unknown-linux-musl";
        for (sums, reason) in [
            (format!("{ONE}  {name}\n{TWO}  {name}\n"), "has two checksums"),
            (format!("{}  {name}\n", &ONE[1..]), "is no SHA-256"),
            (format!("{}  {name}\n", "A".repeat(64)), "is no SHA-256"),
            (format!("{ONE}  hublease-v1.2.2-x86_64-unknown-linux-musl\n"), "the checksums name no program"),
            (String::new(), "the checksums name no program"),
        ] {
            let error = fill(ORB, "1.2.3", Some(&sums)).unwrap_err();
            assert!(error.contains(reason), "{sums}: {error}");
        }
        assert_eq!(fill("v @VERSION@", "1.2.3", None).unwrap_err(), "the orb has no placeholder @SHA256_X86_64@");
    }
}
