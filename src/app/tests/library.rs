//! The library of sessions, the bar after a recording, and exports.

use std::path::Path;

use facelens_core::frame::Frame;
use facelens_session::export::{ExportEnd, ExportFormat, ExportProgress, ExportRequest};
use facelens_session::library::{SessionDetails, SessionEntry, SessionState};
use facelens_session::recording::RecordingState;
use facelens_session::{SessionEnd, SessionFolder, WriteError, WriteErrorKind};

use super::*;
use crate::app::background_tasks::TaskKey;
use crate::app::fake::recording;
use crate::app::picture::Picture;

pub(super) fn entry(name: &str, state: SessionState) -> SessionEntry {
    SessionEntry {
        path: Path::new("/videos/facelens").join(name),
        started: "2026-01-02 03:04".into(),
        started_secs: 0,
        duration_s: 67.3,
        bytes: 3_456_789,
        state,
    }
}

pub(super) fn details(people: Option<usize>, notices: &[&str]) -> SessionDetails {
    let thumbnail = Frame::from_rgb(16, 9, vec![120; 16 * 9 * 3]).ok();
    let notices = notices.iter().map(|notice| (*notice).to_owned()).collect();
    SessionDetails { people, duration_s: 67.3, notices, thumbnail }
}

impl Test {
    fn settings_with_folder() -> Settings {
        Settings { sessions_folder: Some("/videos/facelens".into()), ..Settings::default() }
    }

    /// A window that shows these sessions in the library.
    pub(super) fn library(entries: &[SessionEntry]) -> Self {
        let mut test = Self::with(&AppOptions::default(), Self::settings_with_folder());
        test.fake.play(0, &[1]);
        test.window.key_press_modifiers(Modifiers::SHIFT, Key::H);
        test.steps();
        test.report(TaskReport::Sessions(Ok(entries.to_vec())));
        test
    }

    fn chooses(&mut self, of: &str, entry: &str) {
        self.click(&format!("More about {of}"));
        self.click(entry);
    }

    fn words(&self) -> String {
        self.window.state().notices.last().map(|(_, words)| words.to_owned()).unwrap_or_default()
    }
}

#[test]
fn the_library_lists_every_session_and_says_what_is_wrong_with_it() {
    let mut test = Test::library(&[
        entry("session-a", SessionState::Complete),
        entry("session-b", SessionState::Interrupted),
        entry("session-c", SessionState::Failed("the disk is full".into())),
        entry("session-d", SessionState::Damaged("session.json is missing".into())),
        entry("session-e", SessionState::InUse),
    ]);
    let folder = PathBuf::from("/videos/facelens");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::ListSessions { folder, known: vec![] }));
    assert!(test.shows("5 sessions") && test.shows("2026-01-02 03:04  ·  1:07  ·  3.46 MB"));
    for words in ["Interrupted", "Ended by an error: the disk is full", "Damaged: session.json is missing"] {
        assert!(test.shows(words), "{words}");
    }
    assert!(test.shows("Being recorded") && !test.shows("Image of"), "it is shown in the place of the picture");
    let session = PathBuf::from("/videos/facelens/session-a");
    test.report(TaskReport::SessionDetails { session, details: Ok(details(Some(2), &["clean.mp4 is missing"])) });
    assert!(test.shows("2 people  ·  3.46 MB") && test.shows("Damaged: clean.mp4 is missing"));
    test.report(TaskReport::SessionsRead);
    assert!(!test.shows("reading…"));
    test.press(Key::Escape);
    assert!(!test.shows("5 sessions") && test.shows("Image of"));
}

#[test]
fn a_list_that_was_overtaken_is_not_shown_and_what_is_known_is_not_read_again() {
    let mut test = Test::library(&[entry("session-a", SessionState::Complete)]);
    let session = PathBuf::from("/videos/facelens/session-a");
    let first = test.newest();
    let details = || Ok(details(Some(1), &[]));
    test.report_of(first, TaskReport::SessionDetails { session: session.clone(), details: details() });
    test.report_of(first, TaskReport::SessionsRead);
    test.click("List the sessions again");
    let Some(BackgroundTask::ListSessions { known, .. }) = test.tasks().pop() else { panic!("no list") };
    assert_eq!(known, [(session, 3_456_789)]);
    test.report_of(first, TaskReport::Sessions(Ok(Vec::new())));
    assert!(test.shows("1 person"), "the older list comes too late");
    test.report(TaskReport::Sessions(Ok(vec![entry("session-a", SessionState::Complete)])));
    assert!(test.shows("1 person"), "what was read of it stays");
    test.report(TaskReport::Sessions(Ok(Vec::new())));
    assert!(test.shows("Reading the sessions…"));
    test.report(TaskReport::SessionsRead);
    assert!(test.shows("No sessions yet"));
}

#[test]
fn a_session_is_played_renamed_and_moved_to_the_trash() {
    let mut test = Test::library(&[entry("session-a", SessionState::Complete)]);
    let session = PathBuf::from("/videos/facelens/session-a");
    test.click("Play session-a");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::OpenSession(session.clone())));

    test.chooses("session-a", "Rename…");
    let typed = test.window.state().library.renaming.clone();
    assert_eq!(typed, Some((session.clone(), "session-a".to_owned())));
    test.window.get_by_label("New name").focus();
    test.window.state_mut().library.renaming = Some((session.clone(), "Visit".into()));
    test.steps();
    test.press(Key::Enter);
    let rename = BackgroundTask::RenameSession { session: session.clone(), name: "Visit".into() };
    assert_eq!(test.tasks().last(), Some(&rename));
    let renamed = PathBuf::from("/videos/facelens/Visit");
    test.report(TaskReport::SessionRenamed(session, Ok(renamed.clone())));
    assert!(matches!(test.tasks().last(), Some(BackgroundTask::ListSessions { .. })));
    assert!(test.window.query_by_label("Play Visit").is_some());

    test.chooses("Visit", "Move to trash");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::TrashSession(renamed.clone())));
    let error = WriteError::new(WriteErrorKind::Io, &renamed, "there is no trash", "it stays");
    test.report(TaskReport::SessionTrashed(renamed.clone(), Err(error)));
    assert!(test.words().contains("there is no trash") && test.window.query_by_label("Play Visit").is_some());
    test.chooses("Visit", "Move to trash");
    test.report(TaskReport::SessionTrashed(renamed, Ok(())));
    assert!(test.words().contains("Visit is in the trash"));
}

#[test]
fn a_name_that_is_left_alone_stays() {
    let mut test = Test::library(&[entry("session-a", SessionState::Complete)]);
    test.click("More about session-a");
    test.press(Key::Escape);
    assert!(test.shows("1 session") && !test.shows("Rename…"), "Esc closes the menu, not the library");
    test.chooses("session-a", "Rename…");
    test.press(Key::Escape);
    assert!(test.shows("1 session"), "Esc leaves the name, not the library");
    assert!(test.window.query_by_label("New name").is_none());
    assert!(!test.tasks().iter().any(|task| matches!(task, BackgroundTask::RenameSession { .. })));
}

#[test]
fn after_a_recording_it_can_be_played_and_shown_in_its_folder() {
    let mut test = Test::new();
    test.shipped();
    test.fake.play(0, &[1]);
    test.steps();
    let folder = PathBuf::from("/videos/facelens/session-2026-01-02_03-04-05");
    let record = |test: &mut Test| {
        test.press(Key::E);
        assert!(test.window.query_by_label("Play the recording").is_none());
        test.fake.0.borrow_mut().recording = Some(Arc::new(recording(RecordingState::Ended(SessionEnd::Stopped))));
        test.steps();
        assert!(test.shows("Recorded 1:07 min"));
    };
    record(&mut test);
    test.click("Show the recording in its folder");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::ShowFolder(folder.clone())));
    test.report(TaskReport::FolderShown(Err("it cannot be shown (no file manager); open it".into())));
    assert!(test.words().contains("no file manager"));
    test.click("Hide the bar about the recording");
    assert!(!test.shows("Recorded 1:07 min"));
    record(&mut test);
    test.click("Play the recording");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::OpenSession(folder)));
    test.press(Key::D);
    assert!(!test.shows("Recorded 1:07 min"), "something else is shown");
}

/// A window in which a session of two videos is replayed, and its folder.
fn replayed() -> (Test, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let videos = [("clean.mp4", false), ("video.mp4", true)];
    crate::testing::session::write(folder.path(), &crate::testing::session::rows(), &videos);
    let mut test = Test::new();
    test.report(TaskReport::SessionPicked(Picked::Files(vec![folder.path().to_owned()])));
    test.report(TaskReport::Session(SessionFolder::open(folder.path()).map(Box::new)));
    (test, folder)
}

fn exported(test: &Test) -> ExportRequest {
    match test.tasks().pop() {
        Some(BackgroundTask::Export { request, .. }) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_is_exported_with_progress_and_can_be_cancelled() {
    let (mut test, folder) = replayed();
    test.window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    test.steps();
    test.click("Start the export");
    let request = exported(&test);
    let file = folder.path().join("overlay.mp4");
    assert_eq!((request.format, &request.file, request.replace), (ExportFormat::Mp4, &file, false));
    test.report(TaskReport::Exporting(ExportProgress { done: 20, all: 50 }));
    assert!(test.shows("20 of 50 frames"));
    test.click("Cancel");
    assert_eq!(test.fake.0.borrow().cancelled, [TaskKey::Export]);
    assert!(test.shows("Cancelling…"));
    test.report(TaskReport::Exported(file.clone(), Ok(ExportEnd::Cancelled)));
    test.click("Start the export");
    let error = WriteError::new(WriteErrorKind::Exists, &file, "it already exists", "choose another name");
    test.report(TaskReport::Exported(file.clone(), Err(error.into())));
    assert!(test.shows("is there already"));
    test.click("Replace it");
    assert!(exported(&test).replace);
    test.report(TaskReport::Exported(file, Ok(ExportEnd::Written)));
    assert!(test.shows("Saved as"));
    test.click("Show in folder");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::ShowFolder(folder.path().to_owned())));
}

#[test]
fn an_export_goes_on_behind_a_closed_dialog_and_its_end_is_told() {
    let (mut test, folder) = replayed();
    test.window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    test.steps();
    test.click("CSV");
    test.click("With the overlay");
    test.click("Start the export");
    let file = folder.path().join("export.csv");
    assert_eq!(exported(&test).file, file);
    test.click("Close");
    assert_eq!(test.window.state().dialog, None);
    test.window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    test.steps();
    assert!(test.shows("Starting…"), "the one that runs is shown");
    test.click("Close");
    test.report(TaskReport::Exported(file, Ok(ExportEnd::Written)));
    assert!(test.words().contains("Exported as") && test.words().contains("export.csv"), "{}", test.words());
}

#[test]
fn a_session_of_the_library_is_read_before_it_is_exported() {
    let (_, folder) = replayed();
    let mut test =
        Test::library(&[SessionEntry { path: folder.path().to_owned(), ..entry("", SessionState::Complete) }]);
    let name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
    test.chooses(&name, "Export…");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::ReadForExport(folder.path().to_owned())));
    let session = SessionFolder::open(folder.path()).map(Arc::new);
    test.report(TaskReport::ReadyForExport(session));
    assert_eq!(test.window.state().dialog, Some(Dialog::Export));
    test.click("Choose the file of the export");
    assert!(matches!(test.tasks().last(), Some(BackgroundTask::PickExportFile(_))));
    test.report(TaskReport::ExportFilePicked(Picked::Files(vec!["/elsewhere/a.mp4".into()])));
    test.click("Start the export");
    assert_eq!(exported(&test).file, PathBuf::from("/elsewhere/a.mp4"));
}

/// The picture of the live source is untouched by what the library shows.
#[test]
fn the_library_leaves_the_picture_alone() {
    let test = Test::library(&[entry("session-a", SessionState::Complete)]);
    let Picture { uploads, .. } = &test.window.state().viewer.picture;
    assert!(*uploads > 0 && test.fake.0.borrow().let_go == 0);
}
