//! Inputs that people had trouble with, and what is right for each: the table in `../shared/cases/README.md`, where that is.
//! Tests that make their own inputs stand beside the code; these hold it to the files themselves.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use facelens_session::{FrameRow, read_jsonl};

mod common;

/// A file among the cases; `None` with a word where there are none.
fn case(name: &str) -> Option<PathBuf> {
    let file = common::shared()?.join("cases").join(name);
    file.exists().then_some(file)
}

fn facelens(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_facelens")).args(args).output().unwrap()
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn rows(output: &Output) -> Vec<FrameRow> {
    read_jsonl(output.stdout.as_slice()).collect::<Result<_, _>>().unwrap()
}

fn analyze(file: &Path) -> (Vec<FrameRow>, Output) {
    let output = facelens(&["analyze", file.to_str().unwrap()]);
    (rows(&output), output)
}

/// Where the middle of the only face is, pixels from the left.
fn face_x(row: &FrameRow) -> f32 {
    let [face] = &row.faces[..] else { panic!("{} faces in frame {}", row.faces.len(), row.frame) };
    face.rect.x + face.rect.width / 2.0
}

fn has_ffmpeg() -> bool {
    std::process::Command::new("ffmpeg").arg("-version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn videos_are_seen_as_a_player_shows_them() {
    // File, rows, size of the last frame, middle of the first face, whether ffmpeg is needed.
    let table = [
        ("trimmed_start.mp4", 10, (480, 360), Some(200.0), false),
        ("two_sizes.mp4", 20, (320, 240), None, false),
        ("mirrored.mp4", 10, (480, 360), Some(98.0), false),
        ("turn_in_movie_header.mp4", 10, (480, 360), Some(98.0), false),
        ("thumb_track_first.mp4", 20, (480, 360), Some(100.0), false),
        ("cover_first.mkv", 20, (480, 360), Some(100.0), true),
        ("evil_meta.mkv", 20, (480, 360), None, true),
        ("one_damaged_picture.avi", 12, (240, 180), None, true),
    ];
    for (name, count, size, first, by_ffmpeg) in table {
        let Some(file) = case(&format!("video/{name}")) else { return };
        if by_ffmpeg && !has_ffmpeg() {
            continue;
        }
        let (rows, output) = analyze(&file);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", words(&output));
        assert!(rows.len().abs_diff(count) == 0, "{name}: {} rows, {}", rows.len(), words(&output));
        let last = &rows[rows.len() - 1];
        assert_eq!((last.width, last.height), size, "{name}");
        if let Some(x) = first {
            assert!((face_x(&rows[0]) - x).abs() < 8.0, "{name}: {}", face_x(&rows[0]));
            assert_eq!(rows[0].time_s, 0.0, "{name}");
        }
    }
    let Some(file) = case("video/sar.mp4") else { return };
    let (rows, _) = analyze(&file);
    assert_eq!((rows[0].width, rows[0].height), (480, 360));
}

#[test]
fn pictures_are_upright_or_named() {
    let Some(file) = case("pictures/exif6_long.jpg") else { return };
    let (rows, _) = analyze(&file);
    assert_eq!((rows[0].width, rows[0].height, rows[0].faces.len()), (300, 240, 1));
    for (name, word) in [("t30.jpg", "cut off"), ("ref.avif", "AVIF")] {
        let Some(file) = case(&format!("pictures/{name}")) else { return };
        let (_, output) = analyze(&file);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(words(&output).contains(word), "{name}: {}", words(&output));
    }
}

#[test]
fn weights_of_keras_3_give_the_age_of_keras_2() {
    for name in ["keras3.weights.h5", "model.keras"] {
        let Some(file) = case(&format!("keras/{name}")) else { return };
        let model = format!("age={}", file.display());
        let output = facelens(&["analyze", common::asset("astronaut.png").to_str().unwrap(), "--model", &model]);
        let years = rows(&output)[0].faces[0].age.as_ref().unwrap().years;
        assert!((years - 31.9).abs() < 0.05, "{name}: {years}");
    }
}

#[test]
fn exports_are_taken_or_named() {
    for (name, loads) in [("half_precision", true), ("name_like_an_output", true), ("foreign_relu", false)] {
        let Some(file) = case(&format!("onnx-exports/{name}.onnx")) else { return };
        let output = facelens(&["models", "check", file.to_str().unwrap()]);
        assert_eq!(output.status.success(), loads, "{name}: {}", words(&output));
        assert!(loads || words(&output).contains("Relu"), "{name}: {}", words(&output));
    }
    for name in ["dropout_empty", "tile_negative", "topk_2pow32", "transpose_perm"] {
        let Some(file) = case(&format!("onnx/{name}.onnx")) else { return };
        let output = facelens(&["models", "check", file.to_str().unwrap()]);
        assert_eq!((output.status.code(), words(&output).lines().count()), (Some(1), 1), "{name}: {}", words(&output));
    }
}

#[test]
fn tables_of_labels_are_read() {
    let labels = [
        ("bins_from_pandas", 2),
        ("composed_name", 1),
        ("na_from_r", 2),
        ("plain", 2),
        ("semicolons", 1),
        ("tabs", 1),
        ("trailing_empty_rows", 2),
        ("utf16", 1),
    ];
    let Some(folder) = case("labels") else { return };
    let eval = |labels: &str, images: &str| {
        let file = folder.join(format!("{labels}.csv"));
        let images = folder.join(images);
        let args = ["eval", "--labels", file.to_str().unwrap(), "--images", images.to_str().unwrap(), "--json"];
        let output = facelens(&[&args[..], &["--task", "age", "--crops"]].concat());
        assert!(output.status.success(), "{labels}: {}", words(&output));
        let figures: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(figures["missing"], 0, "{labels}");
        figures["n"].as_u64().unwrap()
    };
    for (name, count) in labels {
        // The composed name's picture lies in a folder of its own.
        let images = if name == "composed_name" { "mac" } else { "." };
        assert_eq!(eval(name, images), count, "{name}");
    }
    assert_eq!(eval("plain", "pictures.tar.gz"), 2);
}

#[test]
fn a_session_that_went_through_pandas_keeps_its_faces() {
    let Some(session) = case("sessions/session_pandas") else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("o.jsonl");
    let output = facelens(&["export", session.to_str().unwrap(), "--to", "jsonl", "-o", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", words(&output));
    let rows: Vec<FrameRow> =
        read_jsonl(std::io::BufReader::new(std::fs::File::open(file).unwrap())).collect::<Result<_, _>>().unwrap();
    assert_eq!((rows.len(), rows.iter().map(|row| row.faces.len()).sum::<usize>()), (12, 8));
}

/// Cameras that a stand-in for the kernel plays. It needs root and a C compiler.
#[cfg(target_os = "linux")]
#[test]
fn cameras_that_are_played_give_pictures() {
    let Some(shared) = common::shared() else { return };
    let play = shared.join("tools/fakecam/run.sh");
    let runs = |program: &str| std::process::Command::new(program).arg("--version").output().is_ok();
    if !play.exists() || !runs("cc") || !rustix::process::geteuid().is_root() {
        return;
    }
    for (camera, name) in [
        ("ntsc", "Fake Camera"),
        ("fps_ntsc_on_set", "Fake Camera"),
        ("grey", "Fake Camera"),
        ("uyvy", "Fake Camera"),
        ("i420", "Fake Camera"),
        ("noparm", "Fake Camera"),
        ("latin1", "Kaméra HD"),
        ("errflag", "Fake Camera"),
        ("torn10", "Fake Camera"),
    ] {
        let program = env!("CARGO_BIN_EXE_facelens");
        let config = format!("{camera}.conf");
        let output = std::process::Command::new(&play)
            .args([&config, program, "analyze", "camera", "--seconds", "1"])
            .output()
            .unwrap();
        let said = words(&output);
        if said.contains("unshare") {
            return;
        }
        assert!(output.status.success(), "{camera}: {said}");
        let rows = rows(&output);
        assert!(!rows.is_empty() && rows.iter().all(|row| row.input == name), "{camera}: {said}");
        // The face looks straight ahead in every whole picture; in half of one, it seems turned.
        let yaws = rows.iter().flat_map(|row| &row.faces).filter_map(|face| face.pose.as_ref()).map(|pose| pose.yaw);
        assert!(yaws.into_iter().all(|yaw| yaw.abs() < 4.0), "{camera}");
        let damaged = ["errflag", "torn10"].contains(&camera);
        assert_eq!(said.contains("came damaged and were left out"), damaged, "{camera}: {said}");
    }
}
