//! Frames on their way to the recorder: bounded, so that a slow disk costs frames and not memory.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use facelens_core::Analysis;
use facelens_gait::Stride;

use super::super::info::SessionEnd;
use super::super::video::VideoOptions;
use super::super::video::clock::{VideoClock, duration};
use crate::overlay::SceneOptions;

/// The most frames that wait: nearly a second of a camera. What waits is lost in a kill.
const MOST_FRAMES: usize = 24;
/// The most bytes that wait, but for the frames that always may.
const MOST_BYTES: usize = 96 * 1024 * 1024;
/// These many frames always may wait, however large.
const LEAST_FRAMES: usize = 3;

/// The most strides that wait: of 20 people, half a minute.
const MOST_STRIDES: usize = 600;

/// How long a recording that is stopped may still write what waits.
const DRAIN: Duration = Duration::from_secs(3);

/// A frame to be written.
pub(in super::super) struct RecorderJob {
    pub analysis: Arc<Analysis>,
    /// The overlay that the screen shows with it.
    pub scene: SceneOptions,
    /// Since the first frame that was handed over; rises from each frame to the next.
    pub time: Duration,
}

/// What the recorder is to do next.
pub(super) enum NextJob {
    Write(RecorderJob),
    /// Nothing came in time.
    Nothing,
    /// Nothing more comes.
    End(SessionEnd),
}

/// Frames that were handed over so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Handed {
    pub analysed: u64,
    pub dropped: u64,
    /// Numbers of the first and the last frame in their source.
    numbers: Option<(u64, u64)>,
}

impl Handed {
    /// Frames that the source gave from the first to the last: those that were never analysed leave gaps in the numbers.
    pub(super) fn captured(&self) -> u64 {
        self.numbers.map_or(0, |(first, last)| (last.saturating_sub(first) + 1).max(self.analysed))
    }
}

struct QueueState {
    jobs: VecDeque<RecorderJob>,
    bytes: usize,
    scene: SceneOptions,
    handed: Handed,
    /// Places the times of all frames, also of those that find no room.
    clock: VideoClock,
    /// How long the source is recorded, by its own time.
    limit: Option<Duration>,
    /// How it is to end, and until when what waits may be written.
    end: Option<(SessionEnd, Instant)>,
    /// The last frame's time in its source and in the recording.
    placed: Option<(Duration, Duration)>,
    /// Strides that wait, in the recording's times.
    strides: Vec<Stride>,
}

/// The queue between the analysis thread and the recorder.
pub(super) struct Queue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

impl Queue {
    pub(super) fn new(scene: SceneOptions) -> Self {
        let clock = VideoClock::new(VideoOptions::default().single_frame);
        let handed = Handed::default();
        let state = QueueState {
            jobs: VecDeque::new(),
            bytes: 0,
            scene,
            handed,
            clock,
            limit: None,
            end: None,
            placed: None,
            strides: Vec::new(),
        };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// A thread that panicked never leaves the queue half changed, so its lock is taken as it is.
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a frame over; drops and counts it where there is no room. Never waits.
    pub(super) fn offer(&self, analysis: &Arc<Analysis>) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        let time = duration(state.clock.place(analysis.frame.time));
        if state.limit.is_some_and(|limit| time >= limit) {
            state.end = Some((SessionEnd::Stopped, Instant::now() + DRAIN));
            self.changed.notify_all();
            return;
        }
        state.placed = Some((analysis.frame.time, time));
        let number = analysis.frame.sequence;
        state.handed.analysed += 1;
        state.handed.numbers = Some((state.handed.numbers.map_or(number, |(first, _)| first), number));
        let bytes = analysis.frame.rgb().len();
        let waiting = state.jobs.len();
        if waiting >= MOST_FRAMES || (waiting >= LEAST_FRAMES && state.bytes + bytes > MOST_BYTES) {
            state.handed.dropped += 1;
            return;
        }
        let scene = state.scene;
        state.bytes += bytes;
        state.jobs.push_back(RecorderJob { analysis: Arc::clone(analysis), scene, time });
        self.changed.notify_all();
    }

    /// Hands strides over, in the times of the source. Those that began before the recording did are left out.
    pub(super) fn offer_strides(&self, strides: &[Stride]) {
        let mut state = self.lock();
        let Some((source, recorded)) = state.placed.filter(|_| state.end.is_none()) else { return };
        let place = |time: Duration| (time + recorded).checked_sub(source);
        for stride in strides {
            if let (Some(start), Some(end)) = (place(stride.start), place(stride.end))
                && state.strides.len() < MOST_STRIDES
            {
                state.strides.push(Stride { start, end, ..stride.clone() });
            }
        }
    }

    /// The strides that wait.
    pub(super) fn take_strides(&self) -> Vec<Stride> {
        std::mem::take(&mut self.lock().strides)
    }

    /// Changes the overlay of the frames that come from now on.
    pub(super) fn set_scene(&self, scene: SceneOptions) {
        self.lock().scene = scene;
    }

    /// Takes no frame whose time is `limit` or more after the first one's; the first of them ends the recording.
    pub(super) fn set_limit(&self, limit: Duration) {
        self.lock().limit = Some(limit);
    }

    /// Takes no more frames. What waits is written, unless `at_once`; the first end counts.
    pub(super) fn stop(&self, end: SessionEnd, at_once: bool) {
        let mut state = self.lock();
        let until = Instant::now() + if at_once { Duration::ZERO } else { DRAIN };
        match &mut state.end {
            Some((_, known)) => *known = until.min(*known),
            None => state.end = Some((end, until)),
        }
        self.changed.notify_all();
    }

    /// Counts what was handed over so far.
    pub(super) fn handed(&self) -> Handed {
        self.lock().handed
    }

    /// Waits for something to do until `deadline`. After the end what is left is counted as dropped.
    pub(super) fn next(&self, deadline: Instant) -> NextJob {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            if let Some((end, until)) = &state.end
                && (state.jobs.is_empty() || now >= *until)
            {
                let end = end.clone();
                state.handed.dropped += state.jobs.len() as u64;
                (state.bytes, state.jobs) = (0, VecDeque::new());
                return NextJob::End(end);
            }
            if let Some(job) = state.jobs.pop_front() {
                state.bytes -= job.analysis.frame.rgb().len();
                return NextJob::Write(job);
            }
            let Some(left) = deadline.checked_duration_since(now).filter(|left| !left.is_zero()) else {
                return NextJob::Nothing;
            };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{analysis, capture_time};
    use super::*;

    fn numbers(queue: &Queue) -> Vec<u64> {
        let now = Instant::now();
        let take = || match queue.next(now) {
            NextJob::Write(job) => Some(job.analysis.frame.sequence),
            NextJob::Nothing | NextJob::End(_) => None,
        };
        std::iter::from_fn(take).collect()
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        let queue = Queue::new(SceneOptions::default());
        for number in 10..40 {
            queue.offer(&analysis(8, 8, number, &[]));
        }
        assert_eq!(numbers(&queue), (10..34).collect::<Vec<_>>());
        let handed = queue.handed();
        assert_eq!((handed.analysed, handed.dropped, handed.captured()), (30, 6, 30));
        queue.offer(&analysis(8, 8, 49, &[]));
        assert_eq!((numbers(&queue), queue.handed().captured()), (vec![49], 40), "gaps in the numbers count");
    }

    #[test]
    fn large_frames_wait_in_smaller_numbers() {
        let queue = Queue::new(SceneOptions::default());
        for number in 0..6 {
            queue.offer(&analysis(4000, 3000, number, &[]));
        }
        assert_eq!(numbers(&queue), [0, 1, 2]);
    }

    #[test]
    fn a_stop_jumps_the_queue_and_what_came_before_it_is_still_written() {
        let queue = Queue::new(SceneOptions::default());
        queue.offer(&analysis(8, 8, 0, &[]));
        queue.stop(SessionEnd::Stopped, false);
        queue.offer(&analysis(8, 8, 1, &[]));
        queue.stop(SessionEnd::SourceEnded, false);
        let later = Instant::now() + Duration::from_secs(60);
        assert!(matches!(queue.next(later), NextJob::Write(job) if job.analysis.frame.sequence == 0));
        assert!(matches!(queue.next(later), NextJob::End(SessionEnd::Stopped)));
    }

    #[test]
    fn a_stop_at_once_drops_and_counts_what_waits() {
        let queue = Queue::new(SceneOptions::default());
        queue.offer(&analysis(8, 8, 0, &[]));
        queue.stop(SessionEnd::Stopped, false);
        queue.stop(SessionEnd::Stopped, true);
        assert!(matches!(queue.next(Instant::now()), NextJob::End(SessionEnd::Stopped)));
        assert_eq!(queue.handed().dropped, 1);
    }

    #[test]
    fn the_limit_counts_the_sources_time_also_where_frames_find_no_room() {
        let queue = Queue::new(SceneOptions::default());
        queue.set_limit(Duration::from_secs(5));
        // About 30 a second, with pauses; nobody takes a frame.
        for number in 0..1000 {
            queue.offer(&analysis(8, 8, number, &[]));
        }
        let handed = queue.handed();
        let expected = (0..1000).filter(|&number| capture_time(number) - capture_time(0) < Duration::from_secs(5));
        assert_eq!((handed.analysed, handed.dropped), (expected.count() as u64, handed.analysed - 24));
        assert_eq!(numbers(&queue).len(), 24);
        assert!(matches!(queue.next(Instant::now()), NextJob::End(SessionEnd::Stopped)));
    }

    #[test]
    fn times_that_stand_still_rise_and_reach_the_limit() {
        let queue = Queue::new(SceneOptions::default());
        queue.set_limit(Duration::from_millis(100));
        for _ in 0..10 {
            queue.offer(&analysis(8, 8, 0, &[]));
        }
        let now = Instant::now();
        let times: Vec<_> = std::iter::from_fn(|| match queue.next(now) {
            NextJob::Write(job) => Some(job.time.as_millis()),
            _ => None,
        })
        .collect();
        assert_eq!(times, [0, 33, 66, 99]);
    }

    #[test]
    fn a_change_of_the_overlay_holds_for_later_frames() {
        let queue = Queue::new(SceneOptions::default());
        queue.offer(&analysis(8, 8, 0, &[]));
        queue.set_scene(SceneOptions { boxes: false, ..SceneOptions::default() });
        queue.offer(&analysis(8, 8, 1, &[]));
        for boxes in [true, false] {
            assert!(matches!(queue.next(Instant::now()), NextJob::Write(job) if job.scene.boxes == boxes));
        }
    }
}
