//! Arguments, environment and streams go in, an exit code comes out.
#![expect(clippy::disallowed_methods, reason = "the one snapshot of the world is taken here")]

use std::{env, process::ExitCode};

use hublease::{
    environment::Environment,
    native::run::{World, run},
};

fn main() -> ExitCode {
    let variables =
        env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let world = World {
        arguments: env::args_os().skip(1).collect(),
        environment: Environment::new(variables),
        working_directory: env::current_dir().unwrap_or_default(),
    };
    ExitCode::from(run(world))
}
