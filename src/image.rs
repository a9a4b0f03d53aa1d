//! Image references, as docker reads them: `[docker.io/]NAME[:TAG][@DIGEST]`.
//!
//! Follows the distribution project's reference grammar and docker's rule for the first part of a name: with a dot, a
//! colon or the word `localhost` it is a registry. What docker takes for another registry is refused here, since
//! docker would look for another login.

use std::fmt;

use hublease_protocol::scope::check_repository;

/// The longest reference that is looked at, in bytes: a name of 255, a tag of 128 and the longest digest fit.
const LONGEST: usize = 600;

/// The longest tag, in bytes, as the distribution grammar has it.
const LONGEST_TAG: usize = 128;

/// The digests that registries use, with their lengths in hexadecimal digits.
const DIGESTS: [(&str, usize); 2] = [("sha256:", 64), ("sha512:", 128)];

/// How docker spells Docker Hub in a reference.
const HUB: [&str; 2] = ["docker.io", "index.docker.io"];

/// Names of Docker Hub that docker takes for registries of their own, each with a login of its own.
const NOT_HUB_TO_DOCKER: [&str; 3] = ["registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com"];

/// An image at Docker Hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    repository: String,
    reference: Reference,
}

/// Which of a repository's images.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reference {
    Tag(String),
    Digest(String),
}

impl Image {
    /// Reads a reference. Without a tag and a digest it is `latest`; with both the digest counts, as it does for docker.
    ///
    /// # Errors
    /// A fixed sentence; nothing of the text is repeated.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("a reference has at most 600 bytes");
        }
        if text.contains("://") {
            return Err("a reference has no `https://` in front");
        }
        let (text, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(checked_digest(digest)?)),
            None => (text, None),
        };
        let name = without_registry(text)?;
        let after_slash = name.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match name[after_slash..].find(':') {
            Some(colon) => (&name[..after_slash + colon], Some(checked_tag(&name[after_slash + colon + 1..])?)),
            None => (name, None),
        };
        if name.len() == 64 && name.bytes().all(is_lower_hex) {
            return Err("64 hexadecimal digits are an image's id, which no registry knows");
        }
        // Docker Hub keeps the official images, which have no namespace, in this one.
        let repository = if name.contains('/') { name.to_owned() } else { format!("library/{name}") };
        check_repository(&repository).map_err(|error| error.sentence())?;
        let tag = || Reference::Tag(tag.unwrap_or("latest").to_owned());
        Ok(Self { repository, reference: digest.map_or_else(tag, |digest| Reference::Digest(digest.to_owned())) })
    }

    /// The repository with its namespace.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Whether a tag is meant, and not a digest.
    pub fn is_tag(&self) -> bool {
        matches!(self.reference, Reference::Tag(_))
    }

    /// Tag or digest, as it stands in the path of a manifest.
    pub fn reference(&self) -> &str {
        match &self.reference {
            Reference::Tag(text) | Reference::Digest(text) => text,
        }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reference {
            Reference::Tag(tag) => write!(formatter, "{}:{tag}", self.repository),
            Reference::Digest(digest) => write!(formatter, "{}@{digest}", self.repository),
        }
    }
}

/// The rest of a reference after Docker Hub's own name, if it is there.
fn without_registry(text: &str) -> Result<&str, &'static str> {
    let Some((first, rest)) = text.split_once('/') else { return Ok(text) };
    if HUB.contains(&first) {
        Ok(rest)
    } else if NOT_HUB_TO_DOCKER.contains(&first) {
        Err("docker takes this name of Docker Hub for another registry with another login: leave it out")
    } else if first.contains(['.', ':']) || first == "localhost" {
        Err("it is at another registry, and only images at Docker Hub are checked")
    } else {
        Ok(text)
    }
}

fn checked_tag(tag: &str) -> Result<&str, &'static str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_tag = tag.bytes().next().is_some_and(is_word)
        && tag.len() <= LONGEST_TAG
        && tag.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'));
    if is_tag { Ok(tag) } else { Err("a tag has 1 to 128 letters, digits, `_`, `.` and `-`, and begins with a word") }
}

fn checked_digest(digest: &str) -> Result<&str, &'static str> {
    let is_digest = DIGESTS.iter().any(|(algorithm, length)| {
        digest.strip_prefix(algorithm).is_some_and(|hex| hex.len() == *length && hex.bytes().all(is_lower_hex))
    });
    if is_digest { Ok(digest) } else { Err("a digest is `sha256:` or `sha512:` and its hexadecimal digits") }
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::Image;

    #[test]
    fn what_docker_takes_for_an_image_at_docker_hub() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let long = format!("sha512:{}", "0a".repeat(64));
        for (text, shown) in [
            ("alpine", "library/alpine:latest".to_owned()),
            ("alpine:3.20", "library/alpine:3.20".to_owned()),
            ("acme/app", "acme/app:latest".to_owned()),
            ("acme/app:1", "acme/app:1".to_owned()),
            ("docker.io/acme/app:V1_x.y-z", "acme/app:V1_x.y-z".to_owned()),
            ("docker.io/alpine", "library/alpine:latest".to_owned()),
            ("index.docker.io/acme/a__b.c--d", "acme/a__b.c--d:latest".to_owned()),
            ("acme/app/part", "acme/app/part:latest".to_owned()),
            (&format!("acme/app@{digest}"), format!("acme/app@{digest}")),
            (&format!("acme/app:1@{digest}"), format!("acme/app@{digest}")),
            (&format!("alpine@{long}"), format!("library/alpine@{long}")),
            (&format!("acme/app:{}", "t".repeat(128)), format!("acme/app:{}", "t".repeat(128))),
        ] {
            assert_eq!(Image::parse(text).map(|image| image.to_string()), Ok(shown), "{text}");
        }
    }

    #[test]
    fn what_is_refused_and_why() {
        let hex = "0a".repeat(32);
        for (text, why) in [
            ("ghcr.io/acme/app", "another registry"),
            ("localhost/app", "another registry"),
            ("127.0.0.1:5000/app", "another registry"),
            ("docker.io:443/acme/app", "another registry"),
            ("dhi.io/python", "another registry"),
            ("evil.example.com/docker.io/acme/app", "another registry"),
            ("registry-1.docker.io/acme/app", "another login"),
            ("hub.docker.com/r/acme/app", "another login"),
            ("https://docker.io/acme/app", "https://"),
            (&hex, "an image's id"),
            ("", "not a repository name"),
            ("acme/", "not a repository name"),
            ("/app", "not a repository name"),
            ("acme//app", "not a repository name"),
            ("docker.io/", "not a repository name"),
            ("acme/app?x=1", "not a repository name"),
            ("acme/app#x", "not a repository name"),
            ("acme/a pp", "not a repository name"),
            ("acme/a%2fpp", "not a repository name"),
            ("acme/\u{e4}pp", "not a repository name"),
            ("-acme/app", "not a repository name"),
            ("acme/../app", "holds no `..`"),
            ("Acme/app", "lower case"),
            ("acme/App", "lower case"),
            ("acme/*", "without `*`"),
            ("acme/app:", "a tag has"),
            ("acme/app:-1", "a tag has"),
            ("acme/app:1:2", "a tag has"),
            ("acme/app:a/../b", "holds no `..`"),
            ("acme/app:a/b", "not a repository name"),
            (&format!("acme/app:{}", "t".repeat(129)), "a tag has"),
            ("acme/app@", "a digest is"),
            ("acme/app@latest", "a digest is"),
            (&format!("acme/app@sha256:{}", &hex[1..]), "a digest is"),
            (&format!("acme/app@sha256:{}", hex.to_uppercase()), "a digest is"),
            (&format!("acme/app@sha256:{hex}@sha256:{hex}"), "a digest is"),
            (&format!("acme/{}", "a".repeat(251)), "1 to 255"),
            (&"a/".repeat(100_000), "at most 600"),
        ] {
            let refused = Image::parse(text).err().unwrap_or_default();
            assert!(refused.contains(why), "{text:.80}: {refused}");
        }
    }
}
