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
    for command in ["analyze", "record", "recover", "replay", "export", "eval", "bench", "cameras", "models"] {
        let help = facelens(&[command, "--help"]);
        assert_eq!(help.status.code(), Some(0), "{command}");
        assert!(text(&help.stdout).contains("Usage: facelens"), "{command}");
    }
}

#[test]
fn a_wrong_call_exits_with_2_and_says_how_it_is_right() {
    let astronaut = common::asset("astronaut.png");
    let astronaut = astronaut.to_str().unwrap();
    let cases: [(&[&str], &str); 17] = [
        (&["fly"], "fly"),
        (&["analyze"], "INPUT"),
        (&["analyze", "demo", "--format", "xml"], "csv and jsonl"),
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
    assert!(text(&output.stderr).contains("FACELENS_LOG"), "{}", text(&output.stderr));
}
