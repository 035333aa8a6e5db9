//! Faces that fill the frame: is their box the one that they have in a frame with room around them?

use std::io::Write;

use anyhow::{Context, Result};
use facelens_core::detect::{Detector, DetectorKind, create, main_face};
use facelens_core::frame::Frame;
use facelens_core::geometry::Rect;
use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};

use super::FOUND_IOU;
use super::pictures::Portrait;

/// Sides of the face in sides of the frame.
const SHARES: [f32; 6] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.85];
/// Sides of the square frames, pixels.
const FRAMES: [u32; 2] = [144, 480];

/// Prints for each detector and share: found / shown, and side against the true side, mean and standard deviation.
pub(crate) fn table(out: &mut impl Write, portraits: &[Portrait]) -> Result<()> {
    let mut back = create(DetectorKind::BlazeBack)?;
    let mut known = Vec::new();
    for portrait in portraits {
        let roomy = with_room(&portrait.picture);
        if let Some(face) = face(back.as_mut(), &roomy, 480)? {
            known.push((roomy, face));
        }
    }
    for side in FRAMES {
        writeln!(
            out,
            "Side of the face in sides of a frame of {side}x{side}; found / shown, side against the true one:\n"
        )?;
        super::header(out, SHARES.iter().map(|share| format!("{share}")))?;
        for kind in DetectorKind::ALL {
            let mut detector = create(kind)?;
            let cells = SHARES.iter().map(|share| cell(detector.as_mut(), &known, *share, side));
            super::row(out, kind, &cells.collect::<Result<Vec<_>>>()?)?;
        }
    }
    Ok(())
}

fn cell(detector: &mut dyn Detector, known: &[(RgbImage, Rect)], share: f32, side: u32) -> Result<String> {
    let mut ratios = Vec::new();
    for (roomy, truth) in known {
        let length = truth.width / share;
        let (left, top) = (truth.center().x - length / 2.0, truth.center().y - length / 2.0);
        let window =
            crop_imm(roomy, left.max(0.0) as u32, top.max(0.0) as u32, length as u32, length as u32).to_image();
        if let Some(found) = face(detector, &window, side)? {
            let found = Rect { x: found.x + left.floor(), y: found.y + top.floor(), ..found };
            if found.iou(truth) > FOUND_IOU {
                ratios.push(f64::from(found.width / truth.width));
            }
        }
    }
    let count = ratios.len().max(1) as f64;
    let mean = ratios.iter().sum::<f64>() / count;
    let spread = (ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / count).sqrt();
    Ok(format!("{}/{}, {mean:.2} ± {spread:.2}", ratios.len(), known.len()))
}

/// The main face in the picture's pixels, found in a frame of this side.
fn face(detector: &mut dyn Detector, picture: &RgbImage, side: u32) -> Result<Option<Rect>> {
    let sized = resize(picture, side, side, FilterType::Triangle);
    let frame = Frame::from_rgb(side, side, sized.into_raw()).context("a frame of the picture")?;
    let found = detector.detect(&frame)?;
    let scale = picture.width() as f32 / side as f32;
    Ok(main_face(&frame, &found).map(|face| {
        let Rect { x, y, width, height } = face.rect;
        Rect::new(x * scale, y * scale, width * scale, height * scale)
    }))
}

/// The picture in the middle of a square three times its longer side, its edges repeated.
fn with_room(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let side = 3 * width.max(height);
    let (left, top) = ((side - width) / 2, (side - height) / 2);
    RgbImage::from_fn(side, side, |x, y| {
        let clamp = |at: u32, start: u32, length: u32| at.saturating_sub(start).min(length - 1);
        *picture.get_pixel(clamp(x, left, width), clamp(y, top, height))
    })
}
