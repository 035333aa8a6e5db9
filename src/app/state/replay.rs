//! Opening, replaying and leaving a session.

use std::path::PathBuf;

use eframe::egui;
use facelens_session::{SessionError, SessionFolder};

use super::seek::FilePosition;
use super::{App, recent};
use crate::app::action::Action;
use crate::app::background_tasks::BackgroundTask;
use crate::app::command::ExportCommand;
use crate::app::notices::Tone;
use crate::app::replay::{Replay, ReplayState};

impl App {
    /// Reads a session on another thread; what is shown stays until it is there.
    pub(in crate::app) fn open_session(&mut self, path: PathBuf) {
        if matches!(self.replay, ReplayState::Failed(_)) {
            self.replay = ReplayState::Opening(path.clone());
        }
        self.sessions_from = self.tasks.start(BackgroundTask::OpenSession(path));
    }

    pub(super) fn take_session(&mut self, result: Result<Box<SessionFolder>, SessionError>) {
        match result {
            // It was asked for before the recording began.
            Ok(_) if self.refuse_while_recording() => {}
            Ok(session) => {
                self.engine.let_go();
                self.forget_picture();
                // The side panel says all of it; a notice would only cover the timeline.
                if let Some((first, more)) = session.notices.split_first().filter(|_| !self.settings.panel_open) {
                    let more = if more.is_empty() { "" } else { " (there is more: see the side panel)" };
                    self.notices.say(Tone::Warn, format!("{}: {first}{more}.", session.name()));
                }
                self.source.paused = false;
                self.source.mirrored = false;
                self.recording.recorded = None;
                self.recording.countdown = None;
                self.viewer.forget_view();
                self.close_library();
                recent::remember(&mut self.settings.recent_files, &session.path);
                self.replay = ReplayState::Open(Box::new(Replay::new(*session)));
            }
            // Something is shown already: that stays.
            Err(error) if self.replay.is_none() || self.replay.open().is_some() => {
                self.notices.say(Tone::Bad, error.to_string());
            }
            Err(error) => self.replay = ReplayState::Failed(error),
        }
    }

    /// Takes in what is new of the session; `false` where there is none.
    pub(super) fn read_replay(&mut self, ctx: &egui::Context) -> bool {
        let ReplayState::Open(replay) = &mut self.replay else { return !self.replay.is_none() };
        let shot = replay.update(ctx);
        if let Some(analysis) = &shot.analysis {
            self.people.hold_labels(analysis);
        }
        self.viewer.show(Some(shot));
        true
    }

    /// Does what an action means for a session; `false` where it means nothing special for one.
    pub(super) fn act_on_replay(&mut self, action: Action) -> bool {
        if action == Action::CloseSession && !self.replay.is_none() {
            self.overtake_sessions();
            let source = self.source.spec.clone();
            self.show_source(source);
            return true;
        }
        if action == Action::Export {
            self.run_export(ExportCommand::Open, 0.0);
            return true;
        }
        let Some(replay) = self.replay.open_mut() else { return false };
        let playback = &mut replay.playback;
        match action {
            Action::Pause => playback.toggle(),
            Action::Restart => {
                playback.seek(0.0);
                if !playback.is_playing() {
                    playback.toggle();
                }
            }
            Action::StepBack => playback.step(-1),
            Action::StepForward => playback.step(1),
            Action::Slower => playback.change_speed(false),
            Action::Faster => playback.change_speed(true),
            Action::ToStart => playback.seek(0.0),
            Action::ToEnd => playback.end(),
            Action::NextPerson => playback.jump_next(true),
            Action::PreviousPerson => playback.jump_next(false),
            Action::Everybody => playback.show_only(None),
            _ => return false,
        }
        true
    }

    /// What the menu bar says of the source's pictures.
    pub fn source_format(&self) -> String {
        match self.replay.open() {
            Some(replay) => replay.format(),
            None if !self.replay.is_none() => String::new(),
            None => self.info().map(|info| info.format.clone()).unwrap_or_default(),
        }
    }

    /// Whether an action can do anything now.
    pub fn is_available(&self, action: Action) -> bool {
        match action {
            Action::Everybody => self.only_person().is_some() || self.replay.open().is_some(),
            Action::WholePicture | Action::ZoomOut => self.viewer.view.is_zoomed(),
            Action::CloseSession => !self.replay.is_none(),
            Action::StepBack | Action::StepForward | Action::ToStart | Action::ToEnd => {
                self.replay.open().is_some() || FilePosition::of(self).is_some()
            }
            Action::Record | Action::Gait => self.replay.is_none(),
            Action::Centre => self.outputs.options.opentrack.is_some(),
            _ => !action.is_replay() || self.replay.open().is_some(),
        }
    }
}
