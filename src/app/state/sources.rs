//! Choosing sources and cameras.

use std::path::PathBuf;

use facelens_media::{CameraInfo, SourceError, SourceSpec};
use facelens_session::SessionFolder;

use super::{App, recent};
use crate::app::action::Action;
use crate::app::background_tasks::{BackgroundTask, PickOrigin};
use crate::app::file_dialogs::is_model_file;
use crate::app::notices::Tone;
use crate::app::replay::ReplayState;
use crate::outputs::Follow;

impl App {
    /// Shows a source that the user chose, and remembers it.
    pub(super) fn choose_source(&mut self, source: SourceSpec) {
        // A file dialog may have been open when the recording began.
        if self.refuse_while_recording() {
            return;
        }
        if let SourceSpec::Path(path) = &source
            && is_model_file(path)
        {
            self.load_model(None, vec![path.clone()], PickOrigin::Chosen);
            return;
        }
        self.overtake_sessions();
        if let SourceSpec::Path(path) = &source
            && SessionFolder::is_session(path)
        {
            self.open_session(path.clone());
            return;
        }
        if let SourceSpec::Path(path) = &source {
            recent::remember(&mut self.settings.recent_files, path);
        }
        self.settings.source = Some(source.clone());
        self.show_source(source);
    }

    /// A session that is still being read was asked for before what is chosen now.
    pub(super) fn overtake_sessions(&mut self) {
        self.sessions_from = self.tasks.newest() + 1;
    }

    pub(super) fn show_source(&mut self, source: SourceSpec) {
        self.cameras.wanted = false;
        self.source.is_a_guess = false;
        self.replay = ReplayState::None;
        self.recording.recorded = None;
        self.recording.countdown = None;
        self.viewer.forget_view();
        self.close_library();
        if self.source.paused || std::mem::take(&mut self.source.seeking) {
            self.source.paused = false;
            self.engine.set_paused(false);
        }
        self.prepare_camera_format(&source);
        self.cameras.page.begin();
        self.engine.set_source(source.clone());
        self.source.spec = source;
        self.forget_picture();
    }

    /// Opens the same source again.
    pub(in crate::app) fn restart(&mut self) {
        if self.source.paused {
            self.source.paused = false;
            self.engine.set_paused(false);
        }
        let source = self.source.spec.clone();
        self.prepare_camera_format(&source);
        self.engine.restart();
        self.forget_picture();
    }

    pub(super) fn forget_picture(&mut self) {
        self.source.status = self.engine.status();
        self.viewer.forget_picture();
        self.people.clear();
        // The pipeline's own end of it follows the source.
        self.outputs.follow = Follow::Largest;
        self.source.figures.expire();
    }

    pub(super) fn list_cameras(&mut self) {
        if !std::mem::replace(&mut self.cameras.listing, true) {
            self.tasks.start(BackgroundTask::ListCameras);
        }
    }

    pub(super) fn next_camera(&mut self) {
        if self.cameras.list.is_empty() {
            self.cameras.wanted = true;
            self.list_cameras();
            return;
        }
        if let Some(choice) = self.cameras.after(&self.source.spec) {
            self.choose_source(SourceSpec::Camera(choice));
        }
    }

    /// The place of the camera that is shown in the list of cameras.
    pub(in crate::app) fn shown_camera(&self) -> Option<usize> {
        self.cameras.place_of(&self.source.spec)
    }

    pub(super) fn take_dropped(&mut self, files: Vec<PathBuf>) {
        let (models, mut others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| is_model_file(file));
        if !models.is_empty() {
            self.load_model(None, models, PickOrigin::Chosen);
        }
        if !others.is_empty() {
            self.choose_source(SourceSpec::Path(others.swap_remove(0)));
        }
    }

    pub(super) fn take_cameras(&mut self, result: Result<Vec<CameraInfo>, SourceError>) {
        self.cameras.listing = false;
        match result {
            Ok(cameras) => self.cameras.list = cameras,
            Err(error) => self.notices.say(Tone::Warn, error.to_string()),
        }
        if std::mem::take(&mut self.cameras.wanted) {
            if self.cameras.list.is_empty() {
                let key = self.keys.first(Action::NextCamera);
                self.notices.say(Tone::Info, format!("No camera found: plug one in and press {key} again."));
            } else {
                self.next_camera();
            }
        }
    }
}
