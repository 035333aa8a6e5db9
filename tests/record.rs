//! `facelens record` and `facelens recover`: sessions that end well, are killed, or meet a full disk.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]
#![allow(clippy::print_stderr, reason = "tests say what they skip and what they measured")]
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::mp4;
use facelens_core::frame::Frame;
use facelens_core::geometry::{Pose, Rect};
use facelens_core::track::{Age, Face};
use facelens_core::{Analysis, StageTimings};
use facelens_session::overlay::SceneOptions;
use facelens_session::recording::{RecordedPictures, Recorder, RecorderOptions};
use facelens_session::{FrameRow, SessionEnd, SessionInfo, read_csv};

mod common;

const FACELENS: &str = env!("CARGO_BIN_EXE_facelens");

/// Starts a recording of the demo into `folder`.
fn start(folder: &Path, more: &[&str]) -> Child {
    Command::new(FACELENS)
        .args(["record", "demo", "-o", folder.to_str().unwrap()])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn recover(folder: &Path) -> Output {
    Command::new(FACELENS).args(["recover", folder.to_str().unwrap()]).output().unwrap()
}

/// The only session in `folder`, once it has one.
fn session(folder: &Path) -> Option<PathBuf> {
    std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).next()
}

/// The rows that are whole, in order.
fn rows(session: &Path) -> Vec<FrameRow> {
    let Ok(file) = std::fs::File::open(session.join("faces.csv")) else { return Vec::new() };
    read_csv(file).map_while(Result::ok).collect()
}

fn info(session: &Path) -> SessionInfo {
    serde_json::from_slice(&std::fs::read(session.join("session.json")).unwrap()).unwrap()
}

/// Waits until the recording of `child` has `count` frames, and gives its session.
fn wait_for_rows(child: &mut Child, folder: &Path, count: usize) -> PathBuf {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(session) = session(folder).filter(|session| rows(session).len() >= count) {
            return session;
        }
        assert_eq!(child.try_wait().unwrap(), None, "it records until it is stopped");
        assert!(Instant::now() < deadline, "no {count} frames");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Checks that videos and data hold the same frames at the same times, and gives their number.
fn check_agreement(session: &Path) -> usize {
    let (info, rows) = (info(session), rows(session));
    assert_eq!(info.counts.written as usize, rows.len(), "{info:?}");
    for video in &info.videos {
        let file = session.join(&video.file);
        let (frames, end) = mp4::length(&file).unwrap();
        assert_eq!(frames, rows.len(), "{}", file.display());
        assert!((end - info.duration_s).abs() < 0.001, "{}: {end} {info:?}", file.display());
        mp4::probe(&file, frames);
    }
    rows.len()
}

/// Checks that a recovered session has each file whole: every picture has its row, and rows may go on after the last
/// picture. Gives how many rows there are, and the seconds that the shortest video has lost.
fn check_recovered(session: &Path) -> (usize, f64) {
    let (info, rows) = (info(session), rows(session));
    assert_eq!(info.counts.written as usize, rows.len(), "{info:?}");
    let last = rows.last().map_or(0.0, |row| row.time_s);
    let mut shortest = f64::MAX;
    for video in &info.videos {
        let file = session.join(&video.file);
        let (frames, end) = mp4::length(&file).unwrap();
        assert!((1..=rows.len()).contains(&frames), "{}: {frames} of {}", file.display(), rows.len());
        assert!(end <= info.duration_s + 0.001, "{}: {end} {info:?}", file.display());
        // The picture that is shown last stands until the next row, or to the end.
        let next = rows.get(frames).map_or(info.duration_s, |row| row.time_s);
        assert!((next - end).abs() < 0.1, "{}: {end} {next}", file.display());
        mp4::probe(&file, frames);
        shortest = shortest.min(end);
    }
    (rows.len(), if info.videos.is_empty() { 0.0 } else { (last - shortest).max(0.0) })
}

#[test]
fn a_session_of_the_demo_is_recorded_with_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let output = start(folder.path(), &["--seconds", "1.2", "--json", "--blur"]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let session = session(folder.path()).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["folder"].as_str(), session.to_str());
    let frames = check_agreement(&session);
    assert_eq!((said["written"].as_u64(), frames >= 30), (Some(frames as u64), true));
    let info = info(&session);
    assert_eq!((info.end.clone(), info.source.name.as_str()), (Some(SessionEnd::Stopped), "demo"));
    assert_eq!((info.source.width, info.source.height, info.videos.len()), (640, 480, 2));
    assert!(info.models.iter().any(|model| model.tasks.contains(&"age".to_owned()) && !model.sha256.is_empty()));
    assert_eq!(info.detector, "blaze-back");
    let rows = rows(&session);
    assert!(rows.iter().filter(|row| row.faces.len() == 2 && row.faces[0].age.is_some()).count() > frames / 2);
    assert_eq!(rows[0].time_s, 0.0);
}

#[test]
fn a_failure_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(FACELENS).args(["record", "no/such.mp4", "-o"]).arg(folder.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.matches("no/such.mp4").count()), (Some(1), 1), "{said}");

    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = start(&file, &[]).wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.matches("cannot be written").count()), (Some(1), 1), "{said}");
}

/// The zone of the environment counts, and is written by its name.
#[test]
fn a_session_tells_its_zone() {
    if !Path::new("/usr/share/zoneinfo/Asia/Kathmandu").exists() {
        eprintln!("skipped: the system knows no zones");
        return;
    }
    // A zone without a name is its offset.
    for (zone, written) in [("Asia/Kathmandu", "+05:45[Asia/Kathmandu]"), ("XYZ-5:45", "+05:45[+05:45]")] {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Command::new(FACELENS);
        let record = record.args(["record", "demo", "--seconds", "0.2", "--pictures", "none", "-o"]).arg(folder.path());
        assert_eq!(record.env("TZ", zone).output().unwrap().status.code(), Some(0));
        let session = session(folder.path()).unwrap();
        let started = info(&session).started;
        assert!(started.ends_with(written), "{started}");
        assert!(started.parse::<jiff::Zoned>().is_ok(), "{started} is not as RFC 9557 has it");
        let name = session.file_name().unwrap().to_str().unwrap().replace('_', "T");
        let (date_and_hour, _) = started.split_at("2026-01-02T03".len());
        assert!(name.contains(date_and_hour), "the folder's name is of the same zone: {name} {started}");
    }
}

/// What was shown and what the recorded video gives differ by what H.264 loses. Bounds: the same people in the same
/// frames, a median of 5 years (an age is the mean over so few frames, and the demo's heads turn), 5 degrees and a
/// twentieth of the box's side.
#[test]
fn a_recorded_demo_analysed_again_gives_the_same_people() {
    let folder = tempfile::tempdir().unwrap();
    let output = start(folder.path(), &["--seconds", "1.5", "--pictures", "clean"]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let session = session(folder.path()).unwrap();
    let again = folder.path().join("again.csv");
    let output = Command::new(FACELENS).arg("analyze").arg(session.join("video.mp4")).arg("-o").arg(&again).output();
    assert_eq!(output.unwrap().status.code(), Some(0));
    let recorded = rows(&session);
    let again: Vec<FrameRow> = read_csv(std::fs::File::open(again).unwrap()).map(Result::unwrap).collect();
    assert_eq!(recorded.len(), again.len());

    let (mut years, mut degrees, mut sides) = (Vec::new(), Vec::new(), Vec::new());
    for (before, after) in recorded.iter().zip(&again) {
        assert!((before.time_s - after.time_s).abs() < 0.0015, "{} {}", before.time_s, after.time_s);
        let ids = |row: &FrameRow| row.faces.iter().map(|face| face.id).collect::<Vec<_>>();
        assert_eq!(ids(before), ids(after));
        for (before, after) in before.faces.iter().zip(&after.faces) {
            let apart = before.rect.center().x - after.rect.center().x;
            sides.push((apart / before.rect.width).abs());
            // The session began while the models were still being loaded.
            if let (Some(first), Some(second)) = (before.age, after.age) {
                years.push((first.years - second.years).abs());
            }
            if let (Some(first), Some(second)) = (before.pose, after.pose) {
                degrees.push((first.yaw - second.yaw).abs().max((first.roll - second.roll).abs()));
            }
        }
    }
    let median = |values: &mut Vec<f32>| {
        values.sort_by(f32::total_cmp);
        values[values.len() / 2]
    };
    let medians = (median(&mut years), median(&mut degrees), median(&mut sides));
    assert!(medians.0 < 5.0 && medians.1 < 5.0 && medians.2 < 0.05, "{medians:?}");
}

#[test]
fn ctrl_c_finishes_the_session_and_exits_with_130() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(folder.path(), &["--pictures", "annotated"]);
    let session = wait_for_rows(&mut child, folder.path(), 5);
    assert!(info(&session).end.is_none() && session.join("recording.lock").exists());
    // While it is recorded, nobody else touches it.
    let refused = recover(&session);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another facelens is recording it"));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), session.to_str().unwrap());
    assert_eq!(info(&session).end, Some(SessionEnd::Stopped));
    assert!(check_agreement(&session) >= 5 && !session.join("recording.lock").exists());
}

/// Numbers that are other ones in each run.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self(now.as_nanos() as u64 ^ u64::from(std::process::id()) << 32)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Names the folder into which [`child_that_records`] records.
const CHILD_FOLDER: &str = "FACELENS_TEST_CHILD_FOLDER";

/// No test by itself: what `killed_at_any_moment...` starts and kills. The recorder as the window runs it, with frames of
/// 320x240 at an uneven rate of about 30 a second, without the cost of finding faces.
#[test]
fn child_that_records() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else { return };
    let mut info = SessionInfo::default();
    info.source.name = "a test".to_owned();
    let blur = folder.to_string_lossy().ends_with("blurred");
    let options = RecorderOptions {
        folder: folder.into(),
        pictures: RecordedPictures::Both,
        blur,
        mirror: false,
        scene: SceneOptions::default(),
        info,
    };
    let recorder = Recorder::start(options, std::sync::Arc::new(|| ())).unwrap();
    let started = Instant::now();
    for number in 0..3600_u64 {
        recorder.record(&analysis(number, started.elapsed()));
        std::thread::sleep(Duration::from_millis([20, 33, 47][(number % 3) as usize]));
    }
}

/// A frame with two faces that wander.
fn analysis(number: u64, time: Duration) -> std::sync::Arc<Analysis> {
    let row: Vec<u8> = (0..320 * 3_u64).map(|x| ((x / 3 + number) * 7 % 256) as u8).collect();
    let frame = Frame::from_rgb(320, 240, row.repeat(240)).unwrap().at(number, time);
    let face = |id: u64| Face {
        id,
        rect: Rect::new(20.0 + 140.0 * (id - 1) as f32 + (number % 50) as f32, 60.0, 80.0, 80.0),
        score: 0.9,
        age: Some(Age { years: 31.0, low: 27.0, high: 37.5 }),
        gender: None,
        pose: Some(Pose { yaw: 10.0, pitch: 5.0, roll: -3.0 }),
    };
    let faces = vec![face(1), face(2)];
    std::sync::Arc::new(Analysis { frame: std::sync::Arc::new(frame), faces, timings: StageTimings::default() })
}

/// Six moments, or as many as `FACELENS_KILLS` says.
#[test]
fn killed_at_any_moment_everything_but_the_last_two_seconds_is_there() {
    let kills = std::env::var("FACELENS_KILLS").map_or(6, |kills| kills.parse().unwrap());
    let mut random = Random::new();
    let (mut worst, mut frames, mut with_video) = (0.0_f64, 0, 0);
    for kill in 1..=kills {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join(if kill % 3 == 0 { "blurred" } else { "plain" });
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_records"])
            .env(CHILD_FOLDER, &folder)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let session = wait_for_rows(&mut child, &folder, 1);
        let moment = Duration::from_micros(random.below(4_000_000));
        std::thread::sleep(moment);
        child.kill().unwrap();
        child.wait().unwrap();
        let words = format!("kill {kill} after {moment:?}");
        let (lost, saved) = check_recovery(&folder, &session, &words);
        worst = worst.max(lost);
        frames += saved;
        with_video += u32::from(!info(&session).videos.is_empty());
    }
    eprintln!(
        "{kills} of {kills} recordings are whole after a kill, {with_video} of them with videos; at most {worst:.2} s were \
         lost, {frames} frames were saved"
    );
}

#[test]
fn the_program_killed_while_it_records_leaves_a_session_that_is_finished_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(folder.path(), &["--blur"]);
    let session = wait_for_rows(&mut child, folder.path(), 45);
    child.kill().unwrap();
    child.wait().unwrap();
    let (_, frames) = check_recovery(folder.path(), &session, "the program");
    assert!(frames > 0 && info(&session).videos.len() == 2);
}

/// Recovers a killed session and checks it; gives the seconds that were lost and the frames that were saved.
fn check_recovery(folder: &Path, session: &Path, words: &str) -> (f64, usize) {
    // The data are written before the pictures, so they tell how far the recording was.
    let before = rows(session).last().map_or(0.0, |row| row.time_s);
    assert_eq!(info(session).end, None, "{words}");
    let output = recover(folder);
    assert_eq!(output.status.code(), Some(0), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with(session.to_str().unwrap()), "{words}");
    let info = info(session);
    assert_eq!(info.end, Some(SessionEnd::Recovered), "{words}");
    let (frames, lost) = check_recovered(session);
    assert!(before <= info.duration_s + 0.001, "{words}: rows are lost");
    assert!(lost <= 2.0, "{words}: {lost} s of images are lost");
    assert!(before < 2.0 || info.videos.len() == 2, "{words}: after {before} s there are videos");
    assert!(!session.join("recording.lock").exists(), "{words}");
    (lost, frames)
}

/// Checks what a full disk leaves: a clear error, and everything that was written.
fn check_full(code: Option<i32>, errors: &str, session: &Path) {
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("cannot be written (") && errors.contains("free some room"), "{errors}");
    let info = info(session);
    assert!(matches!(&info.end, Some(SessionEnd::Failed { error }) if errors.contains(error)), "{info:?}");
    assert!(check_agreement(session) > 0);
    assert!(!session.join("recording.lock").exists());
}

#[test]
fn a_file_that_may_not_grow_ends_the_recording_and_loses_nothing_that_was_written() {
    let folder = tempfile::tempdir().unwrap();
    // The shell's limit is inherited; without the signal, a write beyond it fails as on a full disk.
    let limited = "ulimit -f 800 && trap '' XFSZ && exec \"$0\" record demo --seconds 60 -o \"$1\"";
    let output = Command::new("sh").args(["-c", limited, FACELENS]).arg(folder.path()).output().unwrap();
    check_full(output.status.code(), &String::from_utf8_lossy(&output.stderr), &session(folder.path()).unwrap());
}

#[test]
fn a_full_file_system_ends_the_recording_and_loses_nothing_that_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let (mount, copy) = (folder.path().join("mount"), folder.path().join("copy"));
    for folder in [&mount, &copy] {
        std::fs::create_dir(folder).unwrap();
    }
    // A file system of the test's own, in a namespace that goes with the shell.
    let script = "mount -t tmpfs -o size=1200k tmpfs \"$1\" || exit 77
        \"$0\" record demo --seconds 60 -o \"$1\" 2>\"$2/errors\"
        code=$?
        cp -r \"$1\"/session-* \"$2\" || exit 76
        exit $code";
    let output = Command::new("unshare").args(["-rm", "sh", "-c", script, FACELENS]).args([&mount, &copy]).output();
    let errors = std::fs::read_to_string(copy.join("errors")).unwrap_or_default();
    let Ok(output) = output.map_err(|error| eprintln!("skipped: unshare is not there ({error})")) else { return };
    if errors.is_empty() {
        eprintln!("skipped: no file system may be mounted here: {}", String::from_utf8_lossy(&output.stderr).trim());
        return;
    }
    let session = std::fs::read_dir(&copy).unwrap().flatten().map(|entry| entry.path()).find(|path| path.is_dir());
    check_full(output.status.code(), &errors, &session.unwrap());
}

/// The disk is full before the first second of pictures is written down: the data are left, and no torn video.
#[test]
fn a_file_system_that_is_full_in_the_first_second_leaves_the_data_and_nothing_torn() {
    let folder = tempfile::tempdir().unwrap();
    let (mount, copy) = (folder.path().join("mount"), folder.path().join("copy"));
    for folder in [&mount, &copy] {
        std::fs::create_dir(folder).unwrap();
    }
    let script = "mount -t tmpfs -o size=20k tmpfs \"$1\" || exit 77
        \"$0\" record demo --seconds 60 -o \"$1\" 2>\"$2/errors\"
        code=$?
        cp -r \"$1\"/session-* \"$2\" || exit 76
        exit $code";
    let output = Command::new("unshare").args(["-rm", "sh", "-c", script, FACELENS]).args([&mount, &copy]).output();
    let errors = std::fs::read_to_string(copy.join("errors")).unwrap_or_default();
    if errors.is_empty() {
        eprintln!("skipped: no file system may be mounted here: {output:?}");
        return;
    }
    let session = std::fs::read_dir(&copy).unwrap().flatten().map(|entry| entry.path()).find(|path| path.is_dir());
    let session = session.unwrap();
    assert!(errors.contains("the disk is full"), "{errors}");
    check_full(output.unwrap().status.code(), &errors, &session);
    let mut names: Vec<_> = std::fs::read_dir(&session).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!((names, info(&session).videos.len()), (vec!["faces.csv".into(), "session.json".into()], 0));
}

#[test]
fn pictures_of_a_folder_have_times_and_end_with_the_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    for number in 0..4 {
        image::RgbImage::from_pixel(64, 48, image::Rgb([60 * number; 3]))
            .save(pictures.join(format!("{number}.png")))
            .unwrap();
    }
    let sessions = folder.path().join("sessions");
    // Each is shown for two seconds; the third would come at the fourth.
    let output = Command::new(FACELENS)
        .args(["record", pictures.to_str().unwrap(), "-o", sessions.to_str().unwrap(), "--seconds", "4", "--blur"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let session = session(&sessions).unwrap();
    assert_eq!(check_agreement(&session), 2);
    let times: Vec<_> = rows(&session).iter().map(|row| row.time_s).collect();
    assert_eq!((times, info(&session).duration_s), (vec![0.0, 2.0], 4.0));
    assert_eq!(info(&session).end, Some(SessionEnd::Stopped));
}

#[test]
fn a_file_in_the_place_of_the_folder_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    let output = start(&file, &["--seconds", "1"]).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("file is where a folder should be"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_single_picture_is_recorded_whole_and_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let picture = common::asset("astronaut.png");
    let output = Command::new(FACELENS)
        .args(["record", picture.to_str().unwrap(), "-o", folder.path().to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let session = session(folder.path()).unwrap();
    assert_eq!(check_agreement(&session), 1);
    let (info, rows) = (info(&session), rows(&session));
    assert_eq!((info.end, rows[0].input.as_str()), (Some(SessionEnd::SourceEnded), picture.to_str().unwrap()));
}

#[test]
fn recover_names_what_it_leaves_alone_and_finishes_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let session = |name: &str| {
        let path = folder.path().join(name);
        let mut info = common::session::write(&path, &common::session::rows(), &[("video.mp4", true)]);
        info.end = None;
        (path, info)
    };
    let save = |path: &Path, info: &SessionInfo| {
        std::fs::write(path.join("session.json"), serde_json::to_string(info).unwrap()).unwrap();
    };
    let victim = folder.path().join("victim.txt");
    std::fs::write(&victim, "precious\n").unwrap();
    let (outside, mut info) = session("session-a");
    info.data = "../victim.txt".to_owned();
    save(&outside, &info);
    let (broken, info) = session("session-b");
    save(&broken, &info);
    let data = std::fs::read(broken.join("faces.csv")).unwrap();
    std::fs::write(broken.join("faces.csv"), &data[..data.len() - 5]).unwrap();
    let output = recover(folder.path());
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{said}{errors}");
    assert!(errors.contains("session-a: session.json: `data` names \"../victim.txt\""), "{errors}");
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious\n");
    assert!(said.contains("session-b") && said.contains("faces.csv.before-recovery"), "{said}");
    assert_eq!(
        (rows(&broken).len(), std::fs::read(broken.join("faces.csv.before-recovery")).unwrap().len()),
        (49, data.len() - 5)
    );
    assert_eq!(recover(&broken).status.code(), Some(0), "it is finished");
}

#[test]
fn recover_says_when_there_is_nothing_to_do_and_refuses_what_is_no_session() {
    let folder = tempfile::tempdir().unwrap();
    let output = recover(folder.path());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no interrupted recording in it"));
    let output = recover(&folder.path().join("none"));
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no such folder"));
}
