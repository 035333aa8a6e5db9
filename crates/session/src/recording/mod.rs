//! Recording: every analysed frame into a session folder, on a thread of its own, so that the live view never waits.
//!
//! ```text
//! analysis thread --AnalysisSink--> bounded queue (full: dropped and counted) --> thread `recorder`:
//!     blur -> clean.mp4 -> overlay -> video.mp4, faces.csv, session.json
//! thread `gait` --strides--> the same queue --> gait.csv, gei/
//! ```

mod blur;
mod blur_queue;
mod data;
mod disk;
mod files;
mod folder;
mod gait;
mod options;
mod pictures;
mod queue;
mod recorder;
mod status;
mod sync;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

pub(super) use blur::{REACH as BLUR_REACH, pixelate};
pub(super) use blur_queue::BlurQueue;
pub use folder::default_sessions_folder;
#[cfg(test)]
pub(super) use folder::save_info;
pub(super) use folder::{FolderLock, LOCK_FILE};
pub use options::{RecordedPictures, RecorderOptions};
pub(super) use queue::RecorderJob;
pub use recorder::Recorder;
pub use status::{RecordingState, RecordingStatus};
