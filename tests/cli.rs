//! The command line itself: help, version, and wrong calls.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use assert_cmd::Command;

mod common;

fn facelens(args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_facelens")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_and_version_go_to_standard_output() {
    let version = facelens(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(text(&version.stdout), format!("facelens {}\n", env!("CARGO_PKG_VERSION")));

    let help = facelens(&["--help"]);
    assert_eq!((help.status.code(), help.stderr.len()), (Some(0), 0));
    let words = text(&help.stdout);
    for word in [
        "analyze",
        "record",
        "recover",
        "replay",
        "export",
        "eval",
        "bench",
        "cameras",
        "models",
        "--source",
        "--camera",
        "--model",
        "--detector",
    ] {
        assert!(words.contains(word), "{word} is missing in\n{words}");
    }
}

#[test]
fn every_command_has_its_own_help() {
    for command in ["analyze", "gait", "record", "recover", "replay", "export", "eval", "bench", "cameras", "models"] {
        let help = facelens(&[command, "--help"]);
        assert_eq!(help.status.code(), Some(0), "{command}");
        assert!(text(&help.stdout).contains("Usage: facelens"), "{command}");
    }
}

#[test]
fn completions_and_the_manual_page_name_the_commands() {
    for (shell, begins) in [("bash", "_facelens()"), ("zsh", "#compdef facelens"), ("fish", "#"), ("powershell", "")] {
        let script = facelens(&["completions", shell]);
        assert_eq!(script.status.code(), Some(0), "{shell}");
        let script = text(&script.stdout);
        assert!(script.starts_with(begins) && script.contains("analyze"), "{shell}: {script}");
    }
    assert_eq!(facelens(&["completions", "tcsh"]).status.code(), Some(2));
    let page = text(&facelens(&["man"]).stdout);
    assert!(page.contains(".TH facelens 1") && page.contains("facelens\\-analyze(1)"), "{page}");
}

#[test]
fn a_wrong_call_exits_with_2_and_says_how_it_is_right() {
    let astronaut = common::asset("astronaut.png");
    let astronaut = astronaut.to_str().unwrap();
    let cases: [(&[&str], &str); 17] = [
        (&["fly"], "fly"),
        (&["analyze"], "INPUT"),
        (&["analyze", "demo", "--format", "xml"], "csv, jsonl, parquet"),
        (&["analyze", "demo", "-o", "rows.txt"], "--format"),
        (&["analyze", "demo", "-o", "rows"], "--format"),
        (&["analyze", "camera"], "--seconds"),
        (&["analyze", astronaut, "camera:0"], "--seconds"),
        (&["analyze", "demo", "--seconds", "0"], "above 0"),
        (&["analyze", astronaut, "-o", astronaut, "--format", "csv"], "another -o"),
        (&["analyze", "demo", "--video", "out.avi"], ".mp4"),
        (&["analyze", astronaut, "--video", astronaut], "another --video"),
        (&["analyze", "demo", "--model", "pose"], "TASK=FILE"),
        (&["analyze", "demo", "--model", "mood=a.onnx"], "age, gender and pose"),
        (&["analyze", "demo", "--detector", "eyes"], "blaze-back"),
        (&["record", "demo", "--pictures", "some"], "annotated"),
        (&["recover", "no/such/folder"], "no such folder"),
        (&["eval", "--images", "."], "--labels"),
    ];
    for (args, words) in cases {
        let output = facelens(args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_bad_log_filter_is_told_and_not_fatal() {
    let output = Command::new(env!("CARGO_BIN_EXE_facelens"))
        .env("FACELENS_LOG", "=#=")
        .args(["analyze", "camera"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("FACELENS_LOG"), "{said}");
    assert!(!said.contains('\x1b'), "no colours where standard error is no terminal: {said:?}");
}

/// The shape that scripts read; no time is looked at.
#[test]
fn bench_tells_its_figures_as_json() {
    let output = facelens(&[
        "bench",
        "--json",
        "--parts=start,stages,frames,nets,layers,live",
        "--sizes=320x240",
        "--faces=0,1",
        "--seconds-per-case=0.02",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for key in ["load_models_ms", "load_detector_ms", "first_frame_ms"] {
        assert!(report["start"][key].is_f64(), "{key}: {report}");
    }
    assert!(report["nets"].as_array().unwrap().iter().all(|net| net["name"].is_string() && net["median_ms"].is_f64()));
    let stages: Vec<_> = report["stages"].as_array().unwrap().iter().map(|stage| stage["stage"].clone()).collect();
    for stage in ["decode YUYV", "decode MJPEG", "search the whole frame", "track", "encode H.264"] {
        assert!(stages.contains(&stage.into()), "{stage} is missing in {stages:?}");
    }
    let frames = report["frames"].as_array().unwrap();
    assert_eq!(frames.len(), 2);
    for (frame, faces) in frames.iter().zip([0, 1]) {
        assert_eq!((&frame["width"], &frame["height"]), (&320.into(), &240.into()));
        assert_eq!((&frame["faces"], &frame["found"]), (&faces.into(), &faces.into()));
        assert!(frame["fps"].is_f64() && frame["p95_ms"].as_f64() >= frame["median_ms"].as_f64(), "{frame}");
        assert!(frame["stages_ms"]["detect"].is_f64(), "{frame}");
        assert!(!cfg!(unix) || frame["cpu_ms_per_frame"].is_f64(), "{frame}");
    }
    let layers = report["layers"][0]["layers"].as_array().unwrap();
    let convolution = layers.iter().find(|layer| layer["operator"] == "Conv").unwrap();
    // The first layer: 62x62 places of 16 channels out of 3 by 3x3 each.
    assert!(convolution["multiply_adds"].as_u64() > Some(1_000_000), "{convolution}");
    assert!(convolution["median_us"].is_f64(), "{convolution}");
    let live = &report["live"];
    assert!(live["frames"].as_u64() > Some(0) && live["delay_p99_ms"].as_f64() >= live["delay_ms"].as_f64(), "{live}");
    assert!(report["processor"].is_string(), "{report}");
}

#[test]
fn bench_draws_the_pictures_that_it_measures() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let drawn = facelens(&["bench", "--draw", path, "--sizes=64x64", "--faces=1"]);
    assert_eq!(drawn.status.code(), Some(0), "{}", text(&drawn.stderr));
    let pictures = folder.path().join("64x64-1");
    assert_eq!(text(&drawn.stdout).trim_end(), pictures.to_str().unwrap());
    assert_eq!(std::fs::read_dir(&pictures).unwrap().count(), 60);
}
