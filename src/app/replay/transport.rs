//! Play, steps, speed and time.

use eframe::egui::{self, Button, RichText, vec2};
use facelens_session::replay::SPEEDS;

use super::super::action::Action;
use super::super::command::{AppCommand, ReplayCommand};
use super::super::theme;
use super::{Replay, clock};

/// Height of the row in points.
pub(super) const HEIGHT: f32 = 28.0;

pub(super) fn show(replay: &Replay, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let playback = &replay.playback;
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), HEIGHT),
        egui::Layout::left_to_right(egui::Align::Center),
        |ui| {
            ui.spacing_mut().item_spacing.x = theme::HALF;
            let play = if playback.is_playing() { "Pause" } else { "Play" };
            action(ui, commands, play, 72.0, Action::Pause);
            action(ui, commands, "\u{2212}1", 36.0, Action::StepBack);
            action(ui, commands, "+1", 36.0, Action::StepForward);
            ui.add_space(theme::STEP);
            let time = format!("{} / {}", clock(playback.position_s(), 2), clock(playback.duration_s(), 2));
            ui.label(RichText::new(time).monospace().size(14.0).color(theme::colors().text));
            ui.add_space(theme::STEP);
            let frame = playback.frame().map_or(0, |frame| frame + 1);
            ui.label(theme::weak(format!("frame {frame} of {}", playback.frames())));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().button_padding.x = 8.0;
                // From right to left, so that they read from slow to fast.
                for speed in SPEEDS.into_iter().rev() {
                    let text = format!("{speed}×");
                    let button = Button::selectable(playback.speed() == speed, text).frame_when_inactive(true);
                    let hint = format!("Play at {speed} times normal speed (↑ and ↓)");
                    if ui.add(button).on_hover_text(hint).clicked() {
                        commands.push(AppCommand::Replay(ReplayCommand::Speed(speed)));
                    }
                }
                ui.label(theme::weak("Speed"));
            });
        },
    );
}

fn action(ui: &mut egui::Ui, commands: &mut Vec<AppCommand>, text: &str, width: f32, action: Action) {
    let button = Button::new(text).min_size(vec2(width, HEIGHT));
    let hint = action.explanation();
    let response = ui.add(button).on_hover_text(hint);
    // `+1` says nothing by itself.
    let response = if action == Action::Pause { response } else { response.accessible_name(action.title()) };
    if response.clicked() {
        commands.push(action.into());
    }
}
