//! Image references: what is accepted stands in the path of a request and in the scope of a token.

use hublease::image::Image;
use hublease_protocol::scope::check_repository;

use super::repeats;

/// An image that is accepted is its own spelling, and its parts are plain words; a refusal repeats nothing.
pub fn image(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    match Image::parse(text) {
        Ok(image) => check(&image, text),
        Err(error) => assert!(!repeats(error, text), "{error}"),
    }
}

fn check(image: &Image, text: &str) {
    let shown = image.to_string();
    assert_eq!(Image::parse(&shown).as_ref(), Ok(image));
    for hub in ["docker.io/", "index.docker.io/"] {
        assert_eq!(Image::parse(&format!("{hub}{shown}")).as_ref(), Ok(image));
    }

    let (repository, reference) = (image.repository(), image.reference());
    assert_eq!(check_repository(repository), Ok(()));
    assert!(repository.contains('/'), "a namespace");
    assert!(text.contains(repository.strip_prefix("library/").unwrap_or(repository)));
    assert!(reference == "latest" || text.contains(reference));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    assert!(reference.bytes().all(is_plain) && !reference.starts_with(['.', '-', ':']) && reference.len() <= 135);
}
