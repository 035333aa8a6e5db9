//! A frame of any size as the square input of a network: shrunk as a whole, black bars where it is not square.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeError, ResizeOptions, Resizer};

use crate::frame::Frame;
use crate::geometry::Point;

/// Keeps its buffers: while the frames' size stays the same nothing is allocated.
pub(super) struct Letterbox {
    side: u32,
    resizer: Resizer,
    small: Image<'static>,
    tensor: Vec<f32>,
}

/// How the pixels of a frame lie in the square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Placement {
    /// Pixels of the frame for one pixel of the square.
    pub(super) scale: f32,
    /// Where the frame's left edge lies in the square, pixels.
    pub(super) left: f32,
    /// Where the frame's top edge lies in the square, pixels.
    pub(super) top: f32,
}

impl Placement {
    /// A point of the square (pixels) in the frame.
    pub(super) fn to_frame(self, point: Point) -> Point {
        Point { x: (point.x - self.left) * self.scale, y: (point.y - self.top) * self.scale }
    }
}

impl Letterbox {
    /// For a network that takes `side` x `side` pixels.
    pub(super) fn new(side: u32) -> Self {
        Self {
            side,
            resizer: Resizer::new(),
            small: Image::new(1, 1, PixelType::U8x3),
            tensor: vec![BLACK; 3 * (side * side) as usize],
        }
    }

    /// The frame as NCHW numbers, RGB, -1 (black) to 1 (white), and where it lies in the square.
    pub(super) fn fill(&mut self, frame: &Frame) -> Result<(&[f32], Placement), ResizeError> {
        let (width, height, left, top) = self.place(frame.width(), frame.height());
        if (self.small.width(), self.small.height()) != (width, height) {
            self.small = Image::new(width, height, PixelType::U8x3);
            self.tensor.fill(BLACK);
        }
        let source = ImageRef::new(frame.width(), frame.height(), frame.rgb(), PixelType::U8x3)
            .map_err(|_| ResizeError::ImageError(fast_image_resize::ImageError::UnsupportedPixelType))?;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        self.resizer.resize(&source, &mut self.small, &options)?;
        let side = self.side as usize;
        let (red, rest) = self.tensor.split_at_mut(side * side);
        let (green, blue) = rest.split_at_mut(side * side);
        for (row, pixels) in self.small.buffer().chunks_exact(width as usize * 3).enumerate() {
            let start = (row + top as usize) * side + left as usize;
            let part = start..start + width as usize;
            let planes = red[part.clone()].iter_mut().zip(&mut green[part.clone()]).zip(&mut blue[part]);
            for (((r, g), b), pixel) in planes.zip(pixels.chunks_exact(3)) {
                (*r, *g, *b) = (scaled(pixel[0]), scaled(pixel[1]), scaled(pixel[2]));
            }
        }
        let longest = frame.width().max(frame.height());
        let scale = longest as f32 / self.side as f32;
        Ok((&self.tensor, Placement { scale, left: left as f32, top: top as f32 }))
    }

    /// Size of the shrunk frame and its place in the square.
    fn place(&self, width: u32, height: u32) -> (u32, u32, u32, u32) {
        let longest = f64::from(width.max(height));
        let shrunk = |length: u32| {
            let exact = f64::from(length) * f64::from(self.side) / longest;
            (exact.round() as u32).clamp(1, self.side)
        };
        let (width, height) = (shrunk(width), shrunk(height));
        (width, height, (self.side - width) / 2, (self.side - height) / 2)
    }
}

/// What a black pixel becomes.
const BLACK: f32 = -1.0;

fn scaled(byte: u8) -> f32 {
    f32::from(byte) / 127.5 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_frame_lies_in_the_middle_between_black_bars() {
        let frame = Frame::from_rgb(64, 32, [255, 0, 0].repeat(64 * 32)).unwrap();
        let mut letterbox = Letterbox::new(16);
        let (tensor, placement) = letterbox.fill(&frame).unwrap();
        assert_eq!(placement, Placement { scale: 4.0, left: 0.0, top: 4.0 });
        let at = |channel: usize, row: usize| tensor[channel * 256 + row * 16 + 7];
        assert_eq!((at(0, 3), at(0, 4), at(0, 11), at(0, 12)), (-1.0, 1.0, 1.0, -1.0));
        assert_eq!((at(1, 8), at(2, 8)), (-1.0, -1.0));
        assert_eq!(placement.to_frame(Point { x: 8.0, y: 4.0 }), Point { x: 32.0, y: 0.0 });
    }

    #[test]
    fn nothing_of_the_last_frame_stays_when_the_size_changes() {
        let white =
            |width: u32, height: u32| Frame::from_rgb(width, height, vec![255; (width * height * 3) as usize]).unwrap();
        let mut letterbox = Letterbox::new(8);
        letterbox.fill(&white(8, 8)).unwrap();
        let (tensor, _) = letterbox.fill(&white(2, 9)).unwrap();
        assert_eq!(tensor.iter().filter(|value| **value > 0.0).count(), 3 * 8 * 2);
        let (tensor, placement) = letterbox.fill(&white(1, 1)).unwrap();
        assert!(tensor.iter().all(|value| *value == 1.0));
        assert_eq!(placement.scale, 0.125);
        letterbox.fill(&white(16_000, 1)).unwrap();
    }
}
