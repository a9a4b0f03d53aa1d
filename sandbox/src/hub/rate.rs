//! The API's rate limit and the headers that tell of it on every answer.

/// Length of a window.
const RATE_WINDOW_SECONDS: u64 = 60;

/// The API's rate limit: a fixed window.
#[derive(Default)]
pub(super) struct Rate {
    pub(super) limit: u64,
    window: u64,
    used: u64,
}

impl Rate {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Counts one request: whether it may pass, and the headers that say so.
    pub(super) fn count(&mut self, now: u64) -> (bool, [(&'static str, String); 3]) {
        let window = now / RATE_WINDOW_SECONDS;
        if window != self.window {
            (self.window, self.used) = (window, 0);
        }
        self.used += 1;
        let headers = [
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", self.limit.saturating_sub(self.used).to_string()),
            ("x-ratelimit-reset", ((window + 1) * RATE_WINDOW_SECONDS).to_string()),
        ];
        (self.used <= self.limit, headers)
    }
}
