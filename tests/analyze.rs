//! `facelens analyze` from the command line to the rows: what is in the pictures and in the demo is found.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use facelens_core::frame::Frame;
use facelens_core::geometry::{Point, Rect};
use facelens_core::track::GenderLabel;
use facelens_media::{Mode, Next, SourceSpec, demo};
use facelens_session::{FaceRow, FrameRow, read_csv, read_jsonl};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

mod common;

fn facelens(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_facelens")).args(args).output().unwrap()
}

/// The rows on standard output of a call that succeeds.
fn rows(args: &[&str]) -> Vec<FrameRow> {
    let output = facelens(args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
    read_jsonl(output.stdout.as_slice()).collect::<Result<_, _>>().unwrap()
}

fn astronaut() -> String {
    common::asset("astronaut.png").to_str().unwrap().to_owned()
}

/// Middle of the face in the astronaut picture, pixels.
const FACE: Point = Point { x: 226.0, y: 130.0 };

/// Head and shoulders of the astronaut (220 pixels square), scaled to `side` and pasted around each of the `centers`.
/// Gives the places of the faces.
fn paste(picture: &mut RgbImage, side: u32, centers: &[(u32, u32)]) -> Vec<Point> {
    let (left, top, cut) = (116, 20, 220);
    let astronaut = image::open(astronaut()).unwrap().to_rgb8();
    let head = imageops::crop_imm(&astronaut, left, top, cut, cut).to_image();
    let head = imageops::resize(&head, side, side, FilterType::Triangle);
    let scale = side as f32 / cut as f32;
    centers
        .iter()
        .map(|&(x, y)| {
            let corner = (x - side / 2, y - side / 2);
            imageops::replace(picture, &head, corner.0.into(), corner.1.into());
            Point {
                x: corner.0 as f32 + (FACE.x - left as f32) * scale,
                y: corner.1 as f32 + (FACE.y - top as f32) * scale,
            }
        })
        .collect()
}

fn contains(rect: &Rect, point: Point) -> bool {
    (rect.x..rect.right()).contains(&point.x) && (rect.y..rect.bottom()).contains(&point.y)
}

#[test]
fn the_astronaut_is_one_person_of_about_her_age() {
    let input = astronaut();
    let rows = rows(&["analyze", &input]);
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.input.as_str(), row.frame, row.time_s, row.width, row.height), (input.as_str(), 0, 0.0, 512, 512));
    let [face] = row.faces.as_slice() else { panic!("{row:?}") };
    assert_eq!(face.id, 1);
    check_box(face, FACE, 1.0);
    // She was about 42.
    let age = face.age.unwrap();
    assert!((24.0..50.0).contains(&age.years) && age.low < age.years && age.years < age.high, "{age:?}");
    // The network that ships is not sure of her.
    let gender = face.gender.unwrap();
    assert!(gender.label != GenderLabel::Male, "{gender:?}");
    // The published fusion says yaw 1, pitch -6, roll 2.
    let pose = face.pose.unwrap();
    assert!(pose.yaw.abs() < 12.0 && (-18.0..6.0).contains(&pose.pitch) && pose.roll.abs() < 8.0, "{pose:?}");
}

/// The astronaut's face from hairline to chin is 100 pixels high.
fn check_box(face: &FaceRow, middle: Point, scale: f32) {
    let Rect { width, height, .. } = face.rect;
    assert!((width - height).abs() < 0.2, "{face:?}");
    assert!((70.0..150.0).contains(&(width / scale)), "{face:?}");
    let center = face.rect.center();
    let off = (center.x - middle.x).hypot(center.y - middle.y) / scale;
    assert!(off < 20.0, "{off} pixels off: {face:?}");
    assert!((0.5..=1.0).contains(&face.score), "{face:?}");
}

#[test]
fn two_and_four_faces_are_found_and_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let two = [(170, 240), (470, 240)];
    let four = [(190, 200), (640, 190), (1090, 210), (430, 520)];
    for (name, size, side, centers) in
        [("two.png", (640, 480), 220, two.as_slice()), ("four.png", (1280, 720), 260, four.as_slice())]
    {
        let mut picture = RgbImage::from_pixel(size.0, size.1, Rgb([90, 110, 130]));
        let places = paste(&mut picture, side, centers);
        let file = folder.path().join(name);
        picture.save(&file).unwrap();
        let rows = rows(&["analyze", file.to_str().unwrap()]);
        let faces = &rows[0].faces;
        assert_eq!(faces.len(), places.len(), "{name}: {faces:?}");
        for place in places {
            let mut here = faces.iter().filter(|face| contains(&face.rect, place));
            let face = here.next().unwrap_or_else(|| panic!("{name}: no face at {place:?}"));
            assert!(here.next().is_none(), "{name}: two faces at {place:?}");
            check_box(face, place, side as f32 / 220.0);
        }
        let mut ids: Vec<_> = faces.iter().map(|face| face.id).collect();
        ids.dedup();
        assert_eq!(ids.len(), centers.len(), "{name}: {ids:?}");
    }
}

/// The first two seconds, or as many as `FACELENS_DEMO_SECONDS` says: 60 is the whole script, minutes without
/// optimisation.
#[test]
fn on_the_demo_both_faces_keep_their_ids_and_the_rolls_follow_the_script() {
    let seconds = std::env::var("FACELENS_DEMO_SECONDS").map_or(2, |seconds| seconds.parse().unwrap());
    let limit = usize::to_string(&seconds);
    let rows = rows(&["analyze", "demo", "--seconds", &limit]);
    assert_eq!(rows.len(), seconds * 30);
    let mut rolls = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    let mut ids = [None, None];
    for (index, row) in rows.iter().enumerate() {
        let truths = demo::truth(std::time::Duration::from_secs_f64(row.time_s));
        assert_eq!((row.input.as_str(), row.frame, row.faces.len()), ("demo", index as u64, 2), "{row:?}");
        for (who, truth) in truths.iter().enumerate() {
            let face =
                row.faces.iter().max_by(|a, b| a.rect.iou(&truth.face).total_cmp(&b.rect.iou(&truth.face))).unwrap();
            assert!(face.rect.iou(&truth.face) > 0.55, "{:?} instead of {:?}", face.rect, truth.face);
            assert_eq!(face.id, *ids[who].get_or_insert(face.id), "{row:?}");
            rolls[who].0.extend(face.pose.map(|pose| pose.roll));
            rolls[who].1.push(truth.pose.roll);
        }
    }
    assert_ne!(ids[0], ids[1]);
    for (found, truths) in &rolls {
        assert_eq!(found.len(), rows.len());
        let off = found.iter().zip(truths).map(|(found, truth)| (found - truth).abs()).sum::<f32>() / rows.len() as f32;
        assert!(off < 8.0, "{off} degrees");
    }
    // In two seconds the portrait turns by 20 degrees, the man by four.
    let [(found, truths), _] = &rolls;
    let correlation = correlation(found, truths);
    assert!(correlation > 0.95, "{correlation}");
}

/// Pearson's correlation.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |of: fn(f32, f32) -> f32| a.iter().zip(b).map(|(a, b)| of(a - mean_a, b - mean_b)).sum::<f32>();
    sum(|a, b| a * b) / (sum(|a, _| a * a) * sum(|_, b| b * b)).sqrt()
}

#[test]
fn a_face_keeps_its_id_through_a_video() {
    let folder = tempfile::tempdir().unwrap();
    let pictures: Vec<_> = (0..5)
        .map(|step| {
            let mut picture = RgbImage::from_pixel(480, 360, Rgb([90, 110, 130]));
            paste(&mut picture, 220, &[(200 + 6 * step, 180)]);
            (picture, 40)
        })
        .collect();
    let file = folder.path().join("clip.mp4");
    std::fs::write(&file, common::clip::mp4(&pictures)).unwrap();
    let video = folder.path().join("with overlay.mp4");
    let rows = rows(&["analyze", file.to_str().unwrap(), "--video", video.to_str().unwrap()]);
    let times: Vec<_> = rows.iter().map(|row| (row.frame, row.time_s, row.width, row.height)).collect();
    let expected = [0.0, 0.04, 0.08, 0.12, 0.16];
    assert_eq!(times, (0..5).zip(expected).map(|(frame, time)| (frame, time, 480, 360)).collect::<Vec<_>>());
    for (step, row) in rows.iter().enumerate() {
        let [face] = row.faces.as_slice() else { panic!("{row:?}") };
        assert_eq!(face.id, 1);
        check_box(face, Point { x: 200.0 + 6.0 * step as f32, y: 180.0 }, 1.0);
    }

    // The video has the same frames at the same times; the overlay changes the face, and not the empty corner.
    let (before, after) = (frames(&file), frames(&video));
    assert_eq!((before.len(), after.len()), (5, 5));
    for (before, after) in before.iter().zip(&after) {
        assert!(before.time.abs_diff(after.time) < std::time::Duration::from_millis(1));
        let changed = |left: usize, top: usize, side: usize| {
            let at = |y: usize, x: usize| (y * 480 + x) * 3;
            let rows = (top..top + side).flat_map(|y| at(y, left)..at(y, left + side));
            rows.filter(|&byte| before.rgb()[byte].abs_diff(after.rgb()[byte]) > 60).count()
        };
        assert!(changed(100, 80, 200) > 300, "{}", changed(100, 80, 200));
        assert_eq!(changed(440, 320, 40), 0);
    }
}

/// The frames of a video.
fn frames(file: &Path) -> Vec<Frame> {
    let mut source = facelens_media::open(&SourceSpec::Path(file.to_owned()), Mode::Batch).unwrap();
    std::iter::from_fn(|| match source.next().unwrap() {
        Next::Frame(frame) => Some(frame),
        _ => None,
    })
    .collect()
}

#[test]
fn a_folder_is_read_in_natural_order_and_written_as_csv() {
    let folder = tempfile::tempdir().unwrap();
    let empty = RgbImage::from_pixel(64, 48, Rgb([90, 110, 130]));
    for name in ["10.png", "9.png"] {
        empty.save(folder.path().join(name)).unwrap();
    }
    let out = folder.path().join("rows.CSV");
    let output = facelens(&["analyze", folder.path().to_str().unwrap(), "-o", out.to_str().unwrap()]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    let rows: Vec<FrameRow> = read_csv(std::fs::File::open(&out).unwrap()).collect::<Result<_, _>>().unwrap();
    let inputs: Vec<_> = rows.iter().map(|row| (row.input.clone(), row.frame, row.faces.len())).collect();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(inputs, [(path("9.png"), 0, 0), (path("10.png"), 1, 0)]);
}

#[test]
fn a_ready_crop_is_one_face_without_detection() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crop.png");
    // The crop of the published demos: the tight face of 73 pixels and half of it on each side.
    let astronaut = image::open(astronaut()).unwrap().to_rgb8();
    imageops::crop_imm(&astronaut, 151, 49, 147, 147).to_image().save(&file).unwrap();
    let published = ["--model", "age=ssrnet-age-imdb", "--model", "gender=ssrnet-gender-imdb"];
    let rows = rows(&[&["analyze", "--crops", file.to_str().unwrap()], &published[..]].concat());
    let [face] = rows[0].faces.as_slice() else { panic!("{rows:?}") };
    assert_eq!((face.rect, face.score), (Rect::new(0.0, 0.0, 147.0, 147.0), 1.0));
    // The published age weights say 33.6 for this crop.
    assert!((face.age.unwrap().years - 33.6).abs() < 1.0, "{face:?}");
    assert_eq!(face.gender.unwrap().label, GenderLabel::Female);
}

#[test]
fn the_others_go_on_where_one_input_is_bad() {
    let missing = "no/such/picture.png";
    let output = facelens(&["analyze", missing, &astronaut(), "--format", "csv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(missing));
    let rows: Vec<FrameRow> = read_csv(output.stdout.as_slice()).collect::<Result<_, _>>().unwrap();
    assert_eq!((rows.len(), rows[0].faces.len()), (1, 1));
}

#[test]
fn a_broken_picture_in_a_folder_is_named_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let png = std::fs::read(common::asset("astronaut.png")).unwrap();
    std::fs::write(folder.path().join("a.png"), &png[..5000]).unwrap();
    RgbImage::new(8, 8).save(folder.path().join("b.png")).unwrap();
    let output = facelens(&["analyze", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("a.png"));
    let rows: Vec<FrameRow> = read_jsonl(output.stdout.as_slice()).collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.iter().map(|row| row.frame).collect::<Vec<_>>(), [1]);
}

#[test]
fn an_output_file_survives_an_input_that_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("rows.jsonl");
    std::fs::write(&out, "precious").unwrap();
    let output = facelens(&["analyze", "no/such/file.mp4", "-o", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "precious");
}

#[test]
#[cfg(unix)]
fn an_input_is_never_the_output_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(path("in")).unwrap();
    RgbImage::from_pixel(64, 48, Rgb([90, 110, 130])).save(path("in/a.png")).unwrap();
    std::fs::hard_link(path("in/a.png"), path("twin.csv")).unwrap();
    std::os::unix::fs::symlink("in/a.png", path("link.csv")).unwrap();
    std::os::unix::fs::symlink("in/a.png", path("link.mp4")).unwrap();
    let before = std::fs::read(path("in/a.png")).unwrap();
    for input in ["in/a.png", "in"] {
        for args in [
            ["-o", path("in/a.png").as_str(), "--format", "csv"],
            ["-o", path("twin.csv").as_str(), "--format", "csv"],
            ["-o", path("link.csv").as_str(), "--format", "csv"],
            ["--video", path("link.mp4").as_str(), "--format", "csv"],
        ] {
            let output = facelens(&[&["analyze", path(input).as_str()], &args[..]].concat());
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.code() == Some(2) && words.contains("cannot be the output"), "{args:?}: {words}");
            assert_eq!(std::fs::read(path("in/a.png")).unwrap(), before, "{args:?}");
        }
    }
    // The same new file twice, written in two ways.
    let (rows, video) = (path("new.mp4"), path("./new.mp4"));
    let output = facelens(&["analyze", &path("in"), "-o", &rows, "--format", "csv", "--video", &video]);
    assert_eq!((output.status.code(), Path::new(&rows).exists()), (Some(2), false));
}

/// Starts a long analysis of the demo with a video, and waits until its first second is written.
#[cfg(unix)]
fn analysing_with_video(folder: &Path) -> (std::process::Child, std::path::PathBuf) {
    let video = folder.join("out.mp4");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_facelens"))
        .args(["analyze", "demo", "-o", folder.join("rows.csv").to_str().unwrap(), "--video", video.to_str().unwrap()])
        .spawn()
        .unwrap();
    while common::mp4::length(&video).is_none() {
        assert_eq!(child.try_wait().unwrap(), None, "it runs for 1,800 frames");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    (child, video)
}

#[test]
#[cfg(unix)]
fn ctrl_c_leaves_a_video_that_has_every_row_and_exits_with_130() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, video) = analysing_with_video(folder.path());
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let rows = read_csv(std::fs::File::open(folder.path().join("rows.csv")).unwrap()).count();
    assert_eq!(common::mp4::length(&video).unwrap().0, rows);
    common::mp4::probe(&video, rows);
}

#[test]
#[cfg(unix)]
fn a_killed_analysis_leaves_a_video_that_plays() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, video) = analysing_with_video(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let (frames, secs) = common::mp4::length(&video).unwrap();
    assert!(frames >= 30 && secs >= 0.99, "{frames} frames, {secs} s");
    common::mp4::probe(&video, frames);
}

#[test]
#[cfg(unix)]
fn ctrl_c_leaves_whole_rows_and_exits_with_130() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("rows.csv");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_facelens"))
        .args(["analyze", "demo", "-o", out.to_str().unwrap()])
        .spawn()
        .unwrap();
    let rows = || match std::fs::File::open(&out) {
        Ok(file) => read_csv(file).collect::<Result<Vec<_>, _>>().unwrap().len(),
        Err(_) => 0,
    };
    while rows() < 3 {
        assert_eq!(child.try_wait().unwrap(), None, "it runs for 1,800 frames");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!((3..1800).contains(&rows()));
}

/// Whether two documents are alike: numbers by a hundredth, as processors round differently.
fn alike(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 0.05 + 0.01 * b.abs()
        }
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| alike(a, b)))
        }
        _ => a == b,
    }
}

#[test]
fn the_documentation_shows_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = env!("CARGO_BIN_EXE_facelens");
    let call = ["analyze", "assets/astronaut.png", "-o", "-"];
    let output = Command::new(program).current_dir(root).args(call).output().unwrap();
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for page in ["README.md", "docs/user-guide.md"] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let (_, rest) = text.split_once("```json\n").unwrap();
        let shown = serde_json::from_str(rest.split_once("```").unwrap().0).unwrap();
        assert!(alike(&shown, &printed), "{page} shows\n{shown}\ninstead of\n{printed}");
    }
}
