//! The table that decides which detector is the default: which faces each one finds, what it takes for a face that is
//! none, how steady its box is, and how long it takes.
//!
//! ```text
//! cargo run --release --example detector_table [-- PORTRAIT...]
//! cargo run --release --example detector_table -- --near [PORTRAIT...]
//! cargo run --release --example detector_table -- --large [PORTRAIT...]
//! ```
//!
//! With `--near` it is another table: the search near a known face against the search of the whole frame. With `--large` it
//! is that of faces that fill the frame.
//!
//! The test pictures are drawn here: the astronaut's head (and each further portrait's, one face a picture), cut out
//! round, turned in the plane and pasted on three drawn backgrounds. A face counts as found where a box overlaps the
//! true one by more than 0.4 (intersection over union). A further portrait's true box is what the back model says of
//! the upright picture.

mod large;
mod near;
mod pictures;

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use facelens_core::detect::{Detector, DetectorKind, create};
use facelens_core::frame::Frame;
use facelens_core::geometry::Rect;
use pictures::{BACKGROUNDS, Portrait, background, paste};

const SMALL: (u32, u32) = (640, 480);
const LARGE: (u32, u32) = (1280, 720);
const SIDES: [f32; 7] = [20.0, 24.0, 32.0, 40.0, 60.0, 80.0, 160.0];
const TURNS: [f32; 7] = [0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0];
/// Side of the turned faces, pixels: large enough for every detector.
const TURNED_SIDE: f32 = 120.0;
const FOUND_IOU: f32 = 0.4;
const TIMED_FRAMES: usize = 30;

fn main() -> Result<()> {
    let mut portraits = vec![Portrait::astronaut()?];
    let mut files = std::env::args_os().skip(1).peekable();
    let only_near = files.next_if(|argument| argument == "--near").is_some();
    let only_large = files.next_if(|argument| argument == "--large").is_some();
    for file in files {
        let picture = image::open(&file).with_context(|| format!("reading {}", file.display()))?.to_rgb8();
        let frame = Frame::from_rgb(picture.width(), picture.height(), picture.clone().into_raw())?;
        let mut back = create(DetectorKind::BlazeBack)?;
        let faces = back.detect(&frame)?;
        ensure!(!faces.is_empty(), "{}: no face is found in the upright picture", file.display());
        portraits.push(Portrait { picture, face: faces[0].rect });
    }
    let mut out = std::io::stdout().lock();
    if only_near {
        return near::table(&mut out, &portraits);
    }
    if only_large {
        return large::table(&mut out, &portraits);
    }
    let mut detectors = DetectorKind::ALL.map(create).into_iter().collect::<Result<Vec<_>, _>>()?;
    writeln!(out, "{} portraits on {BACKGROUNDS} backgrounds; found / shown.\n", portraits.len())?;
    for (size, sides) in [(SMALL, &SIDES[..]), (LARGE, &SIDES[1..])] {
        writeln!(out, "Side of the face in {}x{}, pixels:\n", size.0, size.1)?;
        header(&mut out, sides.iter().map(|side| format!("{side}")))?;
        for detector in &mut detectors {
            let shown = sides.iter().map(|side| recall(detector.as_mut(), &portraits, size, *side, &[0.0, 8.0, -8.0]));
            let shown = shown.collect::<Result<Vec<_>>>()?;
            row(&mut out, detector.kind(), &shown)?;
        }
    }
    writeln!(out, "Turned in the plane by degrees, to both sides, {TURNED_SIDE} pixels in 640x480:\n")?;
    header(&mut out, TURNS.iter().map(|turn| format!("{turn}")))?;
    for detector in &mut detectors {
        let shown =
            TURNS.iter().map(|turn| recall(detector.as_mut(), &portraits, SMALL, TURNED_SIDE, &[*turn, -*turn]));
        let shown = shown.collect::<Result<Vec<_>>>()?;
        row(&mut out, detector.kind(), &shown)?;
    }
    writeln!(
        out,
        "Boxes of faces turned by up to 40 degrees against the same face upright; finds without a face; time:\n"
    )?;
    let columns = ["side, sd", "middle off, sides", "false finds", "ms at 640x480", "ms at 1280x720"];
    header(&mut out, columns.map(str::to_owned).into_iter())?;
    for detector in &mut detectors {
        let (spread, off) = steadiness(detector.as_mut(), &portraits)?;
        let (false_finds, pictures) = false_finds(detector.as_mut())?;
        let cells = [
            format!("{:.1} %", spread * 100.0),
            format!("{off:.3}"),
            format!("{false_finds} in {pictures}"),
            format!("{:.1}", median_ms(detector.as_mut(), &portraits[0], SMALL)?),
            format!("{:.1}", median_ms(detector.as_mut(), &portraits[0], LARGE)?),
        ];
        row(&mut out, detector.kind(), &cells)?;
    }
    Ok(())
}

fn header(out: &mut impl Write, columns: impl Iterator<Item = String>) -> Result<()> {
    let columns: Vec<_> = columns.collect();
    writeln!(out, "| detector | {} |", columns.join(" | "))?;
    Ok(writeln!(out, "|---|{}", "---|".repeat(columns.len()))?)
}

fn row(out: &mut impl Write, kind: DetectorKind, cells: &[String]) -> Result<()> {
    writeln!(out, "| {} | {} |", kind.name(), cells.join(" | "))?;
    if kind == DetectorKind::ALL[DetectorKind::ALL.len() - 1] {
        writeln!(out)?;
    }
    Ok(out.flush()?)
}

/// The detection that covers the true box best, where one covers it enough.
fn find(detector: &mut dyn Detector, frame: &Frame, truth: &Rect) -> Result<Option<Rect>> {
    let faces = detector.detect(frame)?;
    let best = faces.into_iter().map(|face| face.rect).max_by(|a, b| a.iou(truth).total_cmp(&b.iou(truth)));
    Ok(best.filter(|rect| rect.iou(truth) > FOUND_IOU))
}

fn recall(
    detector: &mut dyn Detector,
    portraits: &[Portrait],
    size: (u32, u32),
    side: f32,
    turns: &[f32],
) -> Result<String> {
    let (mut found, mut shown) = (0, 0);
    for portrait in portraits {
        for number in 0..BACKGROUNDS {
            for turn in turns {
                let (frame, truth) = paste(&background(number, size), portrait, side, *turn, shown)?;
                found += u32::from(find(detector, &frame, &truth)?.is_some());
                shown += 1;
            }
        }
    }
    Ok(format!("{found}/{shown}"))
}

/// Standard deviation of the side of turned faces' boxes over the upright one's, and the mean distance of the middles in
/// sides; of the faces that are found.
fn steadiness(detector: &mut dyn Detector, portraits: &[Portrait]) -> Result<(f32, f32)> {
    let (mut ratios, mut distances) = (Vec::new(), Vec::new());
    for portrait in portraits {
        let ground = background(0, SMALL);
        let (frame, truth) = paste(&ground, portrait, TURNED_SIDE, 0.0, 0)?;
        let Some(upright) = find(detector, &frame, &truth)? else { continue };
        let center = truth.center();
        let offset = (upright.center().x - center.x, upright.center().y - center.y);
        for turn in (-40..=40).step_by(10).filter(|turn| *turn != 0) {
            let turn = turn as f32;
            let (frame, truth) = paste(&ground, portrait, TURNED_SIDE, turn, 0)?;
            let Some(found) = find(detector, &frame, &truth)? else { continue };
            let (sin, cos) = turn.to_radians().sin_cos();
            let expected = (offset.0 * cos - offset.1 * sin, offset.0 * sin + offset.1 * cos);
            let off =
                (found.center().x - truth.center().x - expected.0, found.center().y - truth.center().y - expected.1);
            ratios.push(found.width / upright.width);
            distances.push(off.0.hypot(off.1) / upright.width);
        }
    }
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len().max(1) as f32;
    let middle = mean(&ratios);
    let squares: Vec<f32> = ratios.iter().map(|ratio| (ratio - middle).powi(2)).collect();
    Ok((mean(&squares).sqrt(), mean(&distances)))
}

/// Finds in pictures without a face, and how many those pictures are: the backgrounds in both sizes, and the parts of
/// the astronaut picture around her face.
fn false_finds(detector: &mut dyn Detector) -> Result<(usize, usize)> {
    let mut pictures = Vec::new();
    for number in 0..BACKGROUNDS {
        for size in [SMALL, LARGE, (320, 240)] {
            pictures.push(background(number, size));
        }
    }
    let astronaut = Portrait::astronaut()?.picture;
    for (left, top, width, height) in [(0, 180, 512, 332), (280, 0, 232, 512), (0, 0, 160, 512), (0, 330, 256, 182)] {
        pictures.push(image::imageops::crop_imm(&astronaut, left, top, width, height).to_image());
    }
    let mut found = 0;
    for picture in &pictures {
        let frame = Frame::from_rgb(picture.width(), picture.height(), picture.as_raw().clone())?;
        found += detector.detect(&frame)?.len();
    }
    Ok((found, pictures.len()))
}

fn median_ms(detector: &mut dyn Detector, portrait: &Portrait, size: (u32, u32)) -> Result<f64> {
    let (frame, _) = paste(&background(1, size), portrait, 160.0, 0.0, 0)?;
    detector.detect(&frame)?;
    let mut times = Vec::with_capacity(TIMED_FRAMES);
    for _ in 0..TIMED_FRAMES {
        let started = Instant::now();
        detector.detect(&frame)?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
