//! The window itself: its size and the size of its text, and when what has changed is written to the settings.

use eframe::egui;

use super::App;
use super::settings_keeper::Due;
use crate::app::background_tasks::{BackgroundTask, TaskKey};
use crate::app::command::{Preference, Section};
use crate::settings::TEXT_SIZES;

/// The window itself.
pub(crate) struct WindowState {
    pub full_screen: bool,
    zoom: WindowZoom,
}

impl WindowState {
    /// A window whose text has this size from the start on.
    pub(super) const fn new(text_size: f32) -> Self {
        Self { full_screen: false, zoom: WindowZoom { wanted: Some(text_size), before: 1.0 } }
    }
}

/// The size of the text and of everything else.
#[derive(Clone, Copy, Debug)]
struct WindowZoom {
    /// To be taken over by the next repaint.
    wanted: Option<f32>,
    /// As it was at the last repaint.
    before: f32,
}

impl App {
    /// Does what a preference asks for; it is remembered.
    pub(super) fn prefer(&mut self, preference: Preference) {
        match preference {
            Preference::Theme(theme) => self.settings.theme = theme,
            Preference::TextSize(size) => self.want_text_size(size.clamp(*TEXT_SIZES.start(), *TEXT_SIZES.end())),
            Preference::ShowAge(show) => self.settings.show_age = show,
            Preference::ShowGender(show) => self.settings.show_gender = show,
            Preference::DefaultSnapshotsFolder => self.settings.snapshots_folder = None,
        }
    }

    /// Whether only the title of a part is shown.
    pub(crate) fn is_folded(&self, section: Section) -> bool {
        self.settings.folded.iter().any(|name| name == section.name())
    }

    /// Folds a part, or unfolds it; it is remembered.
    pub(crate) fn fold(&mut self, section: Section) {
        let folded = &mut self.settings.folded;
        match folded.iter().position(|name| name == section.name()) {
            Some(place) => drop(folded.remove(place)),
            None => folded.push(section.name().to_owned()),
        }
    }

    /// Text of this size from now on.
    pub(in crate::app) fn want_text_size(&mut self, size: f32) {
        self.settings.text_size = size;
        self.window.zoom.wanted = Some(size);
    }

    /// Gives the window the size of text that is wanted, and takes in what Ctrl with + and - made of it.
    pub(super) fn follow_text_size(&mut self, ctx: &egui::Context) {
        let now = ctx.zoom_factor();
        let limited = now.clamp(*TEXT_SIZES.start(), *TEXT_SIZES.end());
        match self.window.zoom.wanted {
            Some(wanted) if (wanted - now).abs() > 1e-3 => {
                ctx.set_zoom_factor(wanted);
                ctx.request_repaint();
            }
            Some(_) => self.window.zoom.wanted = None,
            None if limited.total_cmp(&now).is_ne() => self.want_text_size(limited),
            None => self.settings.text_size = now,
        }
    }

    /// Remembers the size of the window, and writes changed settings once they have been quiet for a second.
    pub(super) fn remember(&mut self, ctx: &egui::Context) {
        self.remember_size(ctx);
        match self.keeper.due(&self.settings, ctx.input(|input| input.time)) {
            Due::Nothing => {}
            Due::Later => ctx.request_repaint_after_secs(1.0),
            Due::Now(save) => {
                self.tasks.start(BackgroundTask::SaveSettings(save));
            }
        }
    }

    fn remember_size(&mut self, ctx: &egui::Context) {
        let zoom = ctx.zoom_factor();
        // While the text changes its size, what the system said of the window is in points of the old size.
        let changes = self.window.zoom.wanted.is_some() || (self.window.zoom.before - zoom).abs() > 1e-3;
        self.window.zoom.before = zoom;
        ctx.input(|input| {
            let viewport = input.viewport();
            if let Some(maximized) = viewport.maximized {
                self.settings.maximized = maximized;
            }
            let usual = viewport.maximized != Some(true) && viewport.fullscreen != Some(true);
            if let Some(inner) = viewport.inner_rect.filter(|_| usual && !self.window.full_screen && !changes) {
                let size = inner.size() * zoom;
                if size.min_elem() >= 200.0 {
                    self.settings.window_size = [size.x.round(), size.y.round()];
                }
            }
        });
    }

    /// Writes what has not been written yet; called when the window is closed.
    pub fn save_now(&mut self) {
        // A half-written export is taken back.
        self.tasks.cancel(TaskKey::Export);
        // Those that are being saved at this moment would be lost with the program: this waits for them.
        self.keeper.save_now(&self.settings);
    }
}
