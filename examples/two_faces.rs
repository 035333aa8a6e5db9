//! Writes a video of two faces that wander, 1280x720 at 30 frames a second, to measure recording with:
//!
//! ```sh
//! cargo run --release --example two_faces -- two.mp4 60
//! time cargo run --release -- record two.mp4 -o sessions --json
//! ```
//!
//! `dropped` is what could not be written in time. A file waits for the analysis, so a machine that is too slow for the
//! analysis takes longer than the video.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use facelens::session::video::{VideoOptions, VideoWriter};
use image::{RgbImage, imageops};

const SIZE: (u32, u32) = (1280, 720);
const FPS: u32 = 30;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(path), seconds) = (args.next().map(PathBuf::from), args.next()) else {
        anyhow::bail!("usage: two_faces OUT.mp4 [SECONDS]");
    };
    let seconds: u32 = seconds.map_or(Ok(30), |text| text.parse()).context("SECONDS is a whole number")?;
    let astronaut = image::load_from_memory(include_bytes!("../assets/astronaut.png"))?.into_rgb8();
    // The head and what is around it, and somebody who looks the other way.
    let head = imageops::crop_imm(&astronaut, 96, 0, 256, 256).to_image();
    let heads = [imageops::resize(&head, 360, 360, imageops::FilterType::Triangle), imageops::flip_horizontal(&head)];
    let mut writer = VideoWriter::create(&path, SIZE.0, SIZE.1, VideoOptions::default())?;
    for number in 0..seconds * FPS {
        let secs = number as f32 / FPS as f32;
        let mut picture = RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
            image::Rgb([(40 + y / 8) as u8, (60 + (x + number) / 16 % 60) as u8, (90 + x / 20) as u8])
        });
        for (place, head) in heads.iter().enumerate() {
            let (left, phase) = (120.0 + 620.0 * place as f32, secs + 2.0 * place as f32);
            let (x, y) = (left + 90.0 * phase.sin(), 160.0 + 100.0 * (0.7 * phase).cos());
            imageops::overlay(&mut picture, head, x as i64, y as i64);
        }
        writer.write(&picture, Duration::from_secs(number.into()) / FPS)?;
    }
    writer.finish()?;
    Ok(())
}
