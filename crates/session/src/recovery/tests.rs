//! Sessions that were broken off.

use std::fs;
use std::sync::Arc;

use super::super::info::DATA_FILE;
use super::super::recording::testing::analysis;
use super::super::recording::{LOCK_FILE, RecordedPictures, Recorder, RecorderOptions, save_info};
use super::super::rows::FrameRow;
use super::*;
use crate::info::SESSION_SCHEMA;
use crate::names::COPY_SUFFIX;
use crate::overlay::SceneOptions;
use crate::{SessionCounts, SessionFolder, SessionInfo, read_csv};

/// A finished session of 90 frames, 5 s.
fn recorded(parent: &Path, pictures: RecordedPictures) -> PathBuf {
    let mut info = SessionInfo::default();
    info.source.name = "HD Webcam".to_owned();
    let scene = SceneOptions::default();
    let options = RecorderOptions { folder: parent.to_owned(), pictures, blur: false, mirror: false, scene, info };
    let recorder = Recorder::start(options, Arc::new(|| ())).unwrap();
    for number in 0..90 {
        while number >= recorder.status().written + 8 {
            std::thread::sleep(Duration::from_millis(1));
        }
        recorder.record(&analysis(96, 64, number, &[1]));
    }
    recorder.stop(SessionEnd::Stopped);
    assert!(recorder.wait(Duration::from_secs(20)));
    recorder.status().folder.clone().unwrap()
}

fn read_info(folder: &Path) -> SessionInfo {
    serde_json::from_slice(&fs::read(folder.join(INFO_FILE)).unwrap()).unwrap()
}

/// As if facelens had been killed: `session.json` knows no end, and its counts are old.
fn break_off(folder: &Path) {
    let mut info = read_info(folder);
    (info.end, info.duration_s) = (None, 1.0);
    info.counts = SessionCounts { captured: 31, analysed: 31, written: 30, dropped: 1 };
    save_info(folder, &info).unwrap();
}

fn frames_in_video(file: &Path) -> usize {
    let video = re_mp4::Mp4::read_bytes(&fs::read(file).unwrap()).unwrap();
    video.tracks().values().next().unwrap().samples.len()
}

fn rows(folder: &Path) -> Vec<FrameRow> {
    read_csv(fs::File::open(folder.join(DATA_FILE)).unwrap()).collect::<Result<_, _>>().unwrap()
}

fn cut(file: &Path, part: f64) {
    let length = fs::metadata(file).unwrap().len();
    fs::OpenOptions::new().write(true).open(file).unwrap().set_len((length as f64 * part) as u64).unwrap();
}

/// What the copy beside `file` holds; nothing where there is none.
fn copy_of(file: &Path) -> Vec<u8> {
    let mut name = file.as_os_str().to_owned();
    name.push(COPY_SUFFIX);
    fs::read(name).unwrap_or_default()
}

#[test]
fn cut_anywhere_each_file_keeps_what_is_whole_in_it_and_a_copy_of_the_rest() {
    let parent = tempfile::tempdir().unwrap();
    let folder = recorded(parent.path(), RecordedPictures::Both);
    let whole = tempfile::tempdir().unwrap();
    let files = ["clean.mp4", "video.mp4", "faces.csv", "session.json"];
    for file in files {
        fs::copy(folder.join(file), whole.path().join(file)).unwrap();
    }
    for (clean, video, data) in [(1.0, 1.0, 1.0), (0.93, 0.9, 1.0), (0.5, 0.9, 0.97), (0.9, 0.4, 0.99), (0.8, 0.8, 0.3)]
    {
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        for file in files {
            fs::copy(whole.path().join(file), folder.join(file)).unwrap();
        }
        break_off(&folder);
        let words = format!("{clean} {video} {data}");
        let mut before = Vec::new();
        for (file, part) in [("clean.mp4", clean), ("video.mp4", video), ("faces.csv", data)] {
            cut(&folder.join(file), part);
            before.push((file, part, fs::read(folder.join(file)).unwrap()));
        }
        assert_eq!(unfinished(parent.path()), [folder.as_path()], "{words}");
        let recovered = recover(&folder).unwrap().unwrap();
        assert_eq!(recovered.repairs.troubles, Vec::<String>::new(), "{words}");
        for (file, part, bytes) in &before {
            let (after, copy) = (fs::read(folder.join(file)).unwrap(), copy_of(&folder.join(file)));
            if *part == 1.0 {
                assert!(after == *bytes && copy.is_empty(), "{words}: {file} is whole and stays");
            } else if *file == "faces.csv" {
                assert!(copy == *bytes && bytes.starts_with(&after), "{words}");
            } else {
                // The lengths in its first bytes and the index at its end are new, and nothing else.
                let kept = bytes.len() - copy.len();
                assert!(!copy.is_empty() && bytes.ends_with(&copy), "{words}: {file}");
                let first = bytes.windows(4).position(|name| name == b"moof").unwrap();
                assert!(after[first..kept] == bytes[first..kept] && &after[kept + 4..kept + 8] == b"mfra", "{words}");
                let frames = frames_in_video(&folder.join(file)) as f64;
                assert!(frames > 0.0 && (90.0 * part - frames).abs() < 40.0, "{words}: {file} has {frames}");
            }
        }
        let rows = rows(&folder);
        assert!((rows.len() as f64 - 90.0 * data).abs() <= 3.0, "{words}: {}", rows.len());
        assert!(rows.iter().zip(0..).all(|(row, number)| row.frame == number), "{words}");
        let info = read_info(&folder);
        assert_eq!((info.end, info.counts.written), (Some(SessionEnd::Recovered), rows.len() as u64));
        assert_eq!(recovered.frames, rows.len() as u64);
        assert!((info.duration_s - recovered.duration.as_secs_f64()).abs() < 0.001, "{words}");
        assert!(info.duration_s > rows.last().unwrap().time_s, "{words}");
        assert!(info.counts.analysed > info.counts.written && info.counts.captured >= info.counts.analysed);
        let shorter = recovered.repairs.to_string().contains("frames more than");
        assert_eq!(shorter, [clean, video, data] != [1.0; 3], "{words}: {}", recovered.repairs);
        assert!(!folder.join(LOCK_FILE).exists() && unfinished(parent.path()).is_empty());
        assert_eq!(recover(&folder), Ok(None), "it is already complete");
    }
}

#[test]
fn data_alone_are_recovered_too() {
    let parent = tempfile::tempdir().unwrap();
    let folder = recorded(parent.path(), RecordedPictures::None);
    break_off(&folder);
    cut(&folder.join("faces.csv"), 0.5);
    let recovered = recover(&folder).unwrap().unwrap();
    assert_eq!((rows(&folder).len() as u64, read_info(&folder).videos.len()), (recovered.frames, 0));
    assert!((40..50).contains(&recovered.frames), "{recovered:?}");
    assert!(read_info(&folder).duration_s > 1.0);
}

#[test]
fn a_session_without_a_whole_picture_keeps_its_data() {
    let parent = tempfile::tempdir().unwrap();
    let folder = recorded(parent.path(), RecordedPictures::Annotated);
    break_off(&folder);
    fs::write(folder.join("video.mp4"), b"\0\0\0\x20ftyp").unwrap();
    let recovered = recover(&folder).unwrap().unwrap();
    assert_eq!((recovered.frames, rows(&folder).len()), (90, 90));
    assert!(read_info(&folder).videos.is_empty());
    assert!(folder.join("video.mp4").exists(), "nothing is deleted");
}

#[test]
fn without_a_whole_session_json_nothing_is_touched_and_the_rest_still_opens() {
    let parent = tempfile::tempdir().unwrap();
    let folder = recorded(parent.path(), RecordedPictures::Both);
    for text in [None, Some("{\"schema\":1,\"star"), Some("")] {
        match text {
            None => fs::remove_file(folder.join(INFO_FILE)).unwrap(),
            Some(text) => fs::write(folder.join(INFO_FILE), text).unwrap(),
        }
        let error = recover(&folder).unwrap_err();
        assert_eq!(error.kind, WriteErrorKind::NotProven, "{error}");
        let Survey { unfinished, left_alone } = survey(parent.path());
        assert_eq!((unfinished, left_alone), (vec![], vec![error]));
        assert_eq!(fs::read(folder.join(INFO_FILE)).ok().as_deref(), text.map(str::as_bytes));
        let session = SessionFolder::open(&folder).unwrap();
        assert_eq!((session.rows.len(), session.videos.len()), (90, 2));
    }
}

#[test]
fn what_is_recorded_at_this_moment_is_never_touched() {
    let parent = tempfile::tempdir().unwrap();
    let folder = recorded(parent.path(), RecordedPictures::None);
    break_off(&folder);
    let lock = FolderLock::take(&folder).unwrap();
    assert_eq!(unfinished(parent.path()), Vec::<PathBuf>::new());
    let error = recover(&folder).unwrap_err();
    assert!(error.to_string().contains("another facelens is recording it"), "{error}");
    assert_eq!(read_info(&folder).end, None);
    drop(lock);
    assert_eq!(unfinished(parent.path()).len(), 1, "a lock that nobody holds any more is none");
    assert!(recover(&folder).unwrap().is_some());
}

#[test]
fn other_folders_and_those_of_a_newer_facelens_are_left_alone() {
    let parent = tempfile::tempdir().unwrap();
    for (name, schema) in [("holiday", 1), ("session-newer", SESSION_SCHEMA + 1)] {
        let folder = parent.path().join(name);
        fs::create_dir(&folder).unwrap();
        save_info(&folder, &SessionInfo { schema, ..SessionInfo::default() }).unwrap();
    }
    fs::create_dir(parent.path().join("session-empty")).unwrap();
    let survey = survey(parent.path());
    assert_eq!(survey.unfinished, Vec::<PathBuf>::new());
    assert!(matches!(survey.left_alone.as_slice(), [error] if error.to_string().contains("newer facelens")));
    assert_eq!(unfinished(&parent.path().join("none")), Vec::<PathBuf>::new());
    let error = recover(&parent.path().join("session-empty")).unwrap_err();
    assert!(error.to_string().contains("not a recorded session"), "{error}");
}
