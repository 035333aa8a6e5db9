//! How well a face can be seen.

use super::crop::{PixelRect, crop_rect};
use super::resize::CropResizer;
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::model::ResizeFilter;

/// How well a face can be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Side of the face's box in pixels of the source.
    pub side_px: f32,
    /// Sharpness of the face's box, brought to 64x64 pixels first so that faces of all sizes compare: variance of its
    /// Laplacian (4 neighbours) over its variance. A sharp face of 100 pixels has about 0.2, the same face out of focus
    /// less than a tenth of that, and one enlarged from few pixels is blurred too. 0 for a flat box or one outside the
    /// picture.
    pub sharpness: f32,
}

/// Side of the grid that sharpness is measured on, pixels.
const GRID: u32 = 64;

/// Measures faces; keeps its buffers.
#[derive(Default)]
pub(super) struct QualityMeter {
    rgb: Vec<u8>,
    grey: Vec<f32>,
}

impl QualityMeter {
    /// The quality of the face in a facelens box.
    pub(super) fn of_face(&mut self, resizer: &mut CropResizer, frame: &Frame, rect: &Rect) -> Result<Quality, String> {
        let side = rect.width.min(rect.height);
        let side_px = if side.is_finite() { side.max(0.0) } else { 0.0 };
        let sharpness = match crop_rect(rect, 0.0, frame.width(), frame.height()) {
            Some(crop) => self.sharpness(resizer, frame, crop)?,
            None => 0.0,
        };
        Ok(Quality { side_px, sharpness })
    }

    /// The quality of a ready crop.
    pub(super) fn of_crop(&mut self, resizer: &mut CropResizer, frame: &Frame) -> Result<Quality, String> {
        let whole = PixelRect::whole(frame.width(), frame.height());
        let side_px = frame.width().min(frame.height()) as f32;
        Ok(Quality { side_px, sharpness: self.sharpness(resizer, frame, whole)? })
    }

    fn sharpness(&mut self, resizer: &mut CropResizer, frame: &Frame, crop: PixelRect) -> Result<f32, String> {
        resizer.resize(frame, crop, (GRID, GRID), ResizeFilter::Triangle, &mut self.rgb)?;
        self.grey.clear();
        // The sum of the channels is grey enough: both variances grow by the same factor.
        self.grey.extend(self.rgb.chunks_exact(3).map(|pixel| pixel.iter().copied().map(f32::from).sum::<f32>()));
        let variance_of_grey = variance(self.grey.iter().copied());
        let side = GRID as usize;
        let inner = (1..side - 1).flat_map(|row| (1..side - 1).map(move |column| row * side + column));
        let grey = &self.grey;
        let laplacian = inner.map(|index| {
            grey[index - side] + grey[index - 1] + grey[index + 1] + grey[index + side] - 4.0 * grey[index]
        });
        Ok(if variance_of_grey > 0.0 { variance(laplacian) / variance_of_grey } else { 0.0 })
    }
}

/// The variance, in one pass.
fn variance(values: impl Iterator<Item = f32>) -> f32 {
    let (mut count, mut sum, mut squares) = (0.0_f64, 0.0_f64, 0.0_f64);
    for value in values {
        let value = f64::from(value);
        count += 1.0;
        sum += value;
        squares += value * value;
    }
    if count == 0.0 {
        return 0.0;
    }
    let mean = sum / count;
    (squares / count - mean * mean).max(0.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::astronaut;

    const FACE: Rect = Rect::new(173.0, 71.0, 103.0, 103.0);

    fn quality(frame: &Frame, rect: &Rect) -> Quality {
        QualityMeter::default().of_face(&mut CropResizer::default(), frame, rect).unwrap()
    }

    #[test]
    fn blur_lowers_the_sharpness() {
        let sharp = quality(&astronaut(), &FACE);
        let picture = image::RgbImage::from_raw(512, 512, astronaut().into_rgb()).unwrap();
        let blurred = image::imageops::blur(&picture, 4.0);
        let blurred = quality(&Frame::from_rgb(512, 512, blurred.into_raw()).unwrap(), &FACE);
        assert_eq!(sharp.side_px, 103.0);
        assert!(sharp.sharpness > 0.05, "{sharp:?}");
        assert!(blurred.sharpness > 0.0 && blurred.sharpness < 0.3 * sharp.sharpness, "{blurred:?} of {sharp:?}");
    }

    #[test]
    fn a_flat_or_absent_face_has_no_sharpness() {
        let flat = Frame::from_rgb(40, 40, vec![77; 4800]).unwrap();
        assert_eq!(quality(&flat, &Rect::new(5.0, 5.0, 20.0, 20.0)).sharpness, 0.0);
        assert_eq!(quality(&astronaut(), &FACE.translated(2000.0, 0.0)), Quality { side_px: 103.0, sharpness: 0.0 });
        let senseless = Rect::new(f32::NAN, 0.0, f32::NAN, f32::NAN);
        assert_eq!(quality(&astronaut(), &senseless), Quality::default());
    }
}
