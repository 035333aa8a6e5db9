//! `facelens export` from the command line to the files.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use facelens_media::{Mode, Next, SourceSpec};
use facelens_session::{FrameRow, SessionInfo, SessionVideo, read_csv, read_jsonl};

mod common;

use common::session;

fn facelens(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_facelens")).args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs an export that succeeds.
fn export(folder: &Path, args: &[&str]) -> Output {
    let folder = folder.to_str().unwrap();
    let output = facelens(&[&["export", folder], args].concat());
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", said(&output));
    output
}

/// The exit code and the words of an export that fails.
fn refused(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = facelens(&[&["export", folder.to_str().unwrap()], args].concat());
    assert!(output.stdout.is_empty());
    (output.status.code().unwrap(), said(&output))
}

fn recorded(videos: &[(&str, bool)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    session::write(folder.path(), &session::rows(), videos);
    folder
}

fn frames(path: PathBuf) -> usize {
    let mut source = facelens_media::open(&SourceSpec::Path(path), Mode::Batch).unwrap();
    std::iter::from_fn(|| matches!(source.next().unwrap(), Next::Frame(_)).then_some(())).count()
}

#[test]
fn text_goes_to_standard_output_and_nothing_else_does() {
    let folder = recorded(&[]);
    let output = export(folder.path(), &["--to", "jsonl", "-o", "-"]);
    let rows: Vec<FrameRow> = read_jsonl(output.stdout.as_slice()).collect::<Result<_, _>>().unwrap();
    assert_eq!((rows, said(&output).as_str()), (session::rows(), ""));
    let output = export(folder.path(), &["--to", "csv", "-o", "-"]);
    assert_eq!(output.stdout, fs::read(folder.path().join("faces.csv")).unwrap(), "the same bytes as recorded");
}

#[test]
fn each_format_has_its_own_name_beside_the_session() {
    let folder = recorded(&[("video.mp4", true), ("clean.mp4", false)]);
    for (args, name) in [
        (&["--to", "csv"][..], "export.csv"),
        (&["--to", "jsonl"], "faces.jsonl"),
        (&["--to", "parquet"], "faces.parquet"),
        (&["--to", "openface"], "openface.csv"),
        (&["--to", "srt"], "video.srt"),
        (&["--to", "srt", "--person", "2"], "video-person-2.srt"),
        (&["--to", "mp4"], "overlay.mp4"),
        (&["--to", "mp4", "--overlay", "off"], "no-overlay.mp4"),
    ] {
        let output = export(folder.path(), args);
        let file = folder.path().join(name);
        assert!(said(&output).contains(&format!("written: {}", file.display())), "{}", said(&output));
        assert!(fs::metadata(&file).unwrap().len() > 100, "{name}");
    }
    assert_eq!(frames(folder.path().join("overlay.mp4")), 50);
    let copy = fs::read(folder.path().join("no-overlay.mp4")).unwrap();
    assert_eq!(copy, fs::read(folder.path().join("clean.mp4")).unwrap());
    let names = fs::read_dir(folder.path()).unwrap();
    assert_eq!(names.count(), 4 + 8, "no draft is left behind");
}

#[test]
fn nothing_is_overwritten_unasked_and_the_session_never() {
    let folder = recorded(&[("video.mp4", true)]);
    let file = folder.path().join("mine.csv");
    fs::write(&file, "mine").unwrap();
    let (code, words) = refused(folder.path(), &["-o", file.to_str().unwrap()]);
    assert!(code == 1 && words.contains("mine.csv") && words.contains("--force"), "{code}: {words}");
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    export(folder.path(), &["-o", file.to_str().unwrap(), "--force"]);
    assert_eq!(read_csv(fs::File::open(&file).unwrap()).count(), 50);
    for own in ["faces.csv", "video.mp4"] {
        let own = folder.path().join(own);
        let before = fs::read(&own).unwrap();
        let (code, words) = refused(folder.path(), &["-o", own.to_str().unwrap(), "--force"]);
        assert!(code == 2 && words.contains("part of the session"), "{code}: {words}");
        assert_eq!(fs::read(&own).unwrap(), before);
    }
}

#[test]
#[cfg(unix)]
fn what_is_no_regular_file_is_written_into_and_links_are_followed() {
    use std::os::unix::fs::{FileTypeExt as _, symlink};

    let folder = recorded(&[("video.mp4", true), ("clean.mp4", false)]);
    let elsewhere = tempfile::tempdir().unwrap();
    let path = |name: &str| elsewhere.path().join(name);
    assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    symlink(path("pipe"), path("to-pipe")).unwrap();
    let before = fs::read(folder.path().join("faces.csv")).unwrap();
    for (name, args) in [
        ("pipe", &["--to", "csv"][..]),
        ("to-pipe", &["--to", "csv", "--force"]),
        ("pipe", &["--to", "mp4", "--force"]),
        ("pipe", &["--to", "mp4", "--overlay", "off"]),
    ] {
        let reader = std::thread::spawn({
            let pipe = path("pipe");
            move || fs::read(pipe).unwrap()
        });
        export(folder.path(), &[args, &["-o", path(name).to_str().unwrap()]].concat());
        let bytes = reader.join().unwrap();
        if args.contains(&"csv") {
            assert_eq!(bytes, before, "{name} {args:?}");
        } else {
            let video = path("video.mp4");
            fs::write(&video, bytes).unwrap();
            assert_eq!(frames(video), 50, "{args:?}");
        }
        assert!(fs::symlink_metadata(path("pipe")).unwrap().file_type().is_fifo(), "{name} {args:?}");
    }

    fs::write(path("real"), "old").unwrap();
    symlink("real", path("link")).unwrap();
    for to in ["csv", "mp4"] {
        export(folder.path(), &["--to", to, "-o", path("link").to_str().unwrap(), "--force"]);
        assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
        assert!(fs::metadata(path("real")).unwrap().len() > 1000);
    }
    // The session's own files are known behind links, too.
    symlink(folder.path().join("faces.csv"), path("own")).unwrap();
    fs::hard_link(folder.path().join("faces.csv"), folder.path().join("twin.csv")).unwrap();
    for own in [path("own"), folder.path().join("twin.csv")] {
        let (code, words) = refused(folder.path(), &["--to", "csv", "-o", own.to_str().unwrap(), "--force"]);
        assert!(code == 2 && words.contains("part of the session"), "{code}: {words}");
    }
    assert_eq!(fs::read(folder.path().join("faces.csv")).unwrap(), before);
}

/// On a file system of its own, in a namespace that goes with the shell.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_and_what_was_there_stays() {
    let folder = recorded(&[("video.mp4", true), ("clean.mp4", false)]);
    let mount = tempfile::tempdir().unwrap();
    for to in ["csv", "parquet", "mp4"] {
        let script = "mount -t tmpfs -o size=4k tmpfs \"$1\" || exit 77
            echo old >\"$1/out\"
            \"$0\" export \"$2\" --to $3 --force -o \"$1/out\"
            code=$?
            [ \"$(cat \"$1/out\")\" = old ] || exit 75
            [ \"$(ls -A \"$1\")\" = out ] || exit 74
            exit $code";
        let output = std::process::Command::new("unshare")
            .args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_facelens")])
            .args([mount.path(), folder.path(), Path::new(to)])
            .output();
        let Ok(output) = output else { return };
        if output.status.code() == Some(77) {
            return;
        }
        assert_eq!(output.status.code(), Some(1), "{to}: {}", said(&output));
        assert!(said(&output).contains("the disk is full"), "{to}: {}", said(&output));
    }
}

#[test]
fn calls_that_make_no_sense_exit_with_2() {
    let folder = recorded(&[("video.mp4", true)]);
    for (args, word) in [
        (&[][..], "--to"),
        (&["-o", "faces.xls"], "--to"),
        (&["--to", "xls"], "parquet"),
        (&["--to", "csv", "--overlay", "off"], "mp4"),
        (&["--to", "mp4", "--overlay", "off", "--person", "1"], "--overlay off"),
        (&["--to", "parquet", "-o", "-"], "-o"),
        (&["--to", "csv", "--person", "7"], "there are 1, 2"),
    ] {
        let (code, words) = refused(folder.path(), args);
        assert!(code == 2 && words.contains(word), "{args:?}: {code}: {words}");
    }
}

#[test]
fn what_a_session_lacks_is_said() {
    let folder = recorded(&[("video.mp4", true)]);
    let output = export(folder.path(), &["--to", "mp4"]);
    assert!(said(&output).contains("no video without overlay"), "{}", said(&output));
    let (code, words) = refused(folder.path(), &["--to", "mp4", "--overlay", "off"]);
    assert!(code == 1 && words.contains("cannot be taken out"), "{code}: {words}");

    let data_only = recorded(&[]);
    let (code, words) = refused(data_only.path(), &["--to", "mp4"]);
    assert!(code == 1 && words.contains("has no video"), "{code}: {words}");

    let empty = tempfile::tempdir().unwrap();
    let (code, words) = refused(empty.path(), &["--to", "csv"]);
    assert!(code == 1 && words.contains("no session in this folder"), "{code}: {words}");
}

#[test]
fn a_damaged_session_is_exported_as_far_as_it_goes() {
    let folder = recorded(&[("video.mp4", true), ("clean.mp4", false)]);
    fs::remove_file(folder.path().join("session.json")).unwrap();
    let data = folder.path().join("faces.csv");
    let whole = fs::read(&data).unwrap();
    fs::write(&data, &whole[..whole.len() / 2]).unwrap();
    let video = folder.path().join("clean.mp4");
    let bytes = fs::read(&video).unwrap();
    fs::write(&video, &bytes[..bytes.len() * 3 / 4]).unwrap();
    let output = facelens(&["export", folder.path().to_str().unwrap(), "--to", "jsonl", "-o", "-"]);
    assert_eq!(output.status.code(), Some(1), "a part is never passed for the whole");
    let rows = read_jsonl(output.stdout.as_slice()).count();
    assert!((20..30).contains(&rows), "{rows}");
    for words in ["session.json is missing", "cut off"] {
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    let to = folder.path().join("out.mp4");
    facelens(&["export", folder.path().to_str().unwrap(), "-o", to.to_str().unwrap()]);
    assert!((20..50).contains(&frames(to)), "what is left of the video plays");
}

/// Changes the data as text.
fn edit_data(folder: &Path, edit: impl FnOnce(String) -> String) {
    let data = folder.join("faces.csv");
    fs::write(&data, edit(fs::read_to_string(&data).unwrap())).unwrap();
}

#[test]
fn data_that_other_programs_saved_again_are_exported_whole() {
    // A data frame keeps numbers with gaps as floating point.
    let pandas = |text: String| {
        let float = |(at, line): (usize, &str)| {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if at > 0 && !cells[5].is_empty() {
                cells[5] += ".0";
            }
            cells.join(",") + "\n"
        };
        text.lines().enumerate().map(float).collect::<String>()
    };
    let spreadsheet = |text: String| {
        let text = text.replace(',', ";").replace('.', ",").replace('\n', "\r\n");
        format!("\u{feff}{text}{}\r\n", ";".repeat(17))
    };
    for edit in [&pandas as &dyn Fn(String) -> String, &spreadsheet] {
        let folder = recorded(&[]);
        edit_data(folder.path(), edit);
        let output = export(folder.path(), &["--to", "jsonl", "-o", "-"]);
        let rows: Vec<FrameRow> = read_jsonl(output.stdout.as_slice()).collect::<Result<_, _>>().unwrap();
        assert_eq!((rows, said(&output).as_str()), (session::rows(), ""));
    }
}

#[test]
fn data_that_cannot_be_read_are_never_a_success() {
    type Edit = fn(String) -> String;
    let edits: [(Edit, &str); 4] = [
        (|text| text.replace("HD Webcam,107,", "HD Webcam,7.5,"), "line 9: `frame` is \"7.5\""),
        (|text| text.replace("time_s", "seconds"), "line 1: there is no column `time_s`"),
        (|_| String::new(), "it is empty"),
        (|text| text.replacen("\nHD Webcam,101,", "\nHD Webcam,100,", 1), "line 3: frame 100 appears twice"),
    ];
    for (edit, words) in edits {
        let folder = recorded(&[("video.mp4", true), ("clean.mp4", false)]);
        edit_data(folder.path(), edit);
        for format in ["csv", "jsonl", "parquet", "openface", "srt", "mp4"] {
            let file = folder.path().join("out");
            let (code, said) = refused(folder.path(), &["--to", format, "-o", file.to_str().unwrap()]);
            assert!(code == 1 && said.contains(words), "{format}: {code}: {said}");
            assert!(said.contains("faces.csv") && !file.exists(), "{format}: {said}");
        }
        export(folder.path(), &["--to", "mp4", "--overlay", "off"]);
    }
    let folder = recorded(&[]);
    fs::remove_file(folder.path().join("faces.csv")).unwrap();
    let (code, said) = refused(folder.path(), &["--to", "csv", "-o", "-"]);
    assert!(code == 1 && said.contains("faces.csv is missing"), "{code}: {said}");
}

/// Half a second of the demo: analysed, kept as a session, exported, and read again.
#[test]
fn a_session_of_the_demo_keeps_its_people_and_ages_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let output =
        facelens(&["analyze", "demo", "--seconds", "0.5", "-o", &path("faces.csv"), "--video", &path("video.mp4")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let info = SessionInfo {
        duration_s: 0.5,
        videos: vec![SessionVideo { file: "video.mp4".into(), overlay: true, ..SessionVideo::default() }],
        ..SessionInfo::default()
    };
    fs::write(path("session.json"), serde_json::to_string(&info).unwrap()).unwrap();
    let estimates = |rows: &[FrameRow]| -> Vec<_> {
        rows.iter().flat_map(|row| row.faces.iter().map(|face| (row.frame, face.id, face.age))).collect()
    };
    let recorded: Vec<_> = read_csv(fs::File::open(path("faces.csv")).unwrap()).collect::<Result<_, _>>().unwrap();
    assert_eq!((recorded.len(), estimates(&recorded).len()), (15, 30), "the demo shows two faces in every frame");
    assert!(recorded.last().unwrap().faces[0].age.is_some());
    let jsonl = export(folder.path(), &["--to", "jsonl", "-o", "-"]).stdout;
    let read: Vec<_> = read_jsonl(jsonl.as_slice()).collect::<Result<_, _>>().unwrap();
    assert_eq!(estimates(&read), estimates(&recorded));
    let csv = export(folder.path(), &["--to", "csv", "-o", "-", "--person", "1"]).stdout;
    let read: Vec<_> = read_csv(csv.as_slice()).collect::<Result<_, _>>().unwrap();
    let of_first: Vec<_> = estimates(&recorded).into_iter().filter(|(_, id, _)| *id == 1).collect();
    assert_eq!(estimates(&read), of_first);
    let srt = String::from_utf8(export(folder.path(), &["--to", "srt", "-o", "-"]).stdout).unwrap();
    assert!(srt.starts_with("1\n00:00:00,000 --> 00:00:00,500\n#1: age "), "{srt}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_video_that_plays_and_exits_with_130() {
    let folder = tempfile::tempdir().unwrap();
    // Long enough that nobody exports it before the signal comes.
    let rows: Vec<FrameRow> = (0..4000)
        .map(|index| FrameRow {
            frame: index,
            time_s: index as f64 / session::FPS as f64,
            ..session::rows()[index as usize % 45].clone()
        })
        .collect();
    session::write(folder.path(), &rows, &[("video.mp4", false)]);
    let to = folder.path().join("out.mp4");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_facelens"))
        .args(["export", folder.path().to_str().unwrap(), "-o", to.to_str().unwrap()])
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    // It takes its place only at the end.
    let draft = || {
        let mut entries = fs::read_dir(folder.path()).unwrap().flatten();
        entries
            .find(|entry| entry.file_name().to_string_lossy().ends_with(".part"))
            .and_then(|entry| entry.metadata().ok())
    };
    while draft().map_or(0, |file| file.len()) < 4096 {
        assert!(!to.exists(), "half a file has its name");
        assert_eq!(child.try_wait().unwrap(), None, "it was to be interrupted");
        assert!(std::time::Instant::now() < deadline, "nothing is written");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let signal = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let written = frames(to);
    assert!((1..4000).contains(&written) && draft().is_none(), "{written} frames");
}
