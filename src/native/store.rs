//! The record directory, by descriptors: no link is followed.

pub(super) mod dirfd;
pub(super) mod records;
