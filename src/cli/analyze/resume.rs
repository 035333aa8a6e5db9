//! `--resume`: which of the inputs the rows of an interrupted call already have.
//!
//! Rows come in the order of the inputs, so the last input in the file is the one that the call was interrupted at; whether
//! it was finished is not in the rows. Its rows are cut off and it is analysed again; of a folder, only its last image.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use facelens_media::SourceSpec;
use facelens_session::{CSV_COLUMNS, RowFormat};

/// Where a call goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resume {
    /// Bytes of the file that stay.
    pub keep: u64,
    /// The first of the inputs that is not finished.
    pub input: usize,
    /// If that is a folder: its first image that is not finished.
    pub picture: Option<PathBuf>,
    /// Images of that folder that have rows.
    pub pictures_done: u64,
}

/// The input and the number of the frame that a row is about, and where it begins in the file.
#[derive(Debug, PartialEq, Eq)]
struct RowPlace {
    input: String,
    frame: u64,
    start: u64,
}

/// Reads where to go on. `None` where the file is not there yet or has no row.
///
/// # Errors
/// Where the file cannot be read, or has rows of other inputs, or in another order.
pub(super) fn read(file: &Path, format: RowFormat, inputs: &[SourceSpec]) -> anyhow::Result<Option<Resume>> {
    let opened = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.with_context(|| format!("{}: it cannot be read to resume", file.display()))?,
    };
    let mut place = InputPlace { inputs, at: None, resume: None };
    let mut last: Option<(String, u64)> = None;
    rows(opened, format, |row| {
        // A frame that is not behind the last one is of the same file given again; but several lines of CSV are one frame.
        let goes_on = |frame: u64| row.frame > frame || (format == RowFormat::Csv && row.frame == frame);
        let same = last.as_ref().is_some_and(|(input, frame)| *input == row.input && goes_on(*frame));
        if !same && !place.begin(&row.input, row.start) {
            return Err(anyhow!("it has rows of {}, which is not the next of these inputs", row.input));
        }
        last = Some((row.input, row.frame));
        Ok(())
    })
    .map_err(|cause| anyhow!("{}: {cause:#}; give the inputs of the first call, or another -o", file.display()))?;
    Ok(place.resume)
}

/// Follows the rows through the inputs.
struct InputPlace<'a> {
    inputs: &'a [SourceSpec],
    at: Option<usize>,
    resume: Option<Resume>,
}

impl InputPlace<'_> {
    /// Rows of another input begin here; `false` where it is none of those that may come now.
    fn begin(&mut self, input: &str, start: u64) -> bool {
        let first = self.at.unwrap_or(0);
        for (number, spec) in self.inputs.iter().enumerate().skip(first) {
            let again = self.at == Some(number);
            let picture = match spec {
                SourceSpec::Path(folder) => picture_of(folder, input),
                _ => None,
            };
            if picture.is_none() && (again || spec.to_string() != input) {
                continue;
            }
            let done = self.resume.as_ref().map_or(0, |resume| if again { resume.pictures_done + 1 } else { 0 });
            self.at = Some(number);
            self.resume = Some(Resume { keep: start, input: number, picture, pictures_done: done });
            return true;
        }
        false
    }
}

/// The image's path if a row's input is one of this folder.
fn picture_of(folder: &Path, input: &str) -> Option<PathBuf> {
    let name = Path::new(input).file_name()?;
    let picture = folder.join(name);
    (picture.to_string_lossy() == input).then_some(picture)
}

/// Every whole row of a file. What follows the last line end was being written when the call was interrupted.
fn rows(mut file: File, format: RowFormat, mut on: impl FnMut(RowPlace) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let whole = whole_lines(&mut file)?;
    let mut reader = BufReader::new(file.take(whole));
    match format {
        RowFormat::Jsonl => {
            let mut start = 0;
            let mut line = Vec::new();
            for number in 1_u64.. {
                line.clear();
                let length = reader.read_until(b'\n', &mut line)? as u64;
                if length == 0 {
                    break;
                }
                let JsonRow { input, frame } =
                    serde_json::from_slice(&line).with_context(|| format!("line {number} is no row of facelens"))?;
                on(RowPlace { input, frame, start })?;
                start += length;
            }
        }
        RowFormat::Csv => {
            let mut csv = csv::Reader::from_reader(reader);
            if whole > 0 && csv.headers()?.iter().ne(CSV_COLUMNS) {
                return Err(anyhow!("its columns are not those of facelens"));
            }
            let mut record = csv::StringRecord::new();
            while csv.read_record(&mut record)? {
                let start = record.position().map_or(0, csv::Position::byte);
                let frame = record[1].parse().with_context(|| format!("`{}` is no number of a frame", &record[1]))?;
                on(RowPlace { input: record[0].to_owned(), frame, start })?;
            }
        }
    }
    Ok(())
}

/// What is read of a row.
#[derive(serde::Deserialize)]
struct JsonRow {
    input: String,
    frame: u64,
}

/// How many bytes are whole lines; the file is read from its beginning after that.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    const STEP: u64 = 4096;
    let mut end = file.seek(SeekFrom::End(0))?;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or_default()];
        file.read_exact(&mut bytes)?;
        if let Some(at) = bytes.iter().rposition(|&byte| byte == b'\n') {
            end = start + at as u64 + 1;
            break;
        }
        end = start;
    }
    file.rewind()?;
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resume(text: &str, format: RowFormat, inputs: &[&str]) -> anyhow::Result<Option<Resume>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let inputs: Vec<SourceSpec> = inputs.iter().map(|input| input.parse().unwrap()).collect();
        read(file.path(), format, &inputs)
    }

    fn lines(rows: &[(&str, u64)]) -> String {
        rows.iter().map(|(input, frame)| format!("{{\"input\":\"{input}\",\"frame\":{frame}}}\n")).collect()
    }

    #[test]
    fn the_last_input_is_done_again() {
        let finished = lines(&[("a.mp4", 0), ("a.mp4", 1)]);
        let text = finished.clone() + &lines(&[("c.mp4", 0), ("c.mp4", 3)]) + "{\"input\":\"c.m";
        let found = resume(&text, RowFormat::Jsonl, &["a.mp4", "b.mp4", "c.mp4", "d.mp4"]).unwrap().unwrap();
        assert_eq!(found, Resume { keep: finished.len() as u64, input: 2, picture: None, pictures_done: 0 });
    }

    #[test]
    fn of_a_folder_the_last_image_is_done_again() {
        let finished = lines(&[("a.mp4", 0), ("f/1.png", 0), ("f/2.png", 1)]);
        let text = finished.clone() + &lines(&[("f/10.png", 2)]);
        let found = resume(&text, RowFormat::Jsonl, &["a.mp4", "f/"]).unwrap().unwrap();
        let (keep, picture) = (finished.len() as u64, Some(PathBuf::from("f/10.png")));
        assert_eq!(found, Resume { keep, input: 1, picture, pictures_done: 2 });
    }

    #[test]
    fn a_file_that_is_given_twice_is_told_apart() {
        let first = lines(&[("a.mp4", 0), ("a.mp4", 1)]);
        let twice = first.clone() + &first;
        let found = |text: &str| resume(text, RowFormat::Jsonl, &["a.mp4", "a.mp4"]).unwrap().unwrap();
        assert_eq!((found(&first).input, found(&first).keep), (0, 0));
        assert_eq!((found(&twice).input, found(&twice).keep), (1, first.len() as u64));
    }

    #[test]
    fn lines_of_csv_are_told_by_their_frames() {
        let header = CSV_COLUMNS.join(",") + "\n";
        let line = |input: &str, frame: u64| format!("\"{input}\",{frame},0.0,4,2{}\n", ",".repeat(14));
        let finished = header.clone() + &line("a, or\nb.mp4", 0) + &line("a, or\nb.mp4", 1) + &line("a, or\nb.mp4", 1);
        let text = finished.clone() + &line("c.mp4", 0);
        let found = resume(&text, RowFormat::Csv, &["a, or\nb.mp4", "c.mp4"]).unwrap().unwrap();
        assert_eq!((found.input, found.keep), (1, finished.len() as u64));
        assert_eq!(resume(&header, RowFormat::Csv, &["a"]).unwrap(), None);
        assert!(resume("a,b\n1,2\n", RowFormat::Csv, &["a"]).is_err());
    }

    #[test]
    fn other_inputs_are_no_resumption() {
        for (rows, inputs) in [
            (vec![("x.mp4", 0)], vec!["a.mp4"]),
            (vec![("b.mp4", 0), ("a.mp4", 0)], vec!["a.mp4", "b.mp4"]),
            (vec![("a.mp4", 0), ("a.mp4", 0)], vec!["a.mp4"]),
        ] {
            assert!(resume(&lines(&rows), RowFormat::Jsonl, &inputs).is_err(), "{rows:?}");
        }
        assert!(resume("precious\n", RowFormat::Jsonl, &["a"]).is_err());
        assert_eq!(resume("", RowFormat::Jsonl, &["a"]).unwrap(), None);
    }
}
