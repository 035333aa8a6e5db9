//! Opening the library, and what is done with the sessions in it.

use std::path::{Path, PathBuf};

use eframe::egui::{self, ColorImage, TextureHandle, TextureOptions};
use facelens_session::library::{SessionDetails, SessionEntry};
use facelens_session::{SessionError, WriteError};

use super::App;
use super::reports::from_home;
use crate::app::background_tasks::BackgroundTask;
use crate::app::command::LibraryCommand;
use crate::app::notices::Tone;

/// The page with all sessions.
#[derive(Default)]
pub(crate) struct LibraryPage {
    /// It is shown.
    pub open: bool,
    /// The folder whose sessions are listed.
    pub folder: Option<PathBuf>,
    /// The list, or the details of some of it, are still being read.
    pub reading: bool,
    /// Why there is no list.
    pub error: Option<String>,
    /// The sessions, the newest first.
    pub items: Vec<LibraryItem>,
    /// The session that gets another name, and what is typed.
    pub renaming: Option<(PathBuf, String)>,
    /// The field for the name has just been shown.
    pub renaming_begins: bool,
}

/// A session in the library.
pub(crate) struct LibraryItem {
    pub entry: SessionEntry,
    /// What was read of it; `None` until then.
    pub details: Option<Result<ReadDetails, String>>,
}

/// What was read of a session, ready to be shown.
pub(crate) struct ReadDetails {
    /// How many people appear; `None` where nobody can tell.
    pub people: Option<usize>,
    pub duration_s: f64,
    pub notices: Vec<String>,
    /// `None` without a video that can be read.
    pub thumbnail: Option<TextureHandle>,
}

impl LibraryPage {
    /// The sessions whose details are there, with the bytes that they had then.
    pub fn known(&self) -> Vec<(PathBuf, u64)> {
        let read = self.items.iter().filter(|item| item.details.is_some());
        read.map(|item| (item.entry.path.clone(), item.entry.bytes)).collect()
    }

    /// Takes a new list; details of sessions that have not changed stay.
    pub fn take_list(&mut self, entries: Vec<SessionEntry>) {
        self.error = None;
        let mut before = std::mem::take(&mut self.items);
        let item = |entry: SessionEntry| {
            let same = |item: &LibraryItem| (&item.entry.path, item.entry.bytes) == (&entry.path, entry.bytes);
            let details = before.iter().position(same).and_then(|place| before.swap_remove(place).details);
            LibraryItem { entry, details }
        };
        self.items = entries.into_iter().map(item).collect();
        if let Some((session, _)) = &self.renaming
            && !self.items.iter().any(|item| item.entry.path == *session)
        {
            self.renaming = None;
        }
    }

    /// Takes what was read of one of the sessions.
    pub fn take_details(&mut self, ctx: &egui::Context, session: &Path, details: Result<SessionDetails, String>) {
        let Some(item) = self.items.iter_mut().find(|item| item.entry.path == session) else { return };
        item.details = Some(details.map(|details| ReadDetails {
            people: details.people,
            duration_s: details.duration_s,
            notices: details.notices,
            thumbnail: details.thumbnail.map(|frame| {
                let size = [frame.width() as usize, frame.height() as usize];
                ctx.load_texture("thumbnail", ColorImage::from_rgb(size, frame.rgb()), TextureOptions::LINEAR)
            }),
        }));
    }

    /// A session has another folder now; what was read of it stays.
    pub fn take_renamed(&mut self, session: &Path, renamed: &Path) {
        if let Some(item) = self.items.iter_mut().find(|item| item.entry.path == session) {
            renamed.clone_into(&mut item.entry.path);
        }
    }

    /// A field for another name of this session is shown.
    pub fn start_renaming(&mut self, session: PathBuf) {
        let name = session.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.renaming = Some((session, name));
        self.renaming_begins = true;
    }
}

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
                self.tasks.start(BackgroundTask::ListSessions { folder, known });
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
                self.tasks.start(BackgroundTask::ShowFolder(folder));
            }
            LibraryCommand::StartRenaming(session) => self.library.start_renaming(session),
            LibraryCommand::StopRenaming => self.library.renaming = None,
            LibraryCommand::Rename(session, name) => {
                self.library.renaming = None;
                if session.file_name().is_some_and(|old| *old != *name.trim()) {
                    self.leave_session(&session);
                    self.tasks.start(BackgroundTask::RenameSession { session, name });
                }
            }
            LibraryCommand::Trash(session) => {
                self.leave_session(&session);
                self.tasks.start(BackgroundTask::TrashSession(session));
            }
            LibraryCommand::Recover(session) => {
                self.tasks.start(BackgroundTask::Recover(session));
            }
        }
    }

    /// A session that is about to move is no longer replayed: its files would be looked for in the old place.
    fn leave_session(&mut self, session: &Path) {
        if self.replay.open().is_some_and(|replay| replay.session.path == session) {
            let source = self.source.spec.clone();
            self.overtake_sessions();
            self.show_source(source);
        }
        if self.recording.recorded.as_ref().is_some_and(|recorded| recorded.folder == session) {
            self.recording.recorded = None;
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
