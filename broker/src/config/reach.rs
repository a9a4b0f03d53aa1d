//! What a rule or a token reaches: repositories and actions, and public images or not.

use hublease_protocol::scope::{Action, check_repository};
use toml::{Spanned, Value};

use super::SpannedError;
use crate::limits::MAX_PATTERN_BYTES;
use crate::rules::{Glob, Pattern, Reach};

/// Repositories and actions; where the account has a namespace, all of them are in it.
pub(super) fn reach(
    list: &Spanned<Vec<Spanned<Value>>>,
    words: &Spanned<Vec<String>>,
    public_pull: bool,
    namespace: Option<&str>,
) -> Result<Reach, SpannedError> {
    Ok(Reach { repositories: repositories(list, namespace)?, actions: actions(words)?, public_pull })
}

fn repositories(list: &Spanned<Vec<Spanned<Value>>>, namespace: Option<&str>) -> Result<Vec<Pattern>, SpannedError> {
    if list.as_ref().is_empty() {
        return Err(SpannedError::at(list.span(), "`repositories` names at least one repository"));
    }
    let read = |item: &Spanned<Value>| {
        let pattern = pattern(item.as_ref(), true).map_err(|reason| SpannedError::at(item.span(), reason))?;
        check_reach(&pattern, namespace).map_err(|reason| SpannedError::at(item.span(), reason))?;
        Ok(pattern)
    };
    list.as_ref().iter().map(read).collect()
}

/// A repository is `NAMESPACE/NAME`, and the namespace is always spelled out.
fn check_reach(pattern: &Pattern, namespace: Option<&str>) -> Result<(), String> {
    let text = match pattern {
        Pattern::Text(name) => {
            check_repository(name).map_err(|error| error.to_string())?;
            name.clone()
        }
        Pattern::Glob(glob) => glob.to_string(),
        _ => return Err("a repository is a text".to_owned()),
    };
    let spelled_out = match text.split_once('/') {
        Some((owner, name)) if !owner.contains('*') && !name.is_empty() && !name.contains('/') => owner,
        _ => {
            return Err("a repository is `NAMESPACE/NAME`, without `*` in the namespace".to_owned());
        }
    };
    match namespace {
        Some(namespace) if namespace != spelled_out => {
            Err(format!("the account's tokens reach the repositories of `{namespace}` only"))
        }
        _ => Ok(()),
    }
}

fn actions(words: &Spanned<Vec<String>>) -> Result<Vec<Action>, SpannedError> {
    let blame = |reason: &str| SpannedError::at(words.span(), reason);
    let parse = |word: &String| Action::parse(word).ok_or_else(|| blame("`actions` are `pull`, `push` and `delete`"));
    let actions: Vec<_> = words.as_ref().iter().map(parse).collect::<Result<_, _>>()?;
    let Some(widest) = actions.iter().max() else {
        return Err(blame("`actions` names at least one action"));
    };
    // Saying it is the price of granting it: Docker Hub's `push` includes `pull`, its `delete` includes `push`.
    if Action::ALL.iter().filter(|action| *action <= widest).all(|action| actions.contains(action)) {
        Ok(actions)
    } else {
        Err(blame("Docker Hub's `push` includes `pull`, and its `delete` includes `push`: list them too"))
    }
}

pub(super) fn pattern(value: &Value, may_glob: bool) -> Result<Pattern, &'static str> {
    match value {
        Value::String(text) if text.is_empty() || text.len() > MAX_PATTERN_BYTES => {
            Err("a text has 1 to 512 characters")
        }
        Value::String(text) if text.contains('*') => {
            Err("a plain text is compared exactly, `*` included: write `{ glob = \"…\" }` for a pattern")
        }
        Value::String(text) => Ok(Pattern::Text(text.clone())),
        Value::Boolean(flag) => Ok(Pattern::Flag(*flag)),
        Value::Integer(number) => Ok(Pattern::Number(*number)),
        Value::Table(table) => match (table.len(), table.get("glob")) {
            (1, Some(Value::String(_))) if !may_glob => Err(
                "`glob` is for references, environments, workflow paths and repositories; this claim is compared exactly",
            ),
            (1, Some(Value::String(text))) => Glob::parse(text).map(Pattern::Glob),
            _ => Err("the only operator is `{ glob = \"…\" }` with a text"),
        },
        _ => Err("a claim is compared with a text, a whole number, `true` or `false`"),
    }
}
