//! `facelens eval` on small labelled sets, and on the labelled faces beside the project where they are.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use image::imageops::crop_imm;
use image::{Rgb, RgbImage};
use serde_json::Value;

mod common;

fn facelens(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_facelens")).args(args).output().unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The JSON document and the words on standard error of a call that succeeds.
fn eval(args: &[&str]) -> (Value, String) {
    let output = facelens(&[&["eval", "--json"], args].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
    (serde_json::from_slice(&output.stdout).unwrap(), said)
}

/// A folder `set` with the astronaut, a picture without a face, and one that is broken.
fn small_set(folder: &Path) {
    std::fs::create_dir(folder.join("set")).unwrap();
    let astronaut = std::fs::read(common::asset("astronaut.png")).unwrap();
    std::fs::write(folder.join("set/astronaut.png"), &astronaut).unwrap();
    std::fs::write(folder.join("set/broken.png"), &astronaut[..3000]).unwrap();
    RgbImage::from_pixel(200, 200, Rgb([90, 110, 130])).save(folder.join("set/wall.png")).unwrap();
}

#[test]
fn found_lost_missing_and_unreadable_pictures_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    small_set(folder.path());
    let labels = folder.path().join("labels.csv");
    let rows = "file,age,gender\nset/astronaut.png,42,female\nset/wall.png,20,male\nset/broken.png,20,male\n\
                set/gone.png,20,male\n";
    std::fs::write(&labels, rows).unwrap();
    let models = ["--model", "age=ssrnet-age-imdb", "--model", "gender=ssrnet-gender-imdb"];
    let (report, said) = eval(&[&["--labels", path(&labels), "--images", path(folder.path())], &models[..]].concat());
    assert_eq!((&report["n"], &report["detected"]), (&2.into(), &0.5.into()));
    assert_eq!((&report["missing"], &report["unreadable"]), (&1.into(), &1.into()));
    assert_eq!((&report["age"]["n"], &report["gender"]), (&1.into(), &serde_json::json!({"accuracy": 1.0, "n": 1})));
    let mae = report["age"]["mae"].as_f64().unwrap();
    assert!((0.0..20.0).contains(&mae), "{mae}");
    assert!(report.get("pose").is_none());
    assert!(said.contains("set/gone.png") && said.contains("set/broken.png"), "{said}");
    let groups = report["groups"]["age"].as_array().unwrap();
    let names: Vec<_> = groups.iter().map(|group| (group["group"].as_str().unwrap(), group["n"].as_u64())).collect();
    assert_eq!(names, [("19-28", Some(1)), ("41-60", Some(1))]);
    assert_eq!(report["groups"]["gender"][1]["detected"], 0.0);

    let table = facelens(&["eval", "--labels", path(&labels), "--images", path(folder.path())]);
    let table = String::from_utf8(table.stdout).unwrap();
    for words in ["age MAE, years", "gender accuracy", "age 41-60", "female", "a face found in 50.0 %"] {
        assert!(table.contains(words), "{words} is missing in\n{table}");
    }
}

#[test]
fn heads_can_be_tilted_and_are_judged_without_the_tilt() {
    let folder = tempfile::tempdir().unwrap();
    small_set(folder.path());
    let labels = folder.path().join("labels.csv");
    std::fs::write(&labels, "file,yaw,pitch,roll\nset/wall.png,0,0,0\nset/astronaut.png,0,-8,4\n").unwrap();
    let off = |turn: &str| {
        let (report, _) = eval(&["--labels", path(&labels), "--images", path(folder.path()), "--turn", turn]);
        assert_eq!(report["detected"], 0.5, "{report}");
        report["pose"]["geodesic"].as_f64().unwrap_or_else(|| panic!("{report}"))
    };
    for (turn, most) in [("0", 7.0), ("40", 10.0), ("60", 10.0)] {
        let degrees = off(turn);
        assert!(degrees < most, "turned by {turn} degrees: {degrees}");
    }
    for (args, words) in
        [(&["--turn", "200"][..], "it must be from 0 to 180"), (&["--turn", "9", "--crops"], "--crops")]
    {
        let args = [&["eval", "--labels", path(&labels), "--images", path(folder.path())], args].concat();
        let output = facelens(&args);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{output:?}");
    }
}

#[test]
fn a_chart_is_drawn_as_svg_and_as_png() {
    let folder = tempfile::tempdir().unwrap();
    small_set(folder.path());
    let labels = folder.path().join("labels.csv");
    std::fs::write(&labels, "file,age,gender\nset/astronaut.png,42,female\nset/wall.png,20,male\n").unwrap();
    let chart = |name: &str| {
        let file = folder.path().join(name);
        let models = ["--model", "age=ssrnet-age-imdb", "--model", "gender=ssrnet-gender-imdb"];
        let args = ["--labels", path(&labels), "--images", path(folder.path()), "--chart", path(&file)];
        eval(&[&args[..], &models].concat());
        std::fs::read(file).unwrap()
    };
    let svg = String::from_utf8(chart("errors.svg")).unwrap();
    for words in [
        "Age: ssrnet-age-imdb · gender: ssrnet-gender-imdb",
        "2 images of labels.csv, detector blaze-back; a face found in 50.0 %",
        "Age: how far off",
        "Gender by age",
        "Gender by label",
        "41–60",
    ] {
        assert!(svg.contains(words), "{words} is missing in\n{svg}");
    }
    let png = image::load_from_memory(&chart("errors.png")).unwrap().to_rgb8();
    assert!(png.width() >= 2000 && png.height() >= 1000, "{}x{}", png.width(), png.height());
    assert!(png.pixels().any(|pixel| pixel.0 == [0x00, 0x72, 0xb2]), "there are bars");

    let args = ["eval", "--labels", path(&labels), "--images", path(folder.path()), "--chart"];
    assert_eq!(facelens(&[&args[..], &["errors.pdf"]].concat()).status.code(), Some(2));
    let lost = folder.path().join("no/such/errors.svg");
    let output = facelens(&[&args[..], &[path(&lost)]].concat());
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "said before anything is measured");
    assert!(String::from_utf8_lossy(&output.stderr).contains("errors.svg: there is no folder"), "{output:?}");
}

#[test]
fn a_tar_gives_what_its_folder_gives() {
    let folder = tempfile::tempdir().unwrap();
    let crops = folder.path().join("crops");
    std::fs::create_dir(&crops).unwrap();
    let astronaut = image::open(common::asset("astronaut.png")).unwrap().to_rgb8();
    let mut rows = "file,age_min,age_max\n".to_owned();
    let mut tar = tar::Builder::new(Vec::new());
    for shift in 0..6_u32 {
        let name = format!("{shift}.png");
        let file = crops.join(&name);
        crop_imm(&astronaut, 145 + 2 * shift, 49, 147, 147).to_image().save(&file).unwrap();
        tar.append_path_with_name(&file, format!("./{name}")).unwrap();
        rows += &format!("{name},{}\n", if shift % 2 == 0 { "30,39" } else { "70," });
    }
    let (labels, archive) = (folder.path().join("labels.csv"), folder.path().join("crops.tar"));
    std::fs::write(&labels, rows).unwrap();
    let bytes = tar.into_inner().unwrap();
    std::fs::write(&archive, &bytes).unwrap();

    let args = ["--labels", path(&labels), "--crops", "--task", "age", "--images"];
    let (from_folder, _) = eval(&[&args, [path(&crops)].as_slice()].concat());
    let (from_tar, said) = eval(&[&args, [path(&archive)].as_slice()].concat());
    assert_eq!(from_folder, from_tar);
    assert_eq!((&from_tar["n"], &from_tar["detected"], &from_tar["missing"]), (&6.into(), &1.0.into(), &0.into()));
    assert!(!said.contains("not in"), "{said}");
    let age = &from_tar["age"];
    let (within, distance) = (age["within_bin"].as_f64().unwrap(), age["mae_to_bin"].as_f64().unwrap());
    assert!((0.0..=0.5).contains(&within) && (10.0..30.0).contains(&distance) && age["n"] == 6, "{age}");
    assert!(from_tar.get("gender").is_none());

    std::fs::write(&archive, &bytes[..bytes.len() / 2]).unwrap();
    let cut = facelens(&[&["eval"], args.as_slice(), &[path(&archive)]].concat());
    assert_eq!(cut.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&cut.stderr).contains("crops.tar: "), "{cut:?}");
}

#[test]
fn what_cannot_be_measured_is_said() {
    let folder = tempfile::tempdir().unwrap();
    small_set(folder.path());
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let age = file("age.csv", "file,age\nset/astronaut.png,42\n");
    let gone = file("gone.csv", "file,age\nset/gone.png,42\n");
    let pose = file("pose.csv", "file,yaw,pitch,roll\nset/astronaut.png,1,2,3\n");
    let bad = file("bad.csv", "file,age\nset/astronaut.png,old\n");
    let images = path(folder.path());
    for (labels, task, images, words) in [
        (age.as_str(), Some("gender"), images, "no labels for gender"),
        (&pose, Some("age"), images, "no labels for age"),
        (&bad, None, images, "line 2: age is `old`"),
        (&gone, None, images, "none of its 1 images"),
        ("no/such.csv", None, images, "no/such.csv"),
        (&age, None, "no/such/images", "no/such/images"),
        (&age, None, age.as_str(), "not an archive that can be read (tar, tar.gz or zip)"),
    ] {
        let mut args = vec!["eval", "--labels", labels, "--images", images];
        args.extend(task.map(|task| ["--task", task]).into_iter().flatten());
        let output = facelens(&args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
}

/// Nobody ever writes into it: to open it would be to wait for ever.
#[test]
#[cfg(unix)]
fn a_named_pipe_is_no_archive() {
    let folder = tempfile::tempdir().unwrap();
    let (labels, pipe) = (folder.path().join("labels.csv"), folder.path().join("pictures.tar"));
    std::fs::write(&labels, "file,age\na.png,20\n").unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let output = Command::new(env!("CARGO_BIN_EXE_facelens"))
        .args(["eval", "--labels", path(&labels), "--images", path(&pipe)])
        .timeout(std::time::Duration::from_secs(60))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("pictures.tar: it is neither a folder nor an archive (tar, tar.gz or zip)"), "{said}");
}

#[test]
fn a_chart_never_takes_the_place_of_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    small_set(folder.path());
    let labels = folder.path().join("age.csv");
    std::fs::write(&labels, "file,age\nset/astronaut.png,42\n").unwrap();
    let picture = folder.path().join("set/astronaut.png");
    let before = std::fs::read(&picture).unwrap();
    let chart = ["--labels", path(&labels), "--images", path(folder.path()), "--chart", path(&picture)];
    let output = facelens(&[&["eval"], &chart[..]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("cannot be the chart"), "{said}");
    assert_eq!(std::fs::read(&picture).unwrap(), before);
}

/// Published figures on 3,000 faces of this set: age MAE 13.9 years, gender accuracy 0.77.
#[test]
fn the_published_weights_do_on_utkface_what_is_known_of_them() {
    let Some(shared) = common::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let all = std::fs::read_to_string(shared.join("data/utkface/images.csv")).unwrap();
    let labels = folder.path().join("first.csv");
    std::fs::write(&labels, all.lines().take(301).collect::<Vec<_>>().join("\n")).unwrap();
    let tar = shared.join("data/utkface/images-00.tar");
    let models = ["--model", "age=ssrnet-age-imdb", "--model", "gender=ssrnet-gender-imdb"];
    let (report, _) = eval(&[&["--labels", path(&labels), "--images", path(&tar), "--crops"], &models[..]].concat());
    assert_eq!((&report["n"], &report["missing"]), (&300.into(), &0.into()));
    let (mae, accuracy) = (report["age"]["mae"].as_f64().unwrap(), report["gender"]["accuracy"].as_f64().unwrap());
    assert!((11.0..17.0).contains(&mae), "{mae}");
    assert!((0.68..0.86).contains(&accuracy), "{accuracy}");
}
