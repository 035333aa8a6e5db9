#[macro_use]
mod macros;

/// More formats, sizes or intervals than these are listed by no honest driver.
pub(crate) const MAX_LISTED: u32 = 1024;

pub mod traits;

pub mod capture;
pub mod output;

pub use traits::{Capture, Output};
