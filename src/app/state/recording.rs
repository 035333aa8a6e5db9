//! Recording from the window: starting and stopping, what is locked meanwhile, closing, and what a crash left behind.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui;
use facelens_core::model::Task;
use facelens_session::recording::{RecordedPictures, RecorderOptions, RecordingStatus, default_sessions_folder};
use facelens_session::recovery::Recovered;
use facelens_session::{SessionEnd, SessionInfo, WriteError, WriteErrorKind};

use super::reports::from_home;
use super::{App, Dialog};
use crate::app::action::Action;
use crate::app::background_tasks::BackgroundTask;
use crate::app::command::{AppCommand, CameraCommand, LibraryCommand};
use crate::app::countdown::Countdown;
use crate::app::notices::Tone;
use crate::app::recording_text::duration_text;
use crate::app::view::{capitalised, is_still, name_of};
use crate::pipeline::SourceState;

/// Why something cannot be done now.
pub(crate) const LOCKED: &str = "Locked while recording: stop the recording first";

/// The window's side of a recording.
#[derive(Default)]
pub(crate) struct Recording {
    /// How it does, from the first moment to its end.
    pub status: Option<Arc<RecordingStatus>>,
    /// The window is closed as soon as it is saved.
    pub closing: bool,
    /// Faces are blurred in its videos.
    pub blurred: bool,
    /// One that is about to begin.
    pub countdown: Option<Countdown>,
    /// The session that was recorded last, until something else is shown.
    pub recorded: Option<RecordedSession>,
}

/// The session that was recorded last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordedSession {
    pub folder: PathBuf,
    pub duration: Duration,
}

impl RecordedSession {
    /// What the bar says.
    pub fn words(&self) -> String {
        let name = self.folder.file_name().unwrap_or(self.folder.as_os_str()).to_string_lossy();
        format!("Recorded {}: {name}", duration_text(self.duration))
    }
}

impl App {
    /// Whether something is being recorded or saved.
    pub fn is_recording(&self) -> bool {
        self.recording.status.is_some()
    }

    /// Whether a widget that asks for this is to be locked: it would tear the recording apart.
    pub fn is_locked(&self, command: &AppCommand) -> bool {
        let tears = match command {
            AppCommand::Do(action) => matches!(
                action,
                Action::OpenFile
                    | Action::OpenFolder
                    | Action::OpenSession
                    | Action::NextCamera
                    | Action::Demo
                    | Action::Restart
                    | Action::StepBack
                    | Action::StepForward
                    | Action::ToStart
                    | Action::ToEnd
            ),
            AppCommand::Library(LibraryCommand::Play(_))
            | AppCommand::Camera(CameraCommand::Format(_))
            | AppCommand::Card(_)
            | AppCommand::SeekFile { .. }
            | AppCommand::Source(_)
            | AppCommand::Detector(_)
            | AppCommand::LoadModel(_)
            | AppCommand::UseModel(..)
            | AppCommand::ShippedModel(_)
            | AppCommand::RecordPictures(_)
            | AppCommand::RecordBlur(_)
            | AppCommand::RecordMirror(_)
            | AppCommand::RecordCountdown(_)
            | AppCommand::PickGaitModel
            | AppCommand::NoGaitModel
            | AppCommand::PickSessionsFolder
            | AppCommand::DefaultSessionsFolder => true,
            AppCommand::ListCameras
            | AppCommand::Replay(_)
            | AppCommand::Opentrack(_)
            | AppCommand::JsonLines(_)
            | AppCommand::VirtualCamera(_)
            | AppCommand::OutputAddress(_)
            | AppCommand::Follow(_)
            | AppCommand::Library(_)
            | AppCommand::Camera(_)
            | AppCommand::Face(_)
            | AppCommand::PictureView(_)
            | AppCommand::SeekReleased
            | AppCommand::FindMissing
            | AppCommand::ForgetRecentFiles
            | AppCommand::Export(_)
            | AppCommand::ForgetRecorded
            | AppCommand::SaveAndClose
            | AppCommand::Fold(_)
            | AppCommand::WaitForKey(_)
            | AppCommand::UsualKeys(_)
            | AppCommand::Prefer(_)
            | AppCommand::PickSnapshotsFolder
            | AppCommand::HideBanner
            | AppCommand::CloseNotice(_)
            | AppCommand::Copy(_)
            | AppCommand::CloseDialog => false,
        };
        tears && self.is_recording()
    }

    /// Says why nothing happens, where something is recorded.
    pub(super) fn refuse_while_recording(&mut self) -> bool {
        if self.is_recording() {
            self.notices.say(Tone::Info, format!("{LOCKED}."));
        }
        self.is_recording()
    }

    /// Where sessions are kept.
    pub fn sessions_folder(&self) -> Option<PathBuf> {
        self.settings.sessions_folder.clone().or_else(default_sessions_folder)
    }

    /// Starts a recording, or stops the one that runs.
    pub(super) fn toggle_recording(&mut self, ctx: &egui::Context) {
        if self.is_recording() {
            self.engine.stop_recording(SessionEnd::Stopped);
            return;
        }
        if self.recording.countdown.take().is_some() {
            return;
        }
        let secs = self.settings.record_countdown_secs;
        if secs == 0 {
            self.start_or_say_why();
            return;
        }
        // What keeps it from being recorded is told before anybody waits.
        match self.recorder_options() {
            Ok(_) => {
                self.close_library();
                self.recording.countdown = Some(Countdown { ends_at: ctx.input(|input| input.time) + f64::from(secs) });
            }
            Err(words) => self.notices.say(Tone::Warn, words),
        }
    }

    fn start_or_say_why(&mut self) {
        if let Err(words) = self.start_recording() {
            self.notices.say(Tone::Warn, words);
        }
    }

    /// Begins the recording when its countdown is over.
    pub(super) fn read_countdown(&mut self, ctx: &egui::Context) {
        let Some(countdown) = self.recording.countdown else { return };
        let now = ctx.input(|input| input.time);
        if countdown.left(now).is_none() {
            self.recording.countdown = None;
            self.start_or_say_why();
        } else {
            ctx.request_repaint_after_secs(0.1);
        }
    }

    /// What is recorded now; or why nothing can be.
    fn recorder_options(&self) -> Result<RecorderOptions, String> {
        if !self.replay.is_none() {
            return Err(format!("A session is open: close it ({}) to record.", self.keys.first(Action::CloseSession)));
        }
        match &self.source.status.shown {
            SourceState::Failed(_) => {
                let words = format!("Nothing can be recorded: {} cannot be shown.", name_of(&self.source.spec));
                return Err(words + " Choose another source first.");
            }
            SourceState::Ended(info) if is_still(info) => {
                let key = self.keys.first(Action::Snapshot);
                return Err(format!(
                    "This is a single image: there is nothing to record. {key} saves it with its overlay."
                ));
            }
            SourceState::Ended(_) => {
                let key = self.keys.first(Action::Restart);
                let words = format!("{} has ended: start it again ({key}), then record.", name_of(&self.source.spec));
                return Err(capitalised(&words));
            }
            _ => {}
        }
        let info = self.info().filter(|_| self.viewer.shot.is_some());
        let Some(source) = info.cloned() else {
            return Err("There is no image to record yet.".into());
        };
        if self.card_form.is_some() {
            return Err("A new model is being tried: save it or cancel first.".into());
        }
        if Task::ALL.into_iter().any(|task| self.models.is_loading(task)) {
            return Err("The models are still loading: try again in a moment.".into());
        }
        let Some(folder) = self.sessions_folder() else {
            return Err(format!(
                "Nothing can be recorded: this user has no home folder. Choose a folder ({}).",
                self.keys.first(Action::RecordOptions)
            ));
        };
        let mut info = SessionInfo::default();
        (info.source.name, info.source.format) = (source.name, source.format);
        info.set_models(&self.models.in_use);
        info.detector = self.detector.name().to_owned();
        Ok(RecorderOptions {
            folder,
            pictures: self.settings.record_pictures,
            blur: self.settings.record_blur,
            mirror: self.settings.record_mirror,
            scene: self.scene_options(1.0),
            info,
        })
    }

    fn start_recording(&mut self) -> Result<(), String> {
        let options = self.recorder_options()?;
        let blurred = options.blur && options.pictures != RecordedPictures::None;
        if self.source.paused {
            self.source.paused = false;
            self.engine.set_paused(false);
        }
        self.engine.start_recording(options).map_err(|error| {
            format!("The system cannot start a thread: {error}. Close other programs and try again.")
        })?;
        self.recording = Recording { status: self.engine.recording(), blurred, ..Recording::default() };
        self.close_library();
        Ok(())
    }

    /// Takes in how the recording does.
    pub(super) fn read_recording(&mut self, ctx: &egui::Context) {
        if self.recording.status.is_none() {
            return;
        }
        self.engine.set_recorded_scene(self.scene_options(1.0));
        self.recording.status = self.engine.recording();
        let Some(status) = self.recording.status.clone() else { return };
        let Some(end) = status.end() else {
            // Its time and the free room change also where no picture comes.
            ctx.request_repaint_after_secs(0.25);
            return;
        };
        self.engine.forget_recording();
        let closing = std::mem::take(&mut self.recording).closing;
        if self.dialog == Some(Dialog::CloseRecording) {
            self.dialog = None;
        }
        let saved = self.say_end(end, &status);
        let duration = status.duration;
        self.recording.recorded = status.folder.clone().map(|folder| RecordedSession { folder, duration });
        self.list_sessions();
        if closing && saved {
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    /// Says where the session is and how it ended; `false` where it failed.
    fn say_end(&mut self, end: &SessionEnd, status: &RecordingStatus) -> bool {
        let place = status.folder.as_deref().map(from_home);
        let lasted = duration_text(status.duration);
        match (end, place) {
            (SessionEnd::Failed { error }, Some(place)) => {
                let words = format!("The recording stopped: {error}. What was written until then is in {place}.");
                self.notices.say(Tone::Bad, words);
            }
            (SessionEnd::Failed { error }, None) => {
                self.notices.say(Tone::Bad, format!("Nothing could be recorded: {error}."));
            }
            (_, None) => self.notices.say(Tone::Info, "Nothing was recorded: no image arrived."),
            (SessionEnd::SourceEnded, Some(place)) => {
                self.say_saved(format!("The source has ended. {lasted} were recorded in {place}."));
            }
            (SessionEnd::Stopped | SessionEnd::Recovered, Some(place)) => {
                self.say_saved(format!("{lasted} were recorded in {place}."));
            }
        }
        if status.dropped > 0 {
            let words = format!("{} of {} frames could not be written in time.", status.dropped, status.analysed);
            self.notices.say(Tone::Warn, words);
        }
        if let Some(warning) = &status.warning {
            self.notices.say(Tone::Warn, format!("{warning}."));
        }
        !matches!(end, SessionEnd::Failed { .. })
    }

    /// The bar above the picture says it; only in the place of the picture is the list of sessions, which has no bar.
    fn say_saved(&mut self, words: String) {
        if self.library.open {
            self.notices.say(Tone::Good, words);
        } else {
            self.notices.note(Tone::Good, words);
        }
    }

    /// The window is to be closed: a recording is saved first, if the user says so. `true` where the window stays open.
    pub(super) fn ask_before_closing(&mut self) -> bool {
        if self.is_recording() && !self.recording.closing {
            self.dialog = Some(Dialog::CloseRecording);
        }
        self.is_recording()
    }

    /// Stops the recording and closes the window when everything is written.
    pub(super) fn save_and_close(&mut self) {
        self.recording.closing = true;
        self.engine.stop_recording(SessionEnd::Stopped);
    }

    /// Looks for recordings that were broken off, e.g. by a crash.
    pub(super) fn find_unfinished(&mut self) {
        if let Some(folder) = self.sessions_folder() {
            self.tasks.start(BackgroundTask::FindUnfinished(folder));
        }
    }

    /// Says what was found, and has it finished.
    pub(super) fn take_unfinished(&mut self, sessions: Vec<PathBuf>) {
        let Some(first) = sessions.first() else { return };
        let name = first.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let words = match sessions.len() {
            1 => format!("A recording was interrupted: {name}. It is being recovered."),
            count => format!("{count} recordings were interrupted: {name} and others. They are being recovered."),
        };
        self.notices.say(Tone::Warn, words);
        for session in sessions {
            self.tasks.start(BackgroundTask::Recover(session));
        }
    }

    pub(super) fn take_recovered(&mut self, result: Result<Option<Recovered>, WriteError>) {
        match result {
            Ok(Some(recovered)) => {
                let name = from_home(&recovered.folder);
                let repairs = &recovered.repairs;
                if !repairs.troubles.is_empty() {
                    self.notices.say(Tone::Bad, format!("{name} could not be recovered: {repairs}."));
                } else if recovered.frames == 0 {
                    self.notices
                        .say(Tone::Info, format!("{name} is recovered: it was interrupted before its first frame."));
                } else {
                    let lasted = duration_text(recovered.duration);
                    self.notices.say(
                        Tone::Good,
                        format!("{name} is recovered: {lasted}, {} frames; {repairs}.", recovered.frames),
                    );
                }
            }
            // Somebody else has done it, or is at it.
            Ok(None) => {}
            Err(error) if error.kind == WriteErrorKind::InUse => {}
            Err(error) => self.notices.say(Tone::Bad, error.to_string()),
        }
    }
}
