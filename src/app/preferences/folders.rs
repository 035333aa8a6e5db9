//! Where recordings and snapshots are kept.

use std::path::PathBuf;

use eframe::egui::{self, Button, RichText, vec2};

use super::super::command::AppCommand;
use super::super::state::{App, LOCKED, from_home};
use super::super::{elide, theme};
use super::{NAME_WIDTH, Preference, section};

/// Width of the buttons beside a folder, points.
const BUTTONS_WIDTH: f32 = 184.0;

/// A folder that can be chosen.
struct Folder {
    name: &'static str,
    place: Option<PathBuf>,
    /// The user chose it.
    own: bool,
    locked: bool,
    choose: AppCommand,
    usual: AppCommand,
}

pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    section(ui, "FOLDERS");
    let folders = [
        Folder {
            name: "Recordings",
            place: app.sessions_folder(),
            own: app.settings.sessions_folder.is_some(),
            locked: app.is_recording(),
            choose: AppCommand::PickSessionsFolder,
            usual: AppCommand::DefaultSessionsFolder,
        },
        Folder {
            name: "Snapshots",
            place: app.snapshots_folder(),
            own: app.settings.snapshots_folder.is_some(),
            locked: false,
            choose: AppCommand::PickSnapshotsFolder,
            usual: AppCommand::Prefer(Preference::DefaultSnapshotsFolder),
        },
    ];
    for folder in folders {
        row(ui, folder, commands);
    }
}

fn row(ui: &mut egui::Ui, folder: Folder, commands: &mut Vec<AppCommand>) {
    ui.horizontal(|ui| {
        ui.set_min_height(28.0);
        let used = ui.label(folder.name).rect.width();
        ui.add_space((NAME_WIDTH - used).max(0.0));
        let path = folder.place.map_or_else(|| "none".to_owned(), |place| from_home(&place));
        let width = (ui.available_width() - BUTTONS_WIDTH).max(64.0);
        let shown = elide::middle(ui, &path, &elide::body(ui), width);
        ui.allocate_ui_with_layout(vec2(width, 28.0), egui::Layout::left_to_right(egui::Align::Center), |ui| {
            ui.set_width(width);
            ui.label(RichText::new(shown).color(theme::colors().text)).on_hover_text(path);
        });
        ui.add_enabled_ui(!folder.locked, |ui| {
            let name = folder.name.to_lowercase();
            let choose = ui.button("Choose…").accessible_name(format!("Choose the folder for {name}"));
            if choose.on_disabled_hover_text(LOCKED).clicked() {
                commands.push(folder.choose);
            }
            let usual = ui.add_enabled(folder.own, Button::new("Default"));
            if usual.accessible_name(format!("Use the default folder for {name}")).clicked() {
                commands.push(folder.usual);
            }
        });
    });
}
