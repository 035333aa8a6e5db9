//! Where pictures come from, and how faces are found in them.

use eframe::egui::{self, Button, ComboBox, TextEdit};
use facelens_core::detect::DetectorKind;
use facelens_media::SourceSpec;

use super::super::action::Action;
use super::super::command::{AppCommand, Section};
use super::super::state::{App, LOCKED};
use super::super::view::{capitalised, choose_camera, name_of};
use super::super::{elide, theme};
use super::section;

/// What the edges and the arrow of a list take of its width, points.
const COMBO_EDGES: f32 = 48.0;

pub(super) fn show(app: &mut App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let shown = capitalised(&app.source_title());
    let detail = if app.is_folded(Section::Source) { shown } else { String::new() };
    if !section::title(app, ui, Section::Source, "", &detail, commands) {
        return;
    }
    let locked = app.is_recording();
    let response = ui.add_enabled_ui(!locked, |ui| controls(app, ui, commands)).response;
    if locked {
        // What is locked shows no hint by itself; an area over all of it does.
        ui.interact(response.rect, ui.scope_id().with("locked"), egui::Sense::hover()).on_hover_text(LOCKED);
    }
    ui.add_space(theme::HALF);
}

fn controls(app: &mut App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    ui.horizontal(|ui| {
        let refresh = 72.0;
        let width = ui.available_width() - refresh - theme::STEP;
        let room = width - COMBO_EDGES;
        ComboBox::from_id_salt("source")
            .width(width)
            .selected_text(elide::middle(ui, &capitalised(&app.source_title()), &elide::body(ui), room))
            .truncate()
            .show_ui(ui, |ui| picker(app, ui, commands))
            .response
            .accessible_name("Source");
        let button = Button::new("Refresh").min_size(egui::vec2(refresh, 0.0));
        if ui.add_enabled(!app.cameras.listing, button).on_hover_text("List the cameras again").clicked() {
            commands.push(AppCommand::ListCameras);
        }
    });
    ui.horizontal(|ui| {
        let open = 72.0;
        let field = TextEdit::singleline(&mut app.source.path_field)
            .hint_text("Path of a video, image or folder")
            .margin(egui::Margin::symmetric(8, 6))
            .desired_width(ui.available_width() - open - theme::STEP);
        let response = theme::field(ui, field).accessible_name("Path of a video, image or folder");
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let path = app.source.path_field.trim();
        let clicked = ui.add_enabled(!path.is_empty(), Button::new("Show").min_size(egui::vec2(open, 0.0))).clicked();
        if (entered || clicked) && !path.is_empty() {
            commands.push(AppCommand::Source(SourceSpec::Path(path.into())));
            app.source.path_field.clear();
        }
    });
    ui.horizontal(|ui| {
        ui.label(theme::weak("Faces by"));
        let current = app.detector;
        ComboBox::from_id_salt("detector")
            .width(ui.available_width())
            .selected_text(detector_text(current))
            .truncate()
            .show_ui(ui, |ui| {
                for kind in DetectorKind::ALL {
                    if ui.selectable_label(kind == current, detector_text(kind)).clicked() {
                        commands.push(AppCommand::Detector(kind));
                    }
                }
            })
            .response
            .accessible_name("Detector");
    });
}

fn picker(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let shown = app.shown_camera();
    for (place, camera) in app.cameras.list.iter().enumerate() {
        let response = ui.selectable_label(shown == Some(place), camera.label(&app.cameras.list));
        if response.on_hover_text(camera.place().display().to_string()).clicked() {
            commands.push(choose_camera(camera, &app.cameras.list));
        }
    }
    if app.cameras.list.is_empty() {
        ui.label(theme::weak(if app.cameras.listing { "Looking for cameras…" } else { "No camera found" }));
    }
    if app.camera().is_some() && ui.selectable_label(false, Action::CameraPage.title()).clicked() {
        commands.push(Action::CameraPage.into());
    }
    ui.separator();
    if ui.selectable_label(app.source.spec == SourceSpec::Demo, capitalised(&name_of(&SourceSpec::Demo))).clicked() {
        commands.push(Action::Demo.into());
    }
    for action in [Action::OpenFile, Action::OpenFolder] {
        if ui.selectable_label(false, action.title()).clicked() {
            commands.push(action.into());
        }
    }
}

/// A detector in words.
fn detector_text(kind: DetectorKind) -> &'static str {
    match kind {
        DetectorKind::BlazeBack => "BlazeFace back: near and far",
        DetectorKind::BlazeFront => "BlazeFace front: near, fastest",
        DetectorKind::Seeta => "SeetaFace: upright, frontal",
    }
}
