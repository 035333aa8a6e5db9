//! A session in the window: its picture with the overlay drawn anew, its timeline, its people.

mod gait;
mod panel;
#[cfg(test)]
mod tests;
mod timeline;
mod transport;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui;

pub(super) use panel::show as panel;
pub(super) use timeline::show as timeline;

use facelens_core::frame::Frame;
use facelens_core::{Analysis, StageTimings};
use facelens_session::replay::{PictureState, Pictures, Playback};
use facelens_session::{SessionError, SessionFolder, SessionVideo};
use timeline::Curves;

use super::action::Action;
use super::command::ReplayCommand;
use super::notices::Tone;
use super::picture::Shot;
use super::view::{Banner, CentralView, Page, Symbol};
use super::wake::AT_ONCE;

/// Size of the ground where nothing tells the pictures' size.
const GROUND_SIZE: (u32, u32) = (1280, 720);
/// Grey of the ground under an overlay without a picture.
const GROUND: [u8; 3] = [0x1a, 0x1f, 0x27];
/// More time than this between two repaints is no time that was watched, seconds.
const LONGEST_REPAINT: f64 = 0.25;
/// While it plays, the playhead moves at least this often, seconds.
const PLAYHEAD_SECS: f64 = 1.0 / 30.0;

/// The session in the window.
pub(crate) enum ReplayState {
    /// There is none: the live picture is shown.
    None,
    /// The window opens on this one.
    Opening(PathBuf),
    /// The one that the window was to open on cannot be opened.
    Failed(SessionError),
    /// It is shown.
    Open(Box<Replay>),
}

impl ReplayState {
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    pub fn open(&self) -> Option<&Replay> {
        match self {
            Self::Open(replay) => Some(replay),
            _ => None,
        }
    }

    pub fn open_mut(&mut self) -> Option<&mut Replay> {
        match self {
            Self::Open(replay) => Some(replay),
            _ => None,
        }
    }

    /// Does what a widget asks for.
    pub fn run(&mut self, command: ReplayCommand) {
        let Some(replay) = self.open_mut() else { return };
        let playback = &mut replay.playback;
        match command {
            ReplayCommand::Seek(time_s) => playback.seek(time_s),
            ReplayCommand::Scrub(time_s) => playback.scrub(time_s),
            ReplayCommand::Release => playback.release(),
            ReplayCommand::Only(id) => playback.show_only(Some(id)),
            ReplayCommand::Speed(speed) => playback.set_speed(speed),
        }
    }

    /// What to call it in the menu bar.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::Opening(path) => Some(path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()),
            Self::Failed(_) => Some("no session".to_owned()),
            Self::Open(replay) => Some(replay.session.name()),
        }
    }

    /// What the centre of the window shows; `None` without a session.
    pub fn view(&self) -> Option<CentralView> {
        let page = |symbol, title: String, text: String, actions: &[Action]| CentralView {
            page: Some(Page {
                symbol,
                title,
                text,
                buttons: actions.iter().map(|action| (action.title().to_owned(), (*action).into())).collect(),
            }),
            banner: None,
            dimmed: false,
        };
        match self {
            Self::None => None,
            Self::Opening(_) => {
                let title = format!("Opening {}", self.name().unwrap_or_default());
                Some(page(Symbol::Wait, title, String::new(), &[]))
            }
            Self::Failed(error) => Some(page(
                Symbol::File,
                "This session cannot be opened".to_owned(),
                error.to_string(),
                &[Action::OpenSession, Action::CloseSession, Action::Demo],
            )),
            Self::Open(replay) => Some(CentralView { page: None, banner: replay.banner(), dimmed: false }),
        }
    }
}

/// A session that is shown.
pub(crate) struct Replay {
    pub session: Arc<SessionFolder>,
    pub playback: Playback,
    /// The video that is shown, if any.
    video: Option<SessionVideo>,
    /// Opened with the first repaint.
    pictures: Option<Pictures>,
    asked: bool,
    /// Why there is no picture, though there is a video.
    pub picture_error: Option<String>,
    /// Under the overlay where there is no picture.
    ground: Arc<Frame>,
    shown: Option<(usize, Option<u64>, Shot)>,
    last_repaint: Option<f64>,
    pub curves: Curves,
    images: gait::GaitImages,
}

impl Replay {
    pub fn new(session: SessionFolder) -> Self {
        let video = session.clean_video().or_else(|| session.annotated_video()).cloned();
        Self {
            playback: Playback::new(&session),
            video,
            pictures: None,
            asked: false,
            picture_error: None,
            ground: ground(session.picture_size().unwrap_or(GROUND_SIZE)),
            shown: None,
            last_repaint: None,
            curves: Curves::default(),
            images: gait::GaitImages::default(),
            session: Arc::new(session),
        }
    }

    /// Whether the overlay is part of the picture, so that none is drawn over it.
    pub fn overlay_is_painted(&self) -> bool {
        self.picture_error.is_none() && self.video.as_ref().is_some_and(|video| video.overlay)
    }

    /// Lets time pass, and gives what is to be shown now.
    pub fn update(&mut self, ctx: &egui::Context) -> Shot {
        self.pass_time(ctx);
        gait::prepare(self, ctx);
        if !std::mem::replace(&mut self.asked, true)
            && let Some(video) = &self.video
        {
            let ctx = ctx.clone();
            // An overlay that is painted into the picture would be turned back with it.
            let mirrored = video.mirrored && !video.overlay;
            let path = self.session.path.join(&video.file);
            match Pictures::open(path, mirrored, move || ctx.request_repaint_after(AT_ONCE)) {
                Ok(pictures) => self.pictures = Some(pictures),
                Err(error) => {
                    self.picture_error = Some(format!("the system cannot start a thread for the video: {error}"));
                }
            }
        }
        let playback = &mut self.playback;
        let frame = self.pictures.as_ref().and_then(|pictures| {
            pictures.want(playback.position_s());
            match pictures.state() {
                PictureState::Opening => None,
                PictureState::Ready(times) => {
                    playback.take_picture_times(times.iter().copied());
                    self.picture_error = None;
                    pictures.frame()
                }
                PictureState::Failed(error) => {
                    self.picture_error = Some(error.to_string());
                    None
                }
            }
        });
        let row = match &frame {
            // The overlay belongs to the picture that is shown, which may be a little behind.
            Some(frame) => self.session.row_of_picture(frame.time.as_secs_f64()),
            None => self.session.row_at(playback.position_s()),
        };
        let frame = frame.unwrap_or_else(|| Arc::clone(&self.ground));
        self.shot(frame, row)
    }

    fn shot(&mut self, frame: Arc<Frame>, row: Option<usize>) -> Shot {
        let only = self.playback.only();
        let key = row.unwrap_or(usize::MAX);
        if let Some((shown, of, shot)) = &self.shown
            && (*shown, *of) == (key, only)
            && Arc::ptr_eq(&shot.frame, &frame)
        {
            return shot.clone();
        }
        let row = row.and_then(|row| self.session.rows.get(row)).filter(|_| !self.overlay_is_painted());
        let faces = row.map(|row| row.faces_of(only.as_slice(), self.session.info.gender_number())).unwrap_or_default();
        let analysis = Analysis { frame: Arc::clone(&frame), faces, timings: StageTimings::default() };
        let shot = Shot { frame, analysis: Some(Arc::new(analysis)) };
        self.shown = Some((key, only, shot.clone()));
        shot
    }

    fn pass_time(&mut self, ctx: &egui::Context) {
        let now = ctx.input(|input| input.time);
        let before = self.last_repaint.replace(now).unwrap_or(now);
        self.playback.pass((now - before).clamp(0.0, LONGEST_REPAINT));
        if self.playback.is_playing() {
            // When the next picture is due.
            let next = self.playback.next_frame_in().unwrap_or(PLAYHEAD_SECS).min(PLAYHEAD_SECS);
            ctx.request_repaint_after(Duration::from_secs_f64(next).max(AT_ONCE));
        } else {
            self.last_repaint = None;
        }
    }

    /// What the menu bar says of the pictures.
    pub fn format(&self) -> String {
        let size = self.session.picture_size().map(|(width, height)| format!("{width}x{height}, ")).unwrap_or_default();
        format!("{size}{}", clock(self.playback.duration_s(), 0))
    }

    /// Over the picture: why there is none.
    fn banner(&self) -> Option<Banner> {
        let (tone, text) = if self.playback.frames() == 0 && self.pictures_are_missing() {
            (Tone::Warn, "There is nothing to play in this session".to_owned())
        } else if let Some(error) = &self.picture_error {
            (Tone::Warn, format!("The image cannot be shown: {error}"))
        } else if self.video.is_none() {
            (Tone::Info, "This session has no video: only the overlay is shown".to_owned())
        } else {
            return None;
        };
        Some(Banner { tone, text, button: None })
    }

    fn pictures_are_missing(&self) -> bool {
        self.video.is_none() || self.picture_error.is_some()
    }
}

/// A plain picture; of the usual size where it cannot have the one that is asked for.
fn ground(size: (u32, u32)) -> Arc<Frame> {
    let plain = |(width, height): (u32, u32)| {
        Frame::check_size(width, height)?;
        Frame::from_rgb(width, height, GROUND.repeat(width as usize * height as usize))
    };
    #[expect(clippy::expect_used, reason = "an image of 1280x720 pixels is a valid one")]
    Arc::new(plain(size).or_else(|_| plain(GROUND_SIZE)).expect("1280x720 is valid"))
}

/// A time as `m:ss` with so many decimals, and hours where there are any.
pub(super) fn clock(secs: f64, decimals: usize) -> String {
    // Rounded first: 59.96 s are 1:00.0, not 0:60.0.
    let scale = 10_f64.powi(decimals as i32);
    let secs = (secs.max(0.0) * scale).round() / scale;
    let (hours, minutes, rest) = ((secs / 3600.0) as u64, (secs / 60.0) as u64 % 60, secs % 60.0);
    let width = if decimals > 0 { 3 + decimals } else { 2 };
    let rest = format!("{rest:0width$.decimals$}");
    if hours > 0 { format!("{hours}:{minutes:02}:{rest}") } else { format!("{minutes}:{rest}") }
}
