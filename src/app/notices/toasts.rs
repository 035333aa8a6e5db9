//! The messages that stand over the picture: in its lower left corner, never over a timeline or a bar.

use eframe::egui::accesskit::Live;
use eframe::egui::{self, Area, Button, Id, Label, Margin, Order, Rect, RichText, Sense, Stroke, pos2, vec2};

use super::super::command::AppCommand;
use super::super::theme;
use super::{Notice, Notices, Tone};

/// Widest message in points.
const WIDTH: f32 = 460.0;
/// Between the messages and the lower edge of the picture: what the window itself shows there stays free.
const BELOW: f32 = 56.0;

/// Shows the messages over `stage`, the place of the picture.
pub(in crate::app) fn show(notices: &mut Notices, ctx: &egui::Context, stage: Rect, commands: &mut Vec<AppCommand>) {
    let now = ctx.input(|input| input.time);
    let mut standing: Vec<&mut Notice> = notices.standing(now).collect();
    let Some(newest) = standing.last() else { return };
    announce(ctx, newest);
    let next = standing.iter().filter_map(|notice| notice.until).fold(f64::INFINITY, f64::min);
    ctx.request_repaint_after_secs((next - now).max(0.0) as f32);

    let width = WIDTH.min(stage.width() - 2.0 * theme::MARGIN);
    let area = Area::new(Id::unique("messages"))
        .order(Order::Foreground)
        .pivot(egui::Align2::LEFT_BOTTOM)
        .fixed_pos(pos2(stage.left() + theme::MARGIN, stage.bottom() - BELOW))
        .constrain_to(stage.shrink(theme::STEP));
    let response = area.show(ctx, |ui| {
        ui.set_width(width);
        for notice in &standing {
            message(ui, notice, commands);
        }
    });
    // What is under the pointer is being read.
    if response.response.contains_pointer() {
        for notice in &mut standing {
            notice.until = None;
        }
    }
}

fn message(ui: &mut egui::Ui, notice: &Notice, commands: &mut Vec<AppCommand>) {
    let colors = theme::colors();
    let frame = egui::Frame::popup(ui.style())
        .fill(colors.card)
        .stroke(Stroke::new(1.0, notice.tone.color()))
        .inner_margin(Margin { left: 12, right: 8, top: 8, bottom: 8 });
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_top(|ui| {
            let (dot, _) = ui.allocate_exact_size(vec2(8.0, 20.0), Sense::hover());
            ui.painter().circle_filled(dot.center(), 4.0, notice.tone.color());
            let width = ui.available_width() - theme::CROSS - theme::STEP;
            ui.vertical(|ui| {
                ui.set_width(width);
                ui.add(Label::new(RichText::new(&notice.text).color(colors.text)).wrap().selectable(true));
                ui.horizontal_wrapped(|ui| {
                    ui.spacing_mut().item_spacing.x = theme::HALF;
                    for (text, command) in &notice.buttons {
                        if ui.add(theme::primary(text)).clicked() {
                            commands.push(command.clone());
                            commands.push(AppCommand::CloseNotice(notice.number));
                        }
                    }
                    let copy = ui.add(Button::new(RichText::new("Copy").small()).small());
                    if copy.accessible_name("Copy this message").clicked() {
                        commands.push(AppCommand::Copy(notice.text.clone()));
                    }
                });
            });
            let close = theme::cross(ui, "Close this message");
            if close.on_hover_text("Close this message; it stays under Help, Messages").clicked() {
                commands.push(AppCommand::CloseNotice(notice.number));
            }
        });
    });
}

/// What a screen reader says of the newest message.
fn announce(ctx: &egui::Context, newest: &Notice) {
    ctx.accesskit_node_builder(Id::unique("newest notice"), |node| {
        let problem = matches!(newest.tone, Tone::Warn | Tone::Bad);
        node.set_role(if problem { egui::Role::Alert } else { egui::Role::Status });
        node.set_live(if problem { Live::Assertive } else { Live::Polite });
        node.set_label(newest.text.as_str());
    });
}
