//! A quantity of a person over time, thinned out to what a plot can show.

use crate::folder::SessionPerson;
use crate::rows::{FaceRow, FrameRow};

/// What is plotted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Degrees.
    Yaw,
    /// Degrees.
    Pitch,
    /// Degrees.
    Roll,
    /// Years.
    Age,
}

impl Quantity {
    /// All, from top to bottom.
    pub const ALL: [Self; 4] = [Self::Yaw, Self::Pitch, Self::Roll, Self::Age];

    /// Its value in a face.
    pub fn of(self, face: &FaceRow) -> Option<f32> {
        match self {
            Self::Yaw => face.pose.map(|pose| pose.yaw),
            Self::Pitch => face.pose.map(|pose| pose.pitch),
            Self::Roll => face.pose.map(|pose| pose.roll),
            Self::Age => face.age.map(|age| age.years),
        }
    }

    /// Whether an angle goes over 180 degrees from one value to the next: nothing lies between them then.
    fn wraps(self, from: f32, to: f32) -> bool {
        self != Self::Age && (to - from).abs() > 180.0
    }
}

/// One person's quantity over time, in pieces: the person was away between two pieces, or an angle went over 180 degrees.
pub type Curve = Vec<Vec<CurvePoint>>;

/// Some neighbouring samples of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Time of the first of them, seconds.
    pub time_s: f64,
    /// The smallest value.
    pub low: f32,
    /// The largest value.
    pub high: f32,
}

/// The curve of a person, with at most one point for each of `buckets` equal parts of `duration_s` and piece. Peaks are
/// kept: a point holds the smallest and the largest value of its samples.
pub fn curve(rows: &[FrameRow], person: &SessionPerson, quantity: Quantity, duration_s: f64, buckets: usize) -> Curve {
    let bucket_secs = (duration_s / buckets.max(1) as f64).max(f64::MIN_POSITIVE);
    let mut curve = Curve::new();
    for there in &person.appearances {
        // The bucket and the value of the sample before.
        let mut before: Option<(u64, f32)> = None;
        for row in rows.get(there.first..=there.last).unwrap_or_default() {
            let face = row.faces.iter().find(|face| face.id == person.id);
            let Some(value) = face.and_then(|face| quantity.of(face)) else { continue };
            let bucket = (row.time_s / bucket_secs) as u64;
            let point = CurvePoint { time_s: row.time_s, low: value, high: value };
            match (before, curve.last_mut()) {
                (Some((last, from)), Some(piece)) if !quantity.wraps(from, value) => match piece.last_mut() {
                    Some(point) if last == bucket => {
                        (point.low, point.high) = (point.low.min(value), point.high.max(value));
                    }
                    _ => piece.push(point),
                },
                _ => curve.push(vec![point]),
            }
            before = Some((bucket, value));
        }
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionFolder;
    use crate::testing::session::{rows, write};

    fn people(rows: &[FrameRow]) -> Vec<SessionPerson> {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), rows, &[]);
        SessionFolder::open(folder.path()).unwrap().people()
    }

    #[test]
    fn an_absence_makes_two_pieces() {
        let rows = rows();
        let people = people(&rows);
        let curve = curve(&rows, &people[1], Quantity::Yaw, 5.0, 1000);
        assert_eq!(curve.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10]);
        assert_eq!(curve[0][0], CurvePoint { time_s: 1.0, low: -10.0, high: -10.0 });
    }

    #[test]
    fn thinning_keeps_the_peaks() {
        let mut rows = rows();
        rows[17].faces[0].pose.as_mut().unwrap().yaw = 80.0;
        let people = people(&rows);
        let curve = curve(&rows, &people[0], Quantity::Yaw, 5.0, 5);
        assert_eq!(curve.len(), 1);
        assert_eq!(curve[0].len(), 5);
        assert_eq!((curve[0][1].low, curve[0][1].high), (-10.0, 80.0));
    }

    #[test]
    fn an_angle_that_goes_over_180_degrees_begins_a_new_piece() {
        let mut rows = rows();
        for (index, roll) in [(10, 172.0), (11, 179.0), (12, -178.0), (13, 179.0), (14, 170.0)] {
            rows[index].faces[0].pose.as_mut().unwrap().roll = roll;
        }
        let (people, rolls) = (people(&rows), |index: usize| rows[index].faces[0].pose.unwrap().roll);
        assert_eq!((rolls(9), rolls(15)), (-3.5, -3.5));
        // Frame 12 stands alone, though it shares its bucket with its neighbours.
        let curve = curve(&rows, &people[0], Quantity::Roll, 5.0, 1);
        let ends = |piece: &Vec<CurvePoint>| (piece[0].low, piece[0].high);
        assert_eq!(curve.iter().map(ends).collect::<Vec<_>>(), [(-3.5, 179.0), (-178.0, -178.0), (-3.5, 179.0)]);
    }

    #[test]
    fn what_was_never_estimated_has_no_curve() {
        let mut rows = rows();
        rows.iter_mut().flat_map(|row| &mut row.faces).for_each(|face| face.pose = None);
        let people = people(&rows);
        assert_eq!(curve(&rows, &people[0], Quantity::Roll, 5.0, 100), Curve::new());
        assert_eq!(curve(&rows, &people[0], Quantity::Age, 5.0, 100)[0].len(), 45);
        assert_eq!(curve(&rows, &people[0], Quantity::Age, 0.0, 0).len(), 1, "no length is no reason to fail");
    }
}
