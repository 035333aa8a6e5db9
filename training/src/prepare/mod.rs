//! From the pictures and labels of a published data set to a set of faces ([`crate::data`]).
//!
//! ```text
//! labels or file names --one reader for each data set--> Listing: what is known of which picture
//!     --Pictures: out of folders and tars--> the app's decoder, the app's detector
//!     --cut: a square around the face--> SetWriter, in the order of the listing
//! ```
//!
//! Faces are found by the app's own detector, so that training sees what the app sees. Of several faces in a picture the
//! labels mean the large one near the middle ([`facelens_core::detect::main_face`]), as `facelens eval` takes them too.
//! Nothing of a set stops the others: what cannot be used is counted by its reason, named, and passed over.

mod biwi;
mod csv_labels;
mod cut;
mod fairface;
mod imdb_wiki;
mod mat;
mod megaage_asian;
mod pictures;
mod report;
#[cfg(test)]
mod testing;
mod three_hundred_w_lp;
mod utkface;
mod work;

use facelens_core::detect::DetectError;
use facelens_core::geometry::Rect;

use crate::data::{LabelledFace, SetError};

pub use biwi::biwi;
pub use fairface::{USUAL_BOX as FAIRFACE_BOX, fairface};
pub use imdb_wiki::{MIN_FACE_SCORE, imdb_wiki};
pub use megaage_asian::megaage_asian;
pub use pictures::{Found, PictureStore};
pub use report::{LeftOut, Reason, Report};
pub use three_hundred_w_lp::three_hundred_w_lp;
pub use utkface::{USUAL_BOX as UTKFACE_BOX, utkface};
pub use work::{Method, prepare};

/// Largest file of labels that is read, bytes. The largest of these data sets (imdb.mat, 460,723 pictures) stays below
/// it even inflated.
const MAX_LABELS_BYTES: u64 = 512 << 20;

/// One picture and what its data set says of the face in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What is known; its name is the picture's name in the folder or tar.
    pub face: LabelledFace,
    /// Where the face is, as a facelens box, where the data set tells.
    pub region: Option<Rect>,
}

/// The labels of a data set, in their own order, and those that cannot be used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// What can be used if its picture can.
    pub samples: Vec<Sample>,
    /// What cannot be used whatever the picture is.
    pub left_out: Vec<LeftOut>,
}

impl Listing {
    /// Adds a picture whose face the detector must find.
    fn push(&mut self, face: LabelledFace) {
        self.samples.push(Sample { face, region: None });
    }

    /// Leaves a picture out.
    fn leave_out(&mut self, reason: Reason, name: impl Into<String>, detail: impl Into<String>) {
        self.left_out.push(LeftOut { reason, name: name.into(), detail: detail.into() });
    }

    /// Keeps the first `count` labels, for a try.
    pub fn truncate(&mut self, count: usize) {
        self.samples.truncate(count);
    }

    /// Keeps each `of`-th sample, from the `which`-th on, counted from 1.
    pub fn keep_part(&mut self, which: usize, of: usize) {
        let mut place = 0;
        self.samples.retain(|_| {
            place += 1;
            place % of.max(1) == which % of.max(1)
        });
    }

    /// Makes each known age a range of so many years to either side.
    pub fn widen_ages(&mut self, years: f32) {
        for age in self.samples.iter_mut().filter_map(|sample| sample.face.age.as_mut()) {
            if let Some(max) = &mut age.max {
                *max += years;
            }
            age.min = (age.min - years).max(0.0);
        }
    }
}

/// What to do with a picture in which the detector finds no face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Undetected {
    /// It is left out.
    #[default]
    Skip,
    /// Every picture of the set shows one face at the same place, and so it is taken from there.
    Centre(UsualBox),
}

/// Where the face is in the pictures of a set that were all cut in the same way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsualBox {
    /// Middle of the facelens box, in widths of the picture.
    pub x: f32,
    /// Middle of the facelens box, in heights of the picture.
    pub y: f32,
    /// Side of the facelens box, in shorter sides of the picture.
    pub side: f32,
}

impl UsualBox {
    /// The box in a picture of this size, in pixels.
    fn in_picture(&self, width: u32, height: u32) -> Rect {
        let middle = facelens_core::geometry::Point { x: self.x * width as f32, y: self.y * height as f32 };
        Rect::square(middle, self.side * width.min(height) as f32)
    }
}

/// A set cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The labels cannot be read at all.
    #[error("{file}: the labels cannot be read: {cause}")]
    Labels {
        /// The file with the labels.
        file: String,
        /// What is wrong, and what to do where that is known.
        cause: String,
    },
    /// The pictures cannot be read at all.
    #[error("{file}: the images cannot be opened: {cause}")]
    Pictures {
        /// The folder or tar.
        file: String,
        /// What is wrong, and what to do where that is known.
        cause: String,
    },
    /// No picture gave a face.
    #[error("no face was written: {0}")]
    Empty(String),
    /// The detector cannot be made, or its network fails.
    #[error(transparent)]
    Detector(#[from] DetectError),
    /// The set cannot be written.
    #[error(transparent)]
    Set(#[from] SetError),
    /// A worker thread ended without a result, which its code does not allow.
    #[error("a thread that looks for faces has stopped")]
    WorkerLost,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::AgeRange;

    fn listing(ages: &[f32]) -> Listing {
        let mut listing = Listing::default();
        for years in ages {
            let age = Some(AgeRange { min: *years, max: Some(*years) });
            listing.push(LabelledFace { name: years.to_string(), age, ..LabelledFace::default() });
        }
        listing
    }

    #[test]
    fn parts_of_a_listing_share_nothing_and_are_all_of_it() {
        let part = |which: usize| {
            let mut listing = listing(&[1.0, 2.0, 3.0, 4.0, 5.0]);
            listing.keep_part(which, 2);
            listing.samples.iter().map(|sample| sample.face.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!((part(1), part(2)), (vec!["1".into(), "3".into(), "5".into()], vec!["2".into(), "4".into()]));
    }

    #[test]
    fn a_tolerance_makes_ranges_of_ages_that_never_begin_below_0() {
        let mut listing = listing(&[1.5, 70.0]);
        listing.widen_ages(3.0);
        let ages: Vec<_> = listing.samples.iter().map(|sample| sample.face.age.unwrap()).collect();
        assert_eq!(ages, [AgeRange { min: 0.0, max: Some(4.5) }, AgeRange { min: 67.0, max: Some(73.0) }]);
    }
}
