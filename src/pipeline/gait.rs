//! The thread `gait`: strides of the people in the live picture, beside the faces and at a rate of its own.
//!
//! It sees the analysed frames as a [`AnalysisSink`]; while it works on one, newer ones take each other's place. So the faces keep
//! their rate whatever the gaits cost.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use facelens_base::panic_words;
use facelens_core::Analysis;
use facelens_core::frame::Frame;
use facelens_core::geometry::Rect;
use facelens_gait::{AgeByGait, GaitAnalyser, GaitError, GaitFrame, GaitTimings, Stride, Walker};
use facelens_session::AnalysisSink;

use super::inbox::{Inbox, Message};

/// The rate is that of the frames of this time.
const RATE_TIME: Duration = Duration::from_secs(2);
/// How long ending waits for the thread. It keeps nothing that would be lost: a frame that takes longer ends with the program.
const CLOSING: Duration = Duration::from_millis(250);

/// Analyses the gaits in frames: a [`GaitAnalyser`], or a script in tests.
pub trait Gaits: Send {
    /// Forgets everybody.
    fn reset(&mut self);

    /// Analyses the next frame with its faces, as [`GaitAnalyser::analyse`].
    ///
    /// # Errors
    /// Where a network fails; the next frame may work.
    fn analyse(&mut self, frame: &Frame, faces: &[(u64, Rect)]) -> Result<GaitFrame, GaitError>;

    /// Changes who tells the age.
    fn set_age(&mut self, age: Option<Box<dyn AgeByGait>>);
}

impl Gaits for GaitAnalyser {
    fn reset(&mut self) {
        Self::reset(self);
    }

    fn analyse(&mut self, frame: &Frame, faces: &[(u64, Rect)]) -> Result<GaitFrame, GaitError> {
        Self::analyse(self, frame, faces)
    }

    fn set_age(&mut self, age: Option<Box<dyn AgeByGait>>) {
        Self::set_age(self, age);
    }
}

/// Makes what analyses, on the thread: it takes some tenths of a second.
pub type MakeGaits = Box<dyn FnOnce() -> Result<Box<dyn Gaits>, GaitError> + Send>;

/// Reads the model that tells the age, on the thread; `None` for none.
pub type MakeAge = Box<dyn FnOnce() -> Result<Option<Box<dyn AgeByGait>>, String> + Send>;

/// Takes the strides that ended with a frame. Called on the thread `gait`: must not wait.
pub type TakeStrides = Arc<dyn Fn(&[Stride]) + Send + Sync>;

/// What the thread shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GaitView {
    /// The networks are being prepared.
    pub loading: bool,
    /// The people in the newest frame that was analysed, by identity.
    pub walkers: Vec<Walker>,
    /// Time of that frame in its source.
    pub time: Duration,
    /// Frames a second over the last two seconds.
    pub fps: f32,
    /// What the newest frame cost.
    pub timings: GaitTimings,
    /// Why there are no gaits, where frames fail.
    pub error: Option<String>,
    /// Why the model for the age is not in use.
    pub age_error: Option<String>,
}

impl GaitView {
    fn loading() -> Self {
        Self { loading: true, ..Self::default() }
    }
}

enum Order {
    /// The next frame has nothing to do with the last.
    Forget,
    /// Another model tells the age.
    Age(MakeAge),
}

struct GaitShared {
    inbox: Inbox<Order, Arc<Analysis>>,
    view: ArcSwap<GaitView>,
    strides: Mutex<Option<TakeStrides>>,
    age_error: Mutex<Option<String>>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

/// The running thread. Dropping it ends the thread, within a second.
pub struct LiveGait {
    shared: Arc<GaitShared>,
    thread: Option<JoinHandle<()>>,
}

impl LiveGait {
    /// Starts the thread; `wake` is called from it whenever there is something new to show. Must not block.
    ///
    /// # Errors
    /// Where the system cannot start a thread.
    pub fn start(make: MakeGaits, wake: Arc<dyn Fn() + Send + Sync>) -> std::io::Result<Self> {
        let shared = Arc::new(GaitShared {
            inbox: Inbox::new(),
            view: ArcSwap::from_pointee(GaitView::loading()),
            strides: Mutex::new(None),
            age_error: Mutex::new(None),
            wake,
        });
        let worker = Arc::clone(&shared);
        let thread = thread::Builder::new().name("gait".into()).spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| worker.run(make))) {
                let words = panic_words(panic.as_ref());
                worker.fail(format!("the gait analysis stopped unexpectedly ({words}); switch it off and on again"));
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Sees every analysed frame, to be given to [`LiveSession::set_lasting_sink`](super::LiveSession::set_lasting_sink).
    pub fn sink(&self) -> Arc<dyn AnalysisSink> {
        Arc::new(GaitSink(Arc::clone(&self.shared)))
    }

    /// Changes the model that tells the age. What goes wrong is told by [`GaitView::age_error`].
    pub fn set_age(&self, make: MakeAge) {
        self.shared.inbox.command(Order::Age(make));
    }

    /// From now on `take` gets the strides, in the place of any other.
    pub fn set_strides(&self, take: Option<TakeStrides>) {
        *self.shared.strides.lock().unwrap_or_else(PoisonError::into_inner) = take;
    }

    /// What it shows.
    pub fn view(&self) -> Arc<GaitView> {
        self.shared.view.load_full()
    }
}

impl Drop for LiveGait {
    fn drop(&mut self) {
        self.shared.inbox.close();
        let Some(thread) = self.thread.take() else { return };
        let deadline = Instant::now() + CLOSING;
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        if !thread.is_finished() {
            tracing::debug!("the thread gait is left to the end of the program");
        } else if thread.join().is_err() {
            tracing::error!("the thread gait ended by a panic");
        }
    }
}

struct GaitSink(Arc<GaitShared>);

impl AnalysisSink for GaitSink {
    fn analysed(&self, analysis: &Arc<Analysis>) {
        // The newest wins; those that it replaces are no loss but of rate.
        drop(self.0.inbox.replace(Arc::clone(analysis), |_| true));
    }

    fn source_changed(&self) {
        self.0.inbox.command_afresh(Order::Forget);
    }
}

impl GaitShared {
    fn run(&self, make: MakeGaits) {
        let mut gaits = match make() {
            Ok(gaits) => gaits,
            Err(error) => return self.fail(error.to_string()),
        };
        self.show(GaitView::default());
        let mut done: VecDeque<Instant> = VecDeque::new();
        loop {
            match self.inbox.receive(None) {
                Message::Closed => return,
                Message::Nothing => {}
                Message::Command(Order::Forget) => {
                    gaits.reset();
                    // A frame of the source before is of no use any more.
                    done.clear();
                    self.show(GaitView::default());
                }
                Message::Command(Order::Age(make)) => {
                    let (age, error) = match make() {
                        Ok(age) => (age, None),
                        Err(error) => (None, Some(error)),
                    };
                    gaits.set_age(age);
                    *self.age_error.lock().unwrap_or_else(PoisonError::into_inner) = error;
                    self.show((*self.view.load_full()).clone());
                }
                Message::Job(analysis) => self.analyse(gaits.as_mut(), &analysis, &mut done),
            }
        }
    }

    fn analyse(&self, gaits: &mut dyn Gaits, analysis: &Analysis, done: &mut VecDeque<Instant>) {
        let faces: Vec<(u64, Rect)> = analysis.faces.iter().map(|face| (face.id, face.rect)).collect();
        let frame = match catch_unwind(AssertUnwindSafe(|| gaits.analyse(&analysis.frame, &faces))) {
            Ok(Ok(frame)) => frame,
            Ok(Err(error)) => return self.fail(error.to_string()),
            Err(panic) => {
                // What it left half done is thrown away with it.
                gaits.reset();
                let words = panic_words(panic.as_ref());
                return self.fail(format!(
                    "the gait analysis of a frame failed unexpectedly ({words}); it continues with later frames"
                ));
            }
        };
        let now = Instant::now();
        done.push_back(now);
        while done.front().is_some_and(|first| now.duration_since(*first) > RATE_TIME) {
            done.pop_front();
        }
        let seconds = done.front().map_or(0.0, |first| now.duration_since(*first).as_secs_f32());
        let fps = if done.len() > 1 && seconds > 0.0 { (done.len() - 1) as f32 / seconds } else { 0.0 };
        if !frame.strides.is_empty() {
            let take = self.strides.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(take) = take {
                take(&frame.strides);
            }
        }
        let GaitFrame { walkers, timings, .. } = frame;
        let time = analysis.frame.time;
        self.show(GaitView { walkers, time, fps, timings, ..GaitView::default() });
    }

    fn show(&self, mut view: GaitView) {
        // It stands until another model is chosen.
        view.age_error.clone_from(&self.age_error.lock().unwrap_or_else(PoisonError::into_inner));
        self.view.store(Arc::new(view));
        (self.wake)();
    }

    fn fail(&self, error: String) {
        tracing::debug!("{error}");
        self.show(GaitView { error: Some(error), ..GaitView::default() });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use facelens_core::StageTimings;
    use facelens_core::track::Face;
    use facelens_gait::{Gei, Measures, WalkState};

    use super::*;

    /// Gives a stride of the first face in each frame; frame 5 panics and frame 6 fails.
    struct Script(Arc<AtomicUsize>);

    impl Gaits for Script {
        fn reset(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }

        fn analyse(&mut self, frame: &Frame, faces: &[(u64, Rect)]) -> Result<GaitFrame, GaitError> {
            assert_ne!(frame.sequence, 5, "made to panic");
            if frame.sequence == 6 {
                return Err(GaitError::Network { network: "body network", cause: "made to fail".to_owned() });
            }
            let (id, rect) = faces[0];
            let gei = Gei::from_grey(44, 64, &[200; 44 * 64]).unwrap();
            let stride = Stride {
                id,
                face: Some(id),
                start: Duration::ZERO,
                end: frame.time,
                strides: 1,
                frames: 30,
                gei,
                measures: Measures::default(),
                age: None,
                likeness: 1.0,
            };
            let walker = Walker {
                id,
                face: Some(id),
                rect,
                outline: Vec::new(),
                state: WalkState::Walking { strides: 1 },
                gei: None,
                measures: Measures::default(),
                age: None,
            };
            Ok(GaitFrame { walkers: vec![walker], strides: vec![stride], ..GaitFrame::default() })
        }

        fn set_age(&mut self, _age: Option<Box<dyn AgeByGait>>) {}
    }

    fn analysis(number: u64) -> Arc<Analysis> {
        let frame = Frame::from_rgb(4, 2, vec![0; 24]).unwrap().at(number, Duration::from_millis(40 * number));
        let face = Face { id: 7, rect: Rect::new(1.0, 0.0, 2.0, 2.0), score: 1.0, age: None, gender: None, pose: None };
        Arc::new(Analysis { frame: Arc::new(frame), faces: vec![face], timings: StageTimings::default() })
    }

    fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !is() {
            assert!(Instant::now() < deadline, "{what} never came");
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn walkers_are_shown_strides_handed_on_and_broken_frames_told() {
        let (resets, strides) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let script = Script(Arc::clone(&resets));
        let gait = LiveGait::start(Box::new(move || Ok(Box::new(script) as _)), Arc::new(|| ())).unwrap();
        let taken = Arc::clone(&strides);
        gait.set_strides(Some(Arc::new(move |new: &[Stride]| {
            taken.lock().unwrap().extend(new.iter().map(|stride| (stride.id, stride.end)));
        })));
        let sink = gait.sink();
        sink.analysed(&analysis(3));
        wait_until("a walker", || gait.view().walkers.len() == 1);
        assert_eq!((gait.view().walkers[0].id, gait.view().time), (7, Duration::from_millis(120)));
        assert_eq!(*strides.lock().unwrap(), [(7, Duration::from_millis(120))]);

        for (number, words) in [(5, "made to panic"), (6, "the body network failed: made to fail")] {
            sink.analysed(&analysis(number));
            wait_until("the error", || gait.view().error.as_ref().is_some_and(|error| error.contains(words)));
            assert!(gait.view().walkers.is_empty(), "nobody is shown where nobody was found");
        }
        sink.analysed(&analysis(8));
        wait_until("the next frame", || gait.view().error.is_none() && gait.view().walkers.len() == 1);

        gait.set_age(Box::new(|| Err("a.toml: it is no card".to_owned())));
        wait_until("the model's error", || gait.view().age_error.as_deref() == Some("a.toml: it is no card"));
        sink.analysed(&analysis(9));
        wait_until("the frame after it", || gait.view().time == Duration::from_millis(360));
        assert!(gait.view().age_error.is_some(), "it stands until another model is chosen");
        gait.set_age(Box::new(|| Ok(None)));
        wait_until("no error", || gait.view().age_error.is_none());

        gait.set_strides(None);
        let before = resets.load(Ordering::SeqCst);
        sink.source_changed();
        wait_until("the next source", || gait.view().walkers.is_empty());
        assert_eq!(resets.load(Ordering::SeqCst), before + 1);
        assert_eq!(strides.lock().unwrap().len(), 3);
    }

    #[test]
    fn networks_that_cannot_be_made_are_told_and_closing_is_quick() {
        let broken = || Err(GaitError::Network { network: "people detector", cause: "no memory".to_owned() });
        let gait = LiveGait::start(Box::new(broken), Arc::new(|| ())).unwrap();
        wait_until("the error", || gait.view().error.as_deref() == Some("the people detector failed: no memory"));
        let before = Instant::now();
        drop(gait);
        assert!(before.elapsed() < Duration::from_secs(5));
    }
}
