//! Recorded sessions that somebody else sent: read, exported, painted, recovered.

use std::fs;
use std::path::Path;

use facelens_session::export::{ExportFormat, write_data};
use facelens_session::overlay::{Scene, SceneOptions, paint_on_picture};
use facelens_session::replay::{Playback, Quantity, curve};
use facelens_session::{FrameRow, INFO_FILE, SessionFolder, read_csv, read_jsonl, recovery, write_jsonl};

use crate::common::session::{rows, write};
use crate::harness::{Target, fuzz};

/// Between the files of a session in one input.
const END_OF_FILE: u8 = 0x1e;

const WORDS: [&[u8]; 14] = [
    b"\n",
    b",",
    b"\"",
    b"nan",
    b"inf",
    b"female",
    b"unsure",
    b"null",
    b"[",
    b"{",
    b"\"videos\":",
    b"\"schema\":",
    b"..",
    b"\x1e",
];

/// The rows that tell most: nobody, one and two people.
fn some_rows() -> Vec<FrameRow> {
    rows().into_iter().filter(|row| [109, 110, 134, 146].contains(&row.frame)).collect()
}

/// The files of a small session, one after the other.
fn whole(videos: &[(&str, bool)], finished: bool) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut info = write(folder.path(), &some_rows(), videos);
    if !finished {
        info.end = None;
    }
    let mut input = serde_json::to_vec(&info).unwrap();
    let files = ["faces.csv"].into_iter().chain(videos.iter().map(|(file, _)| *file));
    for file in files {
        input.push(END_OF_FILE);
        input.extend(fs::read(folder.path().join(file)).unwrap());
    }
    input
}

/// Puts the files of an input into a folder, which is emptied before.
fn unpack(input: &[u8], folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let files = input.splitn(3, |&byte| byte == END_OF_FILE);
    for (name, content) in [INFO_FILE, "faces.csv", "video.mp4"].into_iter().zip(files) {
        fs::write(folder.join(name), content).unwrap();
    }
}

#[test]
fn faces_csv() {
    let corpus = vec![fs::read(csv_of(&some_rows()).path()).unwrap()];
    let target = Target { name: "faces_csv", corpus, words: &WORDS, repair: None, cost: 1 };
    fuzz(&target, |input| read_csv(input).all(|row| row.is_ok()));
}

fn csv_of(rows: &[FrameRow]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = facelens_session::CsvWriter::new(file.reopen().unwrap());
    rows.iter().for_each(|row| writer.write(row).unwrap());
    writer.flush().unwrap();
    file
}

#[test]
fn faces_jsonl() {
    let mut text = Vec::new();
    some_rows().iter().for_each(|row| write_jsonl(&mut text, row).unwrap());
    let target = Target { name: "faces_jsonl", corpus: vec![text], words: &WORDS, repair: None, cost: 1 };
    fuzz(&target, |input| read_jsonl(input).all(|row| row.is_ok()));
}

/// Opened, exported in every format, painted, and looked at as the replay does.
#[test]
fn sessions() {
    let target = Target { name: "sessions", corpus: vec![whole(&[], true)], words: &WORDS, repair: None, cost: 2 };
    let folder = tempfile::tempdir().unwrap();
    fuzz(&target, |input| {
        unpack(input, folder.path());
        let Ok(session) = SessionFolder::open(folder.path()) else { return false };
        for format in ExportFormat::ALL.into_iter().filter(|format| *format != ExportFormat::Mp4) {
            // Columns that a format cannot hold are an error, and no more.
            let _ = write_data(&session, format, &[1], &mut Vec::new());
        }
        let mut rgb = vec![90; 64 * 48 * 3];
        for row in session.rows.iter().take(4) {
            let options = SceneOptions::default().for_saving(48);
            paint_on_picture(
                &Scene::of(&row.faces_of(&[], session.info.gender_number()), 64, 48, &options),
                &mut rgb,
                64,
                48,
            );
        }
        for person in session.people().iter().take(4) {
            curve(&session.rows, person, Quantity::Yaw, session.duration_secs(), 50);
        }
        let mut playback = Playback::new(&session);
        playback.toggle();
        playback.pass(0.3);
        playback.step(2);
        playback.seek(1e300);
        session.notices.is_empty()
    });
}

#[test]
fn broken_off_sessions() {
    let corpus = vec![whole(&[("video.mp4", true)], false)];
    let target = Target { name: "recovery", corpus, words: &WORDS, repair: None, cost: 8 };
    let folder = tempfile::tempdir().unwrap();
    let beside = folder.path().join("beside");
    fs::write(&beside, "not touched").unwrap();
    fuzz(&target, |input| {
        let session = folder.path().join("session-2026-01-02-03-04-05");
        unpack(input, &session);
        let recovered = recovery::recover(&session).is_ok();
        assert_eq!(fs::read(&beside).unwrap(), b"not touched");
        recovered
    });
}
