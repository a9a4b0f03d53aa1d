//! How a command ends when it does not end well; `main` makes the exit code of it.

/// Why a command does not end well.
pub(crate) enum Failure {
    /// The command line makes no sense: a sentence.
    Usage(String),
    /// The command ran and did not do what it should; everything was said already.
    Told,
    /// The command could not go on: a sentence.
    Broken(String),
}

impl From<String> for Failure {
    fn from(sentence: String) -> Self {
        Self::Broken(sentence)
    }
}

/// For commands that take no options.
pub(crate) fn no_options(options: &[String]) -> Result<(), Failure> {
    options.first().map_or(Ok(()), |option| Err(Failure::Usage(format!("there is no option `{option}`"))))
}
