//! Reads the data back: as facelens wrote them, or as a spreadsheet or a data frame saved them again.
//!
//! Read is what has one meaning only: columns in any order and more of them; `;`, tab or comma between the cells; decimal
//! commas; whole numbers as `1.0`; a byte order mark, UTF-16, any line ends, quoted cells, empty rows. Everything else is
//! an error with its line and its cause, and costs nothing but its own row.

use std::borrow::Cow;
use std::io::{self, Read};

use super::csv_cells::{CsvColumns, Splitter};
use super::rows::FrameRow;

/// A row or a table that cannot be read: where and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub(super) struct RowError {
    /// Number of the line in the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub cause: String,
}

/// One line of the file: a frame with one face or none.
#[derive(Debug)]
pub(super) struct Line {
    /// What it says.
    pub row: FrameRow,
    /// Its number in the file, from 1.
    pub number: u64,
    /// Place of its first byte.
    pub start: usize,
    /// Place of the first byte behind it.
    pub end: usize,
}

/// A table whose first line was read; gives its lines one by one.
pub(super) struct CsvTable<'a> {
    bytes: &'a [u8],
    splitter: Splitter,
    columns: CsvColumns,
    /// Where the next line begins, and its number.
    at: usize,
    line: u64,
}

impl<'a> CsvTable<'a> {
    /// Reads the first line of a table in UTF-8 ([`utf8`]).
    ///
    /// # Errors
    /// Where it does not name the columns of the data.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, RowError> {
        let mut at = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
        let mut line = 1;
        skip_line_ends(bytes, &mut at, &mut line);
        if let Some(hint) = separator_line(&bytes[at..]) {
            at += hint;
            skip_line_ends(bytes, &mut at, &mut line);
        }
        let mut best: Option<(Splitter, Vec<String>, usize)> = None;
        for delimiter in [b',', b';', b'\t'] {
            let mut splitter = Splitter::new(delimiter);
            let Some(length) = splitter.split(&bytes[at..]) else { continue };
            let names: Vec<String> = splitter.cells().map(|cell| String::from_utf8_lossy(cell).trim().into()).collect();
            let known = |names: &[String]| CsvColumns::known(names);
            if best.as_ref().is_none_or(|(_, before, _)| known(before) < known(&names)) {
                best = Some((splitter, names, length));
            }
        }
        let error = |cause: String| RowError { line, cause };
        let (splitter, names, length) = best.ok_or_else(|| error("there are no names of columns".to_owned()))?;
        let columns = CsvColumns::new(&names).map_err(error)?;
        let mut table = Self { bytes, splitter, columns, at, line };
        table.pass(length);
        Ok(table)
    }

    /// The names of columns that are not known here, and of known ones that are missing.
    pub(super) fn columns(&self) -> &CsvColumns {
        &self.columns
    }

    /// The frame of which a line tells that is cut off; `None` where not even that is sure.
    pub(super) fn frame_of(&mut self, torn: &[u8]) -> Option<u64> {
        self.splitter.split(torn)?;
        self.columns.whole_frame(&self.splitter)
    }

    /// Goes on to the next line after `length` bytes.
    fn pass(&mut self, length: usize) {
        let mut end = self.at + length;
        // A line may end by two characters.
        if self.bytes[..end].ends_with(b"\r") && self.bytes[end..].starts_with(b"\n") {
            end += 1;
        }
        self.line += line_ends(&self.bytes[self.at..end]);
        self.at = end;
    }
}

impl Iterator for CsvTable<'_> {
    type Item = Result<Line, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            skip_line_ends(self.bytes, &mut self.at, &mut self.line);
            let rest = &self.bytes[self.at..];
            if rest.is_empty() {
                return None;
            }
            let number = self.line;
            let length = self.splitter.split(rest);
            if length.is_some() && self.splitter.cells().all(|cell| cell.trim_ascii().is_empty()) {
                self.pass(length.unwrap_or(rest.len()));
                continue;
            }
            let read = match length {
                Some(_) => self.columns.row(&self.splitter),
                None => Err("it is too long for a row, or a quotation mark in it is not closed".to_owned()),
            };
            return Some(match read {
                Ok(row) => {
                    let start = self.at;
                    self.pass(length.unwrap_or(rest.len()));
                    Ok(Line { row, number, start, end: self.at })
                }
                Err(cause) => {
                    // A damaged cell may have taken the lines that follow into its row: they are read by themselves.
                    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
                    self.pass(end.map_or(rest.len(), |end| end + 1));
                    Err(RowError { line: number, cause })
                }
            });
        }
    }
}

/// Frames out of the lines, each with the number of its first line: lines of one frame must follow each other, as
/// facelens writes them.
pub(super) struct Frames<I: Iterator> {
    lines: std::iter::Peekable<I>,
}

impl<I: Iterator<Item = Result<Line, RowError>>> Frames<I> {
    /// The frames of these lines.
    pub(super) fn new(lines: I) -> Self {
        Self { lines: lines.peekable() }
    }
}

impl<I: Iterator<Item = Result<Line, RowError>>> Iterator for Frames<I> {
    type Item = Result<(u64, FrameRow), RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (number, mut row) = match self.lines.next()? {
            Ok(line) => (line.number, line.row),
            Err(error) => return Some(Err(error)),
        };
        // A line that says the same frame anew in another way begins a frame of its own, which the caller judges.
        while let Some(Ok(line)) = self.lines.next_if(|next| next.as_ref().is_ok_and(|line| belongs(&row, &line.row))) {
            row.faces.extend(line.row.faces);
        }
        Some(Ok((number, row)))
    }
}

/// Whether a line has a further face of the frame.
fn belongs(row: &FrameRow, next: &FrameRow) -> bool {
    let further = |id| !row.faces.iter().any(|face| face.id == id);
    next.frame == row.frame
        && next.input == row.input
        && !row.faces.is_empty()
        && next.faces.first().is_some_and(|face| further(face.id))
}

/// Reads frames as [`CsvWriter`](super::CsvWriter) writes them, whole and from any program that saved them again. Lines of
/// one frame must follow each other. What cannot be read is an error with its line; the lines after it are read.
pub fn read_csv(mut reader: impl Read) -> impl Iterator<Item = io::Result<FrameRow>> {
    let mut bytes = Vec::new();
    let read = reader.read_to_end(&mut bytes).and_then(|_| Ok(utf8(&bytes).map_err(invalid)?.into_owned()));
    let rows: Vec<io::Result<FrameRow>> = match read {
        Ok(bytes) => match CsvTable::new(&bytes) {
            Ok(table) => {
                let frame =
                    |row: Result<_, RowError>| row.map(|(_, row)| row).map_err(|error| invalid(error.to_string()));
                Frames::new(table).map(frame).collect()
            }
            Err(error) => vec![Err(invalid(error.to_string()))],
        },
        Err(error) => vec![Err(error)],
    };
    rows.into_iter()
}

fn invalid(cause: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

/// UTF-8's byte order mark, which some programs put at the beginning.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The table in UTF-8: UTF-16 with its byte order mark, as spreadsheets save "Unicode text", is converted.
///
/// # Errors
/// Where UTF-16 is damaged.
pub(super) fn utf8(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Ok(Cow::Borrowed(bytes)),
    };
    let (units, rest) = bytes[2..].as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(units.iter().map(|&pair| unit(pair))).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(Cow::Owned(text.into_bytes())),
        _ => Err("it is damaged UTF-16 text; save it as UTF-8".to_owned()),
    }
}

/// The whole lines at the beginning of a file: only a line's end ends one, because half a line may look like a whole one
/// whose last number is shorter.
pub(super) fn whole_lines(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |end| end + 1);
    bytes.get(..length).unwrap_or_default()
}

/// Length of a first line that only says which character separates the cells (`sep=;`).
fn separator_line(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().take(16).position(|byte| matches!(byte, b'\n' | b'\r'))?;
    bytes[..end].get(..4)?.eq_ignore_ascii_case(b"sep=").then_some(end)
}

fn skip_line_ends(bytes: &[u8], at: &mut usize, line: &mut u64) {
    let ends = bytes[*at..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    *line += line_ends(&bytes[*at..*at + ends]);
    *at += ends;
}

/// How many lines end in `bytes`: by `\n`, `\r` or both.
fn line_ends(bytes: &[u8]) -> u64 {
    let ends = |(index, byte): (usize, &u8)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(index + 1) != Some(&b'\n'),
        _ => false,
    };
    bytes.iter().enumerate().filter(|&item| ends(item)).count() as u64
}

#[cfg(test)]
#[path = "csv_reader_tests.rs"]
mod tests;
