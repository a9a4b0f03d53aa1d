//! A program that holds passwords and live tokens leaves no image of its memory behind, and lets nobody but root look into it.

use rustix::process::{Resource, Rlimit, setrlimit};

/// From now on a crash writes no core file, and another process of the same user may not attach or read memory. Where the
/// system does not have it, it is as it was: nothing depends on it.
pub(super) fn forbid() {
    let _as_it_was = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _as_it_was = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
