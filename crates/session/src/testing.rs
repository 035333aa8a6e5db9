//! What unit tests share: recorded sessions. The whole-program tests make theirs by the same file.

#[path = "../../../tests/common/session.rs"]
pub(crate) mod session;
