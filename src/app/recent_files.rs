//! The files and folders that were opened last: a submenu that says which of them are missing.

use std::path::{Path, PathBuf};

use eframe::egui::{self, Button};
use facelens_media::SourceSpec;

use super::command::AppCommand;
use super::state::{App, LOCKED, from_home};
use super::theme;

/// So many are remembered.
pub(crate) const MOST: usize = 10;
/// While the submenu is open, it is looked this often what is missing, seconds.
const LOOK_EVERY_SECS: f64 = 2.0;

/// What is known of the recent files beside their names, which are settings.
#[derive(Default)]
pub(crate) struct RecentFiles {
    /// Those that were not there when they were last looked for.
    pub missing: Vec<PathBuf>,
    /// When that was, seconds of the window.
    pub looked_at: Option<f64>,
}

/// Puts a file at the head of the list.
pub(crate) fn remember(recent: &mut Vec<PathBuf>, file: &Path) {
    // A relative name means another file when the program starts elsewhere.
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    recent.retain(|known| *known != file);
    recent.insert(0, file);
    recent.truncate(MOST);
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_comes_first_and_each_once() {
        let mut recent = Vec::new();
        for name in ["/a", "/b", "/a"] {
            remember(&mut recent, Path::new(name));
        }
        assert_eq!(recent, ["/a", "/b"].map(PathBuf::from));
        for number in 0..20 {
            remember(&mut recent, Path::new(&format!("/{number}")));
        }
        assert_eq!((recent.len(), recent[0].clone()), (MOST, PathBuf::from("/19")));
        remember(&mut recent, Path::new("clip.mp4"));
        assert!(recent[0].is_absolute() && recent[0].ends_with("clip.mp4"));
    }
}
