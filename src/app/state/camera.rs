//! The format and the controls of cameras: what is remembered of them, and how it comes to the camera.

use std::path::Path;

use facelens_media::{
    CameraChoice, CameraControl, CameraDevice, CameraFormat, CameraInfo, ControlKind, ControlValue, SourceError,
    SourceKind, SourceSpec,
};

use super::App;
use crate::app::AppOptions;
use crate::app::background_tasks::BackgroundTask;
use crate::app::command::CameraCommand;
use crate::app::notices::Tone;
use crate::pipeline::SourceState;
use crate::settings::{Settings, cameras};

/// The format in which the first source is opened, before the cameras are listed: what the command line says, else what
/// is remembered.
pub(crate) fn first_camera_format(
    options: &AppOptions,
    settings: &Settings,
    source: &SourceSpec,
) -> Option<CameraFormat> {
    options.camera_format.clone().or_else(|| remembered_format(settings, source, &[]))
}

/// The format that is remembered of a source, where it is one of these cameras or is known by its name.
fn remembered_format(settings: &Settings, source: &SourceSpec, listed: &[CameraInfo]) -> Option<CameraFormat> {
    let SourceSpec::Camera(choice) = source else { return None };
    let camera = match (choice.fitting(listed, |camera| camera)[..].first(), choice) {
        (Some(camera), _) => cameras::find(&settings.cameras, &camera.name, Some(camera.place())),
        (None, CameraChoice::Name(name)) => cameras::find(&settings.cameras, name, None),
        (None, CameraChoice::Device(CameraDevice { place, name: Some(name) })) => {
            cameras::find(&settings.cameras, name, Some(place))
        }
        _ => None,
    };
    camera?.format.clone()
}

/// What is known of the camera's controls.
#[derive(Default)]
pub(crate) struct CameraPage {
    pub open: bool,
    /// They are being read or set.
    pub busy: bool,
    /// To be set as soon as that is over.
    pub waiting: Vec<(ControlKind, ControlValue)>,
    /// The camera gave pictures at the last repaint.
    pub was_running: bool,
    /// The camera is to get what is remembered of it.
    pub controls_due: bool,
    pub known: Option<Result<Vec<CameraControl>, String>>,
}

impl CameraPage {
    /// Another camera, or the same one anew: nothing is known of it yet.
    pub fn begin(&mut self) {
        let Self { open, busy, .. } = *self;
        *self = Self { open, busy, ..Self::default() };
    }

    /// Takes what the camera says.
    pub fn take(&mut self, controls: Result<Vec<CameraControl>, String>) {
        self.known = Some(controls);
    }

    /// The controls of the camera; none where they are not known.
    pub fn controls(&self) -> &[CameraControl] {
        self.known.as_ref().and_then(|known| known.as_ref().ok()).map_or(&[], Vec::as_slice)
    }

    /// Shows a control as it will be, so that a slider does not jump back while it is set.
    pub fn show_as_set(&mut self, kind: ControlKind, value: ControlValue) {
        let Some(Ok(controls)) = &mut self.known else { return };
        let Some(control) = controls.iter_mut().find(|control| control.kind == kind) else { return };
        match (value, &mut control.range) {
            (ControlValue::Auto, _) => control.auto = control.auto.map(|_| true),
            (ControlValue::Fixed(value), range) => {
                control.auto = control.auto.map(|_| false);
                if let Some(range) = range {
                    range.value = value;
                }
            }
        }
    }
}

impl App {
    /// The camera that is shown.
    pub(in crate::app) fn camera(&self) -> Option<&CameraInfo> {
        self.shown_camera().and_then(|place| self.cameras.get(place)).filter(|_| self.replay.is_none())
    }

    /// What is remembered of the format of the camera that is shown.
    pub(in crate::app) fn camera_format(&self) -> Option<CameraFormat> {
        self.camera_format_of_run.clone().or_else(|| remembered_format(&self.settings, &self.source, &self.cameras))
    }

    /// Has the next camera opened in the format that is remembered of `source`.
    pub(super) fn prepare_camera_format(&self, source: &SourceSpec) {
        let of_run = self.camera_format_of_run.clone();
        let format = of_run.or_else(|| remembered_format(&self.settings, source, &self.cameras));
        self.engine.set_camera_format(format);
    }

    /// Shows the page of the camera, or the usual panel again.
    pub(super) fn toggle_camera_page(&mut self) {
        if self.camera_page.open {
            self.camera_page.open = false;
            return;
        }
        if self.camera().is_none() {
            self.notices.say(Tone::Info, "No camera is shown: choose one first (C).");
            return;
        }
        self.camera_page.open = true;
        self.settings.panel_open = true;
        self.read_controls();
    }

    /// Does what a widget of the page asks for.
    pub(super) fn run_camera(&mut self, command: CameraCommand) {
        let Some(camera) = self.camera().cloned() else { return };
        match command {
            CameraCommand::Close => self.camera_page.open = false,
            CameraCommand::Format(format) => {
                // What the command line asked for was for this run, and is over.
                self.camera_format_of_run = None;
                cameras::change(&mut self.settings.cameras, &camera, |camera| camera.format = format);
                self.restart();
            }
            CameraCommand::Set(kind, value) => {
                cameras::change(&mut self.settings.cameras, &camera, |camera| camera.set(kind, value));
                self.set_control(kind, value);
            }
            CameraCommand::Defaults => {
                let defaults: Vec<(ControlKind, ControlValue)> =
                    self.camera_page.controls().iter().map(|control| (control.kind, control.default)).collect();
                cameras::change(&mut self.settings.cameras, &camera, |camera| camera.controls.clear());
                self.camera_page.waiting = defaults;
                self.set_waiting_controls();
            }
        }
    }

    fn set_control(&mut self, kind: ControlKind, value: ControlValue) {
        self.camera_page.show_as_set(kind, value);
        self.camera_page.waiting.retain(|(waiting, _)| *waiting != kind);
        self.camera_page.waiting.push((kind, value));
        self.set_waiting_controls();
    }

    /// One task at a time: two could overtake each other.
    fn set_waiting_controls(&mut self) {
        let Some(device) = self.camera().map(|camera| camera.device.clone()) else {
            self.camera_page.waiting.clear();
            return;
        };
        if self.camera_page.busy || self.camera_page.waiting.is_empty() {
            return;
        }
        self.camera_page.busy = true;
        let settings = std::mem::take(&mut self.camera_page.waiting);
        self.tasks.start(BackgroundTask::SetCameraControls { device, settings });
    }

    fn read_controls(&mut self) {
        let Some(device) = self.camera().map(|camera| camera.device.clone()) else { return };
        if !self.camera_page.busy {
            self.camera_page.busy = true;
            self.tasks.start(BackgroundTask::SetCameraControls { device, settings: Vec::new() });
        }
    }

    pub(super) fn take_controls(&mut self, device: &Path, result: Result<Vec<CameraControl>, SourceError>) {
        self.camera_page.busy = false;
        if self.camera().is_none_or(|camera| camera.device != device) {
            // Another camera was chosen meanwhile.
            self.set_waiting_controls();
            if self.camera_page.open {
                self.read_controls();
            }
            return;
        }
        match result {
            // Newer values are on their way.
            Ok(_) if !self.camera_page.waiting.is_empty() => {}
            Ok(controls) => self.camera_page.take(Ok(controls)),
            Err(error) if self.camera_page.open => self.camera_page.take(Err(error.to_string())),
            // The camera works without; the page says it again.
            Err(error) => tracing::debug!("{error}"),
        }
        self.set_waiting_controls();
    }

    /// Each time that a camera begins to give pictures, it gets the controls that are remembered of it: it may have been
    /// unplugged meanwhile.
    pub(super) fn watch_camera(&mut self) {
        let runs = matches!(&self.status.shown, SourceState::Running(info) if info.kind == SourceKind::Camera);
        if runs && !self.camera_page.was_running {
            self.camera_page.controls_due = true;
        }
        self.camera_page.was_running = runs;
        self.leave_refused_format();
        if !self.camera_page.controls_due {
            return;
        }
        // Which one it is, is known once the cameras are listed.
        let Some(camera) = self.camera() else { return };
        let remembered = cameras::find(&self.settings.cameras, &camera.name, Some(camera.place()));
        let controls = remembered.map(|camera| camera.controls.clone()).unwrap_or_default();
        self.camera_page.controls_due = false;
        if !controls.is_empty() {
            self.camera_page.waiting = controls;
            self.set_waiting_controls();
        } else if self.camera_page.open {
            self.read_controls();
        }
    }

    /// A camera that does not open in the format that is remembered of it, opens in its best one.
    fn leave_refused_format(&mut self) {
        let SourceState::Failed(error) = &self.status.shown else { return };
        if !matches!(self.source, SourceSpec::Camera(_)) || self.camera_format_of_run.is_some() {
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
