//! Recordings from the first frame to the finished folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use facelens_core::Analysis;

use super::testing::{analysis, capture_time};
use super::*;
use crate::info::DATA_FILE;
use crate::overlay::SceneOptions;
use crate::{AnalysisSink, FrameRow, INFO_FILE, SESSION_SCHEMA, SessionEnd, SessionInfo, read_csv};

fn options(folder: &Path) -> RecorderOptions {
    let mut info = SessionInfo::default();
    info.source.name = "HD Webcam".to_owned();
    RecorderOptions {
        folder: folder.to_owned(),
        pictures: RecordedPictures::Both,
        blur: false,
        mirror: false,
        scene: SceneOptions::default(),
        info,
    }
}

/// Records these frames, each as soon as there is room (blurred ones wait for up to 15 others), and gives the status at the end.
fn record(options: RecorderOptions, frames: impl IntoIterator<Item = Arc<Analysis>>) -> Arc<RecordingStatus> {
    let recorder = Recorder::start(options, Arc::new(|| ())).unwrap();
    for (handed, frame) in (0..).zip(frames) {
        while recorder.status().end().is_none() && handed >= recorder.status().written + 20 {
            std::thread::sleep(Duration::from_millis(1));
        }
        recorder.record(&frame);
    }
    recorder.stop(SessionEnd::Stopped);
    assert!(recorder.wait(Duration::from_secs(20)));
    recorder.status()
}

/// Who is in frame `number`.
fn ids(number: u64) -> &'static [u64] {
    [&[][..], &[1], &[1, 2]][(number / 7 % 3) as usize]
}

fn frames(count: u64) -> impl Iterator<Item = Arc<Analysis>> {
    (0..count).map(|number| analysis(96, 64, number, ids(number)))
}

fn info(folder: &Path) -> SessionInfo {
    serde_json::from_slice(&fs::read(folder.join(INFO_FILE)).unwrap()).unwrap()
}

fn rows(folder: &Path) -> Vec<FrameRow> {
    read_csv(fs::File::open(folder.join(DATA_FILE)).unwrap()).collect::<Result<_, _>>().unwrap()
}

/// Start and duration of each picture in seconds, by another library.
fn times(file: &Path) -> Vec<(f64, f64)> {
    let video = re_mp4::Mp4::read_bytes(&fs::read(file).unwrap()).unwrap();
    let track = video.tracks().values().next().unwrap();
    let secs = |ticks: f64| ticks / track.timescale as f64;
    track.samples.iter().map(|s| (secs(s.composition_timestamp as f64), secs(s.duration as f64))).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn folder_of(status: &RecordingStatus) -> PathBuf {
    status.folder.clone().unwrap()
}

#[test]
fn rows_and_pictures_are_the_same_frames_at_the_same_true_times() {
    let parent = tempfile::tempdir().unwrap();
    let status = record(options(parent.path()), frames(100));
    assert_eq!(status.state, RecordingState::Ended(SessionEnd::Stopped));
    assert_eq!((status.written, status.dropped, status.analysed, status.captured), (100, 0, 100, 100));
    let folder = folder_of(&status);
    assert_eq!(names(&folder), ["clean.mp4", "faces.csv", "session.json", "video.mp4"]);
    assert!(status.free_bytes.is_some_and(|free| free > 0));

    let rows = rows(&folder);
    assert_eq!(rows.len(), 100);
    for (number, row) in rows.iter().enumerate() {
        assert_eq!((row.frame, row.input.as_str(), row.width), (number as u64, "HD Webcam", 96));
        assert_eq!(row.faces.len(), ids(number as u64).len());
    }
    for file in ["video.mp4", "clean.mp4"] {
        let times = times(&folder.join(file));
        assert_eq!(times.len(), 100);
        for (number, (start, length)) in times.iter().enumerate() {
            let number = number as u64;
            let expected = (capture_time(number) - capture_time(0)).as_secs_f64();
            assert!((start - expected).abs() < 0.001, "{file} {number}: {start} instead of {expected}");
            assert!((start - rows[number as usize].time_s).abs() < 0.001, "{file} {number}");
            let expected = (capture_time(number + 1) - capture_time(number)).as_secs_f64();
            assert!(number == 99 || (length - expected).abs() < 0.001, "{file} {number}: {length}");
        }
    }
    let info = info(&folder);
    assert_eq!((info.schema, info.end.clone()), (SESSION_SCHEMA, Some(SessionEnd::Stopped)));
    assert_eq!((info.source.width, info.source.height, info.counts.written), (96, 64, 100));
    let (start, length) = *times(&folder.join("video.mp4")).last().unwrap();
    assert!((info.duration_s - start - length).abs() < 0.001, "{info:?}");
    assert!(info.started.parse::<jiff::Zoned>().is_ok(), "{}", info.started);
    let files: Vec<_> = info.videos.iter().map(|video| (video.file.as_str(), video.overlay)).collect();
    assert_eq!(files, [("clean.mp4", false), ("video.mp4", true)]);
}

#[test]
fn each_choice_of_pictures_has_its_files() {
    let parent = tempfile::tempdir().unwrap();
    for (pictures, files) in [
        (RecordedPictures::Annotated, &["faces.csv", "session.json", "video.mp4"][..]),
        (RecordedPictures::Clean, &["faces.csv", "session.json", "video.mp4"]),
        (RecordedPictures::None, &["faces.csv", "session.json"]),
    ] {
        let status = record(RecorderOptions { pictures, ..options(parent.path()) }, frames(5));
        let folder = folder_of(&status);
        assert_eq!((names(&folder), rows(&folder).len()), (files.iter().map(|file| file.to_string()).collect(), 5));
        let overlays: Vec<_> = info(&folder).videos.iter().map(|video| video.overlay).collect();
        let expected: &[bool] = match pictures {
            RecordedPictures::None => &[],
            pictures => &[pictures == RecordedPictures::Annotated],
        };
        assert_eq!(overlays, expected);
        let lasted = (capture_time(4) - capture_time(0)).as_secs_f64();
        assert!(info(&folder).duration_s > lasted);
    }
}

/// The first picture of a video, RGB8.
fn first_picture(file: &Path) -> facelens_core::frame::Frame {
    let spec = facelens_media::SourceSpec::Path(file.to_owned());
    let mut source = facelens_media::open(&spec, facelens_media::Mode::Batch).unwrap();
    match source.next().unwrap() {
        facelens_media::Next::Frame(frame) => frame,
        other => panic!("{other:?}"),
    }
}

/// How much neighbouring pixels differ in a part of a picture; the stripes of the test's frames give about 70.
fn contrast(frame: &facelens_core::frame::Frame, left: u32, top: u32) -> u32 {
    let at = |x: u32, y: u32| u32::from(frame.rgb()[((y * frame.width() + x) * 3) as usize]);
    let differences = (top..top + 8).flat_map(|y| (left..left + 8).map(move |x| at(x, y).abs_diff(at(x + 1, y))));
    differences.sum::<u32>() / 64
}

#[test]
fn blurred_faces_are_gone_from_every_picture_and_nothing_else_is() {
    let parent = tempfile::tempdir().unwrap();
    let status = record(RecorderOptions { blur: true, ..options(parent.path()) }, frames(40));
    let folder = folder_of(&status);
    assert_eq!((status.written, times(&folder.join("video.mp4")).len()), (40, 40), "those that waited are written");
    assert!(info(&folder).videos.iter().all(|video| video.blurred));
    // Frame 0 has no face, but person 1 comes within half a second.
    let picture = first_picture(&folder.join("clean.mp4"));
    assert!(contrast(&picture, 10, 16) < 12, "{}", contrast(&picture, 10, 16));
    assert!(contrast(&picture, 80, 50) > 40, "{}", contrast(&picture, 80, 50));
}

#[test]
fn a_mirrored_video_is_mirrored_and_its_data_are_not() {
    let parent = tempfile::tempdir().unwrap();
    let options = RecorderOptions { mirror: true, pictures: RecordedPictures::Clean, ..options(parent.path()) };
    let mut frame = facelens_core::frame::Frame::from_rgb(64, 48, vec![20; 64 * 48 * 3]).unwrap().into_rgb();
    frame.chunks_exact_mut(64 * 3).for_each(|row| row[..96].fill(230));
    let mut half = (*analysis(64, 48, 0, &[1])).clone();
    half.frame = Arc::new(facelens_core::frame::Frame::from_rgb(64, 48, frame).unwrap());
    let folder = folder_of(&record(options, [Arc::new(half)]));
    let picture = first_picture(&folder.join("video.mp4"));
    assert!(picture.rgb()[0] < 60 && picture.rgb()[63 * 3] > 190);
    assert_eq!(rows(&folder)[0].faces[0].rect.x, 8.0);
}

#[test]
fn a_change_of_size_ends_the_session_and_is_told() {
    let parent = tempfile::tempdir().unwrap();
    let status = record(options(parent.path()), frames(3).chain([analysis(64, 96, 3, &[])]));
    let Some(SessionEnd::Failed { error }) = status.end() else { panic!("{status:?}") };
    assert!(error.contains("from 96x64 to 64x96"), "{error}");
    assert_eq!((status.written, rows(&folder_of(&status)).len()), (3, 3));
}

#[test]
fn without_a_frame_nothing_is_left() {
    let parent = tempfile::tempdir().unwrap();
    let status = record(options(parent.path()), []);
    assert_eq!((status.state.clone(), status.written), (RecordingState::Ended(SessionEnd::Stopped), 0));
    assert_eq!((status.folder.clone(), names(parent.path()).len()), (None, 0));
}

#[test]
fn dropping_the_recorder_finishes_the_session() {
    let parent = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(options(parent.path()), Arc::new(|| ())).unwrap();
    frames(10).for_each(|frame| recorder.record(&frame));
    while recorder.status().written == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(recorder);
    let folder = parent.path().join(&names(parent.path())[0]);
    let info = info(&folder);
    assert_eq!(info.end, Some(SessionEnd::Stopped));
    assert!(info.counts.written >= 1 && info.counts.written + info.counts.dropped == 10, "{info:?}");
    assert_eq!(times(&folder.join("video.mp4")).len() as u64, info.counts.written);
}

#[test]
fn pictures_that_come_slowly_are_written_down_by_the_clock() {
    let parent = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(options(parent.path()), Arc::new(|| ())).unwrap();
    let written = |count: u64| {
        recorder.record(&analysis(96, 64, count - 1, &[1]));
        while recorder.status().written < count {
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    written(1);
    // The next picture is 33 ms later by its own time.
    std::thread::sleep(Duration::from_millis(1050));
    written(2);
    let folder = folder_of(&recorder.status());
    for file in ["video.mp4", "clean.mp4"] {
        assert!(!times(&folder.join(file)).is_empty(), "a kill now would leave the first image in {file}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_the_cause_and_what_to_do() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let status = record(options(&file), frames(1));
    let Some(SessionEnd::Failed { error }) = status.end() else { panic!("{status:?}") };
    assert!(error.contains("cannot be written (") && error.ends_with("choose another folder"), "{error}");
    assert_eq!(status.folder, None);
}

#[test]
#[cfg(unix)]
fn a_folder_that_is_deleted_meanwhile_ends_the_recording_within_moments() {
    let parent = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(options(parent.path()), Arc::new(|| ())).unwrap();
    recorder.record(&analysis(96, 64, 0, &[1]));
    while recorder.status().written == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    fs::remove_dir_all(recorder.status().folder.clone().unwrap()).unwrap();
    assert!(recorder.wait(Duration::from_secs(20)));
    let status = recorder.status();
    let Some(SessionEnd::Failed { error }) = status.end() else { panic!("{status:?}") };
    assert!(error.contains("deleted or moved"), "{error}");
}

#[test]
fn the_tap_hands_frames_over_and_a_change_or_the_end_of_the_source_ends_the_session() {
    let ends: [fn(&dyn AnalysisSink); 2] = [|sink| sink.source_changed(), |sink| sink.source_ended()];
    for end in ends {
        let parent = tempfile::tempdir().unwrap();
        let recorder = Recorder::start(options(parent.path()), Arc::new(|| ())).unwrap();
        let sink = recorder.sink();
        frames(4).for_each(|frame| sink.analysed(&frame));
        end(sink.as_ref());
        sink.analysed(&analysis(96, 64, 4, &[]));
        assert!(recorder.wait(Duration::from_secs(20)));
        let status = recorder.status();
        assert_eq!((status.end(), status.written), (Some(&SessionEnd::SourceEnded), 4));
    }
}

#[test]
fn strides_are_recorded_in_the_times_of_the_recording() {
    use facelens_gait::{Gei, Measures, Stride};
    let stride = |start: Duration, end: Duration| Stride {
        id: 3,
        face: None,
        start,
        end,
        strides: 1,
        frames: 30,
        gei: Gei::from_grey(44, 64, &[9; 44 * 64]).unwrap(),
        measures: Measures { stride_s: Some(1.0), ..Measures::default() },
        age: None,
        likeness: 1.0,
    };
    let parent = tempfile::tempdir().unwrap();
    let recorder = Recorder::start(options(parent.path()), Arc::new(|| ())).unwrap();
    // Nothing was recorded yet that it could be a part of.
    recorder.record_strides(&[stride(Duration::ZERO, Duration::from_secs(1))]);
    for number in 0..20 {
        recorder.record(&analysis(96, 64, number, &[]));
    }
    let (from, to) = (capture_time(2), capture_time(15));
    let before = capture_time(0).saturating_sub(Duration::from_millis(10));
    recorder.record_strides(&[stride(from, to), stride(before, to)]);
    recorder.stop(SessionEnd::Stopped);
    assert!(recorder.wait(Duration::from_secs(20)));
    let folder = folder_of(&recorder.status());
    assert_eq!(names(&folder), ["clean.mp4", "faces.csv", "gait.csv", "gei", "session.json", "video.mp4"]);
    assert_eq!(info(&folder).gait.as_deref(), Some("gait.csv"));
    let session = crate::SessionFolder::open(&folder).unwrap();
    let told: Vec<_> = session.strides.iter().map(|row| (row.id, row.start_s, row.end_s)).collect();
    let seconds = |time: Duration| ((time - capture_time(0)).as_secs_f64() * 1000.0).round() / 1000.0;
    assert_eq!(told, [(3, seconds(from), seconds(to))], "one that began before the recording is none of its");
    assert!((session.stride_image(&session.strides[0]).unwrap().pixels()[0] - 9.0 / 255.0).abs() < 1e-3);
    assert!(session.notices.is_empty(), "{:?}", session.notices);
}
