//! Decoded pictures as RGB: colours, square pixels, upright.

use facelens_core::frame::{self, Frame};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use openh264::decoder::DecodedYUV;
use openh264::formats::YUVSource as _;
use yuv::{YuvPlanarImage, YuvRange, YuvStandardMatrix};

use super::super::mp4::PixelAspect;
use super::super::sps::Sps;

/// How the decoder's pictures become frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversion {
    matrix: YuvStandardMatrix,
    range: YuvRange,
    pixel_aspect: Option<PixelAspect>,
    orientation: Orientation,
}

impl Conversion {
    /// For pictures of this parameter set; what the container says of their pixels counts more than what the set says.
    pub(super) fn new(sps: &Sps, pixel_aspect: Option<PixelAspect>, orientation: Orientation) -> Self {
        // ITU-T H.264, table E-5; where nothing is said, players take BT.709 for HD.
        let matrix = match sps.matrix {
            Some(1) => YuvStandardMatrix::Bt709,
            Some(4..=6) => YuvStandardMatrix::Bt601,
            Some(7) => YuvStandardMatrix::Smpte240,
            Some(9 | 10) => YuvStandardMatrix::Bt2020,
            _ if sps.height >= 720 => YuvStandardMatrix::Bt709,
            _ => YuvStandardMatrix::Bt601,
        };
        let range = if sps.full_range { YuvRange::Full } else { YuvRange::Limited };
        let of_set = || sps.pixel_aspect.and_then(|(width, height)| PixelAspect::new(width, height));
        Self { matrix, range, pixel_aspect: pixel_aspect.or_else(of_set), orientation }
    }

    /// The frame of a picture.
    pub(super) fn frame(&self, picture: &DecodedYUV<'_>) -> Result<Frame, String> {
        let (width, height) = picture.dimensions();
        let (y_stride, u_stride, v_stride) = picture.strides();
        let (width, height) = (width as u32, height as u32);
        Frame::check_size(width, height).map_err(|error| error.to_string())?;
        let planes = YuvPlanarImage {
            y_plane: picture.y(),
            y_stride: y_stride as u32,
            u_plane: picture.u(),
            u_stride: u_stride as u32,
            v_plane: picture.v(),
            v_stride: v_stride as u32,
            width,
            height,
        };
        let mut rgb = frame::buffer(width as usize * height as usize * 3);
        yuv::yuv420_to_rgb(&planes, &mut rgb, width * 3, self.range, self.matrix).map_err(|error| error.to_string())?;
        let (width, height, rgb) = self.squared(width, height, rgb)?;
        let (width, height, rgb) = self.upright(width, height, rgb)?;
        Frame::from_rgb(width, height, rgb).map_err(|error| error.to_string())
    }

    fn squared(&self, width: u32, height: u32, rgb: Vec<u8>) -> Result<(u32, u32, Vec<u8>), String> {
        let Some(aspect) = self.pixel_aspect else { return Ok((width, height, rgb)) };
        let (to_width, to_height) = aspect.squared(width, height);
        Frame::check_size(to_width, to_height).map_err(|error| error.to_string())?;
        let from = ImageRef::new(width, height, &rgb, PixelType::U8x3).map_err(|error| error.to_string())?;
        let mut to = Image::new(to_width, to_height, PixelType::U8x3);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        Resizer::new().resize(&from, &mut to, &options).map_err(|error| error.to_string())?;
        Ok((to_width, to_height, to.into_vec()))
    }

    fn upright(&self, width: u32, height: u32, rgb: Vec<u8>) -> Result<(u32, u32, Vec<u8>), String> {
        if self.orientation == Orientation::NoTransforms {
            return Ok((width, height, rgb));
        }
        let picture = RgbImage::from_raw(width, height, rgb).ok_or("its frame has a wrong size")?;
        let mut picture = DynamicImage::ImageRgb8(picture);
        picture.apply_orientation(self.orientation);
        Ok((picture.width(), picture.height(), picture.into_rgb8().into_raw()))
    }
}
