//! What became of the pictures of a set.

use std::collections::BTreeMap;

use serde::Serialize;

use super::UsualBox;

/// Why a picture is not in the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The detector finds no face in it.
    NoFace,
    /// It is no picture, or a damaged one.
    Unreadable,
    /// A label names a picture that is in none of the given places.
    NoPicture,
    /// There is a picture, and nothing says what it shows.
    NoLabel,
    /// The label is no label.
    BadLabel,
    /// The age is missing, or none that a person has.
    BadAge,
    /// The gender is missing or unknown.
    BadGender,
    /// The head pose is missing or outside the range of the networks.
    BadPose,
    /// The data set's own detector found no face in it, or was not sure.
    Doubtful,
    /// The data set's own detector found a second face in it.
    SecondFace,
    /// An earlier label names the same picture.
    Double,
}

impl Reason {
    /// The reason in words, as the set and the table give it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoFace => "no face was found",
            Self::Unreadable => "the image cannot be read",
            Self::NoPicture => "there is no image for the label",
            Self::NoLabel => "there is no label for the image",
            Self::BadLabel => "the label cannot be read",
            Self::BadAge => "the age is missing or impossible",
            Self::BadGender => "the gender is missing",
            Self::BadPose => "the pose is missing or beyond 99 degrees",
            Self::Doubtful => "the set is not certain that there is a face",
            Self::SecondFace => "there is a second face",
            Self::Double => "the image is labelled twice",
        }
    }
}

/// A picture that is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Why.
    pub reason: Reason,
    /// Its name, or the place of its label.
    pub name: String,
    /// What exactly is wrong, where there is more to say than the reason; else empty.
    pub detail: String,
}

/// How many are named for each reason.
const NAMED: usize = 3;

/// Counts of one run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Faces in the set.
    pub written: usize,
    /// Those of them whose place the detector did not find, but the data set or its usual box told.
    pub placed: usize,
    left_out: BTreeMap<Reason, (usize, Vec<LeftOut>)>,
    /// Middle and side of each box that was found, as in [`UsualBox`].
    boxes: Vec<UsualBox>,
}

impl Report {
    pub(crate) fn leave_out(&mut self, left_out: LeftOut) {
        let (count, named) = self.left_out.entry(left_out.reason).or_default();
        *count += 1;
        if named.len() < NAMED {
            named.push(left_out);
        }
    }

    pub(super) fn found(&mut self, place: UsualBox) {
        self.boxes.push(place);
    }

    /// How many pictures are left out.
    pub fn left_out(&self) -> usize {
        self.left_out.values().map(|(count, _)| count).sum()
    }

    /// The reasons that came up, with how many pictures each has.
    pub fn reasons(&self) -> impl Iterator<Item = (Reason, usize)> {
        self.left_out.iter().map(|(reason, (count, _))| (*reason, *count))
    }

    /// The first pictures of each reason.
    pub fn named(&self) -> impl Iterator<Item = &LeftOut> {
        self.left_out.values().flat_map(|(_, named)| named)
    }

    /// The median of the boxes that the detector found: what [`super::Undetected::Centre`] needs to know of a set.
    pub fn usual_box(&self) -> Option<UsualBox> {
        let median = |value: fn(&UsualBox) -> f32| {
            let mut values: Vec<_> = self.boxes.iter().map(value).collect();
            values.sort_unstable_by(f32::total_cmp);
            values.get(values.len() / 2).copied()
        };
        Some(UsualBox { x: median(|place| place.x)?, y: median(|place| place.y)?, side: median(|place| place.side)? })
    }

    /// The counts as a table of two columns.
    pub fn table(&self) -> String {
        let mut rows = vec![("faces written", self.written)];
        if self.placed > 0 {
            rows.push(("  of them not found by the detector", self.placed));
        }
        rows.push(("left out", self.left_out()));
        let reasons: Vec<_> = self.reasons().map(|(reason, count)| (format!("  {}", reason.words()), count)).collect();
        rows.extend(reasons.iter().map(|(words, count)| (words.as_str(), *count)));
        let width = rows.iter().map(|(words, _)| words.len()).max().unwrap_or(0);
        let mut table: String = rows.iter().map(|(words, count)| format!("{words:width$} {count:>9}\n")).collect();
        if let Some(UsualBox { x, y, side }) = self.usual_box() {
            table += &format!(
                "median face box: middle at {:.1} % of the width, {:.1} % of the height; side {:.1} % of the shorter side\n",
                100.0 * x,
                100.0 * y,
                100.0 * side
            );
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_and_the_first_are_named() {
        let mut report = Report { written: 12, placed: 3, ..Report::default() };
        for index in 0..5 {
            let name = format!("{index}.jpg");
            report.leave_out(LeftOut { reason: Reason::NoFace, name, detail: String::new() });
        }
        report.leave_out(LeftOut { reason: Reason::BadAge, name: "x".to_owned(), detail: "`old`".to_owned() });
        for x in [0.1, 0.9, 0.5] {
            report.found(UsualBox { x, y: 0.25, side: 1.0 - x });
        }
        let table = report.table();
        let lines: Vec<_> = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "faces written 12",
                "of them not found by the detector 3",
                "left out 6",
                "no face was found 5",
                "the age is missing or impossible 1",
                "median face box: middle at 50.0 % of the width, 25.0 % of the height; side 50.0 % of the shorter side",
            ]
        );
        assert!(table.lines().take(5).all(|line| line.len() == table.find('\n').unwrap()), "{table}");
        let named: Vec<_> = report.named().map(|left_out| left_out.name.as_str()).collect();
        assert_eq!(named, ["0.jpg", "1.jpg", "2.jpg", "x"]);
    }
}
