//! A part of a frame at a network's input size.

use fast_image_resize::images::{CroppedImage, Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::crop::PixelRect;
use crate::frame::Frame;
use crate::model::ResizeFilter;

/// Resizes parts of frames; keeps its buffers.
#[derive(Default)]
pub(crate) struct CropResizer {
    resizer: Resizer,
    columns: Vec<FilterTaps>,
}

/// Two neighbouring source pixels and the second one's weight.
#[derive(Clone, Copy)]
struct FilterTaps {
    first: usize,
    second: usize,
    weight: f32,
}

impl CropResizer {
    /// Fills `rgb` with `width` x `height` pixels of `crop`; the aspect ratio is not kept.
    ///
    /// # Errors
    /// In words, where the resizing library refuses.
    pub(super) fn resize(
        &mut self,
        frame: &Frame,
        crop: PixelRect,
        (width, height): (u32, u32),
        filter: ResizeFilter,
        rgb: &mut Vec<u8>,
    ) -> Result<(), String> {
        rgb.clear();
        rgb.resize(width as usize * height as usize * 3, 0);
        match filter {
            ResizeFilter::Bilinear => {
                self.bilinear(frame, crop, (width, height), rgb);
                Ok(())
            }
            ResizeFilter::Triangle => {
                self.triangle(frame, crop, (width, height), rgb).map_err(|error| error.to_string())
            }
        }
    }

    /// `cv2.resize` INTER_LINEAR: `source = (target + 0.5) * scale - 0.5`, two by two taps whatever the scale, rounded.
    fn bilinear(&mut self, frame: &Frame, crop: PixelRect, (width, height): (u32, u32), rgb: &mut [u8]) {
        self.columns.clear();
        self.columns.extend((0..width).map(|column| taps(column, width, crop.width)));
        let stride = frame.width() as usize * 3;
        let row_of = |row: usize| {
            let start = (crop.top as usize + row) * stride + crop.left as usize * 3;
            &frame.rgb()[start..start + crop.width as usize * 3]
        };
        for (row, target) in rgb.chunks_exact_mut(width as usize * 3).enumerate() {
            let rows = taps(row as u32, height, crop.height);
            let (upper, lower) = (row_of(rows.first), row_of(rows.second));
            for (columns, pixel) in self.columns.iter().zip(target.chunks_exact_mut(3)) {
                for (channel, value) in pixel.iter_mut().enumerate() {
                    let across = |row: &[u8]| {
                        let first = f32::from(row[columns.first * 3 + channel]);
                        let second = f32::from(row[columns.second * 3 + channel]);
                        first + columns.weight * (second - first)
                    };
                    let (upper, lower) = (across(upper), across(lower));
                    *value = (upper + rows.weight * (lower - upper)).round() as u8;
                }
            }
        }
    }

    /// Triangle filter, widened where the crop shrinks: PIL's BILINEAR.
    fn triangle(
        &mut self,
        frame: &Frame,
        crop: PixelRect,
        (width, height): (u32, u32),
        rgb: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error>> {
        let source = ImageRef::new(frame.width(), frame.height(), frame.rgb(), PixelType::U8x3)?;
        let mut target = Image::from_slice_u8(width, height, rgb, PixelType::U8x3)?;
        // Not `ResizeOptions::crop`: it lets the filter reach over the crop's edge into the rest of the picture.
        let part = CroppedImage::new(&source, crop.left, crop.top, crop.width, crop.height)?;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        Ok(self.resizer.resize(&part, &mut target, &options)?)
    }
}

/// The taps of pixel `target` of `targets` on a line of `sources` pixels; beyond the ends the last pixel goes on.
fn taps(target: u32, targets: u32, sources: u32) -> FilterTaps {
    let scale = f64::from(sources) / f64::from(targets);
    let position = ((f64::from(target) + 0.5) * scale - 0.5).clamp(0.0, f64::from(sources) - 1.0);
    let first = position.floor();
    let second = (first + 1.0).min(f64::from(sources) - 1.0);
    FilterTaps { first: first as usize, second: second as usize, weight: (position - first) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resized(frame: &Frame, crop: PixelRect, size: (u32, u32), filter: ResizeFilter) -> Vec<u8> {
        let mut rgb = Vec::new();
        CropResizer::default().resize(frame, crop, size, filter, &mut rgb).unwrap();
        rgb
    }

    /// A picture whose red channel holds these values.
    fn reds(width: u32, reds: &[u8]) -> Frame {
        let rgb = reds.iter().flat_map(|red| [*red, 7, 9]).collect();
        Frame::from_rgb(width, reds.len() as u32 / width, rgb).unwrap()
    }

    fn red(rgb: &[u8]) -> Vec<u8> {
        rgb.iter().step_by(3).copied().collect()
    }

    #[test]
    fn enlarging_interpolates_between_half_pixel_centres() {
        let frame = reds(2, &[0, 100]);
        let enlarged = resized(&frame, PixelRect::whole(2, 1), (4, 1), ResizeFilter::Bilinear);
        assert_eq!(red(&enlarged), [0, 25, 75, 100]);
        assert_eq!(enlarged[1..3], [7, 9]);
    }

    #[test]
    fn bilinear_takes_four_taps_however_much_it_shrinks_and_triangle_takes_all() {
        let frame = reds(8, &[0, 0, 0, 80, 40, 0, 0, 0]);
        assert_eq!(red(&resized(&frame, PixelRect::whole(8, 1), (1, 1), ResizeFilter::Bilinear)), [60]);
        let triangle = red(&resized(&frame, PixelRect::whole(8, 1), (1, 1), ResizeFilter::Triangle))[0];
        assert!((15..40).contains(&triangle), "{triangle}");
    }

    #[test]
    fn only_the_crop_is_read() {
        let values: Vec<u8> = (0..25).map(|index| if (6..=8).contains(&(index % 25)) { 200 } else { 10 }).collect();
        let frame = reds(5, &values);
        let crop = PixelRect { left: 1, top: 1, width: 3, height: 1 };
        for filter in [ResizeFilter::Bilinear, ResizeFilter::Triangle] {
            assert_eq!(red(&resized(&frame, crop, (4, 4), filter)), [200; 16], "{filter:?}");
        }
        let pixel = PixelRect { left: 4, top: 4, width: 1, height: 1 };
        assert_eq!(red(&resized(&frame, pixel, (2, 2), ResizeFilter::Bilinear)), [10; 4]);
    }
}
