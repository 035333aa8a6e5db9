//! IMDB-WIKI (Rothe et al., IJCV 2016): ages from dates of birth, and gender.

use std::path::Path;

use facelens_base::bounded_file;
use jiff::Span;
use jiff::civil::Date;

use super::mat::{MatError, MatFile, Matrix};
use super::{Listing, MAX_LABELS_BYTES, PrepareError, Reason};
use crate::data::{AgeRange, LabelledFace};

/// The least `face_score` of the preparation that SSR-Net was published with.
pub const MIN_FACE_SCORE: f64 = 1.0;

/// MATLAB's day number of 1 January 1970; day 1 is 1 January of the year 0.
const EPOCH: i64 = 719_529;

/// The labels of IMDB-WIKI out of `imdb.mat` or `wiki.mat`, filtered as SSR-Net's authors do: a face score of
/// `min_score` or more, no second face, an age of 0 to 100, a known gender. Ages are completed years in the middle of
/// the year in which the picture was taken.
///
/// # Errors
/// A file that is no such file, or lacks a field.
pub fn imdb_wiki(labels: &Path, min_score: f64) -> Result<Listing, PrepareError> {
    let failed = |cause: String| PrepareError::Labels { file: labels.display().to_string(), cause };
    let bytes = bounded_file::read(labels, MAX_LABELS_BYTES).map_err(|error| failed(error.cause))?;
    listing(&bytes, min_score).map_err(|error| failed(error.to_string()))
}

fn listing(bytes: &[u8], min_score: f64) -> Result<Listing, MatError> {
    let file = MatFile::read(bytes)?;
    let table = match file.variable("imdb") {
        Err(MatError::Missing(_)) => file.variable("wiki").map_err(|error| match error {
            MatError::Missing(_) => MatError::Missing("imdb` or `wiki".to_owned()),
            other => other,
        })?,
        table => table?,
    };
    let paths = table.field("full_path")?.cells()?;
    let column = |name: &str| column(&table, name, paths.len());
    let (births, taken, genders) = (column("dob")?, column("photo_taken")?, column("gender")?);
    let (scores, seconds) = (column("face_score")?, column("second_face_score")?);

    let mut listing = Listing::default();
    for (index, path) in paths.iter().enumerate() {
        let name = match path.text() {
            Ok(name) if !name.is_empty() => name,
            Ok(_) => {
                listing.leave_out(Reason::BadLabel, format!("number {}", index + 1), "it names no image");
                continue;
            }
            Err(error) => {
                listing.leave_out(Reason::BadLabel, format!("number {}", index + 1), error.to_string());
                continue;
            }
        };
        // Written so that NaN fails: -Inf stands for "no face", NaN for nothing.
        let sure = scores[index] >= min_score;
        if !sure {
            listing.leave_out(Reason::Doubtful, name, format!("its face score is {}", scores[index]));
        } else if seconds[index] > 0.0 {
            listing.leave_out(Reason::SecondFace, name, "");
        } else if genders[index] != 0.0 && genders[index] != 1.0 {
            listing.leave_out(Reason::BadGender, name, "");
        } else {
            match age(births[index], taken[index]) {
                Some(years) => {
                    let age = Some(AgeRange { min: years, max: Some(years) });
                    listing.push(LabelledFace {
                        name,
                        age,
                        male: Some(genders[index] == 1.0),
                        ..LabelledFace::default()
                    });
                }
                None => {
                    let detail = format!("born on day {}, taken in {}", births[index], taken[index]);
                    listing.leave_out(Reason::BadAge, name, detail);
                }
            }
        }
    }
    Ok(listing)
}

fn column(table: &Matrix, name: &str, length: usize) -> Result<Vec<f64>, MatError> {
    let numbers = table.field(name)?.numbers()?;
    if numbers.len() == length {
        Ok(numbers)
    } else {
        Err(MatError::Kind { name: name.to_owned(), expected: "as long as `full_path`" })
    }
}

/// Completed years on 1 July of the year `taken` of who was born on MATLAB's day `birth`; `None` outside 0 to 100.
fn age(birth: f64, taken: f64) -> Option<f32> {
    // The conversion gives 0 for NaN, and the limits for what is beyond them.
    let days = Span::new().try_days((birth.floor() as i64).saturating_sub(EPOCH)).ok()?;
    let birth = Date::constant(1970, 1, 1).checked_add(days).ok()?;
    let passed = if birth.month() < 7 { 0 } else { 1 };
    let years = taken - f64::from(birth.year()) - f64::from(passed);
    ((0.0..=100.0).contains(&years)).then_some(years as f32)
}

#[cfg(test)]
mod tests {
    use super::super::mat::testing::{cells, file, numbers, structure, text};
    use super::*;

    #[test]
    fn ages_are_completed_years_in_the_middle_of_the_year() {
        // MATLAB: datenum(1950, 6, 30) = 712404, datenum(2000, 1, 1) = 730486.
        assert_eq!(age(712_404.0, 2000.0), Some(50.0));
        assert_eq!(age(712_405.0, 2000.0), Some(49.0));
        assert_eq!(age(730_486.0, 2000.0), Some(0.0));
        for (birth, taken) in [(730_486.0, 1999.0), (10.0, 2000.0), (f64::NAN, 2000.0), (712_404.0, f64::NAN)] {
            assert_eq!(age(birth, taken), None, "{birth} {taken}");
        }
        assert_eq!(age(1e300, 2000.0), None);
    }

    /// Five people: the first can be used, each other fails by one filter.
    fn mat(name: &str, leave: &str) -> Vec<u8> {
        let nan = f64::NAN;
        let paths = ["01/a.jpg", "02/b.jpg", "03/c.jpg", "04/d.jpg", "05/e.jpg"].map(|path| text("", path));
        let fields = [
            ("dob", numbers("", 1, &[712_404.0, 712_404.0, 712_404.0, 712_404.0, 3.0])),
            ("photo_taken", numbers("", 1, &[1990.0; 5])),
            ("full_path", cells("", &paths)),
            ("gender", numbers("", 1, &[1.0, 0.0, 0.0, nan, 0.0])),
            ("face_score", numbers("", 1, &[1.0, f64::NEG_INFINITY, 4.0, 4.0, 4.0])),
            ("second_face_score", numbers("", 1, &[nan, nan, 2.5, nan, nan])),
        ];
        let fields: Vec<_> = fields.into_iter().filter(|(name, _)| *name != leave).collect();
        file(&[structure(name, &fields)])
    }

    #[test]
    fn people_are_filtered_as_published() {
        for name in ["imdb", "wiki"] {
            let listing = listing(&mat(name, ""), MIN_FACE_SCORE).unwrap();
            let [sample] = &listing.samples[..] else { panic!("{listing:?}") };
            let age = Some(AgeRange { min: 40.0, max: Some(40.0) });
            assert_eq!(
                sample.face,
                LabelledFace { name: "01/a.jpg".to_owned(), age, male: Some(true), ..LabelledFace::default() }
            );
            let reasons: Vec<_> = listing.left_out.iter().map(|left_out| left_out.reason).collect();
            assert_eq!(reasons, [Reason::Doubtful, Reason::SecondFace, Reason::BadGender, Reason::BadAge]);
        }
    }

    #[test]
    fn a_file_that_scipy_wrote_is_read() {
        // scipy.io.savemat of the same fields, with `do_compression=True`.
        let listing = listing(include_bytes!("mat/scipy-imdb.mat"), 1.0).unwrap();
        assert!(listing.samples.is_empty());
        let left_out: Vec<_> = listing.left_out.iter().map(|left_out| (left_out.reason, &*left_out.name)).collect();
        let expected = [
            (Reason::SecondFace, "01/nm0000001_1899.jpg"),
            (Reason::Doubtful, "02/é.jpg"),
            (Reason::BadAge, "03/c.jpg"),
        ];
        assert_eq!(left_out, expected);
    }

    #[test]
    fn a_file_without_a_field_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("imdb.mat");
        for leave in ["dob", "photo_taken", "full_path", "gender", "face_score", "second_face_score"] {
            std::fs::write(&path, mat("imdb", leave)).unwrap();
            let error = imdb_wiki(&path, MIN_FACE_SCORE).unwrap_err().to_string();
            assert!(error.contains("imdb.mat") && error.contains(leave), "{error}");
        }
        std::fs::write(&path, mat("other", "")).unwrap();
        assert!(imdb_wiki(&path, 1.0).unwrap_err().to_string().contains("no `imdb` or `wiki`"));
        std::fs::write(
            &path,
            file(&[structure(
                "wiki",
                &[("full_path", cells("", &[text("", "a")])), ("dob", numbers("", 1, &[1.0, 2.0]))],
            )]),
        )
        .unwrap();
        assert!(imdb_wiki(&path, 1.0).unwrap_err().to_string().contains("`dob`"));
    }
}
