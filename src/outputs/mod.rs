//! What other programs get live: the head of one person for opentrack, and every analysis as JSONL.
//!
//! Both are off until somebody asks for them, and go to this machine unless another address is named.

mod head;
mod options;
mod sender;

pub use head::{Angles, FACE_WIDTH_CM, Head, Offsets, VIEW_DEGREES};
pub use options::{Address, Follow, JsonlTarget, OPENTRACK_PORT, OutputOptions, parse_address};
pub use sender::{LiveOutputs, OutputStatus};
