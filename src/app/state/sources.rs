//! Choosing sources and cameras.

use std::path::PathBuf;

use super::App;
use crate::app::background_tasks::{BackgroundTask, Origin, is_model_file};
use crate::app::notices::Tone;
use crate::app::picture::Alignment;
use crate::app::replay::ReplayState;
use crate::outputs::Follow;
use crate::session::SessionFolder;
use crate::source::{CameraChoice, CameraInfo, SourceError, SourceSpec};

impl App {
    /// Shows a source that the user chose, and remembers it.
    pub(super) fn choose_source(&mut self, source: SourceSpec) {
        // A file dialog may have been open when the recording began.
        if self.refuse_while_recording() {
            return;
        }
        if let SourceSpec::Path(path) = &source
            && SessionFolder::is_session(path)
        {
            self.open_session(path.clone());
            return;
        }
        self.settings.source = Some(source.clone());
        self.show_source(source);
    }

    pub(super) fn show_source(&mut self, source: SourceSpec) {
        self.camera_wanted = false;
        self.source_is_a_guess = false;
        self.replay = ReplayState::None;
        if self.paused {
            self.paused = false;
            self.engine.set_paused(false);
        }
        self.engine.set_source(source.clone());
        self.source = source;
        self.forget_picture();
    }

    /// Opens the same source again.
    pub(in crate::app) fn restart(&mut self) {
        if self.paused {
            self.paused = false;
            self.engine.set_paused(false);
        }
        self.engine.restart();
        self.forget_picture();
    }

    pub(super) fn forget_picture(&mut self) {
        self.status = self.engine.status();
        self.shot = None;
        self.alignment = Alignment::default();
        self.picture.clear();
        self.people.clear();
        // The pipeline's own end of it follows the source.
        self.outputs.follow = Follow::Largest;
        self.figures.expire();
    }

    pub(super) fn list_cameras(&mut self) {
        if !std::mem::replace(&mut self.listing_cameras, true) {
            self.tasks.start(BackgroundTask::ListCameras);
        }
    }

    pub(super) fn next_camera(&mut self) {
        if self.cameras.is_empty() {
            self.camera_wanted = true;
            self.list_cameras();
            return;
        }
        let current = match &self.source {
            SourceSpec::Camera(CameraChoice::Name(name)) => {
                self.cameras.iter().position(|camera| camera.name.contains(name.as_str()))
            }
            SourceSpec::Camera(CameraChoice::Index(index)) => {
                self.cameras.iter().position(|camera| camera.index == *index)
            }
            SourceSpec::Camera(CameraChoice::Any) => Some(0),
            SourceSpec::Demo | SourceSpec::Path(_) => None,
        };
        let next = current.map_or(0, |current| (current + 1) % self.cameras.len());
        if let Some(camera) = self.cameras.get(next) {
            let name = camera.name.clone();
            self.choose_source(SourceSpec::Camera(CameraChoice::Name(name)));
        }
    }

    pub(super) fn take_dropped(&mut self, files: Vec<PathBuf>) {
        let (models, mut others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| is_model_file(file));
        if !models.is_empty() {
            self.load_model(None, models, Origin::Chosen);
        }
        if !others.is_empty() {
            self.choose_source(SourceSpec::Path(others.swap_remove(0)));
        }
    }

    pub(super) fn take_cameras(&mut self, result: Result<Vec<CameraInfo>, SourceError>) {
        self.listing_cameras = false;
        match result {
            Ok(cameras) => self.cameras = cameras,
            Err(error) => self.notices.say(Tone::Warn, error.to_string()),
        }
        if std::mem::take(&mut self.camera_wanted) {
            if self.cameras.is_empty() {
                self.notices.say(Tone::Info, "No camera found: plug one in and press C again.");
            } else {
                self.next_camera();
            }
        }
    }
}
