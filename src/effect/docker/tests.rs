//! The spellings of a registry.

use super::Registry::{self, HardenedImages, Hub};

#[test]
fn a_registry_has_many_spellings_and_one_host() {
    for (text, expected) in [
        ("docker.io", Some(Hub)),
        ("Docker.io", Some(Hub)),
        ("docker.io/", Some(Hub)),
        ("DOCKER.IO/v2/", Some(Hub)),
        ("HTTPS://index.docker.io/v1/", Some(Hub)),
        ("https://docker.io/v2/", Some(Hub)),
        ("https://registry-1.docker.io", Some(Hub)),
        ("https://registry.hub.docker.com/v1", Some(Hub)),
        ("hub.docker.com/", Some(Hub)),
        ("https://DHI.io/", Some(HardenedImages)),
        ("dhi.io/v2", Some(HardenedImages)),
        ("", None),
        ("https://", None),
        ("/docker.io", None),
        ("docker.io.evil.example", None),
        ("evil.docker.io", None),
        ("xdocker.io", None),
        ("evil@docker.io", None),
        ("docker.io@evil.example", None),
        ("https://evil.example/docker.io", None),
        ("docker.io/acme", None),
        ("docker.io/v1/../acme", None),
        ("docker.io/v3/", None),
        ("docker.io:443", None),
        ("http://docker.io", None),
        ("https://https://docker.io", None),
        ("docker.io?x", None),
        ("docker.io#x", None),
        (" docker.io", None),
        ("docker.io.", None),
        ("d\u{43e}cker.io", None),
    ] {
        assert_eq!(Registry::parse(text), expected, "{text}");
    }
}
