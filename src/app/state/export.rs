//! Exporting a session from the window.

use std::path::PathBuf;
use std::sync::Arc;

use facelens_session::export::{self, ExportEnd, ExportFormat, ExportProgress, ExportRequest, SessionExportError};
use facelens_session::{SessionError, SessionFolder, SessionPerson, WriteErrorKind};

use super::reports::from_home;
use super::{App, Dialog};
use crate::app::background_tasks::{BackgroundTask, Picked, SharedSession, TaskKey};
use crate::app::command::ExportCommand;
use crate::app::notices::Tone;

/// An export, from the first choice to its end.
pub(crate) struct SessionExport {
    pub session: Arc<SessionFolder>,
    pub people: Vec<SessionPerson>,
    pub format: ExportFormat,
    /// One person alone.
    pub person: Option<u64>,
    pub overlay: bool,
    /// The file that the user chose; without one it is named by what is exported.
    pub chosen: Option<PathBuf>,
    pub phase: ExportPhase,
}

/// How far an export is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExportPhase {
    /// It is being chosen.
    Choosing,
    /// It runs; the frames that are written, and when it began in seconds of the window.
    Running { progress: ExportProgress, began: f64 },
    /// It is to end.
    Cancelling,
    /// It is in this file.
    Done(PathBuf),
    /// There is a file of this name.
    Exists(PathBuf),
    /// Why there is none.
    Failed(String),
}

impl SessionExport {
    /// An export of `session` that is yet to be chosen: the video where there is one, else the rows.
    pub fn new(session: Arc<SessionFolder>) -> Self {
        let has_video = session.clean_video().or_else(|| session.annotated_video()).is_some();
        let format = if has_video { ExportFormat::Mp4 } else { ExportFormat::Csv };
        let people = session.people();
        Self { session, people, format, person: None, overlay: true, chosen: None, phase: ExportPhase::Choosing }
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        matches!(self.phase, ExportPhase::Running { .. } | ExportPhase::Cancelling)
    }

    /// The people it is for; everybody where it is empty.
    fn only(&self) -> Vec<u64> {
        self.person.into_iter().collect()
    }

    /// What is asked for.
    pub fn request(&self, replace: bool) -> ExportRequest {
        let file = self.chosen.clone().unwrap_or_else(|| {
            let name = export::default_name(&self.session, self.format, &self.only(), self.overlay);
            self.session.path.join(name)
        });
        ExportRequest { format: self.format, people: self.only(), overlay: self.overlay, file, replace }
    }

    /// Why what is chosen cannot be exported.
    pub fn problem(&self) -> Option<&'static str> {
        if self.format != ExportFormat::Mp4 {
            return None;
        }
        match (self.session.clean_video(), self.session.annotated_video()) {
            (None, None) => Some("This session has no video."),
            (None, Some(_)) if !self.overlay => {
                Some("The overlay is part of this session's only video and cannot be taken out.")
            }
            (None, Some(_)) if self.person.is_some() => {
                Some("The overlay is part of this session's only video and cannot be drawn for one person alone.")
            }
            _ => None,
        }
    }
}

impl App {
    /// Reads a session of the library, for its export.
    pub(super) fn read_for_export(&mut self, session: PathBuf) {
        if self.shows_running_export() {
            return;
        }
        self.tasks.start(BackgroundTask::ReadForExport(session));
    }

    pub(super) fn take_ready_for_export(&mut self, result: Result<Arc<SessionFolder>, SessionError>) {
        match result {
            Ok(session) => self.choose_export(session),
            Err(error) => self.notices.say(Tone::Bad, error.to_string()),
        }
    }

    fn choose_export(&mut self, session: Arc<SessionFolder>) {
        self.export = Some(SessionExport::new(session));
        self.dialog = Some(Dialog::Export);
    }

    /// One export at a time: shows the one that runs.
    fn shows_running_export(&mut self) -> bool {
        let runs = self.export.as_ref().is_some_and(SessionExport::is_running);
        if runs {
            self.dialog = Some(Dialog::Export);
        }
        runs
    }

    /// Does what a widget of the dialog asks for; `now` in seconds of the window.
    pub(super) fn run_export(&mut self, command: ExportCommand, now: f64) {
        if command == ExportCommand::Open && self.dialog == Some(Dialog::Export) {
            self.dialog = None;
            return;
        }
        if command == ExportCommand::Open {
            let session = self.replay.open().map(|replay| Arc::clone(&replay.session));
            if let Some(session) = session.filter(|_| !self.shows_running_export()) {
                self.choose_export(session);
            }
            return;
        }
        let Some(export) = &mut self.export else { return };
        if command == ExportCommand::Cancel {
            export.phase = ExportPhase::Cancelling;
            self.tasks.cancel(TaskKey::Export);
            return;
        }
        if export.is_running() {
            return;
        }
        match command {
            ExportCommand::Start | ExportCommand::Replace => {
                let request = export.request(command == ExportCommand::Replace);
                let progress = ExportProgress { done: 0, all: 0 };
                export.phase = ExportPhase::Running { progress, began: now };
                let session = SharedSession(Arc::clone(&export.session));
                self.tasks.start(BackgroundTask::Export { session, request });
                return;
            }
            ExportCommand::PickFile => {
                let request = export.request(false);
                self.tasks.start(BackgroundTask::PickExportFile(request));
                return;
            }
            // A file that was chosen for another format would have the wrong ending.
            ExportCommand::Format(format) => (export.format, export.chosen) = (format, None),
            ExportCommand::Person(person) => export.person = person,
            ExportCommand::Overlay(overlay) => export.overlay = overlay,
            ExportCommand::Open | ExportCommand::Cancel => {}
        }
        export.phase = ExportPhase::Choosing;
    }

    pub(super) fn take_export_file(&mut self, picked: Picked) {
        match picked {
            Picked::Files(files) => {
                if let Some(export) = self.export.as_mut().filter(|export| !export.is_running()) {
                    export.chosen = files.into_iter().next();
                    export.phase = ExportPhase::Choosing;
                }
            }
            Picked::Nothing => {}
            Picked::NoDialog => self.notices.say(
                Tone::Warn,
                "This system has no file dialog: the file goes into the session's folder, or use facelens export \
                 SESSION -o FILE.",
            ),
        }
    }

    pub(super) fn take_export_progress(&mut self, newest: ExportProgress) {
        if let Some(SessionExport { phase: ExportPhase::Running { progress, .. }, .. }) = &mut self.export {
            *progress = newest;
        }
    }

    pub(super) fn take_exported(&mut self, file: PathBuf, result: Result<ExportEnd, SessionExportError>) {
        let shown = self.dialog == Some(Dialog::Export);
        let Some(export) = &mut self.export else { return };
        let words = match &result {
            Ok(ExportEnd::Written) => Some((Tone::Good, format!("Exported as {}.", from_home(&file)))),
            Ok(ExportEnd::Cancelled) => None,
            Err(error) => Some((Tone::Bad, error.to_string())),
        };
        export.phase = match result {
            Ok(ExportEnd::Written) => ExportPhase::Done(file),
            Ok(ExportEnd::Cancelled) => ExportPhase::Choosing,
            Err(SessionExportError::Write(error)) if error.kind == WriteErrorKind::Exists && error.path == file => {
                ExportPhase::Exists(file)
            }
            Err(error) => ExportPhase::Failed(error.to_string()),
        };
        // The dialog says it by itself.
        if let Some((tone, words)) = words.filter(|_| !shown) {
            self.notices.say(tone, words);
        }
        // An export in a session's folder makes it larger.
        self.list_sessions();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_named_by_what_is_exported_until_one_is_chosen() {
        let folder = tempfile::tempdir().unwrap();
        let rows = crate::testing::session::rows();
        crate::testing::session::write(folder.path(), &rows, &[("video.mp4", true)]);
        let mut export = SessionExport::new(Arc::new(SessionFolder::open(folder.path()).unwrap()));
        assert_eq!((export.format, export.problem()), (ExportFormat::Mp4, None));
        assert_eq!(export.request(false).file, folder.path().join("overlay.mp4"));
        export.person = Some(2);
        assert!(export.problem().unwrap().contains("one person"));
        export.overlay = false;
        assert!(export.problem().unwrap().contains("cannot be taken out"));
        export.format = ExportFormat::Srt;
        let request = export.request(true);
        assert_eq!((request.file, request.people), (folder.path().join("video-person-2.srt"), vec![2]));
        assert!(request.replace && export.problem().is_none());
        export.chosen = Some("elsewhere.srt".into());
        assert_eq!(export.request(false).file, PathBuf::from("elsewhere.srt"));
    }
}
