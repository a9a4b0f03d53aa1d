//! What a flag takes, and how a boolean is written.

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// One value, shown under this name in the help.
    One(&'static str),
    /// Several values; in a variable, separated by spaces.
    Many(&'static str),
    /// One of a closed list.
    Choice(&'static [&'static str]),
    /// Present or not; in a variable, `true` or `false`.
    Switch,
}

/// A boolean of YAML's core schema (1.2), as GitHub's own actions read their inputs: `True` and `TRUE` too, and no `yes`.
pub fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::boolean;

    #[test]
    fn a_boolean_has_three_spellings_each_way() {
        for (text, expected) in [
            ("true", Some(true)),
            ("True", Some(true)),
            ("TRUE", Some(true)),
            ("false", Some(false)),
            ("False", Some(false)),
            ("FALSE", Some(false)),
            ("tRUE", None),
            ("yes", None),
            ("on", None),
            ("1", None),
            ("", None),
            ("true ", None),
        ] {
            assert_eq!(boolean(text), expected, "{text}");
        }
    }
}
