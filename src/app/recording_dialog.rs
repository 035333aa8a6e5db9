//! Dialogs about recording: what is recorded and where, and whether to save before the window is closed.

use eframe::egui::{self, Button, Checkbox, RichText, vec2};
use facelens_session::recording::RecordedPictures;

use super::command::AppCommand;
use super::countdown::CHOICES;
use super::recording_text::{clock_text, pictures_text};
use super::state::{App, LOCKED, from_home};
use super::theme;

/// Whether it is on, its title, what it is good for, and what a click asks for.
type RecordingSwitch = (bool, &'static str, &'static str, fn(bool) -> AppCommand);

/// Width of the column of choices in points.
const TITLE_WIDTH: f32 = 176.0;

/// What is recorded, and where.
pub(super) fn options(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    theme::dialog_width(ui, 496.0);
    ui.heading("Recording");
    let locked = app.is_recording();
    let hint = if locked {
        LOCKED
    } else {
        "A session is a folder: videos, faces.csv, and session.json, which describes them."
    };
    ui.label(theme::weak(hint));
    ui.add_enabled_ui(!locked, |ui| {
        ui.add_space(theme::STEP);
        ui.label(theme::section("VIDEOS"));
        let grid = |name: &str| {
            egui::Grid::new(name).num_columns(2).min_col_width(TITLE_WIDTH).spacing(vec2(theme::STEP, theme::HALF))
        };
        grid("recorded images").show(ui, |ui| {
            for pictures in RecordedPictures::ALL {
                let (title, use_for) = pictures_text(pictures);
                let chosen = app.settings.record_pictures == pictures;
                if ui.radio(chosen, title).clicked() && !chosen {
                    commands.push(AppCommand::RecordPictures(pictures));
                }
                ui.label(theme::weak(use_for));
                ui.end_row();
            }
        });
        ui.add_space(theme::STEP);
        let pictures = app.settings.record_pictures != RecordedPictures::None;
        let switches: [RecordingSwitch; 2] = [
            (
                app.settings.record_blur,
                "Blur faces",
                "Blurs every face that is found in the videos",
                AppCommand::RecordBlur,
            ),
            (app.settings.record_mirror, "Mirror", "Mirrors the videos, never the data", AppCommand::RecordMirror),
        ];
        grid("recorded how").show(ui, |ui| {
            for (mut on, title, use_for, command) in switches {
                if ui.add_enabled(pictures, Checkbox::new(&mut on, title)).clicked() {
                    commands.push(command(on));
                }
                ui.label(theme::weak(use_for));
                ui.end_row();
            }
        });
        ui.add_space(theme::STEP);
        countdown(app, ui, commands);
        ui.add_space(theme::STEP);
        folder(app, ui, commands);
    });
}

/// How long to wait, for whoever records themselves.
fn countdown(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    ui.label(theme::section("COUNTDOWN"));
    ui.horizontal(|ui| {
        for secs in CHOICES {
            let text = if secs == 0 { "None".to_owned() } else { format!("{secs} s") };
            if ui.radio(app.settings.record_countdown_secs == secs, text).clicked() {
                commands.push(AppCommand::RecordCountdown(secs));
            }
        }
    });
}

fn folder(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    ui.label(theme::section("FOLDER"));
    let path = app.sessions_folder().map_or_else(|| "none".into(), |folder| from_home(&folder));
    ui.add(egui::Label::new(RichText::new(path).color(theme::colors().text)).truncate());
    ui.horizontal(|ui| {
        if ui.button("Choose…").accessible_name("Choose the folder for recordings").clicked() {
            commands.push(AppCommand::PickSessionsFolder);
        }
        let own = app.settings.sessions_folder.is_some();
        if ui.add_enabled(own, Button::new("Back to Videos")).clicked() {
            commands.push(AppCommand::DefaultSessionsFolder);
        }
    });
}

/// The window is to be closed while something is recorded.
pub(super) fn close(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    theme::dialog_width(ui, 360.0);
    ui.heading("A recording is in progress");
    let lasted = app.recording.status.as_ref().map(|status| clock_text(status.duration)).unwrap_or_default();
    let words = if app.recording.closing {
        "The rest is being written; then the window closes.".to_owned()
    } else {
        format!("{lasted} recorded so far. Save it and close the window?")
    };
    ui.label(RichText::new(words).color(theme::colors().weak));
    ui.add_space(theme::STEP);
    let row = egui::Layout::right_to_left(egui::Align::Center);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 32.0), row, |ui| {
        ui.add_enabled_ui(!app.recording.closing, |ui| {
            let save = if app.recording.closing { "Saving…" } else { "Save and close" };
            if ui.add(theme::primary(save).min_size(vec2(128.0, 32.0))).clicked() {
                commands.push(AppCommand::SaveAndClose);
            }
            if ui.add(Button::new("Keep recording").min_size(vec2(128.0, 32.0))).clicked() {
                commands.push(AppCommand::CloseDialog);
            }
        });
    });
}
