//! The page with all messages of this run, to be read again and copied.

use std::time::Duration;

use eframe::egui::{self, Button, Label, RichText, Sense, vec2};

use super::super::command::AppCommand;
use super::super::theme;
use super::{Notice, Notices};

/// Width of the column that says how long ago a message was.
const AGO_WIDTH: f32 = 76.0;

pub(in crate::app) fn show(notices: &Notices, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    theme::dialog_width(ui, 560.0);
    ui.heading("Messages");
    let all = notices.all();
    if all.is_empty() {
        ui.label(RichText::new("Nothing has been said since facelens was started.").color(theme::colors().weak));
        return;
    }
    ui.label(theme::weak("What facelens has said since it was started, the newest first."));
    let height = ui.ctx().content_rect().height() - 240.0;
    theme::scrolled(height).show(ui, |ui| {
        for notice in all.iter().rev() {
            entry(ui, notice, commands);
        }
    });
    if ui.button("Copy all").clicked() {
        let lines: Vec<&str> = all.iter().map(|notice| notice.text.as_str()).collect();
        commands.push(AppCommand::Copy(lines.join("\n")));
    }
}

fn entry(ui: &mut egui::Ui, notice: &Notice, commands: &mut Vec<AppCommand>) {
    ui.horizontal_top(|ui| {
        let (dot, _) = ui.allocate_exact_size(vec2(8.0, 20.0), Sense::hover());
        ui.painter().circle_filled(dot.center(), 4.0, notice.tone.color());
        let copy = 64.0;
        let (ago, _) = ui.allocate_exact_size(vec2(AGO_WIDTH, 20.0), Sense::hover());
        let font = egui::FontId::proportional(12.0);
        let words = ago_text(notice.said_at.elapsed());
        ui.painter().text(ago.left_center(), egui::Align2::LEFT_CENTER, words, font, theme::colors().weak);
        ui.vertical(|ui| {
            ui.set_width(ui.available_width() - copy);
            ui.add(Label::new(RichText::new(&notice.text).color(theme::colors().text)).wrap().selectable(true));
        });
        let button = ui.add(Button::new(RichText::new("Copy").small()).small());
        if button.accessible_name("Copy this message").clicked() {
            commands.push(AppCommand::Copy(notice.text.clone()));
        }
    });
}

fn ago_text(ago: Duration) -> String {
    match ago.as_secs() {
        0..=9 => "just now".to_owned(),
        secs @ 10..=59 => format!("{secs} s ago"),
        secs @ 60..=3599 => format!("{} min ago", secs / 60),
        secs => format!("{} h ago", secs / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_message_is_told_in_one_unit() {
        let texts = [3, 42, 119, 7300].map(|secs| ago_text(Duration::from_secs(secs)));
        assert_eq!(texts, ["just now", "42 s ago", "1 min ago", "2 h ago"]);
    }
}
