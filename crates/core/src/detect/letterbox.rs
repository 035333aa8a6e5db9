//! A frame of any size, or a square window of it, as the square input of a network: black where there is no picture.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeError, ResizeOptions, Resizer};

use crate::frame::Frame;
use crate::geometry::{Point, Rect};

/// Keeps its buffers: while the frames' size stays the same nothing is allocated.
pub struct Letterbox {
    side: u32,
    resizer: Resizer,
    small: Image<'static>,
    /// Which part of the square was filled last; around it the tensor is black.
    filled: WindowPart,
    tensor: Vec<f32>,
}

/// A part of the square, pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct WindowPart {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

/// How the pixels of a frame lie in the square.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Pixels of the frame for one pixel of the square.
    pub scale: f32,
    /// Where the frame's left edge lies in the square, pixels.
    pub left: f32,
    /// Where the frame's top edge lies in the square, pixels.
    pub top: f32,
}

impl Placement {
    /// A point of the square (pixels) in the frame.
    pub fn to_frame(self, point: Point) -> Point {
        Point { x: (point.x - self.left) * self.scale, y: (point.y - self.top) * self.scale }
    }
}

impl Letterbox {
    /// For a network that takes `side` x `side` pixels.
    pub fn new(side: u32) -> Self {
        Self {
            side,
            resizer: Resizer::new(),
            small: Image::new(1, 1, PixelType::U8x3),
            filled: WindowPart::default(),
            tensor: vec![BLACK; 3 * (side * side) as usize],
        }
    }

    /// The side of the square, pixels.
    pub fn side(&self) -> u32 {
        self.side
    }

    /// The whole frame as NCHW numbers, RGB, -1 (black) to 1 (white), and where it lies in the square.
    pub fn fill(&mut self, frame: &Frame) -> Result<(&[f32], Placement), ResizeError> {
        let (_, placement) = self.shrink_whole(frame, self.side)?;
        Ok((&self.tensor, placement))
    }

    /// The whole frame, its longer side over this `share` of the square (0 to 1), and around it the frame's edges, repeated.
    pub fn fill_share(&mut self, frame: &Frame, share: f32) -> Result<(&[f32], Placement), ResizeError> {
        let inner = ((self.side as f32 * share).round() as u32).clamp(1, self.side);
        let (part, placement) = self.shrink_whole(frame, inner)?;
        self.repeat_edges(part);
        Ok((&self.tensor, placement))
    }

    /// The whole frame in the middle of the square, its longer side `inner` pixels long.
    fn shrink_whole(&mut self, frame: &Frame, inner: u32) -> Result<(WindowPart, Placement), ResizeError> {
        let part = self.place_within(inner, frame.width(), frame.height());
        self.shrink(frame, [0.0, 0.0, frame.width().into(), frame.height().into()], part)?;
        let scale = frame.width().max(frame.height()) as f32 / inner as f32;
        Ok((part, Placement { scale, left: part.left as f32, top: part.top as f32 }))
    }

    /// Fills what is around `part` of the square with its edges.
    fn repeat_edges(&mut self, part: WindowPart) {
        let side = self.side as usize;
        let (left, right) = (part.left as usize, (part.left + part.width) as usize);
        let (top, bottom) = (part.top as usize, (part.top + part.height) as usize);
        for plane in self.tensor.chunks_exact_mut(side * side) {
            for row in plane.chunks_exact_mut(side).take(bottom).skip(top) {
                let (first, last) = (row[left], row[right - 1]);
                row[..left].fill(first);
                row[right..].fill(last);
            }
            for row in 0..top {
                plane.copy_within(top * side..(top + 1) * side, row * side);
            }
            for row in bottom..side {
                plane.copy_within((bottom - 1) * side..bottom * side, row * side);
            }
        }
        // Nothing is black any more.
        self.filled = WindowPart::default();
    }

    /// A square `window` of the frame (pixels; it may reach over the edges) in the same form; `None` where no pixel of
    /// the picture is in it.
    pub fn fill_window(&mut self, frame: &Frame, window: &Rect) -> Result<Option<(&[f32], Placement)>, ResizeError> {
        let scale = f64::from(window.width) / f64::from(self.side);
        if !(scale.is_finite() && scale > 0.0 && window.x.is_finite() && window.y.is_finite()) {
            return Ok(None);
        }
        // Of each axis the whole pixels of the square that the picture covers; up to one at an edge stays black.
        let covered = |start: f32, length: u32| {
            let first = (f64::from(-start) / scale).ceil().max(0.0);
            let last = ((f64::from(length) - f64::from(start)) / scale).floor().min(f64::from(self.side));
            (last > first).then(|| {
                let (from, to) = (f64::from(start) + first * scale, f64::from(start) + last * scale);
                let from = from.max(0.0);
                (first as u32, (last - first) as u32, from, to.min(f64::from(length)) - from)
            })
        };
        let (Some(across), Some(down)) = (covered(window.x, frame.width()), covered(window.y, frame.height())) else {
            return Ok(None);
        };
        let part = WindowPart { left: across.0, top: down.0, width: across.1, height: down.1 };
        self.shrink(frame, [across.2, down.2, across.3, down.3], part)?;
        let scale = scale as f32;
        Ok(Some((&self.tensor, Placement { scale, left: -window.x / scale, top: -window.y / scale })))
    }

    /// Scales `region` of the frame (left, top, width, height in pixels) into `part` of the square.
    fn shrink(&mut self, frame: &Frame, region: [f64; 4], part: WindowPart) -> Result<(), ResizeError> {
        if (self.small.width(), self.small.height()) != (part.width, part.height) {
            self.small = Image::new(part.width, part.height, PixelType::U8x3);
        }
        if self.filled != part {
            self.tensor.fill(BLACK);
            self.filled = part;
        }
        let source = ImageRef::new(frame.width(), frame.height(), frame.rgb(), PixelType::U8x3)
            .map_err(|_| ResizeError::ImageError(fast_image_resize::ImageError::UnsupportedPixelType))?;
        let [left, top, width, height] = region;
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
            .crop(left, top, width, height);
        self.resizer.resize(&source, &mut self.small, &options)?;
        let side = self.side as usize;
        let (red, rest) = self.tensor.split_at_mut(side * side);
        let (green, blue) = rest.split_at_mut(side * side);
        for (row, pixels) in self.small.buffer().chunks_exact(part.width as usize * 3).enumerate() {
            let start = (row + part.top as usize) * side + part.left as usize;
            let part = start..start + part.width as usize;
            let planes = red[part.clone()].iter_mut().zip(&mut green[part.clone()]).zip(&mut blue[part]);
            for (((r, g), b), pixel) in planes.zip(pixels.chunks_exact(3)) {
                (*r, *g, *b) = (scaled(pixel[0]), scaled(pixel[1]), scaled(pixel[2]));
            }
        }
        Ok(())
    }

    /// Size of a frame whose longer side shrinks to `inner` pixels, and its place in the middle of the square.
    fn place_within(&self, inner: u32, width: u32, height: u32) -> WindowPart {
        let longest = f64::from(width.max(height));
        let shrunk = |length: u32| {
            let exact = f64::from(length) * f64::from(inner) / longest;
            (exact.round() as u32).clamp(1, inner)
        };
        let (width, height) = (shrunk(width), shrunk(height));
        WindowPart { left: (self.side - width) / 2, top: (self.side - height) / 2, width, height }
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
    fn a_frame_over_a_share_of_the_square_has_its_edges_repeated() {
        // Red grows from the left to the right, green from the top to the bottom.
        let rgb = (0..64 * 32).flat_map(|index| [4 * (index % 64) as u8, 8 * (index / 64) as u8, 0]).collect();
        let frame = Frame::from_rgb(64, 32, rgb).unwrap();
        let mut letterbox = Letterbox::new(16);
        let (tensor, placement) = letterbox.fill_share(&frame, 0.5).unwrap();
        assert_eq!(placement, Placement { scale: 8.0, left: 4.0, top: 6.0 });
        let (red, green) = (&tensor[..256], &tensor[256..512]);
        assert_eq!((red[8 * 16], red[8 * 16 + 15]), (red[8 * 16 + 4], red[8 * 16 + 11]));
        assert!(red[4] < red[11] && green[7] == green[6 * 16 + 7] && green[15 * 16 + 7] == green[9 * 16 + 7]);
        // A frame that is filled as usual afterwards lies on black again.
        let (tensor, _) = letterbox.fill(&frame).unwrap();
        assert!(tensor[..16].iter().all(|value| *value == -1.0));
    }

    #[test]
    fn a_window_over_the_edge_is_black_outside_and_points_go_back_to_the_frame() {
        // Red grows from the left to the right.
        let rgb = (0..64 * 48).flat_map(|index| [4 * (index % 64) as u8, 0, 0]).collect();
        let frame = Frame::from_rgb(64, 48, rgb).unwrap();
        let mut letterbox = Letterbox::new(16);
        let window = Rect::new(-16.0, 8.0, 32.0, 32.0);
        let (tensor, placement) = letterbox.fill_window(&frame, &window).unwrap().unwrap();
        assert_eq!(placement, Placement { scale: 2.0, left: 8.0, top: -4.0 });
        let row: Vec<f32> = tensor[5 * 16..6 * 16].iter().map(|value| (value + 1.0) * 127.5).collect();
        assert!(row[..8].iter().all(|value| *value == 0.0) && row[8..].is_sorted() && row[15] > 50.0, "{row:?}");
        assert_eq!(placement.to_frame(Point { x: 8.0, y: 0.0 }), Point { x: 0.0, y: 8.0 });
        // Of the place and size that it has inside the frame, nothing of the last window stays.
        let (tensor, placement) = letterbox.fill_window(&frame, &Rect::new(50.5, 30.0, 32.0, 32.0)).unwrap().unwrap();
        assert_eq!(tensor[..256].iter().filter(|value| **value > -1.0).count(), 6 * 9);
        assert_eq!(placement.to_frame(Point { x: 0.0, y: 0.0 }), Point { x: 50.5, y: 30.0 });
    }

    #[test]
    fn windows_without_a_pixel_of_the_picture_are_nothing() {
        let frame = Frame::from_rgb(64, 48, vec![200; 64 * 48 * 3]).unwrap();
        let mut letterbox = Letterbox::new(16);
        let outside = [
            Rect::new(-40.0, 0.0, 32.0, 32.0),
            Rect::new(64.0, 0.0, 32.0, 32.0),
            Rect::new(0.0, 1e9, 32.0, 32.0),
            Rect::new(f32::NAN, 0.0, 32.0, 32.0),
            Rect::new(0.0, 0.0, 0.0, 0.0),
            Rect::new(-1e30, -1e30, f32::INFINITY, f32::INFINITY),
        ];
        for window in outside {
            assert!(letterbox.fill_window(&frame, &window).unwrap().is_none(), "{window:?}");
        }
        for window in
            [Rect::new(0.0, 0.0, 1e-3, 1e-3), Rect::new(-1e6, -1e6, 2e6, 2e6), Rect::new(63.9, 47.9, 9.0, 9.0)]
        {
            letterbox.fill_window(&frame, &window).unwrap();
        }
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
