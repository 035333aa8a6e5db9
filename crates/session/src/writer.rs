//! Rows into a file or a pipe, in either format.

use std::io::{self, Write};

use super::csv::CsvWriter;
use super::jsonl::write_jsonl;
use super::rows::FrameRow;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFormat {
    /// One line per face.
    Csv,
    /// One JSON object per frame.
    Jsonl,
}

impl RowFormat {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Jsonl];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// The format that a file's extension stands for: `csv`, `jsonl` or `ndjson`, in small or capital letters.
    pub fn of_extension(file: &std::path::Path) -> Option<Self> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            _ => None,
        }
    }
}

/// Writes rows in one of the formats.
pub enum RowWriter<W: Write> {
    /// As CSV.
    Csv(Box<CsvWriter<W>>),
    /// As JSONL.
    Jsonl(W),
}

impl<W: Write> RowWriter<W> {
    /// A writer into `writer`, which has nothing in it yet.
    pub fn new(format: RowFormat, writer: W) -> Self {
        match format {
            RowFormat::Csv => Self::Csv(Box::new(CsvWriter::new(writer))),
            RowFormat::Jsonl => Self::Jsonl(writer),
        }
    }

    /// A writer that goes on behind rows of the same format.
    pub fn continuing(format: RowFormat, writer: W) -> Self {
        match format {
            RowFormat::Csv => Self::Csv(Box::new(CsvWriter::continuing(writer))),
            RowFormat::Jsonl => Self::Jsonl(writer),
        }
    }

    /// Writes one frame.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&mut self, row: &FrameRow) -> io::Result<()> {
        match self {
            Self::Csv(writer) => writer.write(row),
            Self::Jsonl(writer) => write_jsonl(writer, row),
        }
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// What the writer says.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Csv(writer) => writer.flush(),
            Self::Jsonl(writer) => writer.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_extension_tells_the_format() {
        assert_eq!(RowFormat::of_extension(Path::new("a/b.CSV")), Some(RowFormat::Csv));
        assert_eq!(RowFormat::of_extension(Path::new("b.jsonl")), Some(RowFormat::Jsonl));
        assert_eq!(RowFormat::of_extension(Path::new("b.txt")), None);
        assert_eq!(RowFormat::of_extension(Path::new("csv")), None);
    }
}
