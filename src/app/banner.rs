//! Bars between the tools and the picture. They take their room from the picture, so that they cover neither a face nor
//! its label.

use eframe::egui::accesskit::Live;
use eframe::egui::{self, Align, Button, FontId, Label, Layout, Margin, Response, RichText, Sense, vec2};

use super::command::AppCommand;
use super::elide;
use super::notices::Tone;
use super::theme;
use super::view::Banner;

/// Height of a bar in points.
const HEIGHT: f32 = 40.0;
/// Widest button in points; the rest of a camera's name is left out.
const WIDEST_BUTTON: f32 = 240.0;

/// One line about the source; a cross where it is `closable`.
pub(super) fn show(ui: &mut egui::Ui, banner: &Banner, closable: bool, commands: &mut Vec<AppCommand>) {
    bar(ui, "banner", banner.tone, &banner.text, |ui| {
        if closable && theme::cross(ui, "Close this banner").clicked() {
            commands.push(AppCommand::HideBanner);
        }
        if let Some((text, command)) = &banner.button {
            let shown = elide::middle(ui, text, &elide::body(ui), WIDEST_BUTTON);
            if ui.add(Button::new(shown)).on_hover_text(text).accessible_name(text).clicked() {
                commands.push(command.clone());
            }
        }
    });
}

/// A bar with a dot in the colour of `tone`, some words, and `buttons` from the right edge on. A screen reader says the
/// words when they change.
pub(super) fn bar(
    ui: &mut egui::Ui,
    id: &'static str,
    tone: Tone,
    words: &str,
    buttons: impl FnOnce(&mut egui::Ui),
) -> Response {
    let frame = egui::Frame::new().fill(theme::colors().card).inner_margin(Margin::symmetric(12, 0));
    let panel = egui::Panel::top(id).frame(frame).exact_size(HEIGHT).resizable(false);
    let shown = panel.show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            buttons(ui);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let (dot, _) = ui.allocate_exact_size(vec2(8.0, 8.0), Sense::hover());
                ui.painter().circle_filled(dot.center(), 4.0, tone.color());
                let text = RichText::new(words).font(FontId::proportional(14.0)).color(theme::colors().text);
                let label = ui.add(Label::new(text).truncate());
                ui.ctx().accesskit_node_builder(label.id, |node| node.set_live(Live::Polite));
                label
            })
            .inner
        })
        .inner
    });
    shown.inner
}
