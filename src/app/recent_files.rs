//! The submenu of the files and folders that were opened last: it says which of them are missing.

use eframe::egui::{self, Button};
use facelens_media::SourceSpec;

use super::command::AppCommand;
use super::state::{App, LOCKED, from_home};
use super::theme;

/// While the submenu is open, it is looked this often what is missing, seconds.
const LOOK_EVERY_SECS: f64 = 2.0;

/// The submenu.
pub(super) fn menu(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let recent = &app.settings.recent_files;
    if recent.is_empty() {
        ui.add_enabled(false, Button::new("Open recent"));
        return;
    }
    ui.menu_button("Open recent", |ui| {
        ui.set_min_width(232.0);
        let now = ui.input(|input| input.time);
        if app.recent.looked_at.is_none_or(|at| now - at >= LOOK_EVERY_SECS) {
            commands.push(AppCommand::FindMissing);
        }
        let locked = app.is_recording();
        for file in recent {
            let missing = app.recent.missing.contains(file);
            let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
            let text = if missing { format!("{name} (missing)") } else { name.into_owned() };
            let response = ui.add_enabled(!missing && !locked, Button::new(text).truncate());
            let place = from_home(file);
            let response = response.on_hover_text(&place);
            let why = if missing { format!("{place} is not there") } else { LOCKED.to_owned() };
            if response.on_disabled_hover_text(why).clicked() {
                commands.push(AppCommand::Source(SourceSpec::Path(file.clone())));
                ui.close();
            }
        }
        ui.separator();
        if ui.button(theme::weak("Clear this list")).clicked() {
            commands.push(AppCommand::ForgetRecentFiles);
            ui.close();
        }
    });
}
