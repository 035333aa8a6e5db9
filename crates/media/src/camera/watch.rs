//! A camera as a source: a thread grabs, the newest picture wins, and a watchdog says when nothing comes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::decode::Decoder;
use super::grab::{GrabbedPicture, Grabber, Lost, OpenedCamera, Opener, Raw};
use crate::{Next, Source, SourceError, SourceErrorKind, SourceInfo, SourceKind};

/// How long the watchdog and the search wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// A call of `next` takes no longer than this and a decode.
    pub call: Duration,
    /// Silence that is reported.
    pub silence: Duration,
    /// Between two looks for a camera that is gone.
    pub search: Duration,
    /// For a camera to open.
    pub open: Duration,
    /// For the thread to end when the source is dropped.
    pub end: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            call: Duration::from_millis(250),
            silence: Duration::from_secs(2),
            search: Duration::from_secs(1),
            open: Duration::from_secs(15),
            end: Duration::from_millis(400),
        }
    }
}

/// Pictures in a row that fail before the camera is taken for gone.
const MAX_FAILURES: u32 = 10;

/// What the grabbing thread has said and `next` has not taken.
#[derive(Debug, Default)]
struct WatchState {
    /// The newest picture with its number. One that it replaces leaves a gap in the numbers, and is counted by it.
    newest: Option<(u64, Raw)>,
    opened: Option<OpenedCamera>,
    opened_once: bool,
    failed_to_open: Option<SourceError>,
    /// Why the camera is gone, as long as it is.
    gone: Option<String>,
    gone_is_news: bool,
    grabbed: u64,
    /// Pictures that the driver itself gave as damaged ones.
    damaged: u64,
    stop: bool,
    ended: bool,
}

#[derive(Default)]
struct WatchShared {
    state: Mutex<WatchState>,
    changed: Condvar,
}

impl WatchShared {
    fn lock(&self) -> MutexGuard<'_, WatchState> {
        // The state is whole after every single change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut WatchState)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn wait(&self, time: Duration, until: impl Fn(&WatchState) -> bool) -> MutexGuard<'_, WatchState> {
        let guard = self.lock();
        self.changed.wait_timeout_while(guard, time, |state| !until(state)).unwrap_or_else(PoisonError::into_inner).0
    }

    fn stopped(&self) -> bool {
        self.lock().stop
    }
}

/// A camera that is watched over and comes back by itself.
pub(super) struct CameraSource {
    info: SourceInfo,
    opened: OpenedCamera,
    shared: Arc<WatchShared>,
    thread: Option<JoinHandle<()>>,
    patience: Patience,
    /// When the first picture was taken: time zero.
    first: Option<Instant>,
    last_time: Duration,
    /// When the last good picture came, or the camera was opened.
    alive: Instant,
    decoder: Decoder,
    /// Pictures that could not be decoded.
    broken: u64,
}

impl CameraSource {
    /// Opens the camera on a thread of its own.
    ///
    /// # Errors
    /// Why it does not open.
    pub(super) fn open(opener: impl Opener, patience: Patience) -> Result<Self, SourceError> {
        let shared = Arc::new(WatchShared::default());
        let thread = std::thread::Builder::new()
            .name("camera".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(opener, &shared, patience)
            })
            .map_err(|why| SourceError::new(SourceErrorKind::Other, "camera", why.to_string(), ""))?;
        let mut state =
            shared.wait(patience.open, |state| state.opened.is_some() || state.failed_to_open.is_some() || state.ended);
        let opened = state.opened.take();
        let failed = state.failed_to_open.take();
        state.stop = opened.is_none();
        drop(state);
        match (opened, failed) {
            (Some(opened), _) => Ok(Self {
                info: info(&opened),
                opened,
                shared,
                thread: Some(thread),
                patience,
                first: None,
                last_time: Duration::ZERO,
                alive: Instant::now(),
                decoder: Decoder::default(),
                broken: 0,
            }),
            (None, Some(error)) => Err(error),
            (None, None) => Err(SourceError::new(
                SourceErrorKind::Other,
                "camera",
                "the camera does not answer",
                "plug it in again, or choose another camera",
            )),
        }
    }

    fn frame(&mut self, sequence: u64, raw: Raw) -> Option<Next> {
        let decoded = match raw.picture {
            GrabbedPicture::Frame(frame) => Ok(frame),
            GrabbedPicture::Bytes(bytes) => self.decoder.decode(self.opened.format, self.opened.layout, &bytes),
        };
        match decoded {
            Ok(mut frame) => {
                self.alive = Instant::now();
                let first = *self.first.get_or_insert(raw.captured_at);
                let time = raw.captured_at.saturating_duration_since(first);
                // A clock that was set back must not turn time back.
                self.last_time = if sequence == 0 { time } else { time.max(self.last_time + Duration::from_micros(1)) };
                frame.captured_at = raw.captured_at;
                Some(Next::Frame(frame.at(sequence, self.last_time)))
            }
            Err(why) => {
                // Cheap webcams send a torn JPEG now and then.
                self.broken += 1;
                tracing::debug!("{}: frame {sequence} is damaged ({why}); {} so far", self.info.name, self.broken);
                None
            }
        }
    }
}

impl Source for CameraSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        let mut state =
            self.shared.wait(self.patience.call, |state| state.newest.is_some() || state.gone_is_news || state.ended);
        let news = (state.opened.take(), state.newest.take(), state.gone.clone(), state.ended);
        state.gone_is_news = false;
        drop(state);
        let (opened, newest, gone, ended) = news;
        if let Some(opened) = opened {
            self.info = info(&opened);
            self.opened = opened;
            self.decoder = Decoder::default();
            self.alive = Instant::now();
        }
        if let Some(reason) = gone {
            self.alive = Instant::now();
            return Ok(Next::Disconnected { reason });
        }
        if let Some((sequence, raw)) = newest
            && let Some(next) = self.frame(sequence, raw)
        {
            return Ok(next);
        }
        if ended {
            let cause = "the camera's driver failed";
            return Err(SourceError::new(SourceErrorKind::Other, &self.info.name, cause, "choose the camera again"));
        }
        let silent_for = self.alive.elapsed();
        Ok(if silent_for >= self.patience.silence { Next::Stalled { silent_for } } else { Next::Waiting })
    }

    fn damaged(&self) -> u64 {
        self.broken + self.shared.lock().damaged
    }
}

impl Drop for CameraSource {
    fn drop(&mut self) {
        self.shared.change(|state| state.stop = true);
        let ended = self.shared.wait(self.patience.end, |state| state.ended).ended;
        match self.thread.take() {
            // Its panic, if any, was caught in it.
            Some(thread) if ended => drop(thread.join()),
            // The driver holds it in a call that cannot be taken back; it ends with that call or with the program.
            _ => tracing::warn!("{}: the camera's driver does not answer; its thread is left alone", self.info.name),
        }
    }
}

fn info(opened: &OpenedCamera) -> SourceInfo {
    SourceInfo {
        name: opened.name.clone(),
        kind: SourceKind::Camera,
        size: Some((opened.format.width, opened.format.height)),
        fps: opened.format.interval.fps().map(|fps| fps as f32),
        frame_count: None,
        duration: None,
        format: opened.format.to_string(),
    }
}

/// The grabbing thread: opens, grabs until the camera is gone, looks for it, and so on until it is told to stop.
fn run(mut opener: impl Opener, shared: &WatchShared, patience: Patience) {
    while !shared.stopped() {
        // Bindings of drivers panic where they should not; the camera is opened anew then.
        let result = catch_unwind(AssertUnwindSafe(|| session(&mut opener, shared)));
        let result = result.unwrap_or_else(|_| {
            Err(SourceError::new(SourceErrorKind::Other, "camera", "the camera's driver failed", "plug it in again"))
        });
        if let Err(error) = result {
            if !shared.lock().opened_once {
                shared.change(|state| state.failed_to_open = Some(error));
                break;
            }
            tracing::debug!("still gone: {error}");
            shared.change(|state| {
                // The first reason says most; the search only finds that it is not there.
                state.gone_is_news |= state.gone.is_none();
                state.gone.get_or_insert(error.cause);
            });
        }
        drop(shared.wait(patience.search, |state| state.stop));
    }
    shared.change(|state| state.ended = true);
}

/// From opening the camera until it is gone.
fn session(opener: &mut impl Opener, shared: &WatchShared) -> Result<(), SourceError> {
    let (mut grabber, opened) = opener.open()?;
    shared.change(|state| {
        state.opened = Some(opened);
        state.opened_once = true;
        state.gone = None;
    });
    let reason = grab_all(grabber.as_mut(), shared);
    shared.change(|state| {
        state.newest = None;
        state.gone = reason;
        state.gone_is_news = state.gone.is_some();
    });
    Ok(())
}

/// Puts pictures on the state until there are no more; `None` when it was told to stop.
fn grab_all(grabber: &mut dyn Grabber, shared: &WatchShared) -> Option<String> {
    let mut failures = 0;
    while !shared.stopped() {
        match grabber.grab() {
            Ok(raw) => {
                failures = 0;
                shared.change(|state| {
                    // What the driver dropped leaves a gap in the numbers.
                    state.grabbed += raw.missed;
                    state.newest = Some((state.grabbed, raw));
                    state.grabbed += 1;
                });
            }
            Err(Lost::Nothing) => {}
            Err(Lost::Damaged(why)) => {
                failures = 0;
                tracing::debug!("a picture is left out: {why}");
                shared.change(|state| state.damaged += 1);
            }
            Err(Lost::Gone(reason)) => return Some(reason),
            Err(Lost::Picture(reason)) => {
                failures += 1;
                if failures >= MAX_FAILURES {
                    return Some(reason);
                }
            }
        }
    }
    None
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
