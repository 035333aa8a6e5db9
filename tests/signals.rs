//! Requests to end by signals, and readers that take nothing: files are whole, and the exit code says what it was.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use common::mp4;
use facelens_session::{SessionEnd, SessionInfo, read_csv};

mod common;

const FACELENS: &str = env!("CARGO_BIN_EXE_facelens");

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success());
}

/// Waits until something holds while the program runs.
#[track_caller]
fn wait_until(what: &str, child: &mut Child, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert_eq!(child.try_wait().unwrap(), None, "it runs until it is asked to end: {what}");
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for the end, and kills what does not come to it.
#[track_caller]
fn ended(mut child: Child) -> ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() >= deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn count_rows(csv: &Path) -> usize {
    std::fs::File::open(csv).map_or(0, |file| read_csv(file).map_while(Result::ok).count())
}

fn session(folder: &Path) -> Option<PathBuf> {
    std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).next()
}

/// A recording of the demo that has 20 frames.
fn recording(folder: &Path, command: &mut Command) -> Child {
    let mut child = command.args(["record", "demo", "-o"]).arg(folder).stdout(Stdio::null()).spawn().unwrap();
    wait_until("20 frames", &mut child, || {
        session(folder).is_some_and(|session| count_rows(&session.join("faces.csv")) >= 20)
    });
    child
}

/// Data and videos hold the same frames, and the session says that it was stopped.
fn check_whole(folder: &Path) {
    let session = session(folder).unwrap();
    let info: SessionInfo = serde_json::from_slice(&std::fs::read(session.join("session.json")).unwrap()).unwrap();
    assert_eq!(info.end, Some(SessionEnd::Stopped));
    let rows = count_rows(&session.join("faces.csv"));
    assert!(rows >= 20 && info.counts.written as usize == rows, "{rows} rows, {info:?}");
    for video in ["clean.mp4", "video.mp4"] {
        assert_eq!(mp4::length(&session.join(video)).unwrap().0, rows, "{video}");
        mp4::probe(&session.join(video), rows);
    }
    assert!(!session.join("recording.lock").exists());
}

#[test]
fn a_recording_is_finished_at_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let child = recording(folder.path(), &mut Command::new(FACELENS));
    signal(&child, "TERM");
    assert_eq!(ended(child).code(), Some(143));
    check_whole(folder.path());
}

/// The terminal's own SIGHUP and the shell's come at the same time, and a session that ends adds SIGTERM.
#[test]
fn a_recording_is_finished_when_its_terminal_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let child = recording(folder.path(), &mut Command::new(FACELENS));
    signal(&child, "HUP");
    signal(&child, "HUP");
    signal(&child, "TERM");
    let code = ended(child).code();
    assert!(matches!(code, Some(129 | 143)), "{code:?}");
    check_whole(folder.path());
}

#[cfg(target_os = "linux")]
#[test]
fn nohup_keeps_a_recording_going() {
    let folder = tempfile::tempdir().unwrap();
    let child = &mut recording(folder.path(), Command::new("nohup").arg(FACELENS).stderr(Stdio::null()));
    signal(child, "HUP");
    let csv = session(folder.path()).unwrap().join("faces.csv");
    let before = count_rows(&csv);
    wait_until("more frames", child, || count_rows(&csv) >= before + 10);
    signal(child, "TERM");
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(child.wait().unwrap().code(), Some(143));
    check_whole(folder.path());
}

#[test]
fn an_analysis_is_finished_at_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let (csv, video) = (folder.path().join("rows.csv"), folder.path().join("out.mp4"));
    let mut analyze = Command::new(FACELENS);
    let mut child = analyze.args(["analyze", "demo", "-o"]).arg(&csv).arg("--video").arg(&video).spawn().unwrap();
    wait_until("rows", &mut child, || count_rows(&csv) >= 10);
    signal(&child, "TERM");
    assert_eq!(ended(child).code(), Some(143));
    let rows = count_rows(&csv);
    assert!((10..1800).contains(&rows), "{rows}");
    assert_eq!(mp4::length(&video).unwrap().0, rows);
}

/// The pipe is full before the first row, and nobody reads it.
#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_takes_nothing_does_not_keep_an_analysis_from_ending() {
    use std::io::Write as _;
    /// What a pipe holds on Linux.
    const PIPE_BYTES: usize = 65_536;
    let (_reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&vec![b'\n'; PIPE_BYTES]).unwrap();
    let mut analyze = Command::new(FACELENS);
    let mut child = analyze.args(["analyze", "demo", "-o", "-"]).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    // Its thread starts with the first row.
    let threads = PathBuf::from(format!("/proc/{}/task", child.id()));
    wait_until("the first row", &mut child, || {
        let names = std::fs::read_dir(&threads).into_iter().flatten().flatten().map(|task| task.path().join("comm"));
        names.filter_map(|name| std::fs::read_to_string(name).ok()).any(|name| name.trim() == "stdout")
    });
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(child.try_wait().unwrap(), None, "it waits for its reader as long as nobody asks it to end");
    signal(&child, "TERM");
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    assert_eq!(ended(child).code(), Some(143));
    std::io::Read::read_to_string(&mut stderr, &mut said).unwrap();
    assert_eq!(said.matches("has stopped reading").count(), 1, "{said}");
}
