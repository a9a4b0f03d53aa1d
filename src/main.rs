//! Arguments, environment and streams go in, an exit code comes out.
#![expect(clippy::disallowed_methods, reason = "the one snapshot of the world is taken here")]

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use hublease::cli::FLAGS;
use hublease::environment::Environment;
use hublease::native::run::{Invocation, run};

fn main() -> ExitCode {
    let variables = env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let value = text(&name, value)?;
        Some((name, value))
    });
    let invocation = Invocation {
        arguments: env::args_os().skip(1).collect(),
        environment: Environment::new(variables),
        working_directory: env::current_dir().unwrap_or_default(),
    };
    ExitCode::from(run(invocation))
}

/// A value as text. What is not UTF-8 counts as unset, but a wish is kept, damaged, so that it is refused and not
/// ignored.
fn text(name: &str, value: OsString) -> Option<String> {
    let is_wish = FLAGS.iter().any(|flag| flag.variables.contains(&name));
    value
        .into_string()
        .or_else(|value| if is_wish { Ok(value.to_string_lossy().into_owned()) } else { Err(value) })
        .ok()
}
