//! One picture on its way from a source to the screen.

mod buffers;
mod sampler;
mod turn;

use std::sync::Arc;
use std::time::{Duration, Instant};

use buffers::PixelBuffer;
pub use buffers::buffer;
pub use sampler::Sampler;

/// The longest side that a picture may have, in pixels. A larger one is refused before memory is taken for it.
pub const MAX_SIDE: u32 = 16_384;

/// The most pixels that a picture may have (64 megapixels: 192 MiB as RGB8).
pub const MAX_PIXELS: u64 = 64 * 1024 * 1024;

/// An RGB8 picture with its capture time. Passed around as `Arc<Frame>`; its pixels never change after capture.
#[derive(Clone)]
pub struct Frame {
    width: u32,
    height: u32,
    rgb: PixelBuffer,
    /// Number of the frame in its source, from 0. Frames that were dropped leave gaps.
    pub sequence: u64,
    /// Time since the first frame of the source: presentation time in a file, capture time from a camera.
    pub time: Duration,
    /// When the frame arrived on this machine; the live delay is counted from here.
    pub captured_at: Instant,
    /// The picture's own name, where a source holds several (a folder of pictures).
    pub name: Option<Arc<str>>,
}

/// Why pixels do not make a [`Frame`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FrameError {
    /// A side is zero.
    #[error("the image is empty ({width}x{height})")]
    Empty {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// More than [`MAX_SIDE`] or [`MAX_PIXELS`].
    #[error("the image is too large ({width}x{height}); at most {MAX_SIDE} pixels a side and 64 megapixels are read")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// The buffer's length is not width x height x 3.
    #[error("a {width}x{height} image has {got} bytes instead of {expected}")]
    WrongLength {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Bytes found.
        got: usize,
        /// Bytes needed.
        expected: usize,
    },
}

impl Frame {
    /// Checks that a picture of this size may be read at all. Call it with a header's size before decoding.
    pub fn check_size(width: u32, height: u32) -> Result<(), FrameError> {
        if width == 0 || height == 0 {
            return Err(FrameError::Empty { width, height });
        }
        if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(FrameError::TooLarge { width, height });
        }
        Ok(())
    }

    /// A frame from tightly packed RGB8 rows, captured now, with sequence number and time zero.
    pub fn from_rgb(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, FrameError> {
        Self::check_size(width, height)?;
        let expected = width as usize * height as usize * 3;
        if rgb.len() != expected {
            return Err(FrameError::WrongLength { width, height, got: rgb.len(), expected });
        }
        let rgb = PixelBuffer::new(rgb);
        Ok(Self { width, height, rgb, sequence: 0, time: Duration::ZERO, captured_at: Instant::now(), name: None })
    }

    /// The same picture with its place in the source.
    #[must_use]
    pub fn at(mut self, sequence: u64, time: Duration) -> Self {
        (self.sequence, self.time) = (sequence, time);
        self
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Tightly packed rows of R, G, B bytes, top row first.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The pixel buffer itself.
    pub fn into_rgb(self) -> Vec<u8> {
        self.rgb.into_bytes()
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame")
            .field("width", &self.width)
            .field("height", &self.height)
            .field("sequence", &self.sequence)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked_before_memory_is_taken() {
        assert!(matches!(Frame::check_size(0, 5), Err(FrameError::Empty { .. })));
        assert!(matches!(Frame::check_size(20_000, 20_000), Err(FrameError::TooLarge { .. })));
        assert!(matches!(Frame::check_size(16_000, 16_000), Err(FrameError::TooLarge { .. })));
        assert!(Frame::check_size(3840, 2160).is_ok());
    }

    #[test]
    fn a_buffer_of_the_wrong_length_is_refused() {
        let error = Frame::from_rgb(2, 2, vec![0; 11]).unwrap_err();
        assert_eq!(error.to_string(), "a 2x2 image has 11 bytes instead of 12");
        assert_eq!(Frame::from_rgb(2, 2, vec![7; 12]).unwrap().rgb().len(), 12);
    }
}
