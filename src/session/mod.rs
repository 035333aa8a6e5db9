//! What is written: JSONL and CSV rows, shared by `analyze` and by recordings, and snapshots.

mod csv;
mod file_error;
mod info;
mod jsonl;
mod rows;
mod snapshot;
pub mod video;
mod writer;

pub use csv::{CSV_COLUMNS, CsvWriter, read_csv};
pub use file_error::{WriteError, WriteErrorKind};
pub use info::{
    SESSION_SCHEMA, SessionCounts, SessionEnd, SessionInfo, SessionModel, SessionSource, SessionVideo,
};
pub use jsonl::{read_jsonl, write_jsonl};
pub use rows::{AgeRow, FaceRow, FrameRow, GenderRow};
pub use snapshot::{SnapshotFiles, default_snapshot_folder, save_snapshot};
pub use writer::{RowFormat, RowWriter};
