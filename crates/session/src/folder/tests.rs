use std::fs;

use super::*;
use crate::info::SessionEnd;
use crate::testing::session::{FRAMES, rows, write};

fn session(videos: &[(&str, bool)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &rows(), videos);
    folder
}

fn open(folder: &tempfile::TempDir) -> SessionFolder {
    SessionFolder::open(folder.path()).unwrap()
}

/// Changes `session.json` as text.
fn edit_info(folder: &tempfile::TempDir, edit: impl Fn(&mut serde_json::Value)) {
    let file = folder.path().join(INFO_FILE);
    let mut value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    edit(&mut value);
    fs::write(file, value.to_string()).unwrap();
}

#[test]
fn a_whole_session_opens_without_a_word() {
    let folder = session(&[("video.mp4", true), ("clean.mp4", false)]);
    let session = open(&folder);
    assert_eq!(session.notices, []);
    assert_eq!(session.rows, rows());
    assert_eq!(session.info.end, Some(SessionEnd::Stopped));
    assert_eq!(session.clean_video().unwrap().file, "clean.mp4");
    assert_eq!(session.annotated_video().unwrap().file, "video.mp4");
    assert_eq!((session.duration_secs(), session.picture_size()), (5.0, Some((160, 96))));
    assert_eq!(SessionFolder::open(&folder.path().join("faces.csv")).unwrap().path, folder.path());
}

#[test]
fn nothing_is_written_by_reading() {
    let folder = session(&[]);
    fs::remove_file(folder.path().join(INFO_FILE)).unwrap();
    fs::write(folder.path().join("faces.csv"), "input,fr").unwrap();
    open(&folder);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["faces.csv"]);
    assert_eq!(fs::read(folder.path().join("faces.csv")).unwrap(), b"input,fr");
}

#[test]
fn without_session_json_the_data_tell_what_they_can() {
    let folder = session(&[("video.mp4", true), ("clean.mp4", false)]);
    fs::remove_file(folder.path().join(INFO_FILE)).unwrap();
    let session = open(&folder);
    assert_eq!(session.notices, [SessionNotice::NoInfo]);
    assert_eq!((session.info.source.name.as_str(), session.info.counts.written), ("HD Webcam", FRAMES));
    assert_eq!((session.videos.len(), session.clean_video().unwrap().file.as_str()), (2, "clean.mp4"));
}

#[test]
fn a_broken_session_json_is_as_none_and_named() {
    let folder = session(&[("video.mp4", true)]);
    for text in ["{\"schema\":1,\"dura", "[1]", ""] {
        fs::write(folder.path().join(INFO_FILE), text).unwrap();
        let session = open(&folder);
        assert!(matches!(session.notices.as_slice(), [SessionNotice::DamagedInfo(_)]), "{:?}", session.notices);
        assert_eq!((session.rows.len(), session.videos.len()), (FRAMES as usize, 1));
    }
}

#[test]
fn a_key_that_cannot_be_read_costs_only_itself() {
    let folder = session(&[("video.mp4", true)]);
    edit_info(&folder, |info| {
        info["duration_s"] = "long".into();
        info["source"]["gain"] = 3.into();
        info["weather"] = "fine".into();
    });
    let session = open(&folder);
    let damaged = SessionNotice::DamagedKeys(vec!["duration_s".into()]);
    let unknown = SessionNotice::UnknownKeys(vec!["source.gain".into(), "weather".into()]);
    assert_eq!(session.notices, [damaged, unknown]);
    assert_eq!((session.info.source.name.as_str(), session.duration_secs()), ("HD Webcam", 4.9));
}

#[test]
fn a_newer_schema_opens_and_says_so() {
    let folder = session(&[("video.mp4", true)]);
    edit_info(&folder, |info| {
        info["schema"] = 7.into();
        info["end"] = serde_json::json!({"how": "teleported"});
        info["moods"] = serde_json::json!([]);
    });
    let session = open(&folder);
    assert_eq!(session.notices[0], SessionNotice::NewerSchema(7));
    assert!(session.notices[0].to_string().contains("newer facelens (schema 7"), "{}", session.notices[0]);
    assert!(session.notices.contains(&SessionNotice::DamagedKeys(vec!["end".into()])));
    assert_eq!((session.rows.len(), session.videos.len()), (FRAMES as usize, 1));
}

#[test]
fn missing_files_are_named_and_the_rest_is_shown() {
    let folder = session(&[("video.mp4", true), ("clean.mp4", false)]);
    fs::remove_file(folder.path().join("clean.mp4")).unwrap();
    fs::remove_file(folder.path().join("faces.csv")).unwrap();
    let session = open(&folder);
    let expected = [SessionNotice::NoData("faces.csv".into()), SessionNotice::NoVideo("clean.mp4".into())];
    assert_eq!(session.notices, expected);
    assert_eq!((session.rows.len(), session.videos.len(), session.clean_video()), (0, 1, None));
    assert_eq!((session.duration_secs(), session.picture_size()), (5.0, Some((160, 96))));
}

#[test]
fn a_recording_that_never_ended_opens() {
    let folder = session(&[]);
    edit_info(&folder, |info| info["end"] = serde_json::Value::Null);
    assert_eq!(open(&folder).notices, [SessionNotice::Unfinished]);
}

#[test]
fn a_row_that_is_cut_off_is_passed_over_wherever_it_is_cut() {
    let folder = session(&[]);
    let file = folder.path().join("faces.csv");
    let whole = fs::read(&file).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    for end in last + 1..whole.len() {
        fs::write(&file, &whole[..end]).unwrap();
        let session = open(&folder);
        assert_eq!(session.notices, [SessionNotice::CutRow], "cut at {end}");
        assert_eq!(session.rows, rows()[..FRAMES as usize - 1]);
    }
    fs::write(&file, &whole[..last]).unwrap();
    assert_eq!(open(&folder).notices, []);
    fs::write(&file, &whole[..40]).unwrap();
    assert_eq!(open(&folder).rows, []);
}

#[test]
fn rows_that_cannot_be_read_are_counted_and_the_first_is_named() {
    let folder = session(&[]);
    let file = folder.path().join("faces.csv");
    let text = fs::read_to_string(&file).unwrap();
    let broken: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(index, line)| match index {
            2 => line.replace("female", "neither"),
            5 => "\0\0\0".to_owned(),
            7 => line.replace("0.600", "NaN"),
            8 => line.replace("30.0", "inf"),
            _ => line.to_owned(),
        })
        .collect();
    fs::write(&file, broken.join("\n") + "\n").unwrap();
    let session = open(&folder);
    let [SessionNotice::DamagedRows(4, first)] = session.notices.as_slice() else { panic!("{:?}", session.notices) };
    assert!(first.starts_with("line 3: "), "{first}");
    assert_eq!(session.rows.len(), FRAMES as usize - 4);
    assert_eq!(session.unread(), session.notices.first());
}

#[test]
fn rows_in_disorder_are_sorted() {
    let folder = tempfile::tempdir().unwrap();
    let mut disorder = rows();
    disorder.swap(3, 30);
    write(folder.path(), &disorder, &[]);
    let session = open(&folder);
    assert_eq!((session.notices, session.rows), (vec![SessionNotice::Unsorted], rows()));
}

#[test]
fn what_is_no_session_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(SessionFolder::open(folder.path()).unwrap_err(), SessionError::Empty(folder.path().to_owned()));
    assert!(!SessionFolder::is_session(folder.path()));
    let file = folder.path().join("a.txt");
    fs::write(&file, "a").unwrap();
    assert_eq!(SessionFolder::open(&file).unwrap_err(), SessionError::NoFolder(file));
    let missing = SessionFolder::open(&folder.path().join("gone")).unwrap_err();
    assert!(missing.to_string().contains("gone: it cannot be read ("), "{missing}");
}

#[test]
fn files_outside_the_folder_do_not_belong_to_a_session() {
    let folder = session(&[("video.mp4", true)]);
    edit_info(&folder, |info| {
        info["data"] = "../faces.csv".into();
        info["videos"][0]["file"] = "/etc/hostname".into();
    });
    let session = open(&folder);
    assert_eq!((session.rows.len(), session.videos.len()), (FRAMES as usize, 0));
    let keys = |key: &str| SessionNotice::DamagedKeys(vec![key.to_owned()]);
    assert_eq!(session.notices, [keys("data"), keys("videos")]);
}

#[test]
fn a_moment_belongs_to_the_frame_that_is_shown() {
    let session = open(&session(&[]));
    assert_eq!([0.0, 0.05, 0.0999, 0.1, 99.0].map(|at| session.row_at(at)), [0, 0, 1, 1, 49].map(Some));
    assert_eq!([0.0, 0.1004, 0.05, 4.9].map(|at| session.row_of_picture(at)), [Some(0), Some(1), None, Some(49)]);
    assert_eq!(session.row_of_picture(99.0), None);
}

#[test]
fn people_are_listed_with_their_times() {
    let people = open(&session(&[])).people();
    let [one, two] = people.as_slice() else { panic!("{people:?}") };
    assert_eq!((one.id, one.frames, one.age_years, one.appearances.len()), (1, 45, Some(30.0), 1));
    let times: Vec<_> =
        two.appearances.iter().map(|there| (there.first, there.last, there.from_s, there.to_s)).collect();
    assert_eq!((two.frames, times), (20, vec![(10, 19, 1.0, 1.9), (35, 44, 3.5, 4.4)]));
}
