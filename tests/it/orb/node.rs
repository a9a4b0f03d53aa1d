//! A value of a config and the place where it stands, so that every refusal can name it.

use std::fmt;

use serde_json::{Map, Value};

/// Why a config is refused: the place, and what is wrong there.
#[derive(Debug)]
pub struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

pub type Result<T> = std::result::Result<T, Refusal>;

/// Where a value stands, as in `jobs.push.steps[1].run`.
#[derive(Clone, Debug)]
pub struct Place(String);

impl Place {
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub fn key(&self, key: &str) -> Self {
        if self.0.is_empty() || self.0.ends_with(": ") {
            return Self(format!("{}{key}", self.0));
        }
        Self(format!("{}.{key}", self.0))
    }

    fn item(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    pub fn refusal(&self, why: impl fmt::Display) -> Refusal {
        Refusal(format!("{self}: {why}"))
    }

    pub fn refuse<T>(&self, why: impl fmt::Display) -> Result<T> {
        Err(self.refusal(why))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_empty() { "config" } else { self.0.trim_end_matches(": ") })
    }
}

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node<'v> {
    pub value: &'v Value,
    pub place: Place,
}

impl<'v> Node<'v> {
    pub fn new(value: &'v Value, place: Place) -> Self {
        Self { value, place }
    }

    pub fn refuse<T>(&self, why: impl fmt::Display) -> Result<T> {
        self.place.refuse(why)
    }

    pub fn map(&self) -> Result<&'v Map<String, Value>> {
        self.value.as_object().map_or_else(|| self.expected("a map"), Ok)
    }

    /// The value of a key of a map.
    pub fn get(&self, key: &str) -> Option<Self> {
        self.value.get(key).map(|value| Self::new(value, self.place.key(key)))
    }

    /// The keys of a map with their values.
    pub fn entries(&self) -> Result<Vec<(&'v str, Self)>> {
        let entries = self.map()?.iter();
        Ok(entries.map(|(key, value)| (key.as_str(), Self::new(value, self.place.key(key)))).collect())
    }

    pub fn list(&self) -> Result<Vec<Self>> {
        let list = self.value.as_array().map_or_else(|| self.expected("a list"), Ok)?;
        Ok(list.iter().enumerate().map(|(index, value)| Self::new(value, self.place.item(index))).collect())
    }

    pub fn text(&self) -> Result<&'v str> {
        self.value.as_str().map_or_else(|| self.expected("a string"), Ok)
    }

    /// The text of a key that may be left out.
    pub fn optional_text(&self, key: &str) -> Result<Option<String>> {
        self.get(key).map(|node| node.text().map(str::to_owned)).transpose()
    }

    /// A map with no other keys than these, and with all that are required.
    pub fn keys(&self, allowed: &[&str], required: &[&str]) -> Result<()> {
        let map = self.map()?;
        if let Some(key) = map.keys().find(|key| !allowed.contains(&key.as_str())) {
            return self.refuse(format!("unknown key `{key}`"));
        }
        match required.iter().find(|key| !map.contains_key(**key)) {
            Some(key) => self.refuse(format!("the key `{key}` is missing")),
            None => Ok(()),
        }
    }

    pub fn expected<T>(&self, what: &str) -> Result<T> {
        self.refuse(format!("expected {what}, not {}", shown(self.value)))
    }
}

/// A value as a refusal shows it.
pub fn shown(value: &Value) -> String {
    let kind = match value {
        Value::Null => return "nothing".to_owned(),
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => return "a list".to_owned(),
        Value::Object(_) => return "a map".to_owned(),
    };
    format!("the {kind} {value}")
}
