//! The library of sessions: a page in the place of the picture with every recording in the sessions' folder.

mod page;

use std::path::{Path, PathBuf};

use eframe::egui::{self, ColorImage, TextureHandle, TextureOptions};
use facelens_session::library::{SessionDetails, SessionEntry};

pub(super) use page::show;

/// The page.
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
    renaming_begins: bool,
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
