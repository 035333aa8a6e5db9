//! UTKFace (Zhang et al., CVPR 2017): exact ages and gender.

use std::path::Path;

use super::{Listing, PictureStore, PrepareError, Reason, UsualBox, csv_labels};
use crate::data::LabelledFace;

/// Where BlazeFace (back) finds the face in an aligned picture of UTKFace: the median of those in which it finds one, as
/// `prepare` prints it.
pub const USUAL_BOX: UsualBox = UsualBox { x: 0.475, y: 0.461, side: 0.68 };

/// The labels of UTKFace: from a CSV with `file,age,gender`, or without one as published, out of the names of the
/// pictures: `[age]_[gender]_[race]_[date].jpg`, gender 0 male and 1 female. The race is not read.
///
/// # Errors
/// A CSV that is no such list, a folder that cannot be read.
pub fn utkface(labels: Option<&Path>, pictures: &PictureStore) -> Result<Listing, PrepareError> {
    if let Some(labels) = labels {
        return csv_labels::read(labels);
    }
    let mut listing = Listing::default();
    for name in pictures.names()? {
        let own = name.rsplit('/').next().unwrap_or_default();
        if !own.rsplit_once('.').is_some_and(|(_, ending)| ["jpg", "jpeg", "png"].contains(&ending)) {
            continue;
        }
        match from_name(own) {
            Ok((age, male)) => listing.push(LabelledFace { name, age, male: Some(male), ..LabelledFace::default() }),
            Err((reason, detail)) => listing.leave_out(reason, name, detail),
        }
    }
    Ok(listing)
}

fn from_name(name: &str) -> Result<(Option<crate::data::AgeRange>, bool), (Reason, String)> {
    let parts: Vec<_> = name.split('_').collect();
    // A few published names lack the race or the gender; what stands in its place is no gender then.
    let [age, gender, _, _] = parts[..] else {
        return Err((Reason::BadLabel, "its name is not [age]_[gender]_[race]_[date]".to_owned()));
    };
    let years: u16 = age.parse().map_err(|_| (Reason::BadAge, format!("`{age}`")))?;
    let age = csv_labels::age(&years.to_string()).map_err(|text| (Reason::BadAge, text))?;
    match gender {
        "0" => Ok((age, true)),
        "1" => Ok((age, false)),
        _ => Err((Reason::BadGender, format!("`{gender}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::AgeRange;

    #[test]
    fn names_tell_age_and_gender() {
        let exact = |years| Some(AgeRange { min: years, max: Some(years) });
        assert_eq!(from_name("26_1_2_20170116185506341.jpg.chip.jpg"), Ok((exact(26.0), false)));
        assert_eq!(from_name("1_0_0_20170109.jpg"), Ok((exact(1.0), true)));
        let reason = |name| from_name(name).unwrap_err().0;
        // The first two are among the published names.
        assert_eq!(reason("61_1_20170109150557335.jpg.chip.jpg"), Reason::BadLabel);
        assert_eq!(reason("39_1_20170116174525125.jpg.chip.jpg"), Reason::BadLabel);
        assert_eq!(reason("-1_0_0_2017.jpg"), Reason::BadAge);
        assert_eq!(reason("200_0_0_2017.jpg"), Reason::BadAge);
        assert_eq!(reason("20_3_0_2017.jpg"), Reason::BadGender);
    }

    #[test]
    fn only_pictures_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("part1")).unwrap();
        for name in ["part1/9_0_0_2.jpg", "part1/10_1_0_2.jpg", "readme.txt", "cat.jpg"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let pictures = PictureStore::open(&[folder.path().to_owned()]).unwrap();
        let listing = utkface(None, &pictures).unwrap();
        let names: Vec<_> = listing.samples.iter().map(|sample| &*sample.face.name).collect();
        assert_eq!(names, ["part1/9_0_0_2.jpg", "part1/10_1_0_2.jpg"]);
        assert_eq!(listing.left_out[0].name, "cat.jpg");
    }
}
