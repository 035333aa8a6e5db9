//! The rows of `analyze`: CSV and JSONL as they come, Parquet as a whole.

use std::io::{self, Write};
use std::path::Path;

use facelens_base::atomic_file::{Access, AtomicFile};
use facelens_session::{FrameRow, ParquetWriter, RowFormat, RowWriter};

use crate::cli::output::{self, OutputTarget, cannot_be_written};
use crate::cli::rows::{OutputFormat, Rows};
use crate::cli::stdout::PatientWriter;

/// A format of `analyze`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Text that is there row by row.
    Text(RowFormat),
    /// A table for pandas, polars, R and DuckDB; it can be read once it is complete.
    Parquet,
}

impl TableFormat {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Text(RowFormat::Csv), Self::Text(RowFormat::Jsonl), Self::Parquet];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text(format) => format.name(),
            Self::Parquet => "parquet",
        }
    }
}

impl OutputFormat for TableFormat {
    const ON_STDOUT: Self = Self::Text(RowFormat::Jsonl);
    const NAMES: &'static str = "csv, jsonl or parquet";

    fn of_extension(file: &Path) -> Option<Self> {
        let is_parquet = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
        if is_parquet { Some(Self::Parquet) } else { RowFormat::of_extension(file).map(Self::Text) }
    }
}

/// Where rows go.
pub(super) enum Table {
    /// Row by row.
    Text(Rows<RowWriter<Box<dyn Write + Send>>>),
    /// All together.
    Parquet { target: OutputTarget, writer: Option<Box<ParquetWriter<ParquetFile>>> },
}

impl Table {
    /// A table that nothing was written of yet; with `keep`, it goes on behind so many bytes of the file that is there.
    pub(super) fn new(target: OutputTarget, format: TableFormat, keep: Option<u64>) -> Self {
        match format {
            TableFormat::Text(format) => {
                let make = move |target: &OutputTarget| {
                    Ok(match keep {
                        Some(keep) => RowWriter::continuing(format, target.continue_after(keep)?),
                        None => RowWriter::new(format, target.create()?),
                    })
                };
                Self::Text(Rows::new(target, Box::new(make), RowWriter::flush))
            }
            TableFormat::Parquet => Self::Parquet { target, writer: None },
        }
    }

    /// Writes one row. Text is handed to the system at once: whatever ends the program, the rows so far are there.
    pub(super) fn write(&mut self, row: FrameRow) -> anyhow::Result<()> {
        match self {
            Self::Text(rows) => rows.write(|writer| writer.write(&row).and_then(|()| writer.flush())),
            Self::Parquet { target, writer } => {
                let writer = match writer {
                    Some(writer) => writer,
                    None => writer.insert(parquet(target)?),
                };
                writer.write(row).map_err(|error| target.failed(&error))
            }
        }
    }

    /// Writes the end; makes the file also where there was nothing to write, unless the inputs failed.
    pub(super) fn finish(self, all_well: bool) -> anyhow::Result<()> {
        match self {
            Self::Text(rows) => rows.finish(all_well),
            Self::Parquet { target, writer } => {
                let writer = match writer {
                    Some(writer) => writer,
                    None if all_well => parquet(&target)?,
                    None => return Ok(()),
                };
                writer.finish().and_then(ParquetFile::commit).map_err(|error| target.failed(&error))
            }
        }
    }
}

fn parquet(target: &OutputTarget) -> anyhow::Result<Box<ParquetWriter<ParquetFile>>> {
    let file = match target {
        OutputTarget::Stdout => ParquetFile::Stdout(output::stdout()?),
        OutputTarget::File(path) => {
            ParquetFile::File(AtomicFile::create(path, Access::Usual).map_err(|error| cannot_be_written(path, &error))?)
        }
    };
    ParquetWriter::new(file, None).map(Box::new).map_err(|error| target.failed(&error))
}

/// A Parquet file takes its place when it is complete: without its end it cannot be read.
pub(super) enum ParquetFile {
    Stdout(PatientWriter),
    File(AtomicFile),
}

impl ParquetFile {
    fn commit(self) -> io::Result<()> {
        match self {
            Self::Stdout(mut stdout) => stdout.flush(),
            Self::File(file) => file.commit(),
        }
    }
}

impl Write for ParquetFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(file) => file.flush(),
        }
    }
}
