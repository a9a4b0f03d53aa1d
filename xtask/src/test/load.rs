//! Load: every core kept busy with something else, so that a test that depends on who comes first shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{hint, thread};

/// Threads that compute nothing until this is dropped.
pub(super) struct Load {
    is_over: Arc<AtomicBool>,
}

impl Load {
    /// One thread for each core, at the priority of the tests.
    pub(super) fn on_every_core() -> Self {
        let load = Self { is_over: Arc::default() };
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let is_over = Arc::clone(&load.is_over);
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            });
        }
        load
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}
