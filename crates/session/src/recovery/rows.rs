//! Looks where the data of a session are broken off.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

use facelens_base::bounded_file::{self, ReadErrorKind};

use super::super::csv::CSV_COLUMNS;
use super::super::csv_reader::{CsvTable, whole_lines};
use super::super::file_error::{WriteError, WriteErrorKind};
use super::super::info::MAX_DATA_BYTES;
use super::copies::keep;

/// What the data hold, and where they are to be cut.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RecoveredRows {
    /// Frames that are left.
    pub frames: u64,
    /// Time of the last frame that is left, and as long as the frame before it stands, seconds.
    pub end_s: f64,
    /// Frames that the source gave, by their numbers.
    pub captured: u64,
    /// Size of the pictures.
    pub size: Option<(u32, u32)>,
    /// What the rows call the source.
    pub input: Option<String>,
    /// Rows in the middle that cannot be read: how many, and what is wrong with the first.
    pub damaged: Option<(u64, String)>,
    /// Bytes that are left.
    length: u64,
    /// Bytes of the file.
    size_bytes: u64,
}

impl RecoveredRows {
    /// Whether something is to be cut off the end.
    fn is_cut(&self) -> bool {
        self.length < self.size_bytes
    }

    /// Cuts off what does not belong to whole frames. Gives the copy of the file as it was.
    fn cut(&self, path: &Path) -> Result<PathBuf, WriteError> {
        let io = |error: io::Error| WriteError::io(path, &error);
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(io)?;
        let copy = keep(path, &mut file, 0)?;
        file.set_len(self.length).and_then(|()| file.sync_all()).map_err(io)?;
        Ok(copy)
    }
}

/// Reads the data and finds where they end.
///
/// # Errors
/// `Io` where the file cannot be read, `Damaged` where it is no table of facelens.
fn look(path: &Path) -> Result<RecoveredRows, WriteError> {
    let bytes = bounded_file::read(path, MAX_DATA_BYTES).map_err(|error| {
        let kind =
            if matches!(error.kind, ReadErrorKind::Io(_)) { WriteErrorKind::Io } else { WriteErrorKind::Damaged };
        WriteError::new(kind, path, error.cause, error.remedy)
    })?;
    look_at(&bytes).map_err(|cause| WriteError::new(WriteErrorKind::Damaged, path, cause, "it was left as it is"))
}

/// A frame and where its rows stand.
struct SeenFaces {
    frame: u64,
    input: usize,
    time_s: f64,
    start: usize,
    end: usize,
    has_face: bool,
}

fn look_at(bytes: &[u8]) -> Result<RecoveredRows, String> {
    let whole = whole_lines(bytes);
    let torn = bytes.get(whole.len()..).unwrap_or_default();
    let mut rows =
        RecoveredRows { length: bytes.len() as u64, size_bytes: bytes.len() as u64, ..RecoveredRows::default() };
    if whole.is_empty() {
        // Broken off within its first line, it has nothing that could be cut off.
        let first = CSV_COLUMNS.join(",");
        return if first.as_bytes().starts_with(torn) {
            Ok(rows)
        } else {
            Err("it is not a table of facelens".to_owned())
        };
    }
    let mut table = CsvTable::new(whole).map_err(|error| error.to_string())?;
    let mut seen: Vec<SeenFaces> = Vec::new();
    let mut inputs: Vec<String> = Vec::new();
    for line in table.by_ref() {
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                let (count, _) = rows.damaged.get_or_insert_with(|| (0, error.to_string()));
                *count += 1;
                continue;
            }
        };
        let row = line.row;
        rows.size.get_or_insert((row.width, row.height));
        if inputs.last() != Some(&row.input) {
            inputs.push(row.input);
        }
        let input = inputs.len();
        match seen.last_mut() {
            // Rows of one frame stand together.
            Some(last) if (last.frame, last.input) == (row.frame, input) => last.end = line.end,
            _ => seen.push(SeenFaces {
                frame: row.frame,
                input,
                time_s: row.time_s,
                start: line.start,
                end: line.end,
                has_face: !row.faces.is_empty(),
            }),
        }
    }
    if !torn.is_empty() {
        rows.length = whole.len() as u64;
        // The row that is torn may be one more face of the last frame.
        let torn_frame = table.frame_of(torn);
        let open =
            |last: &SeenFaces| last.has_face && last.end == whole.len() && torn_frame.is_none_or(|at| at == last.frame);
        if seen.last().is_some_and(open) {
            rows.length = seen.pop().map_or(rows.length, |last| last.start as u64);
        }
    }
    rows.frames = seen.len() as u64;
    rows.input = inputs.into_iter().next();
    if let (Some(first), Some(last)) = (seen.first(), seen.last()) {
        let before = seen.len().checked_sub(2).and_then(|at| seen.get(at));
        let step = before.map_or(0.0, |before| (last.time_s - before.time_s).max(0.0));
        rows.end_s = last.time_s + step;
        rows.captured = last.frame.saturating_sub(first.frame).saturating_add(1);
    }
    Ok(rows)
}

/// Cuts off half a row, with a copy of the file as it was, whose name is given.
pub(super) fn cut_torn(path: &Path) -> Result<(RecoveredRows, Option<PathBuf>), WriteError> {
    let rows = look(path)?;
    let copy = if rows.is_cut() { Some(rows.cut(path)?) } else { None };
    Ok((rows, copy))
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
