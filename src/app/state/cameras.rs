//! What is known of the cameras: the list, the formats that are remembered, the controls of the one that is shown.

use facelens_media::{
    CameraChoice, CameraControl, CameraDevice, CameraFormat, CameraInfo, ControlKind, ControlValue, SourceSpec,
};

use crate::app::AppOptions;
use crate::settings::{Settings, cameras};

/// The cameras.
pub(crate) struct Cameras {
    /// As the system lists them.
    pub list: Vec<CameraInfo>,
    /// They are being listed.
    pub listing: bool,
    /// The next camera is to be used as soon as the list is there.
    pub(super) wanted: bool,
    /// The page of the one that is shown.
    pub page: CameraPage,
    /// The format that the command line asked for.
    pub(super) format_of_run: Option<CameraFormat>,
}

impl Cameras {
    /// None are listed yet.
    pub(super) fn new(format_of_run: Option<CameraFormat>) -> Self {
        Self { list: Vec::new(), listing: false, wanted: false, page: CameraPage::default(), format_of_run }
    }

    /// The place in the list of the camera that `source` means, where it is one alone.
    pub(super) fn place_of(&self, source: &SourceSpec) -> Option<usize> {
        let SourceSpec::Camera(choice) = source else { return None };
        match choice.fitting(&self.list, |camera| camera)[..] {
            [shown] => self.list.iter().position(|camera| camera == shown),
            _ => None,
        }
    }

    /// The camera that follows the one that `source` means, or the first one.
    pub(super) fn after(&self, source: &SourceSpec) -> Option<CameraChoice> {
        let next = self.place_of(source).map_or(0, |current| (current + 1) % self.list.len());
        self.list.get(next).map(|camera| CameraChoice::of(camera, &self.list))
    }

    /// The format in which `source` is opened, where it is a camera: what the command line asked for, else what is
    /// remembered.
    pub(super) fn format_of(&self, source: &SourceSpec, settings: &Settings) -> Option<CameraFormat> {
        self.format_of_run.clone().or_else(|| remembered_format(settings, source, &self.list))
    }
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
