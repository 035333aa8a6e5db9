//! The detector on whole frames: while the frame waits, or beside the rest on a thread of its own.
//!
//! The detector itself goes to the thread with the frame and comes back with what it found, so that there is one of it,
//! and one search at a time.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::change_detector::ChangeDetector;
use crate::detect::{DetectError, Detection, Detector};
use crate::frame::Frame;

/// The detector, where it is now, and what it is asked for.
pub(super) struct WholeSearch {
    /// `None` while it is at work on the thread, and where a panic has taken it along.
    detector: Option<Box<dyn Detector>>,
    at_work: bool,
    thread: Option<SearchThread>,
    beside: bool,
    /// What comes back is about a frame that has nothing to do with the next.
    outdated: bool,
}

/// What a search beside the rest found.
pub(super) struct Searched {
    /// [`Frame::time`] of its frame.
    pub(super) time: Duration,
    /// The faces in it.
    pub(super) faces: Vec<Detection>,
    /// What was given to [`WholeSearch::begin`].
    pub(super) seen: Option<ChangeDetector>,
}

struct SearchTask {
    detector: Box<dyn Detector>,
    frame: Arc<Frame>,
    seen: Option<ChangeDetector>,
}

/// A finished task, or the panic that ended it.
type SearchDone = Result<(SearchTask, Result<Vec<Detection>, DetectError>), Box<dyn Any + Send>>;

struct SearchThread {
    /// `None` while the thread is told to end.
    tasks: Option<Sender<SearchTask>>,
    done: Receiver<SearchDone>,
    handle: Option<JoinHandle<()>>,
}

impl WholeSearch {
    pub(super) fn new(detector: Box<dyn Detector>) -> Self {
        Self { detector: Some(detector), at_work: false, thread: None, beside: false, outdated: false }
    }

    /// Whether searches may run beside the rest from now on.
    pub(super) fn set_beside(&mut self, beside: bool) {
        self.beside = beside;
        if beside && self.thread.is_none() {
            // Without a thread frames wait, as ever.
            self.thread = SearchThread::start();
        }
    }

    pub(super) fn is_beside(&self) -> bool {
        self.beside && self.thread.is_some()
    }

    /// What is being searched now has nothing to do with the frames that follow.
    pub(super) fn forget(&mut self) {
        self.outdated = self.at_work;
    }

    /// Begins to search a frame beside the rest; `false` where the last search is not finished, or there is no thread.
    pub(super) fn begin(&mut self, frame: &Arc<Frame>, seen: Option<ChangeDetector>) -> bool {
        let Some(tasks) = self.thread.as_ref().and_then(|thread| thread.tasks.as_ref()) else { return false };
        let Some(detector) = self.detector.take() else { return false };
        // The thread takes whatever comes: it ends only when it is told to.
        if let Err(back) = tasks.send(SearchTask { detector, frame: Arc::clone(frame), seen }) {
            self.detector = Some(back.into_inner().detector);
            return false;
        }
        self.at_work = true;
        true
    }

    /// What a search that was begun earlier has found, once, when it is finished. A panic in it goes on here.
    pub(super) fn finished(&mut self) -> Option<Result<Searched, DetectError>> {
        let thread = self.thread.as_ref().filter(|_| self.at_work)?;
        let done = thread.done.try_recv().ok()?;
        self.take_back(done)
    }

    /// The faces in a frame, which waits for them. What was begun earlier is not asked for any more.
    ///
    /// # Errors
    /// Where the detector fails.
    pub(super) fn now(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        if self.at_work {
            self.outdated = true;
            let done = self.thread.as_ref().and_then(|thread| thread.done.recv().ok());
            if let Some(done) = done {
                self.take_back(done);
            }
        }
        match &mut self.detector {
            Some(detector) => detector.detect(frame),
            None => {
                let cause = "it stopped unexpectedly in an earlier frame; choose the detector again".to_owned();
                Err(DetectError { detector: "whole frame", cause })
            }
        }
    }

    fn take_back(&mut self, done: SearchDone) -> Option<Result<Searched, DetectError>> {
        self.at_work = false;
        let (task, found) = done.unwrap_or_else(|panic| resume_unwind(panic));
        self.detector = Some(task.detector);
        if std::mem::take(&mut self.outdated) {
            return None;
        }
        Some(found.map(|faces| Searched { time: task.frame.time, faces, seen: task.seen }))
    }
}

impl SearchThread {
    fn start() -> Option<Self> {
        let (tasks, waiting) = bounded::<SearchTask>(1);
        let (finish, done) = bounded::<SearchDone>(1);
        let run = move || {
            for mut task in &waiting {
                let searched = catch_unwind(AssertUnwindSafe(move || {
                    let found = task.detector.detect(&task.frame);
                    (task, found)
                }));
                if finish.send(searched).is_err() {
                    return;
                }
            }
        };
        let handle = thread::Builder::new().name("search".to_owned()).spawn(run).ok()?;
        Some(Self { tasks: Some(tasks), done, handle: Some(handle) })
    }
}

impl Drop for SearchThread {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(handle) = self.handle.take() {
            // It catches the panics of its tasks.
            let _ = handle.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::detect::DetectorKind;
    use crate::geometry::Rect;

    /// Finds one face for each pixel of the frame's width, when it is let go on.
    struct Gate(mpsc::Receiver<()>);

    impl Detector for Gate {
        fn kind(&self) -> DetectorKind {
            DetectorKind::BlazeBack
        }

        fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
            self.0.recv().expect("the test holds the gate");
            if frame.height() == 2 {
                return Err(DetectError { detector: "gate", cause: "it is two pixels high".to_owned() });
            }
            let face = |x: u32| Detection { rect: Rect::new(x as f32, 0.0, 1.0, 1.0), score: 0.9, keypoints: None };
            Ok((0..frame.width()).map(face).collect())
        }
    }

    fn frame(width: u32, height: u32) -> Arc<Frame> {
        Arc::new(Frame::from_rgb(width, height, vec![0; (width * height * 3) as usize]).unwrap())
    }

    fn search() -> (WholeSearch, mpsc::Sender<()>) {
        let (open, gate) = mpsc::channel();
        let mut search = WholeSearch::new(Box::new(Gate(gate)));
        search.set_beside(true);
        (search, open)
    }

    fn waited(search: &mut WholeSearch) -> Option<Result<Searched, DetectError>> {
        (0..2000).find_map(|_| {
            thread::sleep(Duration::from_millis(1));
            search.finished()
        })
    }

    #[test]
    fn a_search_is_begun_once_and_its_finds_come_once() {
        let (mut search, open) = search();
        assert!(search.begin(&frame(3, 1), None));
        assert!(!search.begin(&frame(4, 1), None), "one at a time");
        assert!(search.finished().is_none());
        open.send(()).unwrap();
        assert_eq!(waited(&mut search).unwrap().unwrap().faces.len(), 3);
        assert!(search.finished().is_none());
        assert!(search.begin(&frame(2, 2), None));
        open.send(()).unwrap();
        assert!(waited(&mut search).unwrap().is_err(), "an error comes the same way");
        open.send(()).unwrap();
        assert_eq!(search.now(&frame(5, 1)).unwrap().len(), 5, "and the detector is back");
    }

    #[test]
    fn a_frame_that_waits_gets_its_own_faces_and_the_earlier_ones_are_forgotten() {
        let (mut search, open) = search();
        search.begin(&frame(3, 1), None);
        open.send(()).unwrap();
        open.send(()).unwrap();
        assert_eq!(search.now(&frame(7, 1)).unwrap().len(), 7);
        assert!(search.finished().is_none());
        // After a reset too.
        search.begin(&frame(3, 1), None);
        search.forget();
        open.send(()).unwrap();
        thread::sleep(Duration::from_millis(50));
        assert!(search.finished().is_none());
        assert!(search.begin(&frame(3, 1), None), "the detector is back");
        open.send(()).unwrap();
        assert!(waited(&mut search).is_some());
    }

    #[test]
    fn a_panic_in_a_search_reaches_the_caller() {
        let (mut search, open) = search();
        search.begin(&frame(3, 1), None);
        drop(open);
        let broken = catch_unwind(AssertUnwindSafe(|| waited(&mut search).is_some()));
        assert!(broken.is_err());
        assert!(search.now(&frame(1, 1)).is_err(), "it does not wait for what never comes");
    }

    #[test]
    fn without_leave_nothing_is_begun() {
        let mut search = WholeSearch::new(Box::new(Gate(mpsc::channel().1)));
        assert!(!search.begin(&frame(1, 1), None) && !search.is_beside());
    }
}
