//! The command of `exec`, as the story sees it.

use crate::effect::docker::Client;

/// One act on the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Starts it with `DOCKER_CONFIG` at the private directory.
    Start {
        /// Program and arguments, as typed.
        command: Vec<String>,
        /// The private directory's random id.
        directory: String,
        /// Whose login it is: podman also looks for `REGISTRY_AUTH_FILE`, before all else.
        client: Client,
    },
    /// Waits until it ends, a signal arrives for us, or this many seconds have passed.
    Wait {
        /// Seconds; none waits for ever.
        seconds: Option<u64>,
    },
    /// Passes a signal on, unless the terminal has delivered it to the command already.
    Forward {
        /// The signal's number.
        signal: u8,
    },
}

/// How it fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was started, or the signal was passed on.
    Running,
    /// It does not exist.
    NotFound,
    /// It cannot be run; why, printable.
    Unusable(String),
    /// It ended with this code; 128 plus the number for a signal.
    Ended(u8),
    /// The time of the wait is over.
    Deadline,
    /// This signal arrived for us while we waited.
    Signal(u8),
}
