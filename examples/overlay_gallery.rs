//! Paints overlays on pictures of all kinds, to be looked at: on the astronaut, on white, on black and on a busy
//! picture, with one, two and four faces, from 320x240 to 1920x1080.
//!
//! ```text
//! cargo run --example overlay_gallery -- FOLDER
//! ```

use std::path::PathBuf;

use anyhow::Context as _;
use facelens_core::geometry::{Pose, Rect};
use facelens_core::track::{Age, Face, Gender, GenderLabel, GenderNumber};
use facelens_session::overlay::{Scene, SceneOptions, paint_on_picture};
use image::RgbImage;
use image::imageops::{FilterType, flip_horizontal, resize};

/// The astronaut's face in the square picture, as parts of its side.
const ASTRONAUT_FACE: Rect = Rect::new(0.355, 0.115, 0.17, 0.22);

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("name a folder for the pictures")?);
    std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let astronaut = image::open(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/astronaut.png"))?.to_rgb8();
    for (width, height) in [(320, 240), (640, 480), (1920, 1080)] {
        let fitted = resize(&astronaut, height, height, FilterType::Triangle);
        for count in [1, 2, 4] {
            for ground in ["astronaut", "white", "black", "busy"] {
                let mut picture = background(ground, width, height, &fitted, count);
                let faces = faces(width as f32, height as f32, count);
                paint(&mut picture, &faces, false);
                picture.save(folder.join(format!("{ground}-{width}x{height}-{count}.png")))?;
            }
        }
        let mut mirrored = flip_horizontal(&background("astronaut", width, height, &fitted, 1));
        paint(&mut mirrored, &faces(width as f32, height as f32, 1), true);
        mirrored.save(folder.join(format!("mirrored-{width}x{height}.png")))?;
    }
    Ok(())
}

fn paint(picture: &mut RgbImage, faces: &[Face], mirrored: bool) {
    let (width, height) = picture.dimensions();
    let options = SceneOptions { mirrored, ..SceneOptions::default() }.for_saving(height);
    paint_on_picture(&Scene::of(faces, width, height, &options), picture, width, height);
}

/// The places of the astronauts: where their square pictures begin and how large they are, as parts of the height.
fn places(width: f32, height: f32, count: usize) -> Vec<(f32, f32, f32)> {
    let across = width / height;
    match count {
        1 => vec![((across - 1.0) / 2.0, 0.0, 1.0)],
        2 => vec![(0.0, 0.25, 0.75), (across - 0.9, 0.1, 0.9)],
        _ => vec![(0.0, 0.0, 0.55), (across - 0.7, 0.3, 0.7), (across * 0.28, 0.42, 0.58), (across * 0.42, 0.0, 0.5)],
    }
}

fn faces(width: f32, height: f32, count: usize) -> Vec<Face> {
    let looks = [
        (GenderLabel::Female, 34.0, (27.6, 40.4), Pose { yaw: -12.0, pitch: 3.0, roll: 1.0 }),
        (GenderLabel::Unsure, 41.0, (27.1, 54.9), Pose { yaw: 31.0, pitch: -14.0, roll: -9.0 }),
        (GenderLabel::Male, 7.0, (0.0, 12.0), Pose { yaw: 2.0, pitch: 22.0, roll: 24.0 }),
        (GenderLabel::Female, 58.0, (28.0, 88.0), Pose { yaw: -48.0, pitch: -3.0, roll: 0.0 }),
    ];
    places(width, height, count)
        .into_iter()
        .zip(looks)
        .zip(1..)
        .map(|(((x, y, size), (label, years, (low, high), pose)), id)| Face {
            id,
            rect: Rect::new(
                (x + size * ASTRONAUT_FACE.x) * height,
                (y + size * ASTRONAUT_FACE.y) * height,
                size * ASTRONAUT_FACE.width * height,
                size * ASTRONAUT_FACE.height * height,
            ),
            score: 0.98,
            age: Some(Age { years, low, high }),
            gender: Some(Gender { label, male: 0.1, number: GenderNumber::Chance }),
            pose: Some(pose),
        })
        .collect()
}

fn background(ground: &str, width: u32, height: u32, astronaut: &RgbImage, count: usize) -> RgbImage {
    let grey = |value| image::Rgb([value; 3]);
    match ground {
        "white" => RgbImage::from_pixel(width, height, grey(255)),
        "black" => RgbImage::from_pixel(width, height, grey(0)),
        "busy" => RgbImage::from_fn(width, height, |x, y| {
            let (x, y) = (f64::from(x), f64::from(y));
            let wave = |a: f64, b: f64| (127.5 + 127.5 * ((x * a).sin() * (y * b).cos())) as u8;
            image::Rgb([wave(0.31, 0.07), wave(0.05, 0.43), wave(0.77, 0.61)])
        }),
        _ => {
            let mut picture = RgbImage::from_pixel(width, height, grey(96));
            for (x, y, size) in places(width as f32, height as f32, count) {
                let side = (size * height as f32) as u32;
                let one = resize(astronaut, side, side, FilterType::Triangle);
                let (x, y) = ((x * height as f32) as i64, (y * height as f32) as i64);
                image::imageops::overlay(&mut picture, &one, x, y);
            }
            picture
        }
    }
}
