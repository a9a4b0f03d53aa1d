//! What the tests share: a tiny Docker Hub with logins, both kinds of tokens, a quota, and faults on demand; an outside world
//! that answers from a script; a password that changes. Used by these unit tests and, by its path, by the broker's tests.
//!
//! Follows Docker's Hub API reference for paths, bodies and statuses. That a mint beyond the quota gets 403 is a guess.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};

use hublease_hub::HUB;
use hublease_hub::outbound::{Call, Method, Outbound, OutboundError, RateLimit, Reply};
use hublease_hub::password::{PasswordSource, SecretError};
use hublease_protocol::secret::Secret;
use serde_json::{Value, json};

/// 2026-11-20T19:30:00Z.
pub(crate) const NOW: u64 = 1_795_203_000;
/// Of every account of a new [`FakeHub`].
pub(crate) const PASSWORD: &str = "hunter2-password";

#[derive(Default)]
pub(crate) struct FakeHub {
    content: Mutex<Content>,
    /// When set, the next mint says that it is there, and waits.
    pub(crate) latch: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

#[derive(Default)]
struct Content {
    /// The one password of every account, when it is no longer [`PASSWORD`].
    changed_password: Option<String>,
    /// What every answer says about the rate limit.
    rate: RateLimit,
    /// These tokens are gone when the next page of a list has been read.
    vanishing: Vec<String>,
    /// Each token's creation body, by its id.
    tokens: BTreeMap<String, Value>,
    minted: usize,
    logins: usize,
    calls: Vec<String>,
    faults: Vec<(String, Trouble)>,
    bearer: usize,
}

/// What goes wrong with the next call whose `METHOD path` starts so.
#[derive(Clone)]
pub(crate) enum Trouble {
    /// This status and body instead.
    Status(u16, &'static str),
    /// This status with `Retry-After`.
    Wait(u16, u64),
    /// This status with `X-Retry-After`.
    WaitUntil(u16, u64),
    /// The call is served, and the answer is lost.
    Lost,
}

impl FakeHub {
    /// The next call that starts so fails so.
    pub(crate) fn trouble(&self, call: &str, trouble: Trouble) {
        self.content.lock().unwrap().faults.push((call.to_owned(), trouble));
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&self) {
        self.content.lock().unwrap().faults.clear();
    }

    /// Labels of the tokens that exist.
    pub(crate) fn labels(&self) -> Vec<String> {
        let label = |token: &Value| token["label"].as_str().or(token["token_label"].as_str()).unwrap().to_owned();
        self.content.lock().unwrap().tokens.values().map(label).collect()
    }

    /// The bodies that the existing tokens were made with.
    pub(crate) fn tokens(&self) -> Vec<Value> {
        self.content.lock().unwrap().tokens.values().cloned().collect()
    }

    pub(crate) fn logins(&self) -> usize {
        self.content.lock().unwrap().logins
    }

    /// `METHOD path` of each call to Docker Hub.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.content.lock().unwrap().calls.clone()
    }

    /// The bearer of the present login is no longer taken.
    pub(crate) fn forget_login(&self) {
        self.content.lock().unwrap().bearer += 1;
    }

    /// From now on this password counts.
    pub(crate) fn set_password(&self, password: &str) {
        self.content.lock().unwrap().changed_password = Some(password.to_owned());
    }

    /// From now on every answer says this about the rate limit.
    pub(crate) fn set_rate(&self, limit: u64, remaining: u64, reset: u64) {
        self.content.lock().unwrap().rate =
            RateLimit { limit: Some(limit), remaining: Some(remaining), reset: Some(reset) };
    }

    /// Somebody else deletes a token while a list is read, after its next page.
    pub(crate) fn vanish(&self, id: &str) {
        self.content.lock().unwrap().vanishing.push(id.to_owned());
    }

    /// Another token of the organization, that is not ours.
    pub(crate) fn add_foreign(&self, count: usize) {
        let mut content = self.content.lock().unwrap();
        for index in 0..count {
            content.tokens.insert(format!("foreign-{index}"), json!({"label": format!("hand-made {index}")}));
        }
    }

    /// An organization token of that lease and that age which no exchange of this test has made.
    pub(crate) fn plant(&self, instance: &str, lease: &str, created_at: u64) {
        let (label, created_at) = (format!("hublease/{instance}/{lease}"), hublease_protocol::time::utc(created_at));
        let token = json!({"label": label, "created_at": created_at, "expires_at": "2026-11-21T00:00:00.123456Z"});
        self.content.lock().unwrap().tokens.insert(format!("planted-{lease}"), token);
    }
}

impl Outbound for FakeHub {
    fn send(&self, call: &Call<'_>) -> Result<Reply, OutboundError> {
        if !call.url.starts_with(HUB) {
            return Err(OutboundError("no such host"));
        }
        let name = name_of(call).replace(HUB, "");
        if name.starts_with("POST /v2/") && name.ends_with("access-tokens") {
            let latch = self.latch.lock().unwrap().take();
            if let Some((reached, latch)) = latch {
                reached.send(()).unwrap();
                latch.recv().unwrap();
            }
        }
        let mut content = self.content.lock().unwrap();
        content.calls.push(name.clone());
        let trouble = content.faults.iter().position(|(prefix, _)| name.starts_with(prefix.as_str()));
        let answer = match trouble.map(|at| content.faults.remove(at).1) {
            Some(Trouble::Status(status, body)) => reply(status, body),
            Some(Trouble::Wait(status, seconds)) => Ok(Reply { retry_after: Some(seconds), ..reply(status, "{}")? }),
            Some(Trouble::WaitUntil(status, time)) => Ok(Reply { retry_at: Some(time), ..reply(status, "{}")? }),
            Some(Trouble::Lost) => {
                content.serve(&name, call)?;
                Err(OutboundError("no answer in time"))
            }
            None => content.serve(&name, call),
        };
        Ok(Reply { rate: content.rate, ..answer? })
    }
}

/// Docker Hub's own "no such thing".
pub(crate) const NOT_FOUND: &str = r#"{"detail":"object not found","message":"object not found"}"#;

impl Content {
    fn serve(&mut self, name: &str, call: &Call<'_>) -> Result<Reply, OutboundError> {
        let body: Value = call.json.map(|body| serde_json::from_str(body).unwrap()).unwrap_or_default();
        let (method, path) = name.split_once(' ').unwrap();
        if path == "/v2/auth/token" {
            self.logins += 1;
            return if body["secret"] == self.changed_password.as_deref().unwrap_or(PASSWORD) {
                reply(200, &json!({"access_token": format!("bearer-{}", self.bearer)}).to_string())
            } else {
                reply(401, r#"{"detail":"Incorrect authentication credentials"}"#)
            };
        }
        if call.bearer != Some(&format!("bearer-{}", self.bearer)) {
            return reply(401, r#"{"detail":"unauthorized"}"#);
        }
        let is_oat = path.starts_with("/v2/orgs/");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        match (method, path.strip_suffix("/access-tokens")) {
            ("POST", Some(_)) => self.mint(body, is_oat),
            ("GET", Some(_)) => self.list(query, is_oat),
            ("DELETE", None) => {
                let id = path.rsplit('/').next().unwrap();
                match self.tokens.remove(id) {
                    Some(_) => reply(204, ""),
                    None => reply(404, NOT_FOUND),
                }
            }
            _ => reply(404, "{}"),
        }
    }

    fn mint(&mut self, body: Value, is_oat: bool) -> Result<Reply, OutboundError> {
        if is_oat && self.tokens.len() >= 10 {
            return reply(403, r#"{"detail":"token limit reached","message":"forbidden"}"#);
        }
        self.minted += 1;
        let id = format!("token-{:04}", self.minted);
        self.tokens.insert(id.clone(), body);
        let secret = format!("dckr_{}_secret-{id}", if is_oat { "oat" } else { "pat" });
        let answer = if is_oat { json!({"id": id, "token": secret}) } else { json!({"uuid": id, "token": secret}) };
        reply(201, &answer.to_string())
    }

    fn list(&mut self, query: &str, is_oat: bool) -> Result<Reply, OutboundError> {
        let number = |name: &str| {
            let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap();
            pair.parse::<usize>().unwrap()
        };
        let (page, size) = (number("page="), number("page_size="));
        let entry = |(id, body): (&String, &Value)| {
            if is_oat {
                json!({"id": id, "label": body["label"], "token": "", "created_at": body["created_at"],
        "expires_at": body["expires_at"]})
            } else {
                json!({"uuid": id, "token_label": body["token_label"], "token": ""})
            }
        };
        let results: Vec<_> = self.tokens.iter().map(entry).skip((page - 1) * size).take(size).collect();
        let next = (page * size < self.tokens.len()).then_some("more");
        let count = if is_oat { "total" } else { "count" };
        let page = json!({count: self.tokens.len(), "next": next, "results": results});
        for id in self.vanishing.drain(..) {
            self.tokens.remove(&id);
        }
        reply(200, &page.to_string())
    }
}

fn reply(status: u16, body: &str) -> Result<Reply, OutboundError> {
    Ok(Reply { status, body: body.as_bytes().to_vec(), ..Reply::default() })
}

/// An outside world that gives fixed answers and remembers what it was asked.
#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<BTreeMap<String, (u16, String)>>,
    calls: Mutex<Vec<String>>,
}

impl Script {
    /// From now on, `METHOD URL` is answered so.
    pub(crate) fn on(&self, call: &str, status: u16, body: &str) {
        self.answers.lock().unwrap().insert(call.to_owned(), (status, body.to_owned()));
    }

    /// What was asked, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

/// `METHOD URL`.
pub(crate) fn name_of(call: &Call<'_>) -> String {
    let method = match call.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    };
    format!("{method} {}", call.url)
}

impl Outbound for Script {
    fn send(&self, call: &Call<'_>) -> Result<Reply, OutboundError> {
        let name = name_of(call);
        let answer = self.answers.lock().unwrap().get(&name).cloned();
        self.calls.lock().unwrap().push(name);
        let (status, body) = answer.ok_or(OutboundError("nothing is scripted for this call"))?;
        Ok(Reply { status, body: body.into_bytes(), ..Reply::default() })
    }
}

/// A password that a test changes.
#[derive(Clone)]
pub(crate) struct FakePassword(Arc<Mutex<Result<Secret, SecretError>>>);

impl FakePassword {
    pub(crate) fn of(password: &str) -> Self {
        Self(Arc::new(Mutex::new(Ok(Secret::new(password)))))
    }

    /// From now on it is this.
    pub(crate) fn set(&self, password: Result<&str, SecretError>) {
        *self.0.lock().unwrap() = password.map(Secret::new);
    }
}

impl PasswordSource for FakePassword {
    fn read(&self) -> Result<Secret, SecretError> {
        self.0.lock().unwrap().clone()
    }

    fn is_local(&self) -> bool {
        true
    }
}
