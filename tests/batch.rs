//! Many inputs: several threads give the rows of one, an interrupted call is resumed, and tables are written as Parquet.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use facelens_session::{FrameRow, read_csv, read_jsonl};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;

mod common;

/// A folder of images, one of which is broken: in some there is a face.
fn pictures(folder: &Path) {
    let astronaut = image::open(common::asset("astronaut.png")).unwrap().to_rgb8();
    let small = imageops::resize(&astronaut, 200, 200, FilterType::Triangle);
    for number in 1..=11_u8 {
        let mut picture = RgbImage::from_pixel(240, 220, Rgb([60 + number, 90, 110]));
        if number % 3 == 0 {
            imageops::replace(&mut picture, &small, i64::from(number), 10);
        }
        picture.save(folder.join(format!("{number}.png"))).unwrap();
    }
    std::fs::write(folder.join("4.png"), b"no image").unwrap();
}

fn analyze(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_facelens")).current_dir(folder).arg("analyze").args(args).output().unwrap()
}

/// The pictures, the astronaut, a video, and the pictures again.
fn prepare() -> (tempfile::TempDir, [&'static str; 4]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("f")).unwrap();
    pictures(&folder.path().join("f"));
    std::fs::copy(common::asset("astronaut.png"), folder.path().join("a.png")).unwrap();
    let images: Vec<_> = (0..3).map(|step| (RgbImage::from_pixel(64, 48, Rgb([40 * step, 90, 90])), 40)).collect();
    std::fs::write(folder.path().join("v.mp4"), common::clip::mp4(&images)).unwrap();
    (folder, ["f", "a.png", "v.mp4", "f/"])
}

#[test]
fn rows_are_the_same_with_any_number_of_jobs() {
    let (folder, inputs) = prepare();
    let one = analyze(folder.path(), &[&inputs[..], &["missing.png", "--jobs", "1"]].concat());
    let three = analyze(folder.path(), &[&inputs[..], &["missing.png", "--jobs", "3"]].concat());
    let said = String::from_utf8_lossy(&one.stderr);
    assert_eq!((one.status.code(), three.status.code()), (Some(1), Some(1)), "{said}");
    assert_eq!(said.matches("4.png").count(), 2, "{said}");
    assert!(said.contains("missing.png"), "{said}");
    assert_eq!(one.stdout, three.stdout);
    assert_eq!(one.stderr, three.stderr);

    let rows: Vec<FrameRow> = read_jsonl(one.stdout.as_slice()).collect::<Result<_, _>>().unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.input.as_str(), row.frame, row.time_s, row.faces.len())).collect();
    // The broken image has its number and takes no time.
    assert_eq!(
        told[..5],
        [
            ("f/1.png", 0, 0.0, 0),
            ("f/2.png", 1, 1.0, 0),
            ("f/3.png", 2, 2.0, 1),
            ("f/5.png", 4, 3.0, 0),
            ("f/6.png", 5, 4.0, 1)
        ]
    );
    assert_eq!(told[10], ("a.png", 0, 0.0, 1));
    assert_eq!(
        told[11..14].iter().map(|row| (row.0, row.1)).collect::<Vec<_>>(),
        [("v.mp4", 0), ("v.mp4", 1), ("v.mp4", 2)]
    );
    assert_eq!((told[14], told.len()), (("f/1.png", 0, 0.0, 0), 24));
    assert!(rows.iter().flat_map(|row| &row.faces).all(|face| face.id == 1));

    let limited = analyze(folder.path(), &["f", "--seconds", "3", "--jobs", "3"]);
    assert_eq!(read_jsonl(limited.stdout.as_slice()).count(), 3);
}

#[test]
fn an_interrupted_call_is_resumed_where_it_was() {
    let (folder, inputs) = prepare();
    for (name, csv) in [("rows.csv", true), ("rows.jsonl", false)] {
        let out = folder.path().join(name);
        let resume = |jobs: &str| {
            let output = analyze(folder.path(), &[&inputs[..], &["-o", name, "--resume", "--jobs", jobs]].concat());
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        // There is nothing to resume yet.
        assert_eq!(resume("2").0, Some(1));
        let whole = std::fs::read_to_string(&out).unwrap();
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        for kept in [1, 3, 7, 11, 13, 17, lines.len()] {
            // What was finished is marked, and keeps its mark; the last line is half there.
            let marked: String = lines[..kept].concat().replacen(",64,48,", ",64,49,", 1);
            let torn = lines.get(kept).map_or("", |line| &line[..line.len() / 2]);
            std::fs::write(&out, marked.clone() + torn).unwrap();
            let (code, said) = resume("2");
            assert!(matches!(code, Some(0 | 1)), "{said}");
            let now = std::fs::read_to_string(&out).unwrap();
            assert_eq!(now.replacen(",64,49,", ",64,48,", 1), whole, "{kept} lines of {name}: {said}");
            assert_eq!(now.contains(",64,49,"), csv && kept >= 17, "{kept} lines of {name}");
        }
        let rows = std::fs::read(&out).unwrap();
        let rows: Vec<FrameRow> = if csv {
            read_csv(rows.as_slice()).collect::<Result<_, _>>().unwrap()
        } else {
            read_jsonl(rows.as_slice()).collect::<Result<_, _>>().unwrap()
        };
        assert_eq!(rows.len(), 24);

        // Other inputs are refused, and cost nothing.
        let other = analyze(folder.path(), &["a.png", "-o", name, "--resume"]);
        assert_eq!(other.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&other.stderr).contains("give the inputs of the first call"));
        assert_eq!(std::fs::read(&out).unwrap().len(), whole.len());
    }
}

#[test]
fn what_cannot_be_resumed_is_said_before_anything_is_opened() {
    let (folder, _) = prepare();
    for args in [
        &["a.png", "--resume"][..],
        &["a.png", "--resume", "-o", "rows.parquet"],
        &["a.png", "--resume", "-o", "rows.csv", "--video", "v2.mp4"],
        &["camera", "--seconds", "1", "--resume", "-o", "rows.csv"],
    ] {
        let output = analyze(folder.path(), args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains("--resume"), "{said}");
    }
}

#[test]
fn a_table_is_written_as_parquet_when_it_is_complete() {
    let (folder, _) = prepare();
    let out = folder.path().join("rows.parquet");
    let output = analyze(folder.path(), &["f", "a.png", "-o", "rows.parquet"]);
    assert_eq!(output.status.code(), Some(1), "one image is broken");
    let table = SerializedFileReader::new(std::fs::File::open(&out).unwrap()).unwrap();
    let rows: Vec<Vec<(String, Field)>> =
        table.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns()).collect();
    assert_eq!(rows.len(), 11);
    let cell = |row: usize, name: &str| rows[row].iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert_eq!((cell(0, "input"), cell(0, "id")), (Field::Str("f/1.png".into()), Field::Null));
    assert_eq!((cell(2, "id"), cell(2, "time_s")), (Field::Long(1), Field::Double(2.0)));
    let Field::Float(age) = cell(10, "age_years") else { panic!("{:?}", cell(10, "age_years")) };
    assert!((15.0..60.0).contains(&age), "{age}");

    // Where nothing can be read, a table that is there stays.
    let before = std::fs::read(&out).unwrap();
    assert_eq!(analyze(folder.path(), &["missing.png", "-o", "rows.parquet"]).status.code(), Some(1));
    assert_eq!(std::fs::read(&out).unwrap(), before);
    // By a pipe.
    let output = analyze(folder.path(), &["a.png", "--format", "parquet"]);
    assert_eq!((output.status.code(), &output.stdout[..4]), (Some(0), &b"PAR1"[..]));
}
