//! One request at an origin that was fixed before the story began.

pub(super) mod certificates;
pub(super) mod proxy;
pub(super) mod request;
mod way;
