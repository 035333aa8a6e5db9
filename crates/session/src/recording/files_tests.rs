use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::super::options::RecordedPictures;
use super::super::testing::{analysis, capture_time};
use super::*;
use crate::overlay::SceneOptions;
use crate::{INFO_FILE, read_csv};

fn files(parent: &Path, pictures: RecordedPictures) -> SessionFiles {
    let scene = SceneOptions::default();
    let info = SessionInfo::default();
    let folder = parent.to_owned();
    SessionFiles::create(&RecorderOptions { folder, pictures, blur: false, mirror: false, scene, info }).unwrap()
}

fn job(number: u64) -> RecorderJob {
    let time = capture_time(number) - capture_time(0);
    RecorderJob { analysis: Arc::clone(&analysis(96, 64, number, &[1])), scene: SceneOptions::default(), time }
}

fn info(folder: &Path) -> SessionInfo {
    serde_json::from_slice(&fs::read(folder.join(INFO_FILE)).unwrap()).unwrap()
}

fn frames_in_video(file: &Path) -> u64 {
    let video = re_mp4::Mp4::read_bytes(&fs::read(file).unwrap()).unwrap();
    video.tracks().values().next().unwrap().samples.len() as u64
}

fn frames_in_data(folder: &Path) -> u64 {
    read_csv(fs::File::open(folder.join("faces.csv")).unwrap()).map(|row| row.unwrap().frame + 1).last().unwrap_or(0)
}

fn wait_until(what: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < deadline, "it never happens");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn session_json_never_counts_what_is_not_in_all_files() {
    let parent = tempfile::tempdir().unwrap();
    let mut files = files(parent.path(), RecordedPictures::Both);
    let folder = files.folder().to_owned();
    for number in 0..40 {
        files.take(job(number)).unwrap();
        files.keep(Handed::default()).unwrap();
    }
    wait_until(|| info(&folder).counts.written > 0);
    let info = info(&folder);
    let counts = (files.info().counts.written, info.counts.written);
    assert!(counts.0 == 40 && (20..40).contains(&counts.1), "{counts:?}");
    assert_eq!(info.end, None);
    for video in ["clean.mp4", "video.mp4"] {
        assert_eq!(frames_in_video(&folder.join(video)), info.counts.written, "{video}");
    }
    assert!(frames_in_data(&folder) >= info.counts.written);
    let last = capture_time(info.counts.written) - capture_time(0);
    assert!((info.duration_s - last.as_secs_f64()).abs() < 0.001, "{info:?}");
}

/// A device that cannot be synced stands for a disk that fails.
#[test]
#[cfg(unix)]
fn after_a_failed_sync_all_files_end_with_the_same_frame() {
    for pictures in [RecordedPictures::Both, RecordedPictures::None] {
        let parent = tempfile::tempdir().unwrap();
        let mut files = files(parent.path(), pictures);
        let folder = files.folder().to_owned();
        for number in 0..75 {
            files.take(job(number)).unwrap();
        }
        files.syncer.add("the disk".into(), fs::File::open("/dev/null").unwrap());
        files.synced.1 -= SYNC_EVERY;
        files.keep(Handed::default()).unwrap();
        wait_until(|| files.syncer.outcome().failure.is_some());
        let end = files.keep(Handed::default()).unwrap_err().end();
        assert!(matches!(&end, SessionEnd::Failed { error } if error.starts_with("the disk: ")), "{end:?}");
        let finished = files.finish(end.clone(), Handed::default());
        assert_eq!((finished.end, info(&folder).end), (end.clone(), Some(end)));
        assert_eq!((info(&folder).counts.written, frames_in_data(&folder)), (75, 75));
        for video in &info(&folder).videos {
            assert_eq!(frames_in_video(&folder.join(&video.file)), 75, "{}", video.file);
        }
        assert_eq!(info(&folder).videos.len(), if pictures == RecordedPictures::None { 0 } else { 2 });
    }
}

#[test]
fn a_session_json_that_cannot_be_written_is_tried_again_and_told_at_the_end() {
    let parent = tempfile::tempdir().unwrap();
    let mut files = files(parent.path(), RecordedPictures::Annotated);
    let folder = files.folder().to_owned();
    let info_file = folder.join(INFO_FILE);
    fs::remove_file(&info_file).unwrap();
    fs::create_dir(&info_file).unwrap();
    for number in 0..80 {
        files.take(job(number)).unwrap();
        files.keep(Handed::default()).unwrap();
    }
    wait_until(|| files.syncer.outcome().unsaved > 0);
    files.keep(Handed::default()).unwrap();
    fs::remove_dir(&info_file).unwrap();
    let finished = files.finish(SessionEnd::Stopped, Handed::default());
    let warning = finished.warning.unwrap();
    assert!(
        warning.contains("session.json: it cannot be written (") && warning.contains("no data were lost"),
        "{warning}"
    );
    assert_eq!((finished.end, info(&folder).end), (SessionEnd::Stopped, Some(SessionEnd::Stopped)));
    assert_eq!((frames_in_data(&folder), frames_in_video(&folder.join("video.mp4"))), (80, 80));
}

#[test]
fn a_session_json_that_cannot_be_written_to_the_end_is_a_failure_and_the_rest_is_whole() {
    let parent = tempfile::tempdir().unwrap();
    let mut files = files(parent.path(), RecordedPictures::Annotated);
    let folder = files.folder().to_owned();
    fs::remove_file(folder.join(INFO_FILE)).unwrap();
    fs::create_dir(folder.join(INFO_FILE)).unwrap();
    (0..50).for_each(|number| files.take(job(number)).unwrap());
    let finished = files.finish(SessionEnd::Stopped, Handed::default());
    assert!(
        matches!(&finished.end, SessionEnd::Failed { error } if error.contains("session.json")),
        "{:?}",
        finished.end
    );
    assert_eq!((finished.info.counts.written, finished.warning), (50, None));
    assert_eq!((frames_in_data(&folder), frames_in_video(&folder.join("video.mp4"))), (50, 50));
}

#[test]
#[cfg(unix)]
fn a_session_is_the_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let parent = tempfile::tempdir().unwrap();
    let mut files = files(parent.path(), RecordedPictures::Both);
    files.take(job(0)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let check = |folder: &Path, count: usize| {
        let names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!((mode(folder), names.len()), (0o700, count));
        names.iter().for_each(|file| assert_eq!(mode(file), 0o600, "{}", file.display()));
    };
    let folder = files.folder().to_owned();
    check(&folder, 5);
    files.finish(SessionEnd::Stopped, Handed::default());
    check(&folder, 4);
}
