//! What is written: JSONL and CSV rows, shared by `analyze` and by recordings, and snapshots.

mod csv;
mod jsonl;
mod rows;
mod writer;

pub use csv::{CSV_COLUMNS, CsvWriter, read_csv};
pub use jsonl::{read_jsonl, write_jsonl};
pub use rows::{AgeRow, FaceRow, FrameRow, GenderRow};
pub use writer::{RowFormat, RowWriter};
