//! What kind of body an answer had: all that is told of one in which nothing is understood.
//!
//! What stands before a provider answers in its place, with any status: a proxy, a firewall, a load balancer, a portal. Its
//! body is never shown, because it may repeat what was sent; its kind tells people who has answered.

use crate::effect::http::{NO_TEXT, Response};

/// A kind of body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Empty,
    Html,
    /// Another document in angle brackets, as the object stores of clouds answer.
    Xml,
    /// JSON, and without what was looked for.
    Json,
    /// It begins as JSON, and cannot be read as such.
    BrokenJson,
    /// Bytes that are no text.
    Bytes,
    Text,
}

impl Body {
    pub(super) fn of(response: &Response) -> Self {
        let body = response.body.expose().trim();
        if body.is_empty() {
            return Self::Empty;
        }
        if body == NO_TEXT {
            return Self::Bytes;
        }
        if body.starts_with('<') {
            // A page may begin with a comment, and without the word that it should.
            let beginning: String = body.chars().take(BEGINNING).collect();
            let is_page = ["<!doctype html", "<html", "<head", "<body", "<title", "<script", "<center", "<h1"];
            let beginning = beginning.to_ascii_lowercase();
            return if is_page.iter().any(|tag| beginning.contains(tag)) { Self::Html } else { Self::Xml };
        }
        if serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok() {
            return Self::Json;
        }
        if body.starts_with(['{', '[']) { Self::BrokenJson } else { Self::Text }
    }

    /// After "with".
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Empty => "an empty body",
            Self::Html => "an HTML page",
            Self::Xml => "an XML document",
            Self::Json => "JSON in which nothing is known",
            Self::BrokenJson => "JSON that breaks off or is not valid",
            Self::Bytes => "bytes that are no text",
            Self::Text => "a text that is no JSON",
        }
    }
}

/// How much of a document tells what it is: a declaration and a comment may come first.
const BEGINNING: usize = 1024;

#[cfg(test)]
mod tests {
    use hublease_protocol::secret::Secret;

    use super::Body;
    use crate::effect::http::{NO_TEXT, Response};

    #[test]
    fn the_kind_of_a_body_is_told_by_its_beginning() {
        for (body, kind) in [
            ("", Body::Empty),
            (" \r\n", Body::Empty),
            ("<html><body>403 Forbidden</body></html>", Body::Html),
            ("\n<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html>", Body::Html),
            ("<!--[if lt IE 7]> x <![endif]--><html lang=en>", Body::Html),
            ("<h1>Bad Gateway</h1>", Body::Html),
            ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", Body::Xml),
            ("{}", Body::Json),
            ("null", Body::Json),
            (" {\"errors\": null} ", Body::Json),
            ("{\"auth\": {\"client_tok", Body::BrokenJson),
            ("{'single': 1}", Body::BrokenJson),
            (NO_TEXT, Body::Bytes),
            ("error code: 1020", Body::Text),
            ("upstream connect error or disconnect/reset before headers", Body::Text),
        ] {
            let response = Response { body: Secret::new(body), ..Response::default() };
            assert_eq!(Body::of(&response), kind, "{body}");
        }
    }
}
