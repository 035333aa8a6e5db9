//! A bar over the picture after a recording: play it, show it in the file manager.

use eframe::egui::{self, Align, Button, CornerRadius, Layout, Margin, Rect, RichText, Stroke, UiBuilder, pos2, vec2};

use super::command::{AppCommand, LibraryCommand};
use super::recording_text::duration_text;
use super::state::RecordedSession;
use super::theme;

/// Width and height of the bar in points.
const SIZE: egui::Vec2 = vec2(400.0, 40.0);

/// Shows the bar at the top of `area`, below a banner where there is one.
pub(super) fn show(
    ui: &mut egui::Ui,
    area: Rect,
    below_banner: bool,
    recorded: &RecordedSession,
    commands: &mut Vec<AppCommand>,
) {
    let top = area.top() + if below_banner { 36.0 + 48.0 } else { 36.0 };
    let width = SIZE.x.min(area.width() - 2.0 * theme::MARGIN);
    let place = Rect::from_center_size(pos2(area.center().x, top), vec2(width, SIZE.y));
    let bar = UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Center));
    ui.scope_builder(bar, |ui| {
        let frame = egui::Frame::new()
            .fill(theme::colors().card.gamma_multiply(0.94))
            .stroke(Stroke::new(1.0, theme::colors().good.gamma_multiply(0.6)))
            .corner_radius(CornerRadius::same(8))
            .inner_margin(Margin::symmetric(12, 6));
        frame.show(ui, |ui| {
            ui.set_width(width - 24.0);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let folder = || recorded.folder.clone();
                let close = ui.add(Button::new("×").frame(false)).on_hover_text("Hide this bar");
                if close.accessible_name("Hide the bar about the recording").clicked() {
                    commands.push(AppCommand::ForgetRecorded);
                }
                let show = ui.button("Show in folder").on_hover_text(folder().display().to_string());
                if show.accessible_name("Show the recording in its folder").clicked() {
                    commands.push(AppCommand::Library(LibraryCommand::ShowFolder(folder())));
                }
                let play = ui.add(theme::primary("Play"));
                if play.accessible_name("Play the recording").clicked() {
                    commands.push(AppCommand::Library(LibraryCommand::Play(folder())));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let words = format!("Recorded {}", duration_text(recorded.duration));
                    ui.add(egui::Label::new(RichText::new(words).color(theme::colors().text)).truncate());
                });
            });
        });
    });
}
