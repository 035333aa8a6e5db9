//! The running outputs: each has a thread and a bounded way of its own, so that one that is stuck holds up no other.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use facelens_core::Analysis;
use facelens_media::SourceInfo;
use facelens_session::{AnalysisSink, FrameRow, PictureLook};

use super::camera::{CameraLane, CameraSteering, OpenCamera, open_virtual_camera};
use super::heads::{HeadLane, Steering};
use super::lines::{LineLane, MakeStdout};
use super::lock;
use super::options::{Follow, OutputOptions};
use super::status::{OutputStatus, SharedStatus};

/// How long closing waits for the last lines and for the virtual camera to be given free.
const CLOSING: Duration = Duration::from_millis(200);

/// The running outputs. Whoever hands something over never waits. Dropping them gives what waits a moment, and leaves a
/// reader that is stuck behind.
pub struct LiveOutputs {
    lanes: Mutex<Lanes>,
    steering: Arc<Mutex<Steering>>,
    status: Arc<SharedStatus>,
    input: Mutex<Arc<str>>,
    camera: Arc<CameraSteering>,
    makers: OutputMakers,
}

#[derive(Default)]
struct Lanes {
    options: OutputOptions,
    heads: Option<HeadLane>,
    lines: Option<LineLane>,
    camera: Option<CameraLane>,
}

/// Makes what is not of this program; others in tests.
#[derive(Clone, Copy)]
pub(super) struct OutputMakers {
    pub stdout: MakeStdout,
    pub camera: OpenCamera,
}

impl LiveOutputs {
    /// Starts what goes out. A receiver that is not there is no error: datagrams go out unheard until it comes.
    ///
    /// # Errors
    /// Where the system cannot open a socket or start a thread.
    pub fn start(options: OutputOptions) -> io::Result<Self> {
        Self::start_with(options, OutputMakers { stdout: || Box::new(io::stdout()), camera: open_virtual_camera })
    }

    /// As [`start`](Self::start), with another standard output and another virtual camera.
    pub(super) fn start_with(options: OutputOptions, makers: OutputMakers) -> io::Result<Self> {
        let outputs = Self {
            lanes: Mutex::default(),
            steering: Arc::default(),
            status: Arc::default(),
            input: Mutex::new("".into()),
            camera: Arc::default(),
            makers,
        };
        outputs.change(options)?;
        Ok(outputs)
    }

    /// From the next frame on this goes out. What is not changed goes on by its own socket; what counts as straight ahead
    /// stays, and so do the figures.
    ///
    /// # Errors
    /// Where the system cannot open a socket or start a thread; everything stays as it was then.
    pub fn change(&self, options: OutputOptions) -> io::Result<()> {
        let mut lanes = lock(&self.lanes);
        let heads = if options.opentrack == lanes.options.opentrack {
            None
        } else {
            let start = |address| HeadLane::start(address, Arc::clone(&self.steering), Arc::clone(&self.status));
            Some(options.opentrack.map(start).transpose()?)
        };
        let lines = if options.jsonl == lanes.options.jsonl {
            None
        } else {
            let start = |target| LineLane::start(target, self.makers.stdout, Arc::clone(&self.status));
            Some(options.jsonl.map(start).transpose()?)
        };
        let camera = if options.camera == lanes.options.camera {
            None
        } else {
            let (open, steering) = (self.makers.camera, &self.camera);
            let start = |choice| CameraLane::start(choice, open, Arc::clone(steering), Arc::clone(&self.status));
            Some(options.camera.clone().map(start).transpose()?)
        };
        // An old thread ends by itself after what it has; the errors were about it.
        if let Some(heads) = heads {
            let off = options.opentrack.is_none();
            let steering = lock(&self.steering);
            lanes.heads = heads;
            drop(steering);
            self.status.change(|status| {
                status.head_error = None;
                status.followed = status.followed.filter(|_| !off);
            });
        }
        if let Some(lines) = lines {
            lanes.lines = lines;
            self.status.change(|status| status.line_error = None);
        }
        if let Some(camera) = camera {
            lanes.camera = camera;
            self.status.change(|status| (status.camera, status.camera_error) = (None, None));
        }
        lanes.options = options;
        Ok(())
    }

    /// Hands over one analysis; never waits.
    pub fn send(&self, analysis: &Arc<Analysis>) {
        let lanes = lock(&self.lanes);
        if let Some(heads) = &lanes.heads {
            heads.offer(analysis);
        }
        if let Some(lines) = &lanes.lines {
            lines.offer(FrameRow::new(&*Arc::clone(&lock(&self.input)), analysis));
        }
        if let Some(camera) = &lanes.camera {
            camera.offer(analysis);
        }
    }

    /// Shows an analysis on the virtual camera alone: one that was sent before the camera was switched on.
    pub fn show(&self, analysis: &Arc<Analysis>) {
        if let Some(camera) = &lock(&self.lanes).camera {
            camera.offer(analysis);
        }
    }

    /// What the virtual camera shows from now on.
    pub fn set_look(&self, look: PictureLook) {
        self.camera.set_look(look);
    }

    /// From the next frame on this person's head goes to opentrack.
    pub fn follow(&self, follow: Follow) {
        lock(&self.steering).follow = follow;
    }

    /// The head in the next frame counts as straight ahead.
    pub fn centre(&self) {
        lock(&self.steering).centre = true;
    }

    /// How the outputs do.
    pub fn status(&self) -> OutputStatus {
        self.status.get()
    }
}

impl AnalysisSink for LiveOutputs {
    fn analysed(&self, analysis: &Arc<Analysis>) {
        self.send(analysis);
    }

    /// Identities start anew, so nobody in particular is followed any more. What counts as straight ahead stays. The virtual
    /// camera is black until the next picture.
    fn source_changed(&self) {
        self.follow(Follow::Largest);
        self.status.change(|status| status.followed = None);
        self.camera.forget();
    }

    /// The `input` of the next lines.
    fn source_opened(&self, info: &SourceInfo) {
        *lock(&self.input) = info.name.as_str().into();
    }
}

impl Drop for LiveOutputs {
    fn drop(&mut self) {
        let Lanes { heads, lines, camera, .. } = std::mem::take(&mut *lock(&self.lanes));
        let deadline = Instant::now() + CLOSING;
        if let Some(heads) = heads {
            heads.close(deadline);
        }
        if let Some(lines) = lines {
            lines.close(deadline);
        }
        if let Some(camera) = camera {
            camera.close(deadline);
        }
        let dropped = self.status.get().dropped;
        if dropped > 0 {
            tracing::warn!("{dropped} lines of JSON were dropped: the reader was too slow");
        }
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
