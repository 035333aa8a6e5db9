//! The data of a session, with what is damaged passed over and counted.

use std::path::Path;

use facelens_base::bounded_file::{self, ReadErrorKind};

use super::SessionNotice;
use crate::csv_reader::{CsvTable, Frames, utf8, whole_lines};
use crate::info::MAX_DATA_BYTES;
use crate::rows::FrameRow;

/// After so many damaged rows the rest is not looked at.
const MOST_DAMAGED: usize = 100_000;

/// The rows of the file `name` in `folder`; none where there is no such file.
pub(super) fn read(folder: &Path, name: &str, notices: &mut Vec<SessionNotice>) -> Vec<FrameRow> {
    let bytes = match bounded_file::read(&folder.join(name), MAX_DATA_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => {
            notices.push(match error.kind {
                ReadErrorKind::NotFound => SessionNotice::NoData(name.to_owned()),
                _ => SessionNotice::DamagedData(format!("{name}: {}", error.cause)),
            });
            return Vec::new();
        }
    };
    rows(name, &bytes, notices)
}

fn rows(name: &str, bytes: &[u8], notices: &mut Vec<SessionNotice>) -> Vec<FrameRow> {
    let damaged = |cause: String| SessionNotice::DamagedData(format!("{name}: {cause}"));
    let text = match utf8(bytes) {
        Ok(text) if text.is_empty() => {
            notices.push(damaged("it is empty".to_owned()));
            return Vec::new();
        }
        Ok(text) => text,
        Err(cause) => {
            notices.push(damaged(cause));
            return Vec::new();
        }
    };
    let whole = whole_lines(&text);
    if whole.len() < text.len() {
        notices.push(SessionNotice::CutRow);
    }
    if whole.is_empty() {
        return Vec::new();
    }
    let table = match CsvTable::new(whole) {
        Ok(table) => table,
        Err(error) => {
            notices.push(damaged(error.to_string()));
            return Vec::new();
        }
    };
    let columns = table.columns();
    for (names, notice) in [
        (&columns.missing, SessionNotice::MissingColumns as fn(Vec<String>) -> SessionNotice),
        (&columns.unknown, SessionNotice::UnknownColumns),
    ] {
        if !names.is_empty() {
            notices.push(notice(names.clone()));
        }
    }
    let mut damage = RowsDamage::default();
    let mut rows: Vec<(u64, FrameRow)> = Vec::new();
    for row in Frames::new(table) {
        match row {
            Ok(row) => rows.push(row),
            Err(error) => damage.add(|| error.to_string()),
        }
        if damage.rows >= MOST_DAMAGED {
            break;
        }
    }
    let sorted = rows.is_sorted_by(|(_, a), (_, b)| a.time_s <= b.time_s);
    if !sorted {
        rows.sort_by(|(_, a), (_, b)| a.time_s.total_cmp(&b.time_s));
    }
    let rows = each_once(rows, &mut damage);
    if damage.rows > 0 {
        notices.push(SessionNotice::DamagedRows(damage.rows, damage.first));
    }
    if !sorted {
        notices.push(SessionNotice::Unsorted);
    }
    rows
}

/// Rows that cannot be read.
#[derive(Default)]
struct RowsDamage {
    rows: usize,
    /// What is wrong with the first of them.
    first: String,
}

impl RowsDamage {
    fn add(&mut self, cause: impl FnOnce() -> String) {
        if self.rows == 0 {
            self.first = cause();
        }
        self.rows += 1;
    }
}

/// The frames, each once: faces of one frame that stood apart are brought together. A frame or a face that is there
/// twice counts as damaged, because nobody knows which one holds.
fn each_once(rows: Vec<(u64, FrameRow)>, damage: &mut RowsDamage) -> Vec<FrameRow> {
    let mut once: Vec<FrameRow> = Vec::with_capacity(rows.len());
    for (line, row) in rows {
        let before = once.last_mut().filter(|last| last.frame == row.frame && last.input == row.input);
        let Some(before) = before else {
            once.push(row);
            continue;
        };
        let known = |id| before.faces.iter().any(|face| face.id == id);
        let twice = before.faces.is_empty() || row.faces.is_empty() || row.faces.iter().any(|face| known(face.id));
        if twice || before.time_s != row.time_s {
            damage.add(|| format!("line {line}: frame {} appears twice", row.frame));
        } else {
            before.faces.extend(row.faces);
        }
    }
    once
}

#[cfg(test)]
#[path = "rows_file_tests.rs"]
mod tests;
