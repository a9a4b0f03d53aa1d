//! Paths and addresses of Vault and OpenBao, as people write them and as they are sent.

use crate::endpoint::{AddressError, Endpoint, percent_encode};

/// A path as Vault's own program takes it, without `v1/` and without slashes or blanks at its ends: segments of any printable
/// text, in which a `%` or a blank stands for itself. None for any other text. See [`encoded`] for how it is sent.
pub fn plain_path(text: &str) -> Option<&str> {
    let path = text.trim_matches(['/', ' ']);
    let path = path.strip_prefix("v1/").unwrap_or(path);
    let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && !segment.chars().any(char::is_control);
    path.split('/').all(is_segment).then_some(path)
}

/// A namespace, which stands in a header as it is, so that only visible ASCII can be sent.
pub fn namespace(text: &str) -> Option<&str> {
    plain_path(text).filter(|path| path.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// A path as it stands in a URL: what is no plain letter there is percent-encoded, segment by segment.
pub fn encoded(path: &str) -> String {
    path.split('/').map(percent_encode).collect::<Vec<_>>().join("/")
}

/// The address of a server, to which `/v1/` and a path are added.
///
/// # Errors
/// A sentence; of an address that was copied out of a browser or a request, that it is one.
pub fn address(text: &str) -> Result<Endpoint, AddressError> {
    let endpoint = Endpoint::parse(text)?;
    // A proxy may well serve Vault below another path.
    if endpoint.path.ends_with("/v1") || format!("{}/", endpoint.path).contains("/ui/") {
        return Err(AddressError::of("the address of a server ends before its `/v1` or `/ui`"));
    }
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use super::{address, encoded, namespace, plain_path};

    #[test]
    fn a_path_is_what_vault_s_own_program_takes_and_is_sent_encoded() {
        for (text, sent) in [
            ("secret/data/ci", Some("secret/data/ci")),
            (" /v1/secret/data/ci/ ", Some("secret/data/ci")),
            ("kv/my app/a&b", Some("kv/my%20app/a%26b")),
            ("kv/100%/a%20b", Some("kv/100%25/a%2520b")),
            ("kv/a+b/c=d,e:f@g", Some("kv/a%2Bb/c%3Dd%2Ce%3Af%40g")),
            ("kv/größe/é", Some("kv/gr%C3%B6%C3%9Fe/%C3%A9")),
            ("kv/what?#[x]\"'<>\\^`{|}", Some("kv/what%3F%23%5Bx%5D%22%27%3C%3E%5C%5E%60%7B%7C%7D")),
            ("v1", Some("v1")),
            ("", None),
            ("/", None),
            ("a//b", None),
            ("a/./b", None),
            ("../b", None),
            ("a\nb", None),
            ("a/\u{7f}", None),
            ("a\u{85}b", None),
        ] {
            assert_eq!(plain_path(text).map(encoded).as_deref(), sent, "{text:?}");
        }
    }

    #[test]
    fn a_namespace_stands_in_a_header() {
        for (text, sent) in
            [("/admin/team-a/", Some("admin/team-a")), ("a&b", Some("a&b")), ("a b", None), ("ä", None), ("", None)]
        {
            assert_eq!(namespace(text), sent, "{text:?}");
        }
    }

    #[test]
    fn an_address_that_was_copied_is_told_as_that() {
        for (text, is_fine) in [
            ("https://vault.example.com/", true),
            ("HTTPS://vault.example.com/tools/vault", true),
            ("https://vault.example.com/v1x", true),
            ("https://vault.example.com/guides", true),
            ("https://vault.example.com/v1", false),
            ("https://vault.example.com/tools/v1/", false),
            ("https://vault.example.com/ui", false),
            ("https://vault.example.com/ui/vault/secrets", false),
        ] {
            assert_eq!(address(text).is_ok(), is_fine, "{text}");
        }
    }
}
