//! Performing an effect while a deadline or a signal may end it.

pub(super) mod deadline;
pub(super) mod performer;
pub(super) mod signals;
pub(super) mod waiter;
pub(super) mod worker;
