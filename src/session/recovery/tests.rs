//! Sessions that were broken off.

use std::fs;
use std::sync::Arc;

use super::super::info::DATA_FILE;
use super::super::recording::testing::analysis;
use super::super::recording::{LOCK_FILE, RecordedPictures, Recorder, RecorderOptions};
use super::super::rows::FrameRow;
use super::*;
use crate::overlay::SceneOptions;
use crate::session::{SessionCounts, SessionFolder, read_csv};

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

/// As if facelens had been killed: `session.json` knows no end, and its counts are old.
fn break_off(folder: &Path) {
    let mut info = read_info(folder).unwrap();
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

#[test]
fn cut_anywhere_the_files_agree_afterwards_and_the_counts_are_true() {
    let parent = tempfile::tempdir().unwrap();
    let folder = recorded(parent.path(), RecordedPictures::Both);
    let whole = tempfile::tempdir().unwrap();
    let files = ["clean.mp4", "video.mp4", "faces.csv", "session.json"];
    for file in files {
        fs::copy(folder.join(file), whole.path().join(file)).unwrap();
    }
    for (clean, video, data) in [(1.0, 1.0, 1.0), (0.93, 0.9, 1.0), (0.5, 0.9, 0.97), (0.9, 0.4, 0.99), (0.8, 0.8, 0.3)]
    {
        for file in files {
            fs::copy(whole.path().join(file), folder.join(file)).unwrap();
        }
        break_off(&folder);
        cut(&folder.join("clean.mp4"), clean);
        cut(&folder.join("video.mp4"), video);
        cut(&folder.join("faces.csv"), data);
        let words = format!("{clean} {video} {data}");
        assert_eq!(unfinished(parent.path()), [folder.as_path()], "{words}");
        let recovered = recover(&folder).unwrap().unwrap();
        let frames = recovered.frames as usize;
        assert_eq!(frames_in_video(&folder.join("clean.mp4")), frames, "{words}");
        assert_eq!(frames_in_video(&folder.join("video.mp4")), frames, "{words}");
        let rows = rows(&folder);
        assert!(rows.len() == frames || (data < 0.5 && rows.len() < frames), "{words}: {} {frames}", rows.len());
        assert!(rows.iter().zip(0..).all(|(row, number)| row.frame == number), "{words}");
        let info = read_info(&folder).unwrap();
        assert_eq!((info.end, info.counts.written), (Some(SessionEnd::Recovered), recovered.frames));
        assert!((info.duration_s - recovered.duration.as_secs_f64()).abs() < 0.001, "{words}");
        assert!(info.duration_s > rows.last().unwrap().time_s, "{words}");
        assert!(info.counts.analysed > info.counts.written && info.counts.captured >= info.counts.analysed);
        assert_eq!(recovered.mended.rows_without_picture > 0, clean.min(video) < data, "{words}: {recovered:?}");
        assert!(!folder.join(LOCK_FILE).exists() && unfinished(parent.path()).is_empty());
        assert_eq!(recover(&folder), Ok(None), "it is finished already");
    }
}

#[test]
fn data_alone_are_recovered_too() {
    let parent = tempfile::tempdir().unwrap();
    let folder = recorded(parent.path(), RecordedPictures::None);
    break_off(&folder);
    cut(&folder.join("faces.csv"), 0.5);
    let recovered = recover(&folder).unwrap().unwrap();
    assert_eq!((rows(&folder).len() as u64, read_info(&folder).unwrap().videos.len()), (recovered.frames, 0));
    assert!((40..50).contains(&recovered.frames), "{recovered:?}");
    assert!(read_info(&folder).unwrap().duration_s > 1.0);
}

#[test]
fn a_session_without_a_whole_picture_keeps_its_data() {
    let parent = tempfile::tempdir().unwrap();
    let folder = recorded(parent.path(), RecordedPictures::Annotated);
    break_off(&folder);
    fs::write(folder.join("video.mp4"), b"\0\0\0\x20ftyp").unwrap();
    let recovered = recover(&folder).unwrap().unwrap();
    assert_eq!((recovered.frames, rows(&folder).len()), (90, 90));
    assert!(read_info(&folder).unwrap().videos.is_empty());
    assert!(folder.join("video.mp4").exists(), "nothing is deleted");
}

#[test]
fn without_session_json_the_files_tell_what_it_was() {
    let parent = tempfile::tempdir().unwrap();
    let folder = recorded(parent.path(), RecordedPictures::Both);
    for text in [None, Some("{\"schema\":1,\"star")] {
        match text {
            None => fs::remove_file(folder.join(INFO_FILE)).unwrap(),
            Some(text) => fs::write(folder.join(INFO_FILE), text).unwrap(),
        }
        let recovered = recover(&folder).unwrap().unwrap();
        let info = read_info(&folder).unwrap();
        assert_eq!((recovered.frames, info.source.name.as_str(), info.source.width), (90, "HD Webcam", 96));
        let videos: Vec<_> = info.videos.iter().map(|video| (video.file.as_str(), video.overlay)).collect();
        assert_eq!(videos, [("clean.mp4", false), ("video.mp4", true)]);
    }
}

#[test]
fn a_video_of_which_nothing_is_known_is_the_same_before_and_after() {
    let parent = tempfile::tempdir().unwrap();
    for (pictures, expected) in [
        (RecordedPictures::Both, &[("clean.mp4", false), ("video.mp4", true)][..]),
        // Nobody can tell which of these two it was; the overlay must not be drawn twice.
        (RecordedPictures::Annotated, &[("video.mp4", true)]),
        (RecordedPictures::Clean, &[("video.mp4", true)]),
    ] {
        let folder = recorded(parent.path(), pictures);
        fs::remove_file(folder.join(INFO_FILE)).unwrap();
        let videos = || {
            let videos = SessionFolder::open(&folder).unwrap().videos;
            videos.into_iter().map(|video| (video.file, video.overlay)).collect::<Vec<_>>()
        };
        let expected: Vec<_> = expected.iter().map(|&(file, overlay)| (file.to_owned(), overlay)).collect();
        assert_eq!(videos(), expected, "{pictures:?} before");
        recover(&folder).unwrap().unwrap();
        assert_eq!(videos(), expected, "{pictures:?} after");
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
    assert_eq!(read_info(&folder).unwrap().end, None);
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
    assert_eq!(unfinished(parent.path()), Vec::<PathBuf>::new());
    assert_eq!(unfinished(&parent.path().join("none")), Vec::<PathBuf>::new());
    let error = recover(&parent.path().join("session-empty")).unwrap_err();
    assert!(error.to_string().contains("no recorded session"), "{error}");
}
