//! SeetaFace (Wu et al., "Funnel-structured cascade for multi-view face detection with alignment awareness",
//! Neurocomputing 2017), run by rustface: a cascade of boosted and multilayer classifiers for frontal faces.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use rustface::{FaceInfo, ImageData, Model};

use super::{DetectError, Detection, Detector, DetectorKind, boxes, suppress};
use crate::frame::Frame;
use crate::geometry::Rect;

/// The cascade's window, pixels: smaller faces are not found, smaller pictures are not searched.
const WINDOW: u32 = 40;

/// Larger frames are shrunk to this length of their longer side. rustface has no working minimum face size, so its time
/// grows with the pixels; at 640 the smallest face is 40 pixels in a 640x480 frame and 80 in a 1280x720 one.
const LONGEST: u32 = 640;

/// Pixels between two windows (rustface's default).
const STEP: u32 = 4;

/// Size of each step of the image pyramid over the step before (rustface's default).
const PYRAMID: f32 = 0.8;

/// Scores below this are no face; 2.0 is what rustface's own example takes. The score is a sum over the windows of a face.
const THRESHOLD: f64 = 2.0;

/// The cascade's score at which [`Detection::score`] is 0.5.
const HALF: f64 = 4.0;

/// The cascade with its buffers.
pub(super) struct Seeta {
    /// The weights. rustface's detector takes them by value and cannot be sent to another thread, so each frame makes
    /// one from a copy (1.2 MB, well under 1 % of the search); a detector that panicked is never used again this way.
    model: Model,
    resizer: Resizer,
    small: Image<'static>,
    grey: Vec<u8>,
}

impl Seeta {
    /// The cascade with rustface's own weights (BSD-2-Clause).
    pub(super) fn new() -> Result<Self, DetectError> {
        let weights: &[u8] = include_bytes!("../../../../models/seeta-frontal.bin");
        let model =
            rustface::read_model(weights).map_err(|error| failed(format!("its weights cannot be read ({error})")))?;
        Ok(Self { model, resizer: Resizer::new(), small: Image::new(1, 1, PixelType::U8x3), grey: Vec::new() })
    }

    /// Fills `grey` and gives its size and the frame's pixels for one of its own.
    fn take(&mut self, frame: &Frame) -> Result<(u32, u32, f32), DetectError> {
        let longest = frame.width().max(frame.height());
        self.grey.clear();
        if longest <= LONGEST {
            self.grey.extend(frame.rgb().chunks_exact(3).map(luma));
            return Ok((frame.width(), frame.height(), 1.0));
        }
        let scale = longest as f32 / LONGEST as f32;
        let shrunk = |length: u32| ((length as f32 / scale).round() as u32).max(1);
        let (width, height) = (shrunk(frame.width()), shrunk(frame.height()));
        if (self.small.width(), self.small.height()) != (width, height) {
            self.small = Image::new(width, height, PixelType::U8x3);
        }
        let cannot_shrink = |cause: String| failed(format!("the image could not be shrunk ({cause})"));
        let source = ImageRef::new(frame.width(), frame.height(), frame.rgb(), PixelType::U8x3)
            .map_err(|error| cannot_shrink(error.to_string()))?;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        self.resizer.resize(&source, &mut self.small, &options).map_err(|error| cannot_shrink(error.to_string()))?;
        self.grey.extend(self.small.buffer().chunks_exact(3).map(luma));
        Ok((width, height, scale))
    }
}

impl Detector for Seeta {
    fn kind(&self) -> DetectorKind {
        DetectorKind::Seeta
    }

    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let (width, height, scale) = self.take(frame)?;
        if width.min(height) < WINDOW {
            return Ok(Vec::new());
        }
        let (model, grey) = (self.model.clone(), &self.grey);
        // rustface panics on input that it does not like; a picture must never take the program down.
        let found = catch_unwind(AssertUnwindSafe(|| {
            let mut cascade = rustface::create_detector_with_model(model);
            cascade.set_score_thresh(THRESHOLD);
            cascade.set_pyramid_scale_factor(PYRAMID);
            cascade.set_slide_window_step(STEP, STEP);
            cascade.detect(&ImageData::new(grey, width, height))
        }))
        .map_err(|_| failed(format!("rustface panicked on an image of {width}x{height} pixels")))?;
        let mut faces: Vec<_> = found.iter().map(|face| detection(face, scale)).collect();
        faces.sort_by(|a, b| b.score.total_cmp(&a.score));
        suppress::drop_doubles(&mut faces, |face| face.rect);
        Ok(faces)
    }
}

fn failed(cause: String) -> DetectError {
    DetectError { detector: DetectorKind::Seeta.name(), cause }
}

fn detection(face: &FaceInfo, scale: f32) -> Detection {
    let bbox = face.bbox();
    let own = Rect::new(
        bbox.x() as f32 * scale,
        bbox.y() as f32 * scale,
        bbox.width() as f32 * scale,
        bbox.height() as f32 * scale,
    );
    let score = face.score().max(0.0);
    Detection { rect: boxes::from_seeta(&own), score: (score / (score + HALF)) as f32, keypoints: None }
}

/// ITU-R BT.601 luma, rounded, as OpenCV and the `image` crate's photographs expect it.
fn luma(pixel: &[u8]) -> u8 {
    let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
    ((299 * red + 587 * green + 114 * blue + 500) / 1000) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luma_of_grey_is_grey() {
        assert_eq!([luma(&[0; 3]), luma(&[77; 3]), luma(&[255; 3])], [0, 77, 255]);
        assert_eq!(luma(&[255, 0, 0]), 76);
    }

    #[test]
    fn pictures_too_small_to_search_have_no_face() {
        let mut seeta = Seeta::new().unwrap();
        for (width, height) in [(1, 1), (39, 200), (2000, 3)] {
            let frame = Frame::from_rgb(width, height, vec![90; (width * height * 3) as usize]).unwrap();
            assert_eq!(seeta.detect(&frame).unwrap(), []);
        }
    }
}
