//! The built-in registry: the version check, one small image, and the opening and cancelling of an upload.
//!
//! Enough for `docker login`, `docker manifest inspect`, a look at the pull window and a probe for push rights, following the
//! distribution API. Nothing can be stored: for real pushes put a real registry behind the front.

use http::{Method, Request, Response};
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
    Other,
}

impl<'p> Target<'p> {
    pub(super) fn parse(path: &'p str) -> Self {
        let rest = path.strip_prefix("/v2/").unwrap_or_default();
        if rest.is_empty() {
            return Self::Version;
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

    pub(super) fn repository(&self) -> Option<&'p str> {
        match self {
            Self::Manifest { repository, .. }
            | Self::Blob { repository, .. }
            | Self::Upload { repository }
            | Self::Tags { repository } => Some(repository),
            Self::Version | Self::Other => None,
        }
    }

    /// The registry actions that a request with this method needs.
    pub(super) fn actions(&self, method: &Method) -> &'static [&'static str] {
        match (self, method.as_str()) {
            (Self::Upload { .. }, _) | (_, "PUT" | "POST" | "PATCH") => &["pull", "push"],
            (_, "DELETE") => &["delete"],
            _ => &["pull"],
        }
    }

    pub(super) fn allowed_by(&self, bearer: &Bearer, method: &Method) -> bool {
        let needed = self.actions(method);
        self.repository().is_none_or(|repository| needed.iter().all(|action| bearer.allows(repository, action)))
    }
}

pub(super) fn answer(target: &Target<'_>, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
    let method = request.method();
    let reads = method == Method::GET || method == Method::HEAD;
    match target {
        Target::Version if reads => json_answer(200, &json!({})),
        Target::Tags { repository } if reads && IMAGES.contains(repository) => {
            json_answer(200, &json!({ "name": repository, "tags": ["latest"] }))
        }
        Target::Tags { repository } if reads => {
            let detail = json!({ "name": repository });
            error(404, "NAME_UNKNOWN", "repository name not known to registry", Some(detail))
        }
        Target::Manifest { repository, reference } if reads => manifest(repository, reference),
        Target::Blob { digest, .. } if reads && *digest == digest_of(CONFIG.as_bytes()) => {
            bytes(200, "application/octet-stream", CONFIG.as_bytes().to_vec())
        }
        Target::Upload { repository } if method == Method::POST => {
            let mut response = empty(202);
            let id = random::uuid();
            set(&mut response, "location", &format!("/v2/{repository}/blobs/uploads/{id}"));
            set(&mut response, "docker-upload-uuid", &id);
            set(&mut response, "range", "0-0");
            response
        }
        Target::Upload { .. } if method == Method::DELETE => empty(204),
        Target::Blob { digest, .. } if reads => {
            error(404, "BLOB_UNKNOWN", "blob unknown to registry", Some((*digest).into()))
        }
        Target::Manifest { .. } | Target::Upload { .. } => {
            error(405, "UNSUPPORTED", "the operation is unsupported", None)
        }
        Target::Version | Target::Blob { .. } | Target::Tags { .. } | Target::Other => {
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
        return error(404, "MANIFEST_UNKNOWN", "manifest unknown", Some(json!({ "Tag": reference })));
    }
    let mut response = bytes(200, MANIFEST_TYPE, body);
    set(&mut response, "docker-content-digest", &digest);
    response
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
