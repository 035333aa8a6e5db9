//! A camera's bytes as RGB8.

pub(super) mod layout;
mod raw;

use std::borrow::Cow;

use facelens_core::frame::{self, Frame};
use yuv::{YuvRange, YuvStandardMatrix};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::format::{CameraPixels, Format};
use crate::jpeg::{self, Data};

/// What V4L2, AVFoundation and Media Foundation mean by YUV where they say nothing else.
pub(crate) const RANGE: YuvRange = YuvRange::Limited;
pub(crate) const MATRIX: YuvStandardMatrix = YuvStandardMatrix::Bt601;

/// How a driver lays out its pictures, beside their format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameLayout {
    /// Bytes from one row to the next, where the driver says it.
    pub stride: Option<u32>,
    /// YUV in the full range of a byte.
    pub full_range: bool,
    /// YUV as in HD television (BT.709).
    pub hd: bool,
}

impl FrameLayout {
    /// Rows without padding, colours as usual.
    pub(super) const PLAIN: Self = Self { stride: None, full_range: false, hd: false };
}

/// Decodes a camera's pictures one after the other.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// Of two bytes of grey, the highest bit that was ever set: cameras fill 10, 12, 14 or 16 of them.
    depth: u32,
    /// JPEGs in a row whose data look damaged.
    suspects: u32,
}

/// A camera of which so many JPEGs in a row look damaged writes them in a way of its own, and they are shown.
const MAX_SUSPECTS: u32 = 60;

impl Decoder {
    /// Decodes one picture.
    ///
    /// # Errors
    /// What is wrong with the bytes, in words. The next picture may be whole.
    pub(super) fn decode(&mut self, format: Format, layout: FrameLayout, bytes: &[u8]) -> Result<Frame, String> {
        match format.pixels {
            CameraPixels::Mjpeg => self.decode_jpeg(bytes),
            CameraPixels::H264 => Err("H.264 is no picture by itself".to_owned()),
            _ => raw::decode(format, layout, bytes, &mut self.depth),
        }
    }

    /// A JPEG, which cameras pack into rubbish before and behind. One that is not whole is an error.
    fn decode_jpeg(&mut self, bytes: &[u8]) -> Result<Frame, String> {
        let begin = bytes.windows(3).position(|head| head == [0xff, 0xd8, 0xff]).ok_or("there is no JPEG in it")?;
        let bytes = &bytes[begin..];
        match jpeg::look(bytes) {
            Data::Whole => self.suspects = 0,
            Data::Cut => return Err("its JPEG breaks off".to_owned()),
            Data::Damaged if self.suspects < MAX_SUSPECTS => {
                self.suspects += 1;
                return Err("its JPEG is damaged".to_owned());
            }
            Data::Damaged => {}
        }
        pixels_of_jpeg(bytes)
    }
}

fn pixels_of_jpeg(bytes: &[u8]) -> Result<Frame, String> {
    let bytes = with_tables(bytes);
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&*bytes), options);
    decoder.decode_headers().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("the picture has no size")?;
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let (width, height) = (side(width), side(height));
    Frame::check_size(width, height).map_err(|error| error.to_string())?;
    let mut rgb = frame::buffer(width as usize * height as usize * 3);
    // What the decoder leaves out is black, not what an older picture showed there.
    rgb.fill(0);
    decoder.decode_into(&mut rgb).map_err(|error| error.to_string())?;
    Frame::from_rgb(width, height, rgb).map_err(|error| error.to_string())
}

/// Many webcams leave the Huffman tables out, as Motion JPEG in AVI does: they are marked as that, and the decoder
/// takes the tables of the JPEG standard.
fn with_tables(bytes: &[u8]) -> Cow<'_, [u8]> {
    const MARK: [u8; 10] = [0xff, 0xe0, 0, 8, b'A', b'V', b'I', b'1', 0, 0];
    let header = &bytes[..bytes.len().min(4096)];
    let header = &header[..header.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap_or(header.len())];
    if !bytes.starts_with(&[0xff, 0xd8]) || header.windows(2).any(|pair| pair == [0xff, 0xc4]) {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned([&bytes[..2], &MARK, &bytes[2..]].concat())
}

#[cfg(test)]
mod tests;
