//! The virtual camera in the dialog of live outputs and among the preferences.

use eframe::egui::{self, Checkbox, ComboBox, RichText};
use facelens_media::{CameraChoice, CameraDevice, CameraInfo, VIRTUAL_CAMERA_REMEDY};

use super::command::{AppCommand, VirtualCameraCommand};
use super::state::App;
use super::{elide, theme};

/// Whether this system has virtual cameras that facelens can be.
pub(super) const SUPPORTED: bool = cfg!(target_os = "linux");

/// Width of the list of devices in points: that of the fields beside it.
const LIST_WIDTH: f32 = 256.0;
/// What the edges and the arrow of a list take of its width, points.
const LIST_EDGES: f32 = 48.0;

/// The part of the dialog of live outputs.
pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    if !SUPPORTED {
        return;
    }
    ui.add_space(theme::STEP);
    ui.label(theme::section("VIRTUAL CAMERA"));
    let mut on = app.outputs.options.camera.is_some();
    if ui.add(Checkbox::new(&mut on, "Show the image as a camera to other programs")).clicked() {
        commands.push(AppCommand::VirtualCamera(VirtualCameraCommand::Switch(on)));
    }
    let blur = if app.settings.record_blur {
        "Faces are blurred, as in recorded videos; the image is half a second late."
    } else {
        "Faces are not blurred; the preferences change it."
    };
    ui.label(theme::weak(format!("OBS, browsers and programs for calls list it as a camera. {blur}")));
    ui.horizontal(|ui| device(app, ui, commands));
    let mut overlay = app.settings.virtual_camera_overlay;
    if ui.add(Checkbox::new(&mut overlay, "With the overlay")).clicked() {
        commands.push(AppCommand::VirtualCamera(VirtualCameraCommand::Overlay(overlay)));
    }
    hint(app, ui);
}

/// The list of devices, and the button that reads it anew.
pub(super) fn device(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let list = app.virtual_cameras.list.as_deref().unwrap_or_default();
    let chosen = app.virtual_camera();
    let title = title(&chosen, list);
    ComboBox::from_id_salt("virtual camera")
        .width(LIST_WIDTH)
        .selected_text(elide::middle(ui, &title, &elide::body(ui), LIST_WIDTH - LIST_EDGES))
        .truncate()
        .show_ui(ui, |ui| {
            let mut choose = |ui: &mut egui::Ui, choice: &CameraChoice, device: Option<&CameraInfo>| {
                let label = device.map_or_else(|| FIRST.to_owned(), label);
                if ui.selectable_label(*choice == chosen, label).clicked() {
                    let device = device.map(|info| info.device.clone());
                    commands.push(AppCommand::VirtualCamera(VirtualCameraCommand::Device(device)));
                }
            };
            choose(ui, &CameraChoice::Any, None);
            for info in list {
                let place = info.device.clone();
                choose(ui, &CameraChoice::Device(CameraDevice { place, name: None }), Some(info));
            }
        })
        .response
        .accessible_name("Device of the virtual camera");
    let name = "List the virtual cameras again";
    let refresh = ui.add_enabled(!app.virtual_cameras.listing, egui::Button::new("Refresh")).accessible_name(name);
    if refresh.on_hover_text(name).clicked() {
        commands.push(AppCommand::VirtualCamera(VirtualCameraCommand::List));
    }
}

/// What to install where there is no device.
pub(super) fn hint(app: &App, ui: &mut egui::Ui) {
    if app.virtual_cameras.list.as_ref().is_some_and(Vec::is_empty) {
        let words = format!("There is no virtual camera on this machine: {VIRTUAL_CAMERA_REMEDY}, then press Refresh.");
        ui.label(RichText::new(words).small().color(theme::colors().warn));
    }
}

/// What the list says of the first free device.
const FIRST: &str = "The first that is free";

fn label(info: &CameraInfo) -> String {
    format!("{} ({})", info.name, info.device.display())
}

/// What is chosen.
fn title(choice: &CameraChoice, list: &[CameraInfo]) -> String {
    if *choice == CameraChoice::Any {
        return FIRST.to_owned();
    }
    match (choice.fitting(list, |info| info)[..].first(), choice) {
        (Some(info), _) => label(info),
        (None, CameraChoice::Device(CameraDevice { place, .. })) => place.display().to_string(),
        (None, CameraChoice::Index(index)) => format!("/dev/video{index}"),
        (None, CameraChoice::Name(name)) => name.clone(),
        (None, CameraChoice::Any) => FIRST.to_owned(),
    }
}
