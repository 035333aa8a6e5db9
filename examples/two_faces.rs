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
use facelens_media::demo::Walkers;
use facelens_session::video::{VideoOptions, VideoWriter};

const SIZE: (u32, u32) = (1280, 720);
const FPS: u32 = 30;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(path), seconds) = (args.next().map(PathBuf::from), args.next()) else {
        anyhow::bail!("usage: two_faces OUT.mp4 [SECONDS]");
    };
    let seconds: u32 = seconds.map_or(Ok(30), |text| text.parse()).context("SECONDS is a whole number")?;
    let walkers = Walkers::new(SIZE.0, SIZE.1, 2)?;
    let mut writer = VideoWriter::create(&path, SIZE.0, SIZE.1, VideoOptions::default())?;
    for number in 0..seconds * FPS {
        let time = Duration::from_secs(number.into()) / FPS;
        writer.write(walkers.draw(number.into(), time)?.rgb(), time)?;
    }
    writer.finish()?;
    Ok(())
}
