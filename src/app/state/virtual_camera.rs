//! The virtual camera: on and off, its device, what it shows.

use facelens_media::{CameraChoice, CameraDevice, CameraInfo, SourceError};
use facelens_session::PictureLook;

use super::{App, Dialog};
use crate::app::command::VirtualCameraCommand;
use crate::app::notices::Tone;
use crate::outputs::OutputOptions;

/// The devices that can be a virtual camera.
#[derive(Default)]
pub(crate) struct VirtualCameras {
    /// As the system lists them; `None` before it was asked.
    pub list: Option<Vec<CameraInfo>>,
    /// They are being listed.
    pub listing: bool,
    /// What the command line asks for: it holds for this time only.
    of_run: Option<CameraChoice>,
    /// The one that was told to be open.
    told: Option<String>,
}

impl App {
    /// The device that the virtual camera is to have.
    pub fn virtual_camera(&self) -> CameraChoice {
        let remembered = || {
            let place = self.settings.virtual_camera.clone()?;
            Some(CameraChoice::Device(CameraDevice { place, name: None }))
        };
        self.virtual_cameras.of_run.clone().or_else(remembered).unwrap_or_default()
    }

    /// The command line asks for the virtual camera: any means the remembered one.
    pub(super) fn virtual_camera_of_run(&mut self, choice: CameraChoice) -> CameraChoice {
        self.virtual_cameras.of_run = Some(choice).filter(|choice| *choice != CameraChoice::Any);
        self.virtual_camera()
    }

    pub(super) fn run_virtual_camera(&mut self, command: VirtualCameraCommand) {
        match command {
            VirtualCameraCommand::Switch(on) => self.switch_virtual_camera(on),
            VirtualCameraCommand::Device(device) => {
                self.settings.virtual_camera = device;
                self.virtual_cameras.of_run = None;
                if self.outputs.options.camera.is_some() {
                    self.switch_virtual_camera(true);
                }
            }
            VirtualCameraCommand::Overlay(overlay) => self.settings.virtual_camera_overlay = overlay,
            VirtualCameraCommand::List => self.list_virtual_cameras(),
        }
    }

    /// Shows the picture as a camera to other programs, or no longer.
    pub(super) fn switch_virtual_camera(&mut self, on: bool) {
        let camera = on.then(|| self.virtual_camera());
        self.engine.set_camera_look(self.camera_look());
        self.set_outputs(OutputOptions { camera, ..self.outputs.options.clone() });
    }

    /// What the virtual camera shows: as recordings have it.
    pub(super) fn camera_look(&self) -> PictureLook {
        PictureLook {
            overlay: self.settings.virtual_camera_overlay,
            blur: self.settings.record_blur,
            scene: self.scene_options(1.0),
        }
    }

    /// Says where the picture is once it is there.
    pub(super) fn read_virtual_camera(&mut self) {
        let camera = self.outputs.status.as_ref().and_then(|status| status.camera.clone());
        if camera == self.virtual_cameras.told {
            return;
        }
        if let Some(camera) = &camera {
            let words = format!("Other programs see the image as the camera {camera}.");
            self.notices.say(Tone::Good, words);
        }
        self.virtual_cameras.told = camera;
    }

    /// A dialog that shows the devices was opened.
    pub(super) fn list_virtual_cameras_for(&mut self, dialog: Option<Dialog>) {
        if matches!(dialog, Some(Dialog::Outputs | Dialog::Preferences)) {
            self.list_virtual_cameras();
        }
    }

    fn list_virtual_cameras(&mut self) {
        if !std::mem::replace(&mut self.virtual_cameras.listing, true) {
            self.tasks.start(crate::app::background_tasks::BackgroundTask::ListVirtualCameras);
        }
    }

    pub(super) fn take_virtual_cameras(&mut self, result: Result<Vec<CameraInfo>, SourceError>) {
        self.virtual_cameras.listing = false;
        match result {
            Ok(list) => self.virtual_cameras.list = Some(list),
            Err(error) => self.notices.say(Tone::Warn, error.to_string()),
        }
    }
}
