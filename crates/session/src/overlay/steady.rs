//! Keeps the words of labels still: an average wanders by fractions from frame to frame, and words that are rounded from
//! it would flip between two roundings.

use std::collections::HashMap;
use std::time::Duration;

use facelens_core::Analysis;
use facelens_core::track::{Age, Face, Gender};

/// A range is said anew once one of its ends has moved by this, years.
const AGE_STEP_YEARS: f32 = 3.0;
/// A gender's number is said anew once it has moved by this.
const GENDER_STEP: f32 = 0.1;
/// Somebody who was away for longer is said anew.
const FORGET_AFTER: Duration = Duration::from_secs(5);

/// The ages and genders as labels say them: those of the data, but held until they have moved far enough to be worth
/// other words. What is written as data is never held.
///
/// The frames of one source, in order; a frame before the last one starts anew, and so does each picture of a folder.
#[derive(Clone, Debug, Default)]
pub struct SteadyLabels {
    said: HashMap<u64, Said>,
    now: Duration,
}

/// What is said of one person.
#[derive(Clone, Copy, Debug)]
struct Said {
    age: Option<Age>,
    gender: Option<Gender>,
    seen_at: Duration,
}

impl SteadyLabels {
    /// Takes the next frame in, and gives its faces with what labels say of them.
    pub fn update(&mut self, analysis: &Analysis) -> Vec<Face> {
        self.take(analysis.frame.time, analysis.frame.name.is_some(), &analysis.faces)
    }

    /// The same for faces that were read from a session.
    pub fn update_at(&mut self, time: Duration, faces: &[Face]) -> Vec<Face> {
        self.take(time, false, faces)
    }

    fn take(&mut self, time: Duration, unrelated: bool, faces: &[Face]) -> Vec<Face> {
        if time < self.now || unrelated {
            self.said.clear();
        }
        self.now = time;
        self.said.retain(|_, said| time.saturating_sub(said.seen_at) <= FORGET_AFTER);
        for face in faces {
            let before = self.said.get(&face.id);
            let age = hold(before.and_then(|said| said.age), face.age, is_near_age);
            let gender = hold(before.and_then(|said| said.gender), face.gender, is_near_gender);
            self.said.insert(face.id, Said { age, gender, seen_at: time });
        }
        self.of(faces)
    }

    /// The same faces with what labels say of them now.
    pub fn of(&self, faces: &[Face]) -> Vec<Face> {
        let said = |face: &Face| match self.said.get(&face.id) {
            Some(said) => Face { age: said.age, gender: said.gender, ..face.clone() },
            None => face.clone(),
        };
        faces.iter().map(said).collect()
    }
}

/// What was said, where what is so now is near it.
fn hold<T: Copy>(said: Option<T>, now: Option<T>, is_near: fn(T, T) -> bool) -> Option<T> {
    match (said, now) {
        (Some(said), Some(now)) if is_near(said, now) => Some(said),
        _ => now,
    }
}

// Numbers that are none are near nothing.
fn is_near_age(said: Age, now: Age) -> bool {
    (said.low - now.low).abs() < AGE_STEP_YEARS && (said.high - now.high).abs() < AGE_STEP_YEARS
}

fn is_near_gender(said: Gender, now: Gender) -> bool {
    said.label == now.label && said.number == now.number && (said.male - now.male).abs() < GENDER_STEP
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::Rect;
    use facelens_core::track::{GenderLabel, GenderNumber};

    use super::super::{age_words, gender_words};
    use super::*;

    fn face(id: u64, low: f32, male: f32) -> Face {
        Face {
            id,
            rect: Rect::new(0.0, 0.0, 10.0, 10.0),
            score: 0.9,
            age: Some(Age { years: low + 9.0, low, high: low + 19.9 }),
            gender: Some(Gender { label: GenderLabel::Male, male, number: GenderNumber::Chance }),
            pose: None,
        }
    }

    fn at(frame: u64) -> Duration {
        Duration::from_millis(frame * 33)
    }

    #[test]
    fn words_that_wander_between_two_roundings_stay() {
        let (mut steady, mut said, mut raw) = (SteadyLabels::default(), Vec::new(), Vec::new());
        for frame in 0..900 {
            let wander = (frame as f32 * 0.1).sin();
            let faces = [face(1, 25.4 + wander, 0.85 + 0.04 * wander)];
            let shown = steady.update_at(at(frame), &faces);
            let words = |face: &Face| (age_words(face.age.unwrap()).text, gender_words(face.gender.unwrap()).text);
            said.push(words(&shown[0]));
            raw.push(words(&faces[0]));
        }
        let count = |mut words: Vec<_>| {
            words.dedup();
            words.len()
        };
        assert!(count(raw) > 20, "it would flip all the time");
        assert_eq!(count(said), 1);
    }

    #[test]
    fn what_moves_is_said_anew() {
        let mut steady = SteadyLabels::default();
        steady.update_at(at(0), &[face(1, 25.0, 0.9)]);
        let low = |faces: &[Face]| faces[0].age.unwrap().low;
        assert_eq!(low(&steady.update_at(at(1), &[face(1, 27.9, 0.9)])), 25.0);
        assert_eq!(low(&steady.update_at(at(2), &[face(1, 28.1, 0.9)])), 28.1);
        assert_eq!(low(&steady.update_at(at(3), &[face(1, 25.2, 0.9)])), 28.1, "and is held from there");
        let mut other = face(1, 25.2, 0.9);
        other.gender = other.gender.map(|gender| Gender { label: GenderLabel::Unsure, ..gender });
        let shown = steady.update_at(at(4), &[other.clone()]);
        assert_eq!(shown[0].gender.unwrap().label, GenderLabel::Unsure, "another label is said at once");
        other.age = None;
        assert_eq!(steady.update_at(at(5), &[other])[0].age, None, "without a model there is no age");
    }

    #[test]
    fn each_person_is_held_by_number_and_a_new_start_starts_anew() {
        let mut steady = SteadyLabels::default();
        steady.update_at(at(10), &[face(1, 25.0, 0.9), face(2, 40.0, 0.9)]);
        let shown = steady.update_at(at(11), &[face(2, 41.0, 0.9), face(1, 26.0, 0.9)]);
        assert_eq!(shown.iter().map(|face| face.age.unwrap().low).collect::<Vec<_>>(), [40.0, 25.0]);
        assert_eq!(steady.of(&[face(3, 9.0, 0.9)])[0].age.unwrap().low, 9.0, "somebody new");
        assert_eq!(steady.update_at(at(0), &[face(1, 26.0, 0.9)])[0].age.unwrap().low, 26.0);
        steady.update_at(at(400), &[]);
        assert_eq!(steady.update_at(at(401), &[face(1, 25.0, 0.9)])[0].age.unwrap().low, 25.0, "long away");
    }

    #[test]
    fn a_picture_of_a_folder_says_nothing_of_the_next_one() {
        let mut steady = SteadyLabels::default();
        steady.take(at(0), true, &[face(1, 25.0, 0.9)]);
        assert_eq!(steady.take(at(1), true, &[face(1, 26.0, 0.9)])[0].age.unwrap().low, 26.0, "somebody else");
    }

    #[test]
    fn numbers_that_are_none_are_not_held() {
        let mut steady = SteadyLabels::default();
        let broken = Face { age: Some(Age { years: 1.0, low: f32::NAN, high: 2.0 }), ..face(1, 25.0, 0.9) };
        steady.update_at(at(0), &[broken]);
        assert_eq!(steady.update_at(at(1), &[face(1, 25.0, 0.9)])[0].age.unwrap().low, 25.0);
    }
}
