//! A local CircleCI, and what the orb does there.
//!
//! CircleCI's own command line compiles a config on their servers, and runs no jobs. So this reads the packed orb and a
//! config that uses it by the rules of CircleCI's reference, refuses what they would refuse, and runs the steps as they
//! document it: `workflow` reads, `play` runs, `machine` is where.

mod around;
mod cancelled;
mod check;
mod condition;
mod documented;
mod expand;
mod failures;
mod install;
mod machine;
mod node;
mod parameters;
mod play;
mod played;
mod refused;
mod releases;
mod scope;
mod source;
mod step;
mod template;
mod whoami;
mod workflow;
mod yaml;
