//! The search near a known face against the search of the whole frame: what it finds again, whether its box is the same,
//! what it takes for a face, and how long it takes.

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result};
use facelens_core::detect::{DetectNear, Detection, DetectorKind, create};
use facelens_core::frame::Frame;
use facelens_core::geometry::{Point, Rect};
use image::RgbImage;

use super::pictures::{BACKGROUNDS, Portrait, background, paste};

const SIZE: (u32, u32) = (640, 480);
const SIDES: [f32; 3] = [60.0, 110.0, 180.0];
/// How far a find may be from the whole search's, in sides of the face.
const SAME_SIDES: f32 = 0.4;
const TIMED: usize = 60;

/// A case: its name, what becomes of the picture, and of the box that is expected.
struct Case {
    name: &'static str,
    turn_deg: f32,
    /// The picture is blurred sideways over this share of the face.
    blur: f32,
    /// This share of the face lies beyond the left edge.
    cut: f32,
    /// The expected box is so far off, in sides of the face.
    off: f32,
    /// And so much larger.
    scale: f32,
}

const PLAIN: Case = Case { name: "where it is expected", turn_deg: 0.0, blur: 0.0, cut: 0.0, off: 0.0, scale: 1.0 };

const CASES: [Case; 9] = [
    PLAIN,
    Case { name: "0.15 sides off", off: 0.15, ..PLAIN },
    Case { name: "0.3 sides off", off: 0.3, ..PLAIN },
    Case { name: "a quarter smaller than expected", scale: 1.25, ..PLAIN },
    Case { name: "a quarter larger than expected", scale: 0.8, ..PLAIN },
    Case { name: "turned by 30 degrees", turn_deg: 30.0, ..PLAIN },
    Case { name: "turned by 60 degrees", turn_deg: -60.0, ..PLAIN },
    Case { name: "blurred over an eighth", blur: 0.125, ..PLAIN },
    Case { name: "a quarter beyond the edge", cut: 0.25, ..PLAIN },
];

/// Prints the table.
pub fn table(out: &mut impl Write, portraits: &[Portrait]) -> Result<()> {
    let mut whole = create(DetectorKind::BlazeBack)?;
    let mut near = whole.near().context("the default detector has no search near faces")?;
    writeln!(
        out,
        "Near a known face, against the whole frame of {}x{}, {} portraits:\n",
        SIZE.0,
        SIZE.1,
        portraits.len()
    )?;
    writeln!(out, "| the face is | found again / found whole | middle, x | middle, y | side |\n|---|---|---|---|---|")?;
    for case in &CASES {
        let mut differences: [Vec<f32>; 3] = Default::default();
        let (mut again, mut known) = (0, 0);
        for (number, portrait) in portraits.iter().enumerate() {
            for (index, side) in SIDES.into_iter().enumerate() {
                let seed = (number * SIDES.len() + index) as u32;
                let (frame, truth) = scene(portrait, side, case, seed)?;
                let Some(reference) = best(whole.detect(&frame)?, &truth.center(), side) else { continue };
                known += 1;
                let angle = seed as f32;
                let center = reference.center();
                let (dx, dy) = (case.off * side * angle.cos(), case.off * side * angle.sin());
                let expected = Rect::square(Point { x: center.x + dx, y: center.y + dy }, reference.width * case.scale);
                let Some(found) = best(near.detect_near(&frame, &expected)?, &center, side) else { continue };
                again += 1;
                differences[0].push((found.center().x - center.x) / reference.width);
                differences[1].push((found.center().y - center.y) / reference.width);
                differences[2].push(found.width / reference.width - 1.0);
            }
        }
        let [x, y, side] = differences.map(|values| mean_and_deviation(&values));
        writeln!(out, "| {} | {again}/{known} | {x} | {y} | {side} |", case.name)?;
        out.flush()?;
    }
    let (found, windows) = false_finds(near.as_mut())?;
    writeln!(
        out,
        "\nFinds in windows without a face: {found} in {windows}. Median time of a window (of the whole frame):"
    )?;
    let frame = scene(&portraits[0], 160.0, &PLAIN, 0)?.0;
    let expected = whole.detect(&frame)?.first().context("the first portrait is not found")?.rect;
    let window_ms = median_ms(|| near.detect_near(&frame, &expected).map(drop))?;
    let whole_ms = median_ms(|| whole.detect(&frame).map(drop))?;
    Ok(writeln!(out, "{window_ms:.2} ms ({whole_ms:.2} ms).\n")?)
}

fn scene(portrait: &Portrait, side: f32, case: &Case, seed: u32) -> Result<(Frame, Rect)> {
    let (frame, truth) = paste(&background(seed % BACKGROUNDS, SIZE), portrait, side, case.turn_deg, seed)?;
    let picture = RgbImage::from_raw(SIZE.0, SIZE.1, frame.into_rgb()).context("a frame has its pixels")?;
    let cut = if case.cut > 0.0 { (truth.x + case.cut * side).max(0.0) as u32 } else { 0 };
    let mut picture = image::imageops::crop_imm(&picture, cut, 0, SIZE.0 - cut, SIZE.1).to_image();
    blur(&mut picture, (case.blur * side) as usize);
    let frame = Frame::from_rgb(picture.width(), picture.height(), picture.into_raw())?;
    Ok((frame, truth.translated(-(cut as f32), 0.0)))
}

/// The mean of so many pixels side by side, as of something that moves.
fn blur(picture: &mut RgbImage, pixels: usize) {
    if pixels < 2 {
        return;
    }
    let sharp = picture.clone();
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let last = sharp.width() - 1;
        let at = |step: usize| sharp.get_pixel((x + step as u32).saturating_sub(pixels as u32 / 2).min(last), y);
        pixel.0 = [0, 1, 2]
            .map(|channel| ((0..pixels).map(|step| u32::from(at(step).0[channel])).sum::<u32>() / pixels as u32) as u8);
    }
}

/// The find nearest to `center`, where it is near enough.
fn best(finds: Vec<Detection>, center: &Point, side: f32) -> Option<Rect> {
    let distance = |rect: &Rect| (rect.center().x - center.x).hypot(rect.center().y - center.y);
    let rects = finds.into_iter().map(|find| find.rect);
    rects.filter(|rect| distance(rect) < SAME_SIDES * side).min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// In sides of the face, or the share by which a side is larger.
fn mean_and_deviation(values: &[f32]) -> String {
    let mean = values.iter().sum::<f32>() / values.len().max(1) as f32;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len().max(1) as f32;
    format!("{mean:+.3} ± {:.3}", variance.sqrt())
}

/// Finds in windows of pictures without a face, and how many windows those are.
fn false_finds(near: &mut dyn DetectNear) -> Result<(usize, usize)> {
    let (mut found, mut windows) = (0, 0);
    for number in 0..BACKGROUNDS {
        let picture = background(number, SIZE);
        let frame = Frame::from_rgb(SIZE.0, SIZE.1, picture.into_raw())?;
        for side in SIDES {
            for place in 0..48 {
                let (column, row) = (place % 8, place / 8);
                let center = Point { x: 40.0 + 80.0 * column as f32, y: 40.0 + 80.0 * row as f32 };
                found += near.detect_near(&frame, &Rect::square(center, side))?.len();
                windows += 1;
            }
        }
    }
    Ok((found, windows))
}

fn median_ms<E>(mut run: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let mut times = Vec::with_capacity(TIMED);
    for _ in 0..TIMED {
        let started = Instant::now();
        run()?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
