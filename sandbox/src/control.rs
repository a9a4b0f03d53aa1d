//! The control endpoint: what shell scripts use instead of the library. JSON over plain HTTP on loopback, never logged.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /control/log` | | requests, oldest first, headers and body as text |
//! | `GET /control/live` | | `[{"kind","id"}]` |
//! | `GET /control/secrets` | | `[{"name","kind","value","services"}]` |
//! | `GET /control/unexpected` | | strings |
//! | `POST /control/fault` | `{"service","path","method"?,"skip"?,"times"?,"after_handling"?,"action"}` | `{}` |
//! | `POST /control/latch` | `{"service","path","method"?,"skip"?,"after"?}` | `{"latch": n}` |
//! | `POST /control/latch/N/reached` | | waits; `{}` or 504 |
//! | `POST /control/latch/N/release` | | `{}` |
//! | `POST /control/advance` | `{"seconds"}` | `{"now"}` |
//! | `POST /control/forward` | `{"host","address"}` | `{}` |
//! | `POST /control/token` | claims to set, such as `{"aud":"..."}` | the token as text; `?platform=github` or `kubernetes`, `?root_issuer=1` |

mod program;
mod read;

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use serde_json::{Value, json};

pub(crate) use self::program::circleci_program;
use crate::issuer::{CIRCLECI_ISSUER, Issuer};
use crate::journal::Logged;
use crate::latch::Latch;
use crate::ledger::Ledger;
use crate::message::{body_json, bytes, field, json as answer, query};
use crate::service::Handler;
use crate::sync::lock;

pub(crate) struct Control {
    ledger: Arc<Ledger>,
    issuer: Arc<Issuer>,
    latches: Mutex<Vec<Latch>>,
}

impl Control {
    pub(crate) fn new(ledger: Arc<Ledger>, issuer: Arc<Issuer>) -> Self {
        Self { ledger, issuer, latches: Mutex::default() }
    }

    fn post(&self, path: &str, request: &Request<Vec<u8>>) -> Result<Value, String> {
        let body: Value = if request.body().is_empty() { json!({}) } else { body_json(request) };
        if !body.is_object() {
            return Err("the body must be a JSON object".to_owned());
        }
        match path {
            "fault" => self.ledger.core.add_fault(read::fault(&body)?),
            "latch" => {
                let latch = self.ledger.core.latches.place(read::hold(&body)?);
                let mut latches = lock(&self.latches);
                latches.push(latch);
                return Ok(json!({ "latch": latches.len() - 1 }));
            }
            "advance" => {
                self.ledger.core.clock.advance(body["seconds"].as_u64().ok_or("seconds must be a number")?);
                return Ok(json!({ "now": self.ledger.core.clock.now() }));
            }
            "forward" => {
                let host = body["host"].as_str().ok_or("host must be a string")?;
                let address =
                    body["address"].as_str().and_then(|text| text.parse().ok()).ok_or("address must be IP:PORT")?;
                self.ledger.core.forward(host, address);
            }
            _ => return Err("no such action".to_owned()),
        }
        Ok(json!({}))
    }

    fn latch(&self, rest: &str) -> Response<Vec<u8>> {
        let latch = rest.split_once('/').and_then(|(number, verb)| {
            let number: usize = number.parse().ok()?;
            Some((lock(&self.latches).get(number).cloned()?, verb))
        });
        match latch {
            Some((latch, "reached")) if latch.reached().is_ok() => answer(200, &json!({})),
            Some((_, "reached")) => answer(504, &json!({ "error": "no request came to the latch" })),
            Some((latch, "release")) => {
                latch.release();
                answer(200, &json!({}))
            }
            _ => answer(404, &json!({ "error": "no such latch" })),
        }
    }

    fn token(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let query = query(request);
        let mut token = match field(&query, "platform") {
            Some("github") => self.issuer.github(),
            Some("kubernetes") => self.issuer.kubernetes(),
            _ => self.issuer.circleci(),
        };
        if field(&query, "root_issuer").is_some() {
            token = token.claim("iss", json!(CIRCLECI_ISSUER));
        }
        let Value::Object(claims) = body_json(request) else {
            return answer(400, &json!({ "error": "the body must be a JSON object of claims" }));
        };
        for (name, value) in claims {
            token = token.claim(&name, value);
        }
        bytes(200, "text/plain", token.sign().into_bytes())
    }
}

impl Handler for Control {
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let Some(path) = request.uri().path().strip_prefix("/control/") else {
            return answer(404, &json!({ "error": "see /control/" }));
        };
        match (request.method().as_str(), path) {
            ("GET", "log") => answer(200, &self.ledger.core.log().iter().map(entry).collect()),
            ("GET", "live") => answer(
                200,
                &self.ledger.live().iter().map(|item| json!({ "kind": item.kind, "id": item.id })).collect(),
            ),
            ("GET", "unexpected") => answer(200, &json!(self.ledger.core.unexpected())),
            ("GET", "secrets") => {
                let secrets = self.ledger.secrets();
                let shown = secrets.iter().map(|secret| {
                    let services: Vec<_> = secret.services.iter().map(|service| service.name()).collect();
                    json!({ "name": secret.name, "kind": secret.kind, "value": secret.value, "services": services })
                });
                answer(200, &shown.collect())
            }
            ("POST", "token") => self.token(request),
            ("POST", path) => match path.strip_prefix("latch/") {
                Some(rest) => self.latch(rest),
                None => self
                    .post(path, request)
                    .map_or_else(|why| answer(400, &json!({ "error": why })), |body| answer(200, &body)),
            },
            _ => answer(404, &json!({ "error": "not found" })),
        }
    }
}

fn entry(logged: &Logged) -> Value {
    json!({
        "service": logged.service.name(), "host": logged.host, "method": logged.method, "path": logged.path,
        "query": logged.query, "headers": logged.headers, "body": logged.text(), "status": logged.status,
    })
}
