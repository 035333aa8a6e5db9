//! What is told of an input that gave less than one hopes for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use facelens_core::frame::Frame;
use facelens_gait::{FEWEST_FRAMES, GaitFrame, MOST_WALKERS, Stride, WalkState};

/// Fewer frames a second than this are told.
const FEW_FPS: f64 = 12.0;

/// What was seen in an input.
#[derive(Default)]
pub(super) struct Tally {
    frames: u64,
    first: Option<Duration>,
    last: Duration,
    people: BTreeSet<u64>,
    with_strides: BTreeSet<u64>,
    most_at_once: usize,
    /// In how many frames each reason held, of people who waited.
    reasons: BTreeMap<&'static str, u64>,
    too_slow: bool,
}

impl Tally {
    pub(super) fn add(&mut self, frame: &Frame, seen: &GaitFrame) {
        self.frames += 1;
        self.first.get_or_insert(frame.time);
        self.last = frame.time;
        self.most_at_once = self.most_at_once.max(seen.walkers.len());
        for walker in &seen.walkers {
            self.people.insert(walker.id);
            if let WalkState::Waiting(waiting) = walker.state {
                *self.reasons.entry(waiting.words()).or_default() += 1;
                self.too_slow |= waiting == facelens_gait::Waiting::TooFewFrames;
            }
        }
        self.add_strides(&seen.strides);
    }

    pub(super) fn add_strides(&mut self, strides: &[Stride]) {
        self.with_strides.extend(strides.iter().map(|stride| stride.id));
    }

    /// Frames a second; `None` where there are too few to say.
    fn fps(&self) -> Option<f64> {
        let seconds = self.last.saturating_sub(self.first?).as_secs_f64();
        (self.frames > 1 && seconds > 0.0).then(|| (self.frames - 1) as f64 / seconds)
    }

    /// Sentences for the user, without the input's name; none where all is well.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.frames == 0 {
            return words;
        }
        if self.frames < FEWEST_FRAMES as u64 {
            let frames = if self.frames == 1 { "1 frame is".to_owned() } else { format!("{} frames are", self.frames) };
            words.push(format!("{frames} too few for a stride, which needs {FEWEST_FRAMES} or more"));
            return words;
        }
        if let Some(fps) = self.fps().filter(|fps| self.too_slow || *fps < FEW_FPS && self.with_strides.is_empty()) {
            words.push(format!(
                "at {fps:.1} frames per second, steps are hardly visible; 15 or more are needed for accurate metrics"
            ));
        }
        if self.people.is_empty() {
            words.push("nobody was seen".to_owned());
        } else if self.with_strides.is_empty() {
            let people = if self.people.len() == 1 {
                "1 person was".to_owned()
            } else {
                format!("{} people were", self.people.len())
            };
            let reason = self.reasons.iter().max_by_key(|(_, frames)| **frames).map(|(words, _)| *words);
            let why = reason.map_or_else(|| "too short a time".to_owned(), |reason| format!("mostly: {reason}"));
            words.push(format!("{people} seen, but no complete stride ({why})"));
        }
        if self.most_at_once > MOST_WALKERS {
            words.push(format!(
                "up to {} people were seen at once; the {MOST_WALKERS} largest are measured in each frame",
                self.most_at_once
            ));
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::Rect;
    use facelens_gait::{Measures, Waiting, Walker};

    use super::*;

    fn walker(id: u64, waiting: Waiting) -> Walker {
        Walker {
            id,
            face: None,
            rect: Rect::new(0.0, 0.0, 10.0, 30.0),
            outline: Vec::new(),
            state: WalkState::Waiting(waiting),
            gei: None,
            measures: Measures::default(),
            age: None,
        }
    }

    fn tally(frames: u64, step_ms: u64, walkers: &[Walker]) -> Vec<String> {
        let mut tally = Tally::default();
        for number in 0..frames {
            let frame = Frame::from_rgb(1, 1, vec![0; 3]).unwrap().at(number, Duration::from_millis(number * step_ms));
            tally.add(&frame, &GaitFrame { walkers: walkers.to_vec(), ..GaitFrame::default() });
        }
        tally.words()
    }

    #[test]
    fn what_is_missing_is_said_in_plain_words() {
        assert_eq!(tally(3, 33, &[]), ["3 frames are too few for a stride, which needs 12 or more"]);
        assert_eq!(tally(60, 33, &[]), ["nobody was seen"]);
        let hidden = tally(
            60,
            33,
            &[walker(1, Waiting::FeetHidden), walker(2, Waiting::FeetHidden), walker(3, Waiting::TooFar)],
        );
        assert_eq!(hidden, ["3 people were seen, but no complete stride (mostly: feet not visible)"]);
        let slow = tally(60, 200, &[walker(1, Waiting::TooFewFrames)]);
        assert!(slow[0].starts_with("at 5.0 frames per second, steps are hardly visible"), "{slow:?}");
        let crowd: Vec<Walker> = (1..=20).map(|id| walker(id, Waiting::Crowd)).collect();
        assert!(tally(60, 33, &crowd)[1].starts_with("up to 20 people were seen at once; the 4 largest"));
        assert!(tally(0, 33, &[]).is_empty());
    }
}
