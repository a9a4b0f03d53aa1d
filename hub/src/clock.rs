//! Times that lie ahead, in whole seconds since 1970. What time it is comes from the caller.

/// Whether a time that was set to lie at most `longest` seconds ahead is still to come. One that lies further ahead means that the
/// clock was set back: nobody waits until it has come round again.
#[must_use]
pub const fn is_ahead(until: u64, now: u64, longest: u64) -> bool {
    now < until && until - now <= longest
}
