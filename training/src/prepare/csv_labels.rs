//! Labels in a CSV: `file`, an age (`age`, or `age_min` and `age_max`), `gender`.

use std::collections::HashSet;
use std::path::Path;

use csv::StringRecord;
use facelens_base::bounded_file;

use super::pictures::tidy_name;
use super::{Listing, MAX_LABELS_BYTES, PrepareError, Reason};
use crate::data::{AgeRange, Face};

/// The oldest person whose age is documented was 122.
const OLDEST: f32 = 122.0;

/// Where the labels stand in a line.
struct Columns {
    file: usize,
    age: Option<usize>,
    age_bin: Option<(usize, usize)>,
    gender: Option<usize>,
}

/// Reads the labels. An empty cell is an unknown; a line that cannot be used is left out by its number or picture.
///
/// # Errors
/// A file that cannot be opened, or has no column `file` and no column with labels.
pub(super) fn read(file: &Path) -> Result<Listing, PrepareError> {
    let failed = |cause: String| PrepareError::Labels { file: file.display().to_string(), cause };
    let bytes = bounded_file::read(file, MAX_LABELS_BYTES).map_err(|error| failed(error.cause))?;
    let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(bytes.as_slice());
    let header = csv.headers().map_err(|error| failed(error.to_string()))?;
    let columns = Columns::new(header).map_err(failed)?;
    let mut listing = Listing::default();
    let mut seen = HashSet::new();
    let mut record = StringRecord::new();
    loop {
        let line = csv.position().line();
        match csv.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) if error.is_io_error() => return Err(failed(error.to_string())),
            Err(error) => {
                listing.leave_out(Reason::BadLabel, format!("{}, line {line}", file.display()), error.to_string());
                continue;
            }
        }
        let name = tidy_name(record.get(columns.file).unwrap_or_default());
        if name.is_empty() {
            listing.leave_out(Reason::BadLabel, format!("{}, line {line}", file.display()), "it names no picture");
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
        let find = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
        let columns = Self {
            file: find("file").ok_or("there is no column `file` in its first line")?,
            age: find("age"),
            age_bin: find("age_min").zip(find("age_max")),
            gender: find("gender"),
        };
        if columns.age.is_none() && columns.age_bin.is_none() && columns.gender.is_none() {
            return Err("there is no label; the columns are `age`, or `age_min` and `age_max`, and `gender`".to_owned());
        }
        Ok(columns)
    }

    fn face(&self, name: &str, record: &StringRecord) -> Result<Face, (Reason, String)> {
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let age = match (self.age_bin, self.age) {
            (Some((min, max)), _) => age_bin(cell(min), cell(max)),
            (None, Some(column)) => age(cell(column)),
            (None, None) => Ok(None),
        };
        let male = match self.gender.map(cell).unwrap_or_default() {
            "" => None,
            text if text.eq_ignore_ascii_case("male") || text.eq_ignore_ascii_case("m") => Some(true),
            text if text.eq_ignore_ascii_case("female") || text.eq_ignore_ascii_case("f") => Some(false),
            text => return Err((Reason::BadGender, format!("`{text}`"))),
        };
        let age = age.map_err(|text| (Reason::BadAge, text))?;
        if age.is_none() && male.is_none() {
            return Err((Reason::NoLabel, "its line is empty".to_owned()));
        }
        Ok(Face { name: name.to_owned(), age, male, ..Face::default() })
    }
}

/// An age in one cell: years (`27`), a bin of completed years (`20-29`), an open one (`more than 70`).
///
/// # Errors
/// Text that is none of these, in backticks.
pub(super) fn age(text: &str) -> Result<Option<AgeRange>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(min) = text.strip_prefix("more than").or_else(|| text.strip_suffix('+')) {
        return age_bin(min.trim(), "");
    }
    if let Some((min, max)) = text.split_once('-').filter(|(min, _)| !min.is_empty()) {
        return age_bin(min.trim(), max.trim());
    }
    let years = years(text)?;
    Ok(Some(AgeRange { min: years, max: Some(years) }))
}

/// A bin of completed years: `20` and `29` is from the 20th to the 30th birthday. Without `max` it is open.
fn age_bin(min: &str, max: &str) -> Result<Option<AgeRange>, String> {
    if min.is_empty() && max.is_empty() {
        return Ok(None);
    }
    let range = AgeRange { min: years(min)?, max: if max.is_empty() { None } else { Some(years(max)? + 1.0) } };
    if range.max.is_some_and(|max| max <= range.min) {
        return Err(format!("`{min}` to `{max}`"));
    }
    Ok(Some(range))
}

fn years(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|years| (0.0..=OLDEST).contains(years)).ok_or_else(|| format!("`{text}`"))
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
        assert_eq!(names, ["8", "10"]);
        let reasons: Vec<_> = read.left_out.iter().map(|left_out| left_out.reason).collect();
        use Reason::{BadAge, BadGender, BadLabel, Double, NoLabel};
        assert_eq!(reasons, [BadAge, BadAge, BadAge, BadAge, BadAge, BadGender, NoLabel, BadLabel, Double, NoLabel]);
        assert_eq!(read.left_out[0].detail, "`old`");
        assert!(read.left_out[7].name.ends_with("labels.csv, line 9"), "{:?}", read.left_out[7]);
    }

    #[test]
    fn bytes_that_are_no_text_spoil_their_line_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("labels.csv");
        std::fs::write(&file, b"file,age\n1,20\n\xff\xfe,21\n3,22\n").unwrap();
        let read = read(&file).unwrap();
        assert_eq!(read.samples.len(), 2);
        assert_eq!(read.left_out[0].reason, Reason::BadLabel);
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
