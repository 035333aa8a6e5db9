//! The bar below the picture of a file: where it is, and the way to another place; in a folder, which image it is.

use std::time::Duration;

use eframe::egui::{self, Align, Button, Layout, Margin, Rect, RichText, Sense, pos2, vec2};

use super::action::Action;
use super::command::AppCommand;
use super::replay::clock;
use super::state::{App, FilePosition, FolderImage};
use super::theme;

/// Height of the bar in points.
const HEIGHT: f32 = 40.0;

/// Shows the bar, if the source can be sought.
pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let Some(position) = FilePosition::of(app) else { return };
    let frame = theme::bar(Margin { left: 12, right: 12, top: 6, bottom: 0 });
    egui::Panel::bottom("seek bar").frame(frame).exact_size(HEIGHT).resizable(false).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            let locked = app.is_recording();
            ui.add_enabled_ui(!locked, |ui| match &position.image {
                Some(image) => folder(app, &position, image, ui, commands),
                None => video(&position, ui, commands),
            });
        });
    });
}

fn folder(app: &App, position: &FilePosition, image: &FolderImage, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let mut button = |ui: &mut egui::Ui, text: &str, forward: bool, name: &str| {
        let enabled = position.step(forward).is_some();
        let button = Button::new(text).min_size(vec2(36.0, 28.0));
        let action = if forward { Action::StepForward } else { Action::StepBack };
        let hint = format!("{name} ({})", app.keys.text(action));
        if ui.add_enabled(enabled, button).on_hover_text(hint).accessible_name(name).clicked() {
            commands.push(action.into());
        }
    };
    button(ui, "<", false, "Previous image");
    button(ui, ">", true, "Next image");
    ui.add_space(theme::STEP);
    ui.label(
        RichText::new(format!("{} of {}", image.number + 1, image.count))
            .monospace()
            .size(14.0)
            .color(theme::colors().text),
    );
    ui.add_space(theme::STEP);
    ui.add(egui::Label::new(RichText::new(&image.name).color(theme::colors().weak)).truncate())
        .on_hover_text(&image.name);
}

fn video(position: &FilePosition, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let secs = |time: Duration| time.as_secs_f64();
    let time = RichText::new(clock(secs(position.time), 0)).monospace().size(14.0).color(theme::colors().text);
    let length = RichText::new(clock(secs(position.duration), 0)).monospace().size(14.0).color(theme::colors().weak);
    // As wide as the longest time, so that nothing moves.
    let width = 12.0 + 8.5 * clock(secs(position.duration), 0).len() as f32;
    let row = |align| Layout::left_to_right(align);
    ui.allocate_ui_with_layout(vec2(width, 28.0), row(Align::Center), |ui| ui.label(time));
    let track = ui.available_width() - width - theme::STEP;
    let (rect, response) = ui.allocate_exact_size(vec2(track.max(32.0), 28.0), Sense::click_and_drag());
    let spoken = "Position in the video in seconds";
    response.widget_info(|| egui::WidgetInfo::slider(ui.is_enabled(), secs(position.time), spoken));
    let plot = rect.shrink2(vec2(6.0, 0.0));
    let at = |x: f32| {
        let part = ((x - plot.left()) / plot.width().max(1.0)).clamp(0.0, 1.0);
        position.duration.mul_f32(part)
    };
    let part = (secs(position.time) / secs(position.duration).max(1e-6)).clamp(0.0, 1.0) as f32;
    paint(ui, plot, part, response.hovered() || response.dragged());
    let pointer = response.interact_pointer_pos().map(|pos| at(pos.x));
    if let Some(time) = pointer.filter(|_| response.dragged() && response.drag_delta().x != 0.0) {
        commands.push(AppCommand::SeekFile { time, holds: true });
    } else if let Some(time) = pointer.filter(|_| response.clicked()) {
        commands.push(AppCommand::SeekFile { time, holds: false });
    }
    if response.drag_stopped() {
        commands.push(AppCommand::SeekReleased);
    }
    if let Some(pos) = response.hover_pos().filter(|_| !response.dragged()) {
        response.clone().on_hover_text_at_pointer(clock(secs(at(pos.x)), 1));
    }
    ui.allocate_ui_with_layout(vec2(width, 28.0), row(Align::Center), |ui| ui.label(length));
}

fn paint(ui: &egui::Ui, plot: Rect, part: f32, active: bool) {
    let (middle, x) = (plot.center().y, plot.left() + plot.width() * part);
    let line = |from: f32, to: f32| Rect::from_min_max(pos2(from, middle - 2.0), pos2(to, middle + 2.0));
    ui.painter().rect_filled(line(plot.left(), plot.right()), 2.0, theme::colors().control_hovered);
    ui.painter().rect_filled(line(plot.left(), x), 2.0, theme::colors().accent);
    let radius = if active { 7.0 } else { 6.0 };
    ui.painter().circle_filled(
        pos2(x, middle),
        radius,
        if ui.is_enabled() { theme::colors().text } else { theme::colors().weak },
    );
}
