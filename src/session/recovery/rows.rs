//! Cuts the data of a session where they are broken off or go on without pictures.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use super::super::csv::{CSV_COLUMNS, whole_lines};
use super::super::file_error::WriteError;

/// What is left of the data.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct KeptRows {
    /// Frames that are left.
    pub frames: u64,
    /// Whole frames that were cut off.
    pub cut_frames: u64,
    /// Time of the last frame that is left, and as long as the frame before it stands, seconds.
    pub end_s: f64,
    /// Frames that the source gave, by their numbers.
    pub captured: u64,
    /// Size of the pictures.
    pub size: Option<(u32, u32)>,
    /// What the rows call the source.
    pub input: Option<String>,
}

/// Cuts off half a row, and all rows beyond the first `most_frames` frames.
pub(super) fn cut_rows(path: &Path, most_frames: Option<u64>) -> Result<KeptRows, WriteError> {
    let io = |error: io::Error| WriteError::io(path, &error);
    let bytes = std::fs::read(path).map_err(io)?;
    let (kept, length) = read_rows(&bytes, most_frames.unwrap_or(u64::MAX));
    if length < bytes.len() as u64 {
        let file = OpenOptions::new().write(true).open(path).map_err(io)?;
        file.set_len(length).and_then(|()| file.sync_all()).map_err(io)?;
    }
    Ok(kept)
}

/// What is whole of the rows, and how many bytes that is.
fn read_rows(bytes: &[u8], most_frames: u64) -> (KeptRows, u64) {
    let whole = whole_lines(bytes);
    let torn = whole.len() < bytes.len();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(whole);
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut length = 0;
    let mut first = true;
    // Anything unreadable ends the rows; all that comes after a tear is suspect.
    while let Ok(true) = reader.read_record(&mut record) {
        let end = reader.position().byte();
        if std::mem::take(&mut first) {
            if record.iter().ne(CSV_COLUMNS) {
                break;
            }
            length = end;
            continue;
        }
        let Some(row) = Row::read(&record) else { break };
        rows.push((row, end));
    }
    // Rows of one frame stand together: each group is a frame, and ends where its last row does.
    let mut frames: Vec<(Row, u64)> = Vec::new();
    for (row, end) in rows {
        match frames.last_mut() {
            Some((last, last_end)) if last.frame == row.frame => *last_end = end,
            _ => frames.push((row, end)),
        }
    }
    if torn && frames.last().is_some_and(|(last, end)| *end == whole.len() as u64 && last.has_face) {
        // The torn row may be one more face of the last frame.
        frames.pop();
    }
    let whole_frames = frames.len() as u64;
    frames.truncate(usize::try_from(most_frames).unwrap_or(usize::MAX));
    let mut kept = KeptRows { frames: frames.len() as u64, ..KeptRows::default() };
    kept.cut_frames = whole_frames - kept.frames;
    if let (Some((first, _)), Some((last, end))) = (frames.first(), frames.last()) {
        let before = frames.len().checked_sub(2).and_then(|at| frames.get(at));
        let step = before.map_or(0.0, |(before, _)| (last.time_s - before.time_s).max(0.0));
        kept.end_s = last.time_s + step;
        kept.captured = last.frame.saturating_sub(first.frame) + 1;
        kept.size = Some((first.width, first.height));
        kept.input = Some(first.input.clone());
        length = *end;
    }
    (kept, length)
}

/// The cells of a row that say where it belongs.
struct Row {
    input: String,
    frame: u64,
    time_s: f64,
    width: u32,
    height: u32,
    has_face: bool,
}

impl Row {
    fn read(record: &csv::StringRecord) -> Option<Self> {
        let cell = |index: usize| record.get(index);
        Some(Self {
            input: cell(0)?.to_owned(),
            frame: cell(1)?.parse().ok()?,
            time_s: cell(2)?.parse().ok()?,
            width: cell(3)?.parse().ok()?,
            height: cell(4)?.parse().ok()?,
            has_face: !cell(5)?.is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::csv::CsvWriter;
    use super::super::super::recording::testing::analysis;
    use super::super::super::rows::FrameRow;
    use super::*;

    /// Five frames with 0, 1, 2, 1 and 2 faces, and where each of them ends.
    fn data() -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for number in 0..5_u64 {
            let ids: &[u64] = [&[][..], &[1], &[1, 2], &[2], &[1, 2]][number as usize];
            let mut rows = Vec::new();
            let mut writer = CsvWriter::new(&mut rows);
            writer.write(&FrameRow::new("HD, \"cam\"", &analysis(64, 48, number, ids))).unwrap();
            writer.flush().unwrap();
            drop(writer);
            let skipped = if number == 0 { 0 } else { rows.iter().position(|&byte| byte == b'\n').unwrap() + 1 };
            bytes.extend_from_slice(&rows[skipped..]);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn cut_at_any_byte_whole_frames_are_left() {
        let (bytes, ends) = data();
        let header = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        for cut in 0..=bytes.len() {
            let (kept, length) = read_rows(&bytes[..cut], u64::MAX);
            let length = length as usize;
            assert!(length <= cut && (length == 0 || bytes[length - 1] == b'\n'), "{cut}");
            let whole = ends.iter().filter(|end| **end <= cut).count() as u64;
            // Between the two faces of a frame nobody can tell that one is missing.
            let between = kept.frames == whole + 1 && !ends.contains(&length);
            assert!(kept.frames == whole || between || kept.frames + 1 == whole, "{cut}: {kept:?}, {whole} whole");
            if ends.contains(&cut) {
                assert_eq!((kept.frames, length), (whole, cut));
            }
            assert!(length >= header || kept.frames == 0);
        }
    }

    #[test]
    fn rows_beyond_the_last_picture_are_cut_and_counted() {
        let (bytes, ends) = data();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faces.csv");
        std::fs::write(&path, &bytes).unwrap();
        let kept = cut_rows(&path, Some(3)).unwrap();
        assert_eq!((kept.frames, kept.cut_frames, kept.captured, kept.size), (3, 2, 3, Some((64, 48))));
        assert_eq!(kept.input.as_deref(), Some("HD, \"cam\""));
        assert_eq!(std::fs::read(&path).unwrap(), &bytes[..ends[2]]);
        assert_eq!(cut_rows(&path, Some(3)).unwrap().cut_frames, 0, "once more changes nothing");
        assert_eq!(cut_rows(&path, Some(9)).unwrap().frames, 3);
    }

    #[test]
    fn what_is_no_table_of_facelens_is_left_with_nothing() {
        assert_eq!(read_rows(b"a,b\n1,2\n", 9), (KeptRows::default(), 0));
        let (bytes, ends) = data();
        let mut broken = bytes.clone();
        broken[ends[1] + 12] = b'\xff';
        assert_eq!(read_rows(&broken, 9).0.frames, 2, "rows end at what cannot be read");
    }
}
