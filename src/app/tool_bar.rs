//! The switches under the picture.

use eframe::egui::{self, Button, Margin};

use super::action::Action;
use super::command::Command;
use super::state::App;
use super::theme;

/// Height of the bar in points.
const HEIGHT: f32 = 44.0;

/// The switches, from left to right.
const SWITCHES: [Action; 6] =
    [Action::Pause, Action::Mirror, Action::Boxes, Action::Labels, Action::Axes, Action::Angles];

pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<Command>) {
    let frame = egui::Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(8, 8));
    egui::Panel::bottom("tool bar").frame(frame).exact_size(HEIGHT).resizable(false).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = theme::HALF;
            // A session has its own button beside its time.
            let replay = app.replay.open().is_some();
            for action in SWITCHES.into_iter().filter(|action| !(replay && *action == Action::Pause)) {
                let on = app.is_on(action) == Some(true);
                let button = Button::selectable(on, action.title()).frame_when_inactive(true);
                if ui.add(button).on_hover_text(hint(action)).clicked() {
                    commands.push(action.into());
                }
            }
            ui.add_space(theme::STEP);
            if ui.button(Action::Snapshot.title()).on_hover_text(hint(Action::Snapshot)).clicked() {
                commands.push(Action::Snapshot.into());
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let (text, open) = if app.settings.panel_open { ("Hide panel", true) } else { ("Show panel", false) };
                if ui.add(Button::selectable(!open, text)).on_hover_text(hint(Action::Panel)).clicked() {
                    commands.push(Action::Panel.into());
                }
            });
        });
    });
}

fn hint(action: Action) -> String {
    format!("{} ({})", action.explanation(), action.keys_text())
}
