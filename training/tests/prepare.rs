//! `facelens-training prepare` as a user calls it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Stdio};

use facelens_training::data::FaceSet;

/// Exit code, standard output and standard error of `prepare` with these arguments, called in `folder`.
fn prepare(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("facelens-training"));
    let output = command.arg("prepare").args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A folder as FairFace publishes it: the astronaut's face twice, a picture without a face, labels for one more.
fn fairface() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("train")).unwrap();
    let astronaut = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/astronaut.png");
    let picture = image::open(astronaut).unwrap().to_rgb8();
    let face = image::imageops::crop_imm(&picture, 96, 0, 256, 256).to_image();
    for (name, picture) in [("1.jpg", &face), ("2.jpg", &face), ("3.jpg", &image::RgbImage::new(64, 64))] {
        picture.save(folder.path().join("train").join(name)).unwrap();
    }
    let labels = "file,age,gender,race,service_test\ntrain/2.jpg,30-39,Female,White,True\ntrain/1.jpg,more than \
                  70,Female,White,False\ntrain/3.jpg,0-2,Male,Indian,True\ntrain/4.jpg,3-9,Male,Black,True\n";
    std::fs::write(folder.path().join("labels.csv"), labels).unwrap();
    folder
}

const CALL: [&str; 7] = ["fairface", "--images", ".", "--labels", "labels.csv", "-o", "out.faces"];

#[test]
fn a_published_folder_becomes_a_set_with_a_table_of_what_was_left_out() {
    let folder = fairface();
    let (code, stdout, stderr) = prepare(folder.path(), &CALL);
    assert_eq!(code, Some(0), "{stderr}");
    let lines: Vec<_> = stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let expected =
        ["out.faces", "faces written 2", "left out 2", "no face was found 1", "there is no image for the label 1"];
    assert_eq!(lines[..5], expected);
    assert!(stderr.contains("train/3.jpg: no face") && stderr.contains("train/4.jpg: there is no"), "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "colours in a file");
    let set = FaceSet::read(&folder.path().join("out.faces")).unwrap();
    let ages: Vec<_> = set.faces.iter().map(|face| face.age.map(|age| (age.min, age.max)).unwrap()).collect();
    assert_eq!(ages, [(30.0, Some(40.0)), (70.0, None)]);
    assert!(set.picture(0) == set.picture(1));

    let (code, stdout, _) = prepare(folder.path(), &[&CALL[..], &["--undetected", "centre", "--limit", "3"]].concat());
    assert_eq!(code, Some(0));
    assert!(stdout.contains("not found by the detector") && !stdout.contains("there is no image"), "{stdout}");
}

#[test]
fn a_run_that_fails_says_why_and_leaves_no_file() {
    let folder = fairface();
    std::fs::create_dir(folder.path().join("elsewhere")).unwrap();
    let run = |arguments: &[&str]| {
        let (code, stdout, stderr) = prepare(folder.path(), arguments);
        assert!(stdout.is_empty() && !folder.path().join("out.faces").exists());
        (code, stderr)
    };
    for (change, with, expected) in [
        (2, "none", (1, "none: the images cannot be opened")),
        (2, "labels.csv", (1, "labels.csv: the images cannot be opened")),
        (4, "none.csv", (1, "none.csv: the labels cannot be read")),
        (2, "elsewhere", (1, "none of the given folders and archives has `train/2.jpg`")),
        (5, "--no", (2, "--no")),
        (6, "labels.csv", (1, "labels.csv: it is an input")),
    ] {
        let mut arguments = CALL;
        arguments[change] = with;
        let (code, stderr) = run(&arguments);
        assert_eq!(code, Some(expected.0), "{stderr}");
        assert!(stderr.contains(expected.1), "{stderr}");
    }
    assert_eq!(run(&["fairface", "--images", "."]).0, Some(2));
    assert_eq!(run(&[&CALL[..], &["--detector", "eyes"]].concat()).0, Some(2));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}
