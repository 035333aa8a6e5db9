//! FairFace (Kärkkäinen and Joo, WACV 2021): age bins and gender.

use std::path::Path;

use super::{Listing, PrepareError, UsualBox, csv_labels};

/// Where BlazeFace (back) finds the face in a picture of FairFace with a padding of 0.25: the median of those in which it
/// finds one, as `prepare` prints it.
pub const USUAL_BOX: UsualBox = UsualBox { x: 0.487, y: 0.461, side: 0.676 };

/// The labels of FairFace, in either form: as published (`fairface_label_train.csv`: `file,age,gender,race,service_test`,
/// ages `0-2`, `3-9`, ... `more than 70`) or with `file,age_min,age_max,gender`. The race is not read.
///
/// # Errors
/// A file that is no such list.
pub fn fairface(labels: &Path) -> Result<Listing, PrepareError> {
    csv_labels::read(labels)
}
