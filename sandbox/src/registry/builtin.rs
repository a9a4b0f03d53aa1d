//! The built-in registry: the version check, one small image, and the opening and cancelling of an upload.
//!
//! Enough for `docker login`, `docker manifest inspect`, a look at the pull window and a probe for push rights, following the
//! distribution API. Nothing can be stored: for real pushes put a real registry behind the front.

use std::ops::Range;

use http::{Method, Request, Response, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::token::Bearer;
use crate::message::{bytes, empty, json as json_answer, set};
use crate::random;

const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const CONFIG_TYPE: &str = "application/vnd.docker.container.image.v1+json";
/// Images that exist here, all with the tag `latest`.
const IMAGES: [&str; 4] = ["acme/app", "acme/base", "ratelimitpreview/test", "library/alpine"];
/// The configuration of the one image: no layers.
const CONFIG: &str = r#"{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}"#;

/// What a path names.
pub(super) enum Target<'p> {
    Version,
    Manifest { repository: &'p str, reference: &'p str },
    Blob { repository: &'p str, digest: &'p str },
    Upload { repository: &'p str },
    Tags { repository: &'p str },
    Catalog,
    Other,
}

/// What a bearer must be for: a type, a name and actions, as in a scope.
pub(super) struct Needed<'p> {
    pub(super) kind: &'static str,
    pub(super) name: &'p str,
    pub(super) actions: &'static [&'static str],
}

impl<'p> Target<'p> {
    pub(super) fn parse(path: &'p str) -> Self {
        let rest = path.strip_prefix("/v2/").unwrap_or_default();
        if rest.is_empty() {
            return Self::Version;
        }
        if rest == "_catalog" {
            return Self::Catalog;
        }
        if let Some((repository, _)) = rest.split_once("/blobs/uploads") {
            return Self::Upload { repository };
        }
        if let Some(repository) = rest.strip_suffix("/tags/list") {
            return Self::Tags { repository };
        }
        if let Some((repository, reference)) = rest.rsplit_once("/manifests/") {
            return Self::Manifest { repository, reference };
        }
        rest.rsplit_once("/blobs/").map_or(Self::Other, |(repository, digest)| Self::Blob { repository, digest })
    }

    pub(super) fn is_manifest(&self) -> bool {
        matches!(self, Self::Manifest { .. })
    }

    /// Nothing for what anybody with a bearer may ask.
    pub(super) fn needed(&self, method: &Method) -> Option<Needed<'p>> {
        match self {
            Self::Manifest { repository, .. }
            | Self::Blob { repository, .. }
            | Self::Upload { repository }
            | Self::Tags { repository } => {
                Some(Needed { kind: "repository", name: repository, actions: self.actions(method) })
            }
            Self::Catalog => Some(Needed { kind: "registry", name: "catalog", actions: &["*"] }),
            Self::Version | Self::Other => None,
        }
    }

    fn actions(&self, method: &Method) -> &'static [&'static str] {
        match (self, method.as_str()) {
            (Self::Upload { .. }, _) | (_, "PUT" | "POST" | "PATCH") => &["pull", "push"],
            (_, "DELETE") => &["delete"],
            _ => &["pull"],
        }
    }

    /// Bearers are for repositories; nobody has one for the catalog.
    pub(super) fn allowed_by(&self, bearer: &Bearer, method: &Method) -> bool {
        self.needed(method).is_none_or(|needed| {
            needed.kind == "repository" && needed.actions.iter().all(|action| bearer.allows(needed.name, action))
        })
    }
}

pub(super) fn answer(target: &Target<'_>, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    let method = request.method();
    let reads = method == Method::GET || method == Method::HEAD;
    match target {
        Target::Version => json_answer(200, &json!({})),
        Target::Tags { repository } if reads && IMAGES.contains(repository) => {
            json_answer(200, &json!({ "name": repository, "tags": ["latest"] }))
        }
        Target::Tags { repository } if reads => {
            let detail = json!({ "name": repository });
            error(404, "NAME_UNKNOWN", "repository name not known to registry", Some(detail))
        }
        Target::Manifest { repository, reference } if reads => manifest(repository, reference),
        Target::Blob { digest, .. } if reads => blob(request, digest),
        Target::Upload { repository } if method == Method::POST => {
            let mut response = empty(202);
            let id = random::uuid();
            set(&mut response, "location", &format!("/v2/{repository}/blobs/uploads/{id}"));
            set(&mut response, "docker-upload-uuid", &id);
            set(&mut response, "range", "0-0");
            response
        }
        Target::Upload { .. } if method == Method::DELETE => empty(204),
        Target::Manifest { .. } | Target::Upload { .. } => {
            error(405, "UNSUPPORTED", "the operation is unsupported", None)
        }
        Target::Blob { .. } | Target::Tags { .. } | Target::Catalog | Target::Other => {
            error(404, "NOT_FOUND", "not found", None)
        }
    }
}

fn manifest(repository: &str, reference: &str) -> Response<Vec<u8>> {
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": { "mediaType": CONFIG_TYPE, "size": CONFIG.len(), "digest": digest_of(CONFIG.as_bytes()) },
        "layers": [],
    });
    let body = manifest.to_string().into_bytes();
    let digest = digest_of(&body);
    if !IMAGES.contains(&repository) || (reference != "latest" && reference != digest) {
        let detail = if reference.starts_with("sha256:") {
            json!({ "Name": repository, "Revision": reference })
        } else {
            json!({ "Tag": reference })
        };
        return error(404, "MANIFEST_UNKNOWN", "manifest unknown", Some(detail));
    }
    let mut response = bytes(200, MANIFEST_TYPE, body);
    set(&mut response, "docker-content-digest", &digest);
    response
}

/// A blob, or the part of it that is asked for; blobs never change, so a client that has one is told so.
fn blob(request: &Request<Vec<u8>>, digest: &str) -> Response<Vec<u8>> {
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return error(400, "DIGEST_INVALID", "provided digest did not match uploaded content", Some(json!({})));
    }
    if digest != digest_of(CONFIG.as_bytes()) {
        return error(404, "BLOB_UNKNOWN", "blob unknown to registry", Some(digest.into()));
    }
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let tag = format!("\"{digest}\"");
    let mut response = match header(header::RANGE).and_then(part) {
        _ if header(header::IF_NONE_MATCH) == Some(tag.as_str()) => empty(304),
        Some(part) => {
            let mut response = bytes(206, "application/octet-stream", CONFIG.as_bytes()[part.clone()].to_vec());
            set(&mut response, "content-range", &format!("bytes {}-{}/{}", part.start, part.end - 1, CONFIG.len()));
            response
        }
        None => bytes(200, "application/octet-stream", CONFIG.as_bytes().to_vec()),
    };
    for (name, value) in [
        ("docker-content-digest", digest),
        ("etag", &tag),
        ("cache-control", "max-age=31536000"),
        ("accept-ranges", "bytes"),
    ] {
        set(&mut response, name, value);
    }
    response
}

/// `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-COUNT` of the one blob; none for anything else, which is the whole blob.
fn part(range: &str) -> Option<Range<usize>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let part = match (first, last) {
        ("", count) => CONFIG.len().saturating_sub(count.parse().ok()?)..CONFIG.len(),
        (first, "") => first.parse().ok()?..CONFIG.len(),
        (first, last) => first.parse().ok()?..CONFIG.len().min(last.parse::<usize>().ok()?.checked_add(1)?),
    };
    (part.start < part.end).then_some(part)
}

fn error(status: u16, code: &str, message: &str, detail: Option<Value>) -> Response<Vec<u8>> {
    let mut error = json!({ "code": code, "message": message });
    if let Some(detail) = detail {
        error["detail"] = detail;
    }
    json_answer(status, &json!({ "errors": [error] }))
}

fn digest_of(bytes: &[u8]) -> String {
    let hex: String = hublease_protocol::hex::lower(&Sha256::digest(bytes));
    format!("sha256:{hex}")
}
