//! Who appears in a session, and when.

use std::collections::BTreeMap;

use crate::rows::FrameRow;

/// Gaps up to this are bridged, seconds: a person who is missed for some frames has not gone.
const GAP_SECS: f64 = 1.0;

/// Somebody in a session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionPerson {
    /// Identity.
    pub id: u64,
    /// When the person is there, in order.
    pub appearances: Vec<Appearance>,
    /// Frames with this person.
    pub frames: usize,
    /// Years, the estimate of the last frame that has one: it has seen the most.
    pub age_years: Option<f32>,
}

/// A time in which a person is there, gaps of up to a second included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Appearance {
    /// The first row.
    pub first: usize,
    /// The last row.
    pub last: usize,
    /// Time of the first row, seconds.
    pub from_s: f64,
    /// Time of the last row, seconds.
    pub to_s: f64,
}

pub(super) fn of_rows(rows: &[FrameRow]) -> Vec<SessionPerson> {
    let mut people: BTreeMap<u64, SessionPerson> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        for face in &row.faces {
            let person = people.entry(face.id).or_insert_with(|| SessionPerson {
                id: face.id,
                appearances: Vec::new(),
                frames: 0,
                age_years: None,
            });
            person.frames += 1;
            person.age_years = face.age.map(|age| age.years).or(person.age_years);
            match person.appearances.last_mut() {
                Some(last) if row.time_s - last.to_s <= GAP_SECS => (last.last, last.to_s) = (index, row.time_s),
                _ => person.appearances.push(Appearance {
                    first: index,
                    last: index,
                    from_s: row.time_s,
                    to_s: row.time_s,
                }),
            }
        }
    }
    people.into_values().collect()
}
