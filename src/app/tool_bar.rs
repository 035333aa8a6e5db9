//! The switches under the picture.

use eframe::egui::{self, Button, Margin, Rect, RichText, pos2, vec2};
use facelens_session::recording::RecordingState;

use super::action::Action;
use super::command::AppCommand;
use super::state::App;
use super::theme;

/// Height of the bar in points.
const HEIGHT: f32 = 44.0;

/// In a narrower bar the buttons stand closer, points.
const NARROW: f32 = 780.0;

/// In a bar narrower than this, only what has to be at hand stands; the switches are in the menu "View", too.
const VERY_NARROW: f32 = 640.0;

/// The switches, from left to right.
const SWITCHES: [Action; 7] =
    [Action::Pause, Action::Mirror, Action::Boxes, Action::Labels, Action::Axes, Action::Angles, Action::Gait];

pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let frame = theme::bar(Margin::symmetric(8, 8));
    egui::Panel::bottom("tool bar").frame(frame).exact_size(HEIGHT).resizable(false).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = theme::HALF;
            if ui.available_width() < NARROW {
                ui.spacing_mut().button_padding.x = theme::STEP;
            }
            // A session has its own button beside its time, and its own gaits.
            let replay = app.replay.open().is_some();
            let narrow = ui.available_width() < VERY_NARROW;
            let fits = |action: &Action| match action {
                Action::Pause => !replay,
                Action::Gait => !replay && !narrow,
                _ => !narrow,
            };
            for action in SWITCHES.into_iter().filter(fits) {
                let on = app.is_on(action) == Some(true);
                let button = Button::selectable(on, action.title()).frame_when_inactive(true);
                if ui.add(button).on_hover_text(hint(app, action)).clicked() {
                    commands.push(action.into());
                }
            }
            ui.add_space(theme::STEP);
            if ui.button(Action::Snapshot.title()).on_hover_text(hint(app, Action::Snapshot)).clicked() {
                commands.push(Action::Snapshot.into());
            }
            record_button(app, ui, commands);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let (text, open) = if app.settings.panel_open { ("Hide panel", true) } else { ("Show panel", false) };
                if ui.add(Button::selectable(!open, text)).on_hover_text(hint(app, Action::Panel)).clicked() {
                    commands.push(Action::Panel.into());
                }
            });
        });
    });
}

/// Width of the button that starts and stops, so that nothing moves.
const RECORD_WIDTH: f32 = 84.0;

fn record_button(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let state = app.recording.status.as_ref().map(|status| &status.state);
    let (text, name) = match state {
        None => ("Record", "Record"),
        Some(RecordingState::Saving) => ("Saving…", "Saving"),
        Some(_) => ("Stop", "Stop recording"),
    };
    let saving = matches!(state, Some(RecordingState::Saving));
    // Room for the mark before the words.
    let button = Button::new(RichText::new(format!("     {text}"))).min_size(vec2(RECORD_WIDTH, 0.0));
    let enabled = !saving && app.is_available(Action::Record);
    let response = ui.add_enabled(enabled, button).on_hover_text(hint(app, Action::Record)).accessible_name(name);
    let mark = pos2(response.rect.left() + 16.0, response.rect.center().y);
    match state {
        None => {
            let color = if enabled { theme::colors().record } else { theme::colors().weak };
            ui.painter().circle_filled(mark, 5.0, color)
        }
        Some(RecordingState::Saving) => ui.painter().circle_filled(mark, 5.0, theme::colors().weak),
        Some(_) => {
            let square = Rect::from_center_size(mark, vec2(9.0, 9.0));
            ui.painter().rect_filled(square, 2.0, theme::colors().record)
        }
    };
    if response.clicked() {
        commands.push(Action::Record.into());
    }
}

fn hint(app: &App, action: Action) -> String {
    format!("{} ({})", action.explanation(), app.keys.text(action))
}
