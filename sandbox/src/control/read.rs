//! Reads faults and latches from JSON.
//!
//! An action is an object with one of: `status` (with `headers`, `body`), `slow` (milliseconds between pieces of `bytes`),
//! `cut` (bytes of the body), `close` (`before` or `after`), `oversized` (bytes), `not_json`, `empty`,
//! `redirect` (location, with `code`), `raw_body` (text), `headers` (object).

use std::time::Duration;

use serde_json::Value;

use crate::fault::{Action, Fault};
use crate::latch::Hold;
use crate::service::Service;

pub(super) fn fault(body: &Value) -> Result<Fault, String> {
    let (service, path) = place(body)?;
    let mut fault = Fault::on(service, path).skip(count(body, "skip", 0)?).times(count(body, "times", 1)?);
    if let Some(method) = body["method"].as_str() {
        fault = fault.method(method);
    }
    if body["after_handling"] == true {
        fault = fault.after_handling();
    }
    Ok(fault.then(action(&body["action"])?))
}

pub(super) fn hold(body: &Value) -> Result<Hold, String> {
    let (service, path) = place(body)?;
    let hold = if body["after"] == true { Hold::after(service, path) } else { Hold::before(service, path) };
    let hold = hold.skip(count(body, "skip", 0)?);
    Ok(match body["method"].as_str() {
        Some(method) => hold.method(method),
        None => hold,
    })
}

fn place(body: &Value) -> Result<(Service, &str), String> {
    let name = body["service"].as_str().ok_or("service must be a string")?;
    let service = Service::named(name).ok_or_else(|| format!("no service `{name}`"))?;
    Ok((service, body["path"].as_str().unwrap_or("/")))
}

fn action(action: &Value) -> Result<Action, String> {
    let text = |name: &str| action[name].as_str().unwrap_or_default();
    Ok(if !action["status"].is_null() {
        Action::Status(status(&action["status"])?, headers(&action["headers"])?, text("body").as_bytes().to_vec())
    } else if !action["slow"].is_null() {
        let pause = Duration::from_millis(action["slow"].as_u64().ok_or("slow must be milliseconds")?);
        Action::Slow { bytes: count(action, "bytes", 1)?, pause }
    } else if !action["cut"].is_null() {
        Action::CutMidBody(count(action, "cut", 0)?)
    } else if !action["oversized"].is_null() {
        Action::Oversized(count(action, "oversized", 0)?)
    } else if !action["redirect"].is_null() {
        let code = if action["code"].is_null() { 307 } else { status(&action["code"])? };
        Action::Redirect(code, text("redirect").to_owned())
    } else if let Some(body) = action["raw_body"].as_str() {
        Action::RawBody(body.as_bytes().to_vec())
    } else if action["headers"].is_object() {
        Action::Headers(headers(&action["headers"])?)
    } else {
        match (text("close"), &action["not_json"], &action["empty"]) {
            ("before", _, _) => Action::CloseBeforeAnswering,
            ("after", _, _) => Action::CloseAfterHandling,
            (_, Value::Bool(true), _) => Action::NotJson,
            (_, _, Value::Bool(true)) => Action::Empty,
            _ => return Err("unknown action".to_owned()),
        }
    })
}

fn status(value: &Value) -> Result<u16, String> {
    let code = value.as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| (200..=599).contains(code));
    code.ok_or_else(|| "a status is a number from 200 to 599".to_owned())
}

fn count(body: &Value, name: &str, default: usize) -> Result<usize, String> {
    match &body[name] {
        Value::Null => Ok(default),
        value => value
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .ok_or_else(|| format!("{name} must be a number")),
    }
}

fn headers(value: &Value) -> Result<Vec<(String, String)>, String> {
    let Some(object) = value.as_object() else {
        return Ok(Vec::new());
    };
    let pairs = object.iter().map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    pairs.collect::<Option<_>>().ok_or_else(|| "header values must be strings".to_owned())
}
