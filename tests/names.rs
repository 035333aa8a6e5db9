//! File names that are no UTF-8: every command opens and writes them.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]
// macOS allows no such names.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use facelens_session::{FrameRow, read_csv, read_jsonl};

mod common;

/// A name in Latin-1.
fn odd(folder: &Path, ending: &str) -> PathBuf {
    let name = [b"caf\xe9".as_slice(), ending.as_bytes()].concat();
    folder.join(OsStr::from_bytes(&name))
}

fn facelens<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_facelens")).args(args).output().unwrap()
}

#[track_caller]
fn succeeds<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Output {
    let output = facelens(args);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Arguments of any kind in one list.
macro_rules! args {
    ($($arg:expr),*) => { [$(AsRef::<OsStr>::as_ref(&$arg).to_owned()),*] };
}

#[test]
fn pictures_folders_and_outputs_of_analyze() {
    let folder = tempfile::tempdir().unwrap();
    let (pictures, rows, video) =
        (odd(folder.path(), "-pictures"), odd(folder.path(), ".jsonl"), odd(folder.path(), ".mp4"));
    std::fs::create_dir(&pictures).unwrap();
    let picture = odd(&pictures, ".png");
    std::fs::copy(common::asset("astronaut.png"), &picture).unwrap();
    succeeds(args!["analyze", picture, pictures, "-o", rows, "--video", video]);
    let rows: Vec<FrameRow> = read_jsonl(std::fs::read(&rows).unwrap().as_slice()).map(Result::unwrap).collect();
    assert_eq!(rows.iter().map(|row| row.faces.len()).collect::<Vec<_>>(), [1, 1]);
    assert!(rows.iter().all(|row| row.input.ends_with("caf\u{fffd}.png")), "{rows:?}");
    assert_eq!(common::mp4::length(&video).unwrap().0, 2);
    // The video is an input, too.
    succeeds(args!["analyze", video, "-o", odd(folder.path(), ".csv")]);
}

#[test]
fn sessions_are_recorded_recovered_exported_and_refused_by_such_names() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = odd(folder.path(), "-sessions");
    let picture = odd(folder.path(), ".png");
    std::fs::copy(common::asset("astronaut.png"), &picture).unwrap();
    let said = succeeds(args!["record", picture, "-o", sessions, "--json"]).stdout;
    let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
    assert!(said["folder"].as_str().unwrap().contains("caf\u{fffd}-sessions"), "{said}");
    let session = std::fs::read_dir(&sessions).unwrap().next().unwrap().unwrap().path();
    succeeds(args!["recover", sessions]);
    let rows = odd(folder.path(), ".csv");
    succeeds(args!["export", session, "-o", rows]);
    assert_eq!(read_csv(std::fs::File::open(&rows).unwrap()).count(), 1);
    succeeds(args!["export", session, "-o", odd(folder.path(), ".mp4")]);
    // What is no session is refused for that, not for its name.
    let output = facelens(args!["replay", picture]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn models_are_shown_checked_imported_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let models = odd(folder.path(), "-models");
    std::fs::create_dir(&models).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    for file in ["ssrnet-age-imdb.toml", "ssrnet-age-imdb.onnx"] {
        std::fs::copy(shipped.join(file), models.join(file)).unwrap();
    }
    let card = odd(&models, ".toml");
    std::fs::rename(models.join("ssrnet-age-imdb.toml"), &card).unwrap();
    succeeds(args!["models", "show", card]);
    succeeds(args!["models", "check", card]);
    let library = odd(folder.path(), "-library");
    succeeds(args!["models", "import", card, "-o", library]);
    assert!(library.join("ssrnet-age-imdb.toml").is_file());
    let mut age = std::ffi::OsString::from("age=");
    age.push(&card);
    succeeds(args!["analyze", common::asset("astronaut.png"), "--model", age]);
    let output = facelens(args!["analyze", "demo", "--model", OsStr::from_bytes(b"m\xffod=a.onnx")]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn labels_images_and_charts_of_eval() {
    let folder = tempfile::tempdir().unwrap();
    let (images, labels) = (odd(folder.path(), "-images"), odd(folder.path(), ".csv"));
    std::fs::create_dir(&images).unwrap();
    std::fs::copy(common::asset("astronaut.png"), images.join("a.png")).unwrap();
    std::fs::write(&labels, "file,age\na.png,42\n").unwrap();
    let chart = odd(folder.path(), ".svg");
    succeeds(args!["eval", "--labels", labels, "--images", images, "--chart", chart]);
    assert!(std::fs::read_to_string(&chart).unwrap().starts_with("<svg"));
}

#[test]
fn the_window_takes_such_a_source() {
    // There is no display here, so the names are all that is looked at.
    let source = OsStr::from_bytes(b"clip\xff.mp4");
    for option in ["--source", "--camera"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_facelens"));
        let command = command.arg(option).arg(source);
        for display in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
            command.env_remove(display);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("there is no display"), "{said}");
    }
}
