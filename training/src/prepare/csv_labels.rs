//! Labels in a CSV: `file`, an age (`age`, or `age_min` and `age_max`), `gender`.

use std::collections::HashSet;
use std::path::Path;

use csv::StringRecord;
use facelens_base::bounded_file;
use facelens_media::labels::{self, AgeCell, GenderColumn, Sheet, is_unknown, number, tidy_name};

use super::{Listing, MAX_LABELS_BYTES, PrepareError, Reason};
use crate::data::{AgeRange, LabelledFace};

/// The oldest person whose age is documented was 122.
const OLDEST: f32 = 122.0;

/// Where the labels stand in a line.
struct Columns {
    file: usize,
    age: Option<usize>,
    age_bin: Option<(usize, usize)>,
    gender: Option<GenderColumn>,
}

/// Reads the labels. An empty cell is an unknown; a line that cannot be used is left out by its number or picture.
///
/// # Errors
/// A file that cannot be opened, or has no column `file` and no column with labels.
pub(super) fn read(file: &Path) -> Result<Listing, PrepareError> {
    let failed = |cause: String| PrepareError::Labels { file: file.display().to_string(), cause };
    let bytes = bounded_file::read(file, MAX_LABELS_BYTES).map_err(|error| failed(error.cause))?;
    let sheet = Sheet::new(&bytes);
    let mut csv = sheet.reader();
    let header = csv.headers().map_err(|error| failed(error.to_string()))?;
    let columns = Columns::new(header).map_err(failed)?;
    let mut listing = Listing::default();
    let mut seen = HashSet::new();
    let mut record = StringRecord::new();
    loop {
        let line = sheet.line(csv.position().line());
        match csv.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) if error.is_io_error() => return Err(failed(error.to_string())),
            Err(error) => {
                listing.leave_out(Reason::BadLabel, format!("{}, line {line}", file.display()), error.to_string());
                continue;
            }
        }
        if labels::is_empty(&record) {
            continue;
        }
        let name = tidy_name(record.get(columns.file).unwrap_or_default());
        if name.contains(char::REPLACEMENT_CHARACTER) {
            let words = "its name is damaged text; save the table as UTF-8";
            listing.leave_out(Reason::BadLabel, format!("{}, line {line}", file.display()), words);
        } else if name.is_empty() {
            listing.leave_out(Reason::BadLabel, format!("{}, line {line}", file.display()), "it names no image");
        } else if !seen.insert(name.clone()) {
            listing.leave_out(Reason::Double, name, format!("line {line}"));
        } else {
            match columns.face(&name, &record) {
                Ok(face) => listing.push(face),
                Err((reason, detail)) => listing.leave_out(reason, name, detail),
            }
        }
    }
    Ok(listing)
}

impl Columns {
    fn new(header: &StringRecord) -> Result<Self, String> {
        let find = |name: &str| labels::column(header, name);
        let columns = Self {
            file: find("file").ok_or("there is no column `file` in its first line")?,
            age: find("age"),
            age_bin: find("age_min").zip(find("age_max")),
            gender: GenderColumn::find(header),
        };
        if columns.age.is_none() && columns.age_bin.is_none() && columns.gender.is_none() {
            return Err("there is no label; the columns are `age`, or `age_min` and `age_max`, and `gender`".to_owned());
        }
        Ok(columns)
    }

    fn face(&self, name: &str, record: &StringRecord) -> Result<LabelledFace, (Reason, String)> {
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let age = match (self.age_bin, self.age) {
            (Some((min, max)), _) => age_bin(cell(min), cell(max)),
            (None, Some(column)) => age(cell(column)),
            (None, None) => Ok(None),
        };
        let male = match self.gender {
            None => None,
            Some(column) => column.is_male(record).map_err(|words| (Reason::BadGender, words))?,
        };
        let age = age.map_err(|text| (Reason::BadAge, text))?;
        if age.is_none() && male.is_none() {
            return Err((Reason::NoLabel, "its line is empty".to_owned()));
        }
        Ok(LabelledFace { name: name.to_owned(), age, male, ..LabelledFace::default() })
    }
}

/// An age in one cell: years (`27`), a bin of completed years (`20-29`), an open one (`more than 70`).
///
/// # Errors
/// Text that is none of these, in backticks.
pub(super) fn age(text: &str) -> Result<Option<AgeRange>, String> {
    if is_unknown(text) {
        return Ok(None);
    }
    match labels::age_text(text) {
        Some(AgeCell::Years(value)) => {
            let years = in_life(value).ok_or_else(|| format!("`{text}`"))?;
            Ok(Some(AgeRange { min: years, max: Some(years) }))
        }
        Some(AgeCell::Bin(min, max)) => bin(f64::from(min), max.map(f64::from), || format!("`{text}`")),
        None => Err(format!("`{text}`")),
    }
}

/// A bin of completed years: `20` and `29` is from the 20th to the 30th birthday. Without `max` it is open.
fn age_bin(min: &str, max: &str) -> Result<Option<AgeRange>, String> {
    if is_unknown(min) && is_unknown(max) {
        return Ok(None);
    }
    let years = |text: &str| number(text).ok_or_else(|| format!("`{text}`"));
    let last = if is_unknown(max) { None } else { Some(years(max)?) };
    bin(years(min)?, last, || format!("`{min}` to `{max}`"))
}

fn bin(min: f64, max: Option<f64>, words: impl Fn() -> String) -> Result<Option<AgeRange>, String> {
    let (min, last) = (in_life(min).ok_or_else(&words)?, max.map(|max| in_life(max).ok_or_else(&words)).transpose()?);
    if last.is_some_and(|last| last + 1.0 <= min) {
        return Err(words());
    }
    Ok(Some(AgeRange { min, max: last.map(|last| last + 1.0) }))
}

fn in_life(years: f64) -> Option<f32> {
    Some(years as f32).filter(|years| (0.0..=OLDEST).contains(years))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(text: &str) -> Result<Listing, PrepareError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("labels.csv");
        std::fs::write(&file, text).unwrap();
        read(&file)
    }

    fn range(min: f32, max: Option<f32>) -> Option<AgeRange> {
        Some(AgeRange { min, max })
    }

    #[test]
    fn exact_ages_bins_open_ends_and_empty_cells() {
        let read = listing("file,age_min,age_max,gender\n./a/1.webp,50,59,Male\n2,70,,female\n3,,,f\n").unwrap();
        let faces = read.samples.iter().map(|sample| (&*sample.face.name, sample.face.age, sample.face.male));
        assert_eq!(
            faces.collect::<Vec<_>>(),
            [
                ("a/1.webp", range(50.0, Some(60.0)), Some(true)),
                ("2", range(70.0, None), Some(false)),
                ("3", None, Some(false))
            ]
        );
        let texts = ["27", "27.5", "0-2", "more than 70", "60+", ""];
        let ages = texts.map(|text| age(text).unwrap());
        let exact = |years| range(years, Some(years));
        assert_eq!(ages, [exact(27.0), exact(27.5), range(0.0, Some(3.0)), range(70.0, None), range(60.0, None), None]);
    }

    #[test]
    fn lines_that_cannot_be_used_are_left_out_one_by_one() {
        let text = "file,age,gender\n1,old,male\n2,-4,male\n3,300,male\n4,NaN,male\n5,29-20,male\n6,30,other\n7,,\n,30,male\n8,30,male\n8,31,male\n9\n10,31,female,more\n";
        let read = listing(text).unwrap();
        let names: Vec<_> = read.samples.iter().map(|sample| &*sample.face.name).collect();
        // `NaN` is how pandas writes that there is none.
        assert_eq!(names, ["4", "8", "10"]);
        let reasons: Vec<_> = read.left_out.iter().map(|left_out| left_out.reason).collect();
        use Reason::{BadAge, BadGender, BadLabel, Double, NoLabel};
        assert_eq!(reasons, [BadAge, BadAge, BadAge, BadAge, BadGender, NoLabel, BadLabel, Double, NoLabel]);
        assert_eq!(read.left_out[0].detail, "`old`");
        assert!(read.left_out[6].name.ends_with("labels.csv, line 9"), "{:?}", read.left_out[6]);
    }

    #[test]
    fn bytes_that_are_no_text_spoil_their_line_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("labels.csv");
        std::fs::write(&file, b"file,age\n\xc3\xbc,20\n\xff\xfe,21\n3,22\n").unwrap();
        let listing = read(&file).unwrap();
        assert_eq!(listing.samples.len(), 2);
        assert_eq!(listing.left_out[0].reason, Reason::BadLabel);
        // A table of which nothing is UTF-8 is one of Windows.
        std::fs::write(&file, b"file;age\n\xfc;20,5\n;\n").unwrap();
        let listing = read(&file).unwrap();
        assert_eq!(
            (listing.samples[0].face.name.as_str(), listing.samples[0].face.age),
            ("ü", range(20.5, Some(20.5)))
        );
        assert!(listing.left_out.is_empty());
    }

    #[test]
    fn a_file_that_is_no_list_of_labels_is_refused() {
        for text in ["", "name,age\n1,2\n", "file,colour\n1,red\n"] {
            let error = listing(text).unwrap_err().to_string();
            assert!(error.contains("labels.csv") && error.contains("column"), "{error}");
        }
        assert!(read(Path::new("none.csv")).unwrap_err().to_string().contains("none.csv"));
    }
}
