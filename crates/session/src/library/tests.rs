//! Libraries in temporary folders.

use std::fs;
use std::path::{Path, PathBuf};

use facelens_core::frame::Frame;

use super::*;
use crate::file_error::WriteErrorKind;
use crate::testing::session::{rows, write};

/// Sets what `session.json` says under `key`.
fn set(session: &Path, key: &str, value: serde_json::Value) {
    let file = session.join("session.json");
    let mut info: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    info[key] = value;
    fs::write(file, info.to_string()).unwrap();
}

fn session(folder: &Path, name: &str, started: &str) -> PathBuf {
    let path = folder.join(name);
    write(&path, &rows(), &[]);
    set(&path, "started", started.into());
    path
}

#[test]
fn sessions_are_listed_newest_first_and_each_says_how_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let at =
        |name: &str, day: u32| session(folder.path(), name, &format!("2026-01-0{day}T03:04:05+01:00[Europe/Zurich]"));
    at("session-a", 1);
    set(&at("birthday", 4), "end", serde_json::json!({"how": "failed", "error": "the disk is full"}));
    set(&at("session-c", 3), "end", serde_json::Value::Null);
    let damaged = at("session-d", 2);
    fs::write(damaged.join("session.json"), "{").unwrap();
    let locked = at("session-e", 5);
    let lock = FolderLock::take(&locked).unwrap();
    fs::create_dir(folder.path().join("photos")).unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();

    let list = list(folder.path()).unwrap();
    // Nothing tells when the damaged one began: its folder is the newest.
    let names: Vec<String> = list.iter().map(SessionEntry::name).collect();
    assert_eq!(names, ["session-d", "session-e", "birthday", "session-c", "session-a"]);
    let states: Vec<&SessionState> = list.iter().map(|entry| &entry.state).collect();
    assert!(matches!(states[0], SessionState::Damaged(cause) if cause.contains("session.json")), "{states:?}");
    let failed = SessionState::Failed("the disk is full".into());
    assert_eq!(states[1..], [&SessionState::InUse, &failed, &SessionState::Interrupted, &SessionState::Complete]);
    assert_eq!((list[4].started.as_str(), list[4].duration_s), ("2026-01-01 03:04", 5.0));
    let bytes: u64 = fs::read_dir(&list[4].path).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(list[4].bytes == bytes && bytes > 1000, "{} {bytes}", list[4].bytes);
    lock.release();
}

#[test]
fn a_folder_that_is_not_there_has_no_sessions_and_a_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(list(&folder.path().join("none")), Ok(Vec::new()));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(list(&file).unwrap_err().to_string().contains("file: it cannot be read"));
}

#[test]
fn details_count_people_and_show_the_frame_with_the_most() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &rows(), &[("clean.mp4", false)]);
    let found = details(folder.path()).unwrap();
    assert_eq!((found.people, found.duration_s, found.notices.len()), (Some(2), 5.0, 0));
    let frame = found.thumbnail.unwrap();
    assert_eq!((frame.width(), frame.height()), (160, 96), "small ones are not scaled up");
    // The second person comes with frame 10, whose grey is 70.
    let middle = frame.rgb()[(48 * 160 + 80) * 3];
    assert!(middle.abs_diff(70) <= 4, "{middle}");
    let large = Frame::from_rgb(1280, 960, vec![9; 1280 * 960 * 3]).unwrap();
    let small = details::scaled(&large).unwrap();
    assert_eq!((small.width(), small.height(), small.rgb()[0]), (192, 144, 9));
}

#[test]
fn a_damaged_session_has_what_is_left_of_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &rows(), &[("clean.mp4", false)]);
    fs::write(folder.path().join("clean.mp4"), "no video").unwrap();
    fs::remove_file(folder.path().join("session.json")).unwrap();
    let found = details(folder.path()).unwrap();
    assert_eq!(found.people, Some(2));
    assert!(found.thumbnail.is_none() && found.notices[0].contains("session.json is missing"), "{:?}", found.notices);
    fs::remove_file(folder.path().join("faces.csv")).unwrap();
    let found = details(folder.path()).unwrap();
    assert_eq!(found.people, None, "nobody can tell");
}

#[test]
fn a_session_is_renamed_and_nothing_is_ever_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let first = session(folder.path(), "session-a", "");
    let second = session(folder.path(), "session-b", "");
    let renamed = rename(&first, " Besuch bei Oma ").unwrap();
    assert_eq!(renamed, folder.path().join("Besuch bei Oma"));
    assert!(renamed.join("faces.csv").is_file() && !first.exists());
    assert_eq!(rename(&renamed, "Besuch bei Oma").unwrap(), renamed, "its own name is no error");
    let kind = |name: &str| rename(&second, name).unwrap_err().kind;
    assert_eq!(kind("Besuch bei Oma"), WriteErrorKind::Exists);
    for name in ["", "  ", "..", ".hidden", "a/b", "a\\b", "what?", "nul", &"x".repeat(201)] {
        assert_eq!(kind(name), WriteErrorKind::Io, "{name:?}");
    }
    assert!(second.join("faces.csv").is_file());
}

#[test]
fn what_is_recorded_or_waits_for_its_recovery_stays_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = session(folder.path(), "session-a", "");
    let lock = FolderLock::take(&path).unwrap();
    assert_eq!(rename(&path, "b").unwrap_err().kind, WriteErrorKind::InUse);
    assert_eq!(move_to_trash(&path).unwrap_err().kind, WriteErrorKind::InUse);
    lock.release();
    set(&path, "end", serde_json::Value::Null);
    assert_eq!(rename(&path, "b").unwrap_err().kind, WriteErrorKind::NotProven);
    let other = folder.path().join("photos");
    fs::create_dir(&other).unwrap();
    assert_eq!(move_to_trash(&other).unwrap_err().kind, WriteErrorKind::Empty);
    assert!(path.is_dir() && other.is_dir());
}
