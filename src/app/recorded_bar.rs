//! A bar above the picture after a recording: what was recorded; play it, show it in the file manager.

use eframe::egui;

use super::banner;
use super::command::{AppCommand, LibraryCommand};
use super::notices::Tone;
use super::state::RecordedSession;
use super::theme;

/// Shows the bar.
pub(super) fn show(ui: &mut egui::Ui, recorded: &RecordedSession, commands: &mut Vec<AppCommand>) {
    let folder = || recorded.folder.clone();
    let words = banner::bar(ui, "recorded", Tone::Good, &recorded.words(), |ui| {
        if theme::cross(ui, "Hide the bar about the recording").clicked() {
            commands.push(AppCommand::ForgetRecorded);
        }
        if ui.button("Show in folder").accessible_name("Show the recording in its folder").clicked() {
            commands.push(AppCommand::Library(LibraryCommand::ShowFolder(folder())));
        }
        if ui.add(theme::primary("Play")).accessible_name("Play the recording").clicked() {
            commands.push(AppCommand::Library(LibraryCommand::Play(folder())));
        }
    });
    words.on_hover_text(recorded.folder.display().to_string());
}
