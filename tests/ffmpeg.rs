//! `facelens analyze` with an ffmpeg on the PATH: what is torn, what is missing, and which options it is given. The ffmpeg
//! is a script of the test, so that it is there everywhere and is of any version.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// Beginnings of an AVI; the script does not look further.
const AVI: &[u8] = b"RIFF\x10\0\0\0AVI LIST";

/// One frame of 64x48 at so many microseconds, as `showinfo` tells it. `$T` is how its lines begin.
fn frame(us: u32) -> String {
    format!("echo \"$T n: 0 pts: {us} fmt:rgb24 sar:1/1 s:64x48 i:P\" >&2; head -c 9216 /dev/zero\n")
}

const TORN: &str = "echo '[mpeg4 @ 0x1] [error] ac-tex damaged at 3 4' >&2\n";

/// Analyses an AVI by an ffmpeg that refuses `refused` and then runs `frames`, and an ffprobe that says `probed`.
fn analyze(libavutil: &str, refused: &str, frames: &str, probed: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let ffmpeg = format!(
        "case \"$*\" in\n\
         *-version*) echo 'libavutil      {libavutil} / {libavutil}'; exit 0;;\n\
         *' {refused} '*) echo \"[fatal] Unrecognized option '{refused}'.\" >&2; exit 8;;\n\
         *'-protocol_whitelist file,pipe -f avi -i file:'*) ;;\n\
         *) echo '[fatal] the format is left open' >&2; exit 9;;\n\
         esac\n\
         for a in \"$@\"; do case \"$a\" in *showinfo@*) T=${{a##*,}}; T=\"[${{T%%=*}} @ 0x1] [info]\";; esac; done\n\
         {frames}"
    );
    script("ffmpeg", &ffmpeg);
    script("ffprobe", &format!("echo '{probed}'"));
    let clip = folder.path().join("clip.avi");
    fs::write(&clip, AVI).unwrap();
    let paths = std::env::var_os("PATH").unwrap();
    let paths = std::env::join_paths([folder.path().to_owned()].into_iter().chain(std::env::split_paths(&paths)));
    run(&clip, &paths.unwrap())
}

fn run(clip: &Path, paths: &std::ffi::OsStr) -> Output {
    Command::new(env!("CARGO_BIN_EXE_facelens")).arg("analyze").arg(clip).env("PATH", paths).output().unwrap()
}

/// Exit code, number of rows, and what was said.
fn told(output: &Output) -> (Option<i32>, usize, String) {
    let rows = output.stdout.iter().filter(|&&byte| byte == b'\n').count();
    (output.status.code(), rows, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn versions_4_to_9_give_the_same_rows() {
    for (libavutil, refused) in [("56. 22.100", "-fps_mode"), ("57. 28.100", "-vsync"), ("61.  1.102", "-vsync")] {
        let output = analyze(libavutil, refused, &(frame(0) + &frame(40_000) + &frame(1_500_000_000)), "{}");
        let (code, rows, said) = told(&output);
        assert_eq!((code, rows, said.as_str()), (Some(0), 3, ""), "libavutil {libavutil}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("\"time_s\":1500.000"));
    }
}

#[test]
fn a_torn_picture_is_told_and_exits_with_0() {
    let output = analyze("57. 28.100", "-vsync", &(frame(0) + TORN + TORN + &frame(40_000)), "{}");
    let (code, rows, said) = told(&output);
    assert_eq!((code, rows), (Some(0), 2), "{said}");
    assert!(said.contains("clip.avi: the video is damaged in one place (ffmpeg: ac-tex damaged at 3 4)"), "{said}");
}

#[test]
fn a_missing_picture_exits_with_1_after_all_others() {
    let probed = r#"{"streams":[{"index":0,"avg_frame_rate":"25/1","nb_frames":"3"}]}"#;
    let output = analyze("57. 28.100", "-vsync", &(frame(0) + TORN + &frame(40_000)), probed);
    let (code, rows, said) = told(&output);
    assert_eq!((code, rows), (Some(1), 2), "{said}");
    assert!(said.contains("clip.avi: 1 of its 3 frames cannot be read"), "{said}");
}
