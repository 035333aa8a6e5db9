//! The page of a camera in the side panel, beside its picture: format, exposure, gain, focus, white balance.

use eframe::egui::{self, Checkbox, ComboBox, RichText, Slider};
use facelens_media::{CameraControl, CameraFormat, CameraInfo, ControlKind, ControlRange, ControlValue};

use super::command::{AppCommand, CameraCommand};
use super::state::{App, LOCKED};
use super::theme;

/// Shows the page, if it is open; `false` otherwise.
pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) -> bool {
    let Some(camera) = app.camera().filter(|_| app.cameras.page.open) else { return false };
    let mut ask = |command: CameraCommand| commands.push(AppCommand::Camera(command));
    ui.horizontal(|ui| {
        ui.label(theme::section("CAMERA"));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button("Done").on_hover_text("Back to the people and models").clicked() {
                ask(CameraCommand::Close);
            }
        });
    });
    let name = camera.label(&app.cameras.list);
    ui.add(egui::Label::new(theme::strong(&name)).truncate()).on_hover_text(name);
    let place = camera.place().display().to_string();
    ui.add(egui::Label::new(theme::weak(&place)).truncate()).on_hover_text(place);
    ui.add_space(theme::STEP);
    ui.label(theme::section("FORMAT"));
    let locked = app.is_recording();
    let response = ui.add_enabled_ui(!locked, |ui| format(app, camera, ui, &mut ask)).response;
    if locked {
        response.on_hover_text(LOCKED);
    }
    ui.add_space(theme::STEP);
    ui.label(theme::section("IMAGE"));
    match &app.cameras.page.known {
        None => {
            ui.label(theme::weak("Asking the camera…"));
        }
        Some(Err(error)) => {
            ui.add(egui::Label::new(theme::weak(error)).wrap());
        }
        Some(Ok(controls)) if controls.is_empty() => {
            ui.label(theme::weak("This camera has no controls that can be set."));
        }
        Some(Ok(controls)) => {
            for control in controls {
                row(control, ui, &mut ask);
            }
            ui.add_space(theme::STEP);
            if ui.button("Back to the camera's defaults").clicked() {
                ask(CameraCommand::Defaults);
            }
        }
    }
    true
}

/// What is chosen of the format, part by part.
fn format(app: &App, camera: &CameraInfo, ui: &mut egui::Ui, ask: &mut impl FnMut(CameraCommand)) {
    if camera.choices.is_empty() {
        ui.label(theme::weak("The formats of this camera are not known."));
        return;
    }
    let chosen = app.camera_format().unwrap_or_default();
    let mut changed = chosen.clone();
    let choices = |fits: &dyn Fn(&CameraFormat) -> bool| camera.choices.iter().filter(|choice| fits(choice)).collect();
    let all: Vec<&CameraFormat> = choices(&|_| true);
    let of_size: Vec<&CameraFormat> = choices(&|choice| chosen.size.is_none() || choice.size == chosen.size);
    let of_rate: Vec<&CameraFormat> = choices(&|choice| {
        (chosen.size.is_none() || choice.size == chosen.size) && (chosen.fps.is_none() || choice.fps == chosen.fps)
    });
    egui::Grid::new("camera format").num_columns(2).spacing(egui::vec2(theme::STEP, theme::HALF)).show(ui, |ui| {
        let sizes = distinct(all.iter().map(|choice| choice.size), |a, b| area(b).cmp(&area(a)));
        let words = |size: Option<(u32, u32)>| size.map_or("Automatic".to_owned(), |(w, h)| format!("{w} × {h}"));
        if let Some(size) = choose(ui, "Resolution", chosen.size, &sizes, words) {
            // Another size may have neither the rate nor the pixels.
            changed = CameraFormat { size, ..CameraFormat::default() };
        }
        let rates = distinct(of_size.iter().map(|choice| choice.fps), |a, b| b.total_cmp(a));
        let words = |fps: Option<f64>| fps.map_or("Automatic".to_owned(), |fps| format!("{fps} fps"));
        if let Some(fps) = choose(ui, "Rate", chosen.fps, &rates, words) {
            changed = CameraFormat { fps, fourcc: None, ..chosen.clone() };
        }
        let pixels = distinct(of_rate.iter().map(|choice| choice.fourcc), Ord::cmp);
        let words = |fourcc: Option<[u8; 4]>| fourcc.map_or("Automatic".to_owned(), pixels_text);
        if let Some(fourcc) = choose(ui, "Pixels", chosen.fourcc, &pixels, words) {
            changed.fourcc = fourcc;
        }
    });
    let now = app.info().map(|info| info.format.clone()).unwrap_or_default();
    ui.label(theme::weak(format!("Now: {now}")));
    if changed != chosen {
        ask(CameraCommand::Format(Some(changed).filter(|format| *format != CameraFormat::default())));
    }
}

fn area(size: &(u32, u32)) -> u64 {
    u64::from(size.0) * u64::from(size.1)
}

fn pixels_text(fourcc: [u8; 4]) -> String {
    let text = CameraFormat { fourcc: Some(fourcc), ..CameraFormat::default() }.to_string();
    text.trim_start_matches(':').to_owned()
}

/// Each of the values once, in order.
fn distinct<T: PartialEq>(
    values: impl Iterator<Item = Option<T>>,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Vec<T> {
    let mut found: Vec<T> = Vec::new();
    for value in values.flatten() {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found.sort_by(order);
    found
}

/// A row with a list of values and "Automatic"; gives what was chosen now.
fn choose<T: PartialEq + Copy>(
    ui: &mut egui::Ui,
    name: &str,
    chosen: Option<T>,
    values: &[T],
    words: impl Fn(Option<T>) -> String,
) -> Option<Option<T>> {
    let mut picked = None;
    ui.label(theme::weak(name));
    ComboBox::from_id_salt(name)
        .width(168.0)
        .selected_text(words(chosen))
        .show_ui(ui, |ui| {
            for value in std::iter::once(None).chain(values.iter().copied().map(Some)) {
                if ui.selectable_label(chosen == value, words(value)).clicked() && chosen != value {
                    picked = Some(value);
                }
            }
        })
        .response
        .accessible_name(name);
    ui.end_row();
    picked
}

/// What a control is called, and in which unit its value is shown.
const fn words_of(kind: ControlKind) -> (&'static str, &'static str) {
    match kind {
        ControlKind::Exposure => ("Exposure", ""),
        ControlKind::Gain => ("Gain", ""),
        ControlKind::Focus => ("Focus", ""),
        ControlKind::WhiteBalance => ("White balance", " K"),
    }
}

fn row(control: &CameraControl, ui: &mut egui::Ui, ask: &mut impl FnMut(CameraCommand)) {
    let (name, unit) = words_of(control.kind);
    ui.horizontal(|ui| {
        ui.label(RichText::new(name).color(theme::colors().text));
        if let Some(mut auto) = control.auto {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let response = ui.add(Checkbox::new(&mut auto, "Automatic"));
                if response.accessible_name(format!("{name} automatic")).clicked() {
                    let fixed = control.range.map_or(0, |range| range.value);
                    ask(CameraCommand::Set(
                        control.kind,
                        if auto { ControlValue::Auto } else { ControlValue::Fixed(fixed) },
                    ));
                }
            });
        }
    });
    let Some(ControlRange { smallest, largest, step, value }) = control.range else { return };
    ui.add_enabled_ui(control.auto != Some(true), |ui| {
        ui.spacing_mut().slider_width = ui.available_width() - 72.0;
        let mut wanted = value;
        let slider = Slider::new(&mut wanted, smallest..=largest)
            .step_by(step as f64)
            // Exposure times and gains range over decades.
            .logarithmic(control.kind == ControlKind::Exposure && smallest > 0)
            .suffix(unit);
        if ui.add(slider).accessible_name(name).changed() && wanted != value {
            ask(CameraCommand::Set(control.kind, ControlValue::Fixed(wanted)));
        }
    });
}
