//! Who pays for a call: Docker Hub counts all of a program's calls together, so each is booked to whoever asked before it is made.

/// What somebody may still spend.
pub trait Purse: Sync {
    /// Books one call. `window` is how many calls Docker Hub allows in a minute, where that is known; `now` is in seconds since
    /// 1970.
    ///
    /// # Errors
    /// With the seconds after which there is something to spend again. Then the call is not made.
    fn pay(&self, window: Option<u64>, now: u64) -> Result<(), u64>;
}

/// What nobody counts.
pub struct Unlimited;

impl Purse for Unlimited {
    fn pay(&self, _: Option<u64>, _: u64) -> Result<(), u64> {
        Ok(())
    }
}
