//! Frames that wait until it is known whom the next ones show, so that a face is hidden before it is found.

use std::collections::VecDeque;

use facelens_core::geometry::Rect;

use super::blur::{FoundFaces, REACH, hidden};
use super::queue::RecorderJob;

/// The most frames that wait: half a second of 480 a second.
const MOST_FRAMES: usize = 240;
/// The most bytes that wait: half a second of 3840x2160 pixels at 40 a second.
const MOST_BYTES: usize = 512 * 1024 * 1024;

/// The frames that wait, and what was found in those before them. Faces are hidden up to [`REACH`] before they are found;
/// where frames come so thick that they do not all find room, as far as there is room.
#[derive(Default)]
pub(in super::super) struct BlurQueue {
    waiting: VecDeque<(RecorderJob, FoundFaces)>,
    /// Of the pictures that wait.
    bytes: usize,
    /// Frames that were written, for those that follow.
    before: VecDeque<FoundFaces>,
}

impl BlurQueue {
    /// Adds a frame.
    pub(in super::super) fn push(&mut self, job: RecorderJob) {
        let faces = job.analysis.faces.iter().map(|face| (face.id, face.rect)).collect();
        let found = FoundFaces { time: job.time, faces };
        self.bytes += job.analysis.frame.rgb().len();
        self.waiting.push_back((job, found));
    }

    /// The first frame, with what is to be hidden in it, once it has waited long enough or there is no more room.
    pub(in super::super) fn pop_due(&mut self) -> Option<(RecorderJob, Vec<Rect>)> {
        let (first, last) = (&self.waiting.front()?.1, &self.waiting.back()?.1);
        let is_due = last.time.abs_diff(first.time) >= REACH
            || self.waiting.len() > MOST_FRAMES
            || (self.bytes > MOST_BYTES && self.waiting.len() > 1);
        if is_due { self.pop() } else { None }
    }

    /// The first frame, with what is to be hidden in it, however short it has waited.
    pub(in super::super) fn pop(&mut self) -> Option<(RecorderJob, Vec<Rect>)> {
        let (job, found) = self.waiting.pop_front()?;
        self.bytes -= job.analysis.frame.rgb().len();
        let hidden = hidden(&found, self.before.iter().chain(self.waiting.iter().map(|(_, found)| found)));
        while self.before.len() >= MOST_FRAMES
            || self.before.front().is_some_and(|first| first.time.abs_diff(found.time) > REACH)
        {
            self.before.pop_front();
        }
        self.before.push_back(found);
        Some((job, hidden))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use facelens_core::Analysis;

    use super::*;
    use crate::overlay::SceneOptions;
    use crate::recording::testing::analysis;

    fn job(analysis: &Arc<Analysis>, millis: u64) -> RecorderJob {
        RecorderJob {
            analysis: Arc::clone(analysis),
            scene: SceneOptions::default(),
            time: Duration::from_millis(millis),
        }
    }

    /// How many of these frames still wait when each of them was offered.
    fn left(frames: impl Iterator<Item = RecorderJob>) -> usize {
        let mut queue = BlurQueue::default();
        for frame in frames {
            queue.push(frame);
            while queue.pop_due().is_some() {}
        }
        queue.waiting.len()
    }

    #[test]
    fn what_waits_is_bounded_by_time_by_frames_and_by_bytes() {
        let small = analysis(64, 48, 0, &[]);
        assert_eq!(left((0..1000).map(|number| job(&small, number * 33))), 16);
        assert_eq!(left((0..1000).map(|number| job(&small, number / 100))), MOST_FRAMES);
        let large = analysis(3840, 2160, 0, &[]);
        let fit = MOST_BYTES / large.frame.rgb().len();
        assert_eq!(left((0..100).map(|number| job(&large, number))), fit);
        assert_eq!(left((0..4).map(|number| job(&small, number * 2000))), 1, "images of a folder do not wait");
    }

    #[test]
    fn a_face_is_hidden_before_it_is_found() {
        let (without, with) = (analysis(96, 64, 0, &[]), analysis(96, 64, 1, &[1]));
        let mut queue = BlurQueue::default();
        queue.push(job(&without, 0));
        queue.push(job(&with, 300));
        assert!(queue.pop_due().is_none());
        queue.push(job(&without, 600));
        let (first, hidden) = queue.pop_due().unwrap();
        assert_eq!((first.time, hidden.len()), (Duration::ZERO, 1));
        assert!(queue.pop_due().is_none());
        assert_eq!([queue.pop().unwrap().1.len(), queue.pop().unwrap().1.len()], [1, 1]);
        assert!(queue.pop().is_none() && queue.bytes == 0);
    }
}
