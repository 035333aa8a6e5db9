//! The picture as a virtual camera: the newest wins, and the thread shows it again while no other comes.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use facelens_core::Analysis;
use facelens_media::{CameraChoice, SourceError, SourceErrorKind, VirtualCamera};
use facelens_session::{LivePictures, PictureLook};

use super::lane::{Lane, NextItem, Switch};
use super::lock;
use super::status::{OutputStatus, SharedStatus};

/// The last picture is shown again after this time: a program that begins to read waits for one.
const PAUSE: Duration = Duration::from_millis(200);
/// A device that is not there or fails is tried again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(3);

/// A virtual camera, or one that is played in tests.
pub(super) trait ShowsPictures {
    /// What to call it, with its format.
    fn words(&self) -> String;
    /// As [`VirtualCamera::show`].
    fn show(&mut self, rgb: &[u8], size: (u32, u32)) -> Result<bool, SourceError>;
    /// As [`VirtualCamera::show_black`].
    fn show_black(&mut self) -> Result<bool, SourceError>;
    /// As [`VirtualCamera::show_again`].
    fn show_again(&mut self) -> Result<bool, SourceError>;
}

impl ShowsPictures for VirtualCamera {
    fn words(&self) -> String {
        format!("{}, {}", self.name(), self.format())
    }

    fn show(&mut self, rgb: &[u8], size: (u32, u32)) -> Result<bool, SourceError> {
        Self::show(self, rgb, size)
    }

    fn show_black(&mut self) -> Result<bool, SourceError> {
        Self::show_black(self)
    }

    fn show_again(&mut self) -> Result<bool, SourceError> {
        Self::show_again(self)
    }
}

/// Opens a virtual camera for pictures of a size.
pub(super) type OpenCamera = fn(&CameraChoice, (u32, u32)) -> Result<Box<dyn ShowsPictures>, SourceError>;

/// Opens one of the system.
pub(super) fn open_virtual_camera(
    choice: &CameraChoice,
    size: (u32, u32),
) -> Result<Box<dyn ShowsPictures>, SourceError> {
    Ok(Box::new(VirtualCamera::open(choice, size)?))
}

/// What the window says to the thread. Stays when the device changes.
#[derive(Default)]
pub(super) struct CameraSteering {
    wishes: Mutex<Wishes>,
    /// Held by the thread that has a device: the next one waits until it is given free.
    device: Mutex<()>,
}

#[derive(Clone, Copy, Default)]
struct Wishes {
    look: PictureLook,
    /// The number of the source.
    source: u64,
}

impl CameraSteering {
    pub(super) fn set_look(&self, look: PictureLook) {
        lock(&self.wishes).look = look;
    }

    /// Another source begins: what waits and what is shown belong to one that is left.
    pub(super) fn forget(&self) {
        lock(&self.wishes).source += 1;
    }
}

/// A frame with the number of its source.
type SourceFrame = (u64, Arc<Analysis>);

/// The way of the pictures.
pub(super) struct CameraLane {
    lane: Lane<SourceFrame>,
    steering: Arc<CameraSteering>,
}

impl CameraLane {
    /// Starts the thread, which opens the device with the first picture; what goes wrong there stands in `status`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(
        choice: CameraChoice,
        open: OpenCamera,
        steering: Arc<CameraSteering>,
        status: Arc<SharedStatus>,
    ) -> io::Result<Self> {
        let of_thread = Arc::clone(&steering);
        let lane = Lane::run("virtual-camera", 1, move |items| {
            let _device = lock(&of_thread.device);
            let mut stage = CameraStage::new(choice, open, status, items.switch());
            loop {
                let frame = match items.next(PAUSE) {
                    NextItem::Item(frame) => Some(frame),
                    NextItem::Pause => None,
                    NextItem::End => return,
                };
                let wishes = *lock(&of_thread.wishes);
                stage.work(frame, wishes, Instant::now());
            }
        })?;
        Ok(Self { lane, steering })
    }

    /// Hands over a frame, in the place of one that still waits.
    pub(super) fn offer(&self, analysis: &Arc<Analysis>) {
        let source = lock(&self.steering.wishes).source;
        self.lane.offer((source, Arc::clone(analysis)));
    }

    pub(super) fn close(self, deadline: Instant) {
        self.lane.close(deadline);
    }
}

/// What the thread does.
struct CameraStage {
    choice: CameraChoice,
    open: OpenCamera,
    status: Arc<SharedStatus>,
    switch: Switch,
    camera: Option<Box<dyn ShowsPictures>>,
    pictures: LivePictures,
    /// The newest frame: painted anew where another overlay is wished for and no other frame comes.
    newest: Option<Arc<Analysis>>,
    wishes: Wishes,
    /// A device that failed is not tried before.
    try_at: Option<Instant>,
    /// Why it was lost after it had been open: that is what is told until it is back.
    lost: Option<SourceError>,
}

impl CameraStage {
    fn new(choice: CameraChoice, open: OpenCamera, status: Arc<SharedStatus>, switch: Switch) -> Self {
        Self {
            choice,
            open,
            status,
            switch,
            camera: None,
            pictures: LivePictures::default(),
            newest: None,
            wishes: Wishes::default(),
            try_at: None,
            lost: None,
        }
    }

    /// Takes in a frame, or that none came, and shows what is due.
    fn work(&mut self, frame: Option<SourceFrame>, wishes: Wishes, now: Instant) {
        let before = std::mem::replace(&mut self.wishes, wishes);
        let other_source = before.source != wishes.source;
        // A face that is shown must go at once where faces are to be hidden.
        if other_source || (wishes.look.blur && !before.look.blur) {
            self.pictures.forget();
            self.newest.take_if(|_| other_source);
            if let Some(camera) = &mut self.camera {
                let shown = camera.show_black();
                self.note(shown, 0, now);
            }
        }
        let repaint = before.look != wishes.look && frame.is_none();
        let fresh = frame.filter(|(source, _)| *source == wishes.source).map(|(_, analysis)| analysis);
        let paused = fresh.is_none();
        if let Some(analysis) = &fresh {
            self.newest = Some(Arc::clone(analysis));
        }
        if let Some(analysis) = fresh.or_else(|| self.newest.clone().filter(|_| repaint)) {
            self.pictures.push(&analysis, &wishes.look, now);
        }
        let is_new = self.pictures.make_next(&wishes.look, now);
        let opened = self.camera.is_none() && self.try_to_open(now);
        let Some(camera) = &mut self.camera else { return };
        let shown = match self.pictures.last() {
            Some(picture) if is_new || opened => camera.show(picture.rgb, picture.size),
            _ if paused => camera.show_again(),
            _ => return,
        };
        self.note(shown, u64::from(is_new || opened), now);
    }

    /// Opens the device where there is a picture to show; `true` where it is open now.
    fn try_to_open(&mut self, now: Instant) -> bool {
        let Some(picture) = self.pictures.last() else { return false };
        if self.try_at.is_some_and(|at| now < at) {
            return false;
        }
        match (self.open)(&self.choice, picture.size) {
            Ok(camera) => {
                let words = camera.words();
                self.tell(|status| (status.camera, status.camera_error) = (Some(words), None));
                self.camera = Some(camera);
                self.lost = None;
                true
            }
            Err(error) => {
                self.fail(&error, now);
                false
            }
        }
    }

    /// Counts what was shown; gives up the device that does not show it.
    fn note(&mut self, shown: Result<bool, SourceError>, images: u64, now: Instant) {
        match shown {
            Ok(taken) => self.tell(|status| status.images += if taken { images } else { 0 }),
            Err(error) => {
                self.camera = None;
                self.fail(&error, now);
                self.lost = Some(error);
            }
        }
    }

    /// Changes the status; switched off meanwhile, it is nobody's any more.
    fn tell(&self, change: impl FnOnce(&mut OutputStatus)) {
        self.status.change(|status| {
            if self.switch.is_on() {
                change(status);
            }
        });
    }

    fn fail(&mut self, error: &SourceError, now: Instant) {
        self.try_at = Some(now + TRY_AGAIN);
        let told = match &mut self.lost {
            None => Some(error.to_string()),
            // A driver that is being removed refuses images first and goes then.
            Some(lost) if lost.kind == SourceErrorKind::Other && is_gone(error) => {
                *lost = SourceError::gone(&lost.subject, &error.remedy);
                Some(lost.to_string())
            }
            Some(_) => None,
        };
        self.tell(|status| {
            status.camera = None;
            if let Some(told) = told {
                status.camera_error = Some(told);
            }
        });
    }
}

fn is_gone(error: &SourceError) -> bool {
    matches!(error.kind, SourceErrorKind::NoCamera | SourceErrorKind::NoSuchCamera)
}

#[cfg(test)]
#[path = "camera_tests.rs"]
mod tests;
