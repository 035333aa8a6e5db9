//! What keys and menus ask for.

use eframe::egui;
use facelens_media::SourceSpec;

use super::{App, Dialog};
use crate::app::action::Action;
use crate::app::background_tasks::BackgroundTask;

impl App {
    /// Whether something that is switched on and off is on; `None` for what is not.
    pub fn is_on(&self, action: Action) -> Option<bool> {
        match action {
            Action::Pause => {
                Some(self.replay.open().map_or(self.source.paused, |replay| !replay.playback.is_playing()))
            }
            Action::Mirror => Some(self.mirrored()),
            Action::Boxes => Some(self.settings.boxes),
            Action::Labels => Some(self.settings.labels),
            Action::Axes => Some(self.settings.axes),
            Action::Angles => Some(self.settings.angles),
            Action::Gait => Some(self.gait.is_on()),
            Action::Panel => Some(self.settings.panel_open),
            Action::Library => Some(self.library.open),
            Action::FullScreen => Some(self.window.full_screen),
            Action::Record => Some(self.is_recording()),
            Action::Opentrack => Some(self.outputs.options.opentrack.is_some()),
            Action::VirtualCamera => Some(self.outputs.options.camera.is_some()),
            _ => None,
        }
    }

    /// Does what a key or a menu asks for.
    pub fn act(&mut self, ctx: &egui::Context, action: Action) {
        if self.is_locked(&action.into()) {
            self.refuse_while_recording();
            return;
        }
        if self.act_on_view(action) || self.act_on_replay(action) || self.act_on_file(action) {
            ctx.request_repaint();
            return;
        }
        let shows_camera = self.shows_camera();
        let sessions = self.sessions_folder();
        let settings = &mut self.settings;
        match action {
            Action::CameraPage => self.toggle_camera_page(),
            Action::Library => self.toggle_library(),
            Action::OpenSession => {
                self.tasks.start(BackgroundTask::PickSession(sessions));
            }
            Action::OpenFile => {
                self.tasks.start(BackgroundTask::PickSource { folder: false });
            }
            Action::OpenFolder => {
                self.tasks.start(BackgroundTask::PickSource { folder: true });
            }
            Action::NextCamera => self.next_camera(),
            Action::Demo => self.choose_source(SourceSpec::Demo),
            Action::Restart => self.restart(),
            Action::Snapshot => self.snapshot(),
            Action::Record => self.toggle_recording(ctx),
            Action::Opentrack => self.switch_opentrack(self.outputs.options.opentrack.is_none()),
            Action::Centre => self.centre_head(),
            Action::VirtualCamera => self.switch_virtual_camera(self.outputs.options.camera.is_none()),
            Action::Quit => {
                if !self.ask_before_closing() {
                    ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                }
            }
            Action::Pause => {
                self.source.paused = !self.source.paused;
                self.engine.set_paused(self.source.paused);
            }
            Action::Mirror if shows_camera => settings.mirror = !settings.mirror,
            Action::Mirror => self.source.mirrored = !self.source.mirrored,
            Action::Boxes => settings.boxes = !settings.boxes,
            Action::Labels => settings.labels = !settings.labels,
            Action::Axes => settings.axes = !settings.axes,
            Action::Angles => settings.angles = !settings.angles,
            Action::Gait => self.toggle_gait(),
            Action::Panel => settings.panel_open = !settings.panel_open,
            Action::FullScreen => {
                self.window.full_screen = !self.window.full_screen;
                ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(self.window.full_screen));
            }
            Action::RecordOptions
            | Action::Outputs
            | Action::Preferences
            | Action::Help
            | Action::Messages
            | Action::Welcome
            | Action::About => self.toggle(Dialog::of(action)),
            // Without a session they do nothing.
            Action::StepBack
            | Action::StepForward
            | Action::Slower
            | Action::Faster
            | Action::ToStart
            | Action::ToEnd
            | Action::NextPerson
            | Action::PreviousPerson
            | Action::Everybody
            | Action::ZoomIn
            | Action::ZoomOut
            | Action::WholePicture
            | Action::Export
            | Action::CloseSession => {}
        }
        ctx.request_repaint();
    }
}
