//! The thread `recorder` and its handle.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use facelens_core::Analysis;
use facelens_gait::Stride;

use super::super::info::{SessionEnd, SessionSource};
use super::disk::free_bytes;
use super::files::{Broken, Finished, SessionFiles};
use super::options::RecorderOptions;
use super::queue::{NextJob, Queue};
use super::status::{RecordingState, RecordingStatus};
use crate::AnalysisSink;
use crate::overlay::SceneOptions;

/// How often the files are looked after where no frame comes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long dropping a recorder waits for its files to be finished.
const CLOSING: Duration = Duration::from_millis(900);

/// A running recording. Dropping it finishes its files without the frames that still wait, within a second; where the
/// disk is slower than that, the thread goes on until the program ends, and the next start finishes the folder.
pub struct Recorder {
    shared: Arc<RecorderShared>,
    thread: Option<JoinHandle<()>>,
}

struct RecorderShared {
    queue: Queue,
    status: ArcSwap<RecordingStatus>,
    /// What the source is, where it was not known at the beginning.
    source: ArcSwapOption<SessionSource>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Recorder {
    /// Starts the thread, which makes the session's folder; what goes wrong there is told by [`status`](Self::status).
    /// `wake` is called from it when the state changes. Must not block.
    ///
    /// # Errors
    /// Where the system cannot start a thread.
    pub fn start(options: RecorderOptions, wake: Arc<dyn Fn() + Send + Sync>) -> io::Result<Self> {
        let shared = Arc::new(RecorderShared {
            queue: Queue::new(options.scene),
            status: ArcSwap::from_pointee(RecordingStatus::new()),
            source: ArcSwapOption::empty(),
            wake,
        });
        let worker = Arc::clone(&shared);
        let work = move || {
            let ended = catch_unwind(AssertUnwindSafe(|| worker.run(&options)));
            if let Err(panic) = ended {
                worker.fail(panic.as_ref());
            }
            (worker.wake)();
        };
        let thread = thread::Builder::new().name("recorder".into()).spawn(work)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Takes every analysed frame, to be given to the live pipeline.
    pub fn sink(&self) -> Arc<dyn AnalysisSink> {
        Arc::new(RecorderSink(Arc::clone(&self.shared)))
    }

    /// Hands over a frame. Never waits: one that finds no room is dropped and counted.
    pub fn record(&self, analysis: &Arc<Analysis>) {
        self.shared.queue.offer(analysis);
    }

    /// Hands over strides that ended, in the times of the source. Never waits.
    pub fn record_strides(&self, strides: &[Stride]) {
        self.shared.queue.offer_strides(strides);
    }

    /// Says what the source is, where it was not open when the recording began. Its size is that of the frames.
    pub fn set_source(&self, name: &str, format: &str) {
        let source = SessionSource { name: name.to_owned(), format: format.to_owned(), ..SessionSource::default() };
        self.shared.source.store(Some(Arc::new(source)));
    }

    /// Changes the overlay of the frames that come from now on.
    pub fn set_scene(&self, scene: SceneOptions) {
        self.shared.queue.set_scene(scene);
    }

    /// Ends the recording with the first frame whose time is `limit` or more after the first one's, by the source's own time:
    /// however many frames a slow disk drops. That frame is not recorded.
    pub fn stop_after(&self, limit: Duration) {
        self.shared.queue.set_limit(limit);
    }

    /// Takes no more frames, writes those that wait and finishes the session. Does not wait for it.
    pub fn stop(&self, end: SessionEnd) {
        self.shared.queue.stop(end, false);
    }

    /// How it does.
    pub fn status(&self) -> Arc<RecordingStatus> {
        self.shared.status.load_full()
    }

    /// Waits until it is over, at most `time`; `false` where it is not.
    pub fn wait(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while self.status().end().is_none() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        true
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.queue.stop(SessionEnd::Stopped, true);
        let Some(thread) = self.thread.take() else { return };
        let deadline = Instant::now() + CLOSING;
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        if !thread.is_finished() {
            tracing::warn!("the disk is slow: the recording is completed at the next start");
        } else if thread.join().is_err() {
            tracing::error!("the thread recorder ended by a panic");
        }
    }
}

/// The recorder's end of the pipeline.
struct RecorderSink(Arc<RecorderShared>);

impl AnalysisSink for RecorderSink {
    fn analysed(&self, analysis: &Arc<Analysis>) {
        self.0.queue.offer(analysis);
    }

    fn source_changed(&self) {
        self.0.queue.stop(SessionEnd::SourceEnded, false);
    }

    fn source_ended(&self) {
        self.0.queue.stop(SessionEnd::SourceEnded, false);
    }
}

impl RecorderShared {
    /// The thread's work, from the folder to its end.
    fn run(&self, options: &RecorderOptions) {
        let mut files = match SessionFiles::create(options) {
            Ok(files) => files,
            Err(error) => {
                self.end(SessionEnd::Failed { error: error.to_string() }, None);
                return;
            }
        };
        self.show(&files, RecordingState::Starting);
        (self.wake)();
        let end = self.record(&mut files);
        self.show(&files, RecordingState::Saving);
        (self.wake)();
        let last = self.status.load_full();
        let Finished { end, info, warning } = files.finish(end, self.queue.handed());
        let status = RecordingStatus {
            duration: Duration::from_secs_f64(info.duration_s),
            written: info.counts.written,
            dropped: info.counts.dropped,
            analysed: info.counts.analysed,
            captured: info.counts.captured,
            folder: last.folder.clone().filter(|_| info.counts.written > 0),
            warning,
            ..(*last).clone()
        };
        self.end(end, Some(status));
    }

    /// Writes frames until the end, or until they cannot be written.
    fn record(&self, files: &mut SessionFiles) -> SessionEnd {
        loop {
            let next = self.queue.next(Instant::now() + LOOK_EVERY);
            if let Some(source) = self.source.swap(None) {
                files.set_source(&source);
            }
            let strides = files.take_strides(&self.queue.take_strides());
            let written = match next {
                NextJob::End(end) => return strides.map_or_else(Broken::end, |()| end),
                NextJob::Write(job) => strides.and_then(|()| files.take(job)),
                NextJob::Nothing => strides,
            };
            let kept = written.and_then(|()| files.keep(self.queue.handed()));
            if let Err(broken) = kept {
                let end = broken.end();
                // No more frames are taken; what waits is of no use.
                self.queue.stop(end.clone(), true);
                let _ = self.queue.next(Instant::now());
                return end;
            }
            let state =
                if files.info().counts.written > 0 { RecordingState::Recording } else { RecordingState::Starting };
            self.show(files, state);
        }
    }

    fn show(&self, files: &SessionFiles, state: RecordingState) {
        let last = self.status.load();
        let (info, handed) = (files.info(), self.queue.handed());
        // The disk is asked once a second, when something else is written too.
        let second = |duration: Duration| duration.as_secs();
        let duration = Duration::from_secs_f64(info.duration_s);
        let ask = last.free_bytes.is_none() || second(last.duration) != second(duration);
        self.status.store(Arc::new(RecordingStatus {
            state,
            folder: Some(files.folder().to_owned()),
            duration,
            written: info.counts.written,
            dropped: handed.dropped,
            analysed: handed.analysed,
            captured: handed.captured(),
            bytes: files.bytes(),
            free_bytes: if ask { free_bytes(files.folder()) } else { last.free_bytes },
            warning: None,
        }));
    }

    fn end(&self, end: SessionEnd, status: Option<RecordingStatus>) {
        let status = status.unwrap_or_else(|| (*self.status.load_full()).clone());
        // Frames that come later are not taken.
        self.queue.stop(end.clone(), true);
        self.status.store(Arc::new(RecordingStatus { state: RecordingState::Ended(end), ..status }));
    }

    fn fail(&self, panic: &(dyn Any + Send)) {
        let words = facelens_base::panic_words(panic);
        let error = format!("the recorder stopped unexpectedly ({words}); start facelens again to finish the session");
        self.end(SessionEnd::Failed { error }, None);
    }
}
