//! The threads and the channels between them, and the one analysis that live view and files share.

mod analysis_thread;
mod batch;
mod capture;
#[cfg(test)]
mod fakes;
mod frames;
mod gait;
mod inbox;
mod live;
mod live_state;
mod metrics;
#[cfg(test)]
mod tests;

pub use batch::{BatchEnd, BatchError, BatchEvent, BatchStop, FrameWork, run_batch};
pub use gait::{GaitView, Gaits, LiveGait, MakeAge, MakeGaits, TakeStrides};
pub use live::{LiveOptions, LiveSession};
pub use live_state::{LastingSink, SourceState, Status};
