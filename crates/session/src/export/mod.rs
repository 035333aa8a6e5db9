//! A session in other formats.

mod file;
mod names;
mod openface;
mod srt;
mod video;

use std::io::{self, Write};
use std::path::Path;

pub use file::{
    ExportEnd, ExportProgress, ExportRequest, SessionExportError, StoppableWriter, export_to_file, write_data_file,
};
pub use names::{default_name, is_own_file};
pub use openface::OPENFACE_COLUMNS;
pub use video::{VideoExport, VideoExportError, VideoPlan, copy_video, plan_video};

use super::folder::SessionFolder;
use super::parquet::ParquetWriter;
use super::rows::FrameRow;
use super::writer::{RowFormat, RowWriter};

/// What a session can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// The rows as `analyze` writes them, one line per face.
    Csv,
    /// The rows as `analyze` writes them, one JSON object per frame.
    Jsonl,
    /// Apache Parquet: typed columns with nulls, one row per face.
    Parquet,
    /// CSV with the names, units and signs of OpenFace 2.
    OpenFace,
    /// Subtitles (SubRip) with the estimates.
    Srt,
    /// The video, with or without the overlay.
    Mp4,
}

impl ExportFormat {
    /// All formats.
    pub const ALL: [Self; 6] = [Self::Csv, Self::Jsonl, Self::Parquet, Self::OpenFace, Self::Srt, Self::Mp4];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
            Self::OpenFace => "openface",
            Self::Srt => "srt",
            Self::Mp4 => "mp4",
        }
    }

    /// The ending of its files.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::OpenFace => "csv",
            other => other.name(),
        }
    }

    /// The format that a file's extension stands for, in small or capital letters; `csv` is [`Self::Csv`].
    pub fn of_extension(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "parquet" => Some(Self::Parquet),
            "srt" => Some(Self::Srt),
            "mp4" => Some(Self::Mp4),
            _ => None,
        }
    }

    /// Whether it is text, which may go to standard output.
    pub const fn is_text(self) -> bool {
        !matches!(self, Self::Parquet | Self::Mp4)
    }
}

/// The rows with the faces of these people alone; all where `people` is empty. Every frame keeps its row.
pub fn rows_of(rows: &[FrameRow], people: &[u64]) -> Vec<FrameRow> {
    let of = |row: &FrameRow| {
        let mut row = row.clone();
        if !people.is_empty() {
            row.faces.retain(|face| people.contains(&face.id));
        }
        row
    };
    rows.iter().map(of).collect()
}

/// Writes the data of a session, of these people alone where `people` names some. Video is not written here but by
/// [`VideoExport`].
///
/// # Errors
/// What the writer says; [`io::ErrorKind::Unsupported`] for video.
pub fn write_data(
    session: &SessionFolder,
    format: ExportFormat,
    people: &[u64],
    writer: &mut (impl Write + Send),
) -> io::Result<()> {
    let rows = rows_of(&session.rows, people);
    match format {
        ExportFormat::Csv => write_rows(&rows, RowFormat::Csv, writer),
        ExportFormat::Jsonl => write_rows(&rows, RowFormat::Jsonl, writer),
        ExportFormat::Parquet => {
            let mut parquet = ParquetWriter::new(writer, Some(&session.info))?;
            rows.into_iter().try_for_each(|row| parquet.write(row))?;
            parquet.finish().map(|_| ())
        }
        ExportFormat::OpenFace => openface::write(&rows, writer),
        ExportFormat::Srt => srt::write(&rows, session, writer),
        ExportFormat::Mp4 => Err(io::ErrorKind::Unsupported.into()),
    }
}

fn write_rows(rows: &[FrameRow], format: RowFormat, writer: &mut impl Write) -> io::Result<()> {
    let mut writer = RowWriter::new(format, writer);
    for row in rows {
        writer.write(row)?;
    }
    writer.flush()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
