//! How what is remembered of a camera's format and controls comes to the camera.

use std::path::Path;

use facelens_media::{
    CameraControl, CameraFormat, CameraInfo, ControlKind, ControlValue, SourceError, SourceKind, SourceSpec,
};

use super::App;
use crate::app::background_tasks::BackgroundTask;
use crate::app::command::CameraCommand;
use crate::app::notices::Tone;
use crate::pipeline::SourceState;
use crate::settings::cameras;

impl App {
    /// The camera that is shown.
    pub(in crate::app) fn camera(&self) -> Option<&CameraInfo> {
        self.shown_camera().and_then(|place| self.cameras.list.get(place)).filter(|_| self.replay.is_none())
    }

    /// What is remembered of the format of the camera that is shown.
    pub(in crate::app) fn camera_format(&self) -> Option<CameraFormat> {
        self.cameras.format_of(&self.source.spec, &self.settings)
    }

    /// Has the next camera opened in the format that is remembered of `source`.
    pub(super) fn prepare_camera_format(&self, source: &SourceSpec) {
        self.engine.set_camera_format(self.cameras.format_of(source, &self.settings));
    }

    /// Shows the page of the camera, or the usual panel again.
    pub(super) fn toggle_camera_page(&mut self) {
        if self.cameras.page.open {
            self.cameras.page.open = false;
            return;
        }
        if self.camera().is_none() {
            self.notices.say(Tone::Info, "No camera is shown: choose one first (C).");
            return;
        }
        self.cameras.page.open = true;
        self.settings.panel_open = true;
        self.read_controls();
    }

    /// Does what a widget of the page asks for.
    pub(super) fn run_camera(&mut self, command: CameraCommand) {
        let Some(camera) = self.camera().cloned() else { return };
        match command {
            CameraCommand::Close => self.cameras.page.open = false,
            CameraCommand::Format(format) => {
                // What the command line asked for was for this run, and is over.
                self.cameras.format_of_run = None;
                cameras::change(&mut self.settings.cameras, &camera, |camera| camera.format = format);
                self.restart();
            }
            CameraCommand::Set(kind, value) => {
                cameras::change(&mut self.settings.cameras, &camera, |camera| camera.set(kind, value));
                self.set_control(kind, value);
            }
            CameraCommand::Defaults => {
                let defaults: Vec<(ControlKind, ControlValue)> =
                    self.cameras.page.controls().iter().map(|control| (control.kind, control.default)).collect();
                cameras::change(&mut self.settings.cameras, &camera, |camera| camera.controls.clear());
                self.cameras.page.waiting = defaults;
                self.set_waiting_controls();
            }
        }
    }

    fn set_control(&mut self, kind: ControlKind, value: ControlValue) {
        self.cameras.page.show_as_set(kind, value);
        self.cameras.page.waiting.retain(|(waiting, _)| *waiting != kind);
        self.cameras.page.waiting.push((kind, value));
        self.set_waiting_controls();
    }

    /// One task at a time: two could overtake each other.
    fn set_waiting_controls(&mut self) {
        let Some(device) = self.camera().map(|camera| camera.device.clone()) else {
            self.cameras.page.waiting.clear();
            return;
        };
        if self.cameras.page.busy || self.cameras.page.waiting.is_empty() {
            return;
        }
        self.cameras.page.busy = true;
        let settings = std::mem::take(&mut self.cameras.page.waiting);
        self.tasks.start(BackgroundTask::SetCameraControls { device, settings });
    }

    fn read_controls(&mut self) {
        let Some(device) = self.camera().map(|camera| camera.device.clone()) else { return };
        if !self.cameras.page.busy {
            self.cameras.page.busy = true;
            self.tasks.start(BackgroundTask::SetCameraControls { device, settings: Vec::new() });
        }
    }

    pub(super) fn take_controls(&mut self, device: &Path, result: Result<Vec<CameraControl>, SourceError>) {
        self.cameras.page.busy = false;
        if self.camera().is_none_or(|camera| camera.device != device) {
            // Another camera was chosen meanwhile.
            self.set_waiting_controls();
            if self.cameras.page.open {
                self.read_controls();
            }
            return;
        }
        match result {
            // Newer values are on their way.
            Ok(_) if !self.cameras.page.waiting.is_empty() => {}
            Ok(controls) => self.cameras.page.take(Ok(controls)),
            Err(error) if self.cameras.page.open => self.cameras.page.take(Err(error.to_string())),
            // The camera works without; the page says it again.
            Err(error) => tracing::debug!("{error}"),
        }
        self.set_waiting_controls();
    }

    /// Each time that a camera begins to give pictures, it gets the controls that are remembered of it: it may have been
    /// unplugged meanwhile.
    pub(super) fn watch_camera(&mut self) {
        let runs = matches!(&self.source.status.shown, SourceState::Running(info) if info.kind == SourceKind::Camera);
        if runs && !self.cameras.page.was_running {
            self.cameras.page.controls_due = true;
        }
        self.cameras.page.was_running = runs;
        self.leave_refused_format();
        if !self.cameras.page.controls_due {
            return;
        }
        // Which one it is, is known once the cameras are listed.
        let Some(camera) = self.camera() else { return };
        let remembered = cameras::find(&self.settings.cameras, &camera.name, Some(camera.place()));
        let controls = remembered.map(|camera| camera.controls.clone()).unwrap_or_default();
        self.cameras.page.controls_due = false;
        if !controls.is_empty() {
            self.cameras.page.waiting = controls;
            self.set_waiting_controls();
        } else if self.cameras.page.open {
            self.read_controls();
        }
    }

    /// A camera that does not open in the format that is remembered of it, opens in its best one.
    fn leave_refused_format(&mut self) {
        let SourceState::Failed(error) = &self.source.status.shown else { return };
        if !matches!(self.source.spec, SourceSpec::Camera(_)) || self.cameras.format_of_run.is_some() {
            return;
        }
        let Some(format) = self.camera_format() else { return };
        if error.kind != facelens_media::SourceErrorKind::Other {
            return;
        }
        let Some(camera) = self.camera().cloned() else { return };
        cameras::change(&mut self.settings.cameras, &camera, |camera| camera.format = None);
        let words = format!("{} did not open as {format} ({}); its best format is used.", camera.name, error.cause);
        self.notices.say(Tone::Warn, words);
        self.restart();
    }
}
