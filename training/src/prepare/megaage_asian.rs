//! MegaAge-Asian (Zhang et al., BMVC 2017): exact ages.

use std::path::{Path, PathBuf};

use facelens_base::bounded_file;

use super::{Listing, MAX_LABELS_BYTES, PrepareError, Reason, csv_labels};
use crate::data::LabelledFace;

/// The labels of one part of MegaAge-Asian: `names` is `list/train_name.txt` or `list/test_name.txt`, a picture's name a
/// line; `ages` has the age in the same line. Without `ages` it is the file beside that is called `_age` instead of
/// `_name`. The pictures are expected in the folder that the list is called after, `train/` or `test/`.
///
/// # Errors
/// Files that cannot be read, or are not equally long.
pub fn megaage_asian(names: &Path, ages: Option<&Path>) -> Result<Listing, PrepareError> {
    let failed = |file: &Path, cause: String| PrepareError::Labels { file: file.display().to_string(), cause };
    let read = |file: &Path| {
        // A list written elsewhere may not be UTF-8; its pictures' names are plain numbers all the same.
        bounded_file::read(file, MAX_LABELS_BYTES)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .map_err(|error| failed(file, error.cause))
    };
    let own = names.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let part = own
        .strip_suffix("_name.txt")
        .ok_or_else(|| failed(names, "the list is called train_name.txt or test_name.txt".to_owned()))?;
    let ages: PathBuf = ages.map_or_else(|| names.with_file_name(format!("{part}_age.txt")), Path::to_owned);
    let (name_lines, age_lines) = (read(names)?, read(&ages)?);
    let (name_lines, age_lines) = (lines(&name_lines), lines(&age_lines));
    if name_lines.len() != age_lines.len() {
        let cause = format!("it has {} lines, and {} has {}", name_lines.len(), ages.display(), age_lines.len());
        return Err(failed(names, cause));
    }
    let mut listing = Listing::default();
    for (index, (name, age)) in name_lines.into_iter().zip(age_lines).enumerate() {
        if name.is_empty() {
            let line = format!("{}, line {}", names.display(), index + 1);
            listing.leave_out(Reason::BadLabel, line, "it names no image");
            continue;
        }
        let name = format!("{part}/{name}");
        match csv_labels::age(age) {
            Ok(Some(age)) => listing.push(LabelledFace { name, age: Some(age), ..LabelledFace::default() }),
            Ok(None) => listing.leave_out(Reason::BadAge, name, ""),
            Err(text) => listing.leave_out(Reason::BadAge, name, text),
        }
    }
    Ok(listing)
}

fn lines(text: &str) -> Vec<&str> {
    text.trim_end().lines().map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::AgeRange;

    #[test]
    fn names_and_ages_go_together_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let names = file("test_name.txt", "1.jpg\r\n2.jpg\r\n\r\n4.jpg\r\n");
        file("test_age.txt", "23\nold\n30\n70\n\n");
        let listing = megaage_asian(&names, None).unwrap();
        let faces: Vec<_> = listing.samples.iter().map(|sample| (&*sample.face.name, sample.face.age)).collect();
        let exact = |years| Some(AgeRange { min: years, max: Some(years) });
        assert_eq!(faces, [("test/1.jpg", exact(23.0)), ("test/4.jpg", exact(70.0))]);
        let reasons: Vec<_> = listing.left_out.iter().map(|left_out| (left_out.reason, &*left_out.name)).collect();
        assert_eq!(reasons[0], (Reason::BadAge, "test/2.jpg"));
        assert!(reasons[1].0 == Reason::BadLabel && reasons[1].1.ends_with("test_name.txt, line 3"), "{reasons:?}");

        let short = file("ages.txt", "23\n");
        let error = megaage_asian(&names, Some(&short)).unwrap_err().to_string();
        assert!(error.contains("4 lines") && error.contains("ages.txt has 1"), "{error}");
        assert!(megaage_asian(&short, None).unwrap_err().to_string().contains("train_name.txt"));
        std::fs::remove_file(folder.path().join("test_age.txt")).unwrap();
        assert!(megaage_asian(&names, None).unwrap_err().to_string().contains("test_age.txt"));
    }
}
