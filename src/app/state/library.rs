//! Opening the library, and what is done with the sessions in it.

use std::path::{Path, PathBuf};

use eframe::egui;
use facelens_session::library::{SessionDetails, SessionEntry};
use facelens_session::{SessionError, WriteError};

use super::App;
use super::reports::from_home;
use crate::app::background_tasks::BackgroundTask;
use crate::app::command::LibraryCommand;
use crate::app::notices::Tone;

impl App {
    /// Shows the library in the place of the picture, or the picture again.
    pub(super) fn toggle_library(&mut self) {
        if self.library.open {
            self.close_library();
        } else {
            self.library.open = true;
            self.list_sessions();
        }
    }

    /// Something else is to be seen.
    pub(super) fn close_library(&mut self) {
        self.library.open = false;
        self.library.renaming = None;
    }

    /// Lists the sessions anew, while the library is shown.
    pub(super) fn list_sessions(&mut self) {
        if !self.library.open {
            return;
        }
        let folder = self.sessions_folder();
        if self.library.folder != folder {
            self.library.items.clear();
            self.library.folder.clone_from(&folder);
        }
        match folder {
            Some(folder) => {
                self.library.reading = true;
                let known = self.library.known();
                self.start(BackgroundTask::ListSessions { folder, known });
            }
            None => {
                self.library.error =
                    Some("This user has no home folder: choose a folder in the recording options.".to_owned());
            }
        }
    }

    /// Does what a widget of the library asks for.
    pub(super) fn run_library(&mut self, command: LibraryCommand) {
        match command {
            LibraryCommand::Close => self.close_library(),
            LibraryCommand::Refresh => self.list_sessions(),
            LibraryCommand::Play(session) => self.open_session(session),
            LibraryCommand::Export(session) => self.read_for_export(session),
            LibraryCommand::ShowFolder(folder) => {
                self.start(BackgroundTask::ShowFolder(folder));
            }
            LibraryCommand::StartRenaming(session) => self.library.start_renaming(session),
            LibraryCommand::StopRenaming => self.library.renaming = None,
            LibraryCommand::Rename(session, name) => {
                self.library.renaming = None;
                if session.file_name().is_some_and(|old| *old != *name.trim()) {
                    self.leave_session(&session);
                    self.start(BackgroundTask::RenameSession { session, name });
                }
            }
            LibraryCommand::Trash(session) => {
                self.leave_session(&session);
                self.start(BackgroundTask::TrashSession(session));
            }
            LibraryCommand::Recover(session) => {
                self.start(BackgroundTask::Recover(session));
            }
        }
    }

    /// A session that is about to move is no longer replayed: its files would be looked for in the old place.
    fn leave_session(&mut self, session: &Path) {
        if self.replay.open().is_some_and(|replay| replay.session.path == session) {
            let source = self.source.clone();
            self.overtake_sessions();
            self.show_source(source);
        }
        if self.recorded.as_ref().is_some_and(|recorded| recorded.folder == session) {
            self.recorded = None;
        }
    }

    pub(super) fn take_sessions(&mut self, result: Result<Vec<SessionEntry>, SessionError>) {
        match result {
            Ok(sessions) => self.library.take_list(sessions),
            Err(error) => {
                self.library.items.clear();
                self.library.reading = false;
                self.library.error = Some(error.to_string());
            }
        }
    }

    pub(super) fn take_session_details(
        &mut self,
        ctx: &egui::Context,
        session: &Path,
        details: Result<SessionDetails, String>,
    ) {
        self.library.take_details(ctx, session, details);
    }

    pub(super) fn take_renamed(&mut self, session: &Path, result: Result<PathBuf, WriteError>) {
        match result {
            Ok(renamed) => self.library.take_renamed(session, &renamed),
            Err(error) => self.notices.say(Tone::Bad, error.to_string()),
        }
        self.list_sessions();
    }

    pub(super) fn take_trashed(&mut self, session: &Path, result: Result<(), WriteError>) {
        match result {
            Ok(()) => {
                let words = format!("{} is in the trash; the file manager can put it back.", from_home(session));
                self.notices.say(Tone::Good, words);
            }
            Err(error) => self.notices.say(Tone::Bad, error.to_string()),
        }
        self.list_sessions();
    }
}
