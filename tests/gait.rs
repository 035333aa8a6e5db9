//! `facelens gait` from the command line: what is said of films without a gait in them, and what is written.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use facelens_session::{GAIT_COLUMNS, read_gait_csv};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

mod common;

fn facelens(args: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_facelens")).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, said)
}

/// A film in a folder, with its path.
fn film(folder: &Path, name: &str, frames: &[(RgbImage, u32)]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, common::clip::mp4(frames)).unwrap();
    path
}

/// The astronaut, who sits.
fn astronaut(width: u32, height: u32) -> RgbImage {
    let picture = image::open(common::asset("astronaut.png")).unwrap().to_rgb8();
    let small = imageops::resize(&picture, height, height, FilterType::Triangle);
    let mut frame = RgbImage::from_pixel(width, height, Rgb([90, 90, 90]));
    imageops::replace(&mut frame, &small, i64::from(width - height) / 2, 0);
    frame
}

#[test]
fn a_film_without_people_is_no_failure_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let grey = RgbImage::from_pixel(160, 120, Rgb([90, 100, 110]));
    let clip = film(folder.path(), "empty.mp4", &vec![(grey, 40); 14]);
    let out = folder.path().join("out.csv");
    let (output, said) = facelens(&["gait", clip.to_str().unwrap(), "-o", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("empty.mp4: nobody was seen"), "{said}");
    let csv = std::fs::read_to_string(&out).unwrap();
    assert_eq!(csv.trim_end(), GAIT_COLUMNS.map(|column| column.name).join(","));
    assert_eq!(read_gait_csv(csv.as_bytes()).count(), 0);
}

#[test]
fn three_frames_and_single_pictures_are_told_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let clip = film(folder.path(), "short.mp4", &vec![(astronaut(160, 120), 33); 3]);
    let (output, said) = facelens(&["gait", clip.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("3 frames are too few for a stride"), "{said}");
    assert!(output.stdout.is_empty());
    let picture = common::asset("astronaut.png");
    let (output, said) = facelens(&["gait", picture.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("astronaut.png: single images show no steps; use a video"), "{said}");
}

#[test]
fn who_sits_too_near_gets_no_stride_and_the_video_shows_the_outline() {
    let folder = tempfile::tempdir().unwrap();
    let clip = film(folder.path(), "sits.mp4", &vec![(astronaut(320, 240), 100); 13]);
    let (video, gei) = (folder.path().join("out.mp4"), folder.path().join("gei"));
    let args = ["gait", clip.to_str().unwrap(), "--video", video.to_str().unwrap(), "--gei", gei.to_str().unwrap()];
    let (output, said) = facelens(&args);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("1 person was seen, but no complete stride (mostly: too near"), "{said}");
    assert_eq!(std::fs::read_dir(&gei).unwrap().count(), 0);
    assert!(std::fs::metadata(&video).unwrap().len() > 1000);
}

#[test]
fn wrong_calls_are_told_before_anything_is_opened() {
    for (args, words) in [
        (&["gait", "camera"][..], "--seconds N"),
        (&["gait", "demo", "-o", "x.txt"], "choose it with --format csv or jsonl"),
        (&["gait", "demo", "--video", "x.avi"], "the video is an MP4"),
        (&["gait", "demo", "--body", "heavy"], "lite, full"),
        (&["gait"], "INPUT"),
    ] {
        let (output, said) = facelens(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
    let (output, said) = facelens(&["gait", "no-such.mp4"]);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no-such.mp4"), "{said}");
}
