//! What is written: JSONL and CSV rows, shared by `analyze` and by recordings, and snapshots; and recorded sessions read
//! back and written in other formats.

#![cfg_attr(test, allow(clippy::print_stderr, reason = "tests say what they skip"))]

// What unit tests share with the whole-program tests speaks of the crate by its name.
#[cfg(test)]
extern crate self as facelens_session;

mod columns;
mod csv;
mod csv_cells;
mod csv_reader;
pub mod export;
mod file_error;
mod folder;
mod gait_rows;
mod info;
mod jsonl;
mod kept_json;
pub mod library;
mod live_pictures;
mod mirror;
mod names;
pub mod overlay;
mod parquet;
pub mod recording;
pub mod recovery;
pub mod replay;
mod rows;
mod sink;
mod snapshot;
#[cfg(test)]
mod testing;
pub mod video;
mod writer;

pub use columns::{COLUMNS, Column};
pub use csv::{CSV_COLUMNS, CsvWriter};
pub use csv_reader::read_csv;
pub use file_error::{WriteError, WriteErrorKind};
pub use folder::{Appearance, SessionError, SessionFolder, SessionNotice, SessionPerson};
pub use gait_rows::gei_png;
pub use gait_rows::{GAIT_COLUMNS, GaitAgeRow, GaitRow, GaitWriter, read_gait_csv};
pub use info::{
    INFO_FILE, SESSION_SCHEMA, SessionCounts, SessionEnd, SessionInfo, SessionModel, SessionSource, SessionVideo,
    has_session_file,
};
pub use jsonl::{read_jsonl, write_jsonl};
pub use live_pictures::{LivePicture, LivePictures, PictureLook};
pub use parquet::ParquetWriter;
pub use rows::{AgeRow, FaceRow, FrameRow, GenderRow};
pub use sink::AnalysisSink;
pub use snapshot::{SnapshotFiles, default_snapshot_folder, save_snapshot};
pub use writer::{RowFormat, RowWriter};
