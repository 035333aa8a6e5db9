//! A picture as the bytes that a device takes: scaled to the device's size, in its kind of pixels.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use yuv::{BufferStoreMut, YuvBiPlanarImageMut, YuvConversionMode, YuvPlanarImageMut};

use super::driver::{DeviceFormat, OutputPixels};
use crate::camera::{MATRIX, RANGE};

/// How exactly colours are converted.
const MODE: YuvConversionMode = YuvConversionMode::Balanced;

/// Lays out one picture after the other in the same memory.
#[derive(Default)]
pub(super) struct Layouter {
    resizer: Resizer,
    /// A picture that had another size, with black bars.
    canvas: Vec<u8>,
    /// Y, U and V before they are mixed.
    planes: Vec<u8>,
    bytes: Vec<u8>,
}

impl Layouter {
    /// What was laid out last; empty where nothing was.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Lays out a picture of `size`: tightly packed RGB8.
    ///
    /// # Errors
    /// In words: pixels that do not make a picture of this size.
    pub(super) fn lay_out(&mut self, rgb: &[u8], size: (u32, u32), format: &DeviceFormat) -> Result<(), String> {
        let (width, height) = size;
        if width == 0 || height == 0 || rgb.len() != width as usize * height as usize * 3 {
            return Err(format!("{} bytes are no {width}x{height} image", rgb.len()));
        }
        let mut canvas = std::mem::take(&mut self.canvas);
        let fitting = if size == (format.width, format.height) {
            Ok(rgb)
        } else {
            self.fit(rgb, size, format, &mut canvas).map(|()| &canvas[..])
        };
        let laid_out = fitting.and_then(|rgb| self.convert(rgb, format));
        self.canvas = canvas;
        laid_out
    }

    /// Scales the picture into the middle of a black one.
    fn fit(
        &mut self,
        rgb: &[u8],
        (width, height): (u32, u32),
        format: &DeviceFormat,
        canvas: &mut Vec<u8>,
    ) -> Result<(), String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let inside = inside((width, height), (format.width, format.height));
        let source = ImageRef::new(width, height, rgb, PixelType::U8x3).map_err(|error| words(&error))?;
        let mut scaled = Image::new(inside.0, inside.1, PixelType::U8x3);
        // An image can shrink to a fiftieth here: each of its pixels counts then.
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        self.resizer.resize(&source, &mut scaled, &options).map_err(|error| words(&error))?;
        let row = |width: u32| width as usize * 3;
        canvas.clear();
        canvas.resize(row(format.width) * format.height as usize, 0);
        let (left, top) = ((format.width - inside.0) / 2, (format.height - inside.1) / 2);
        let rows = canvas.chunks_exact_mut(row(format.width)).skip(top as usize);
        for (to, from) in rows.zip(scaled.buffer().chunks_exact(row(inside.0))) {
            to[row(left)..row(left + inside.0)].copy_from_slice(from);
        }
        Ok(())
    }

    fn convert(&mut self, rgb: &[u8], format: &DeviceFormat) -> Result<(), String> {
        let DeviceFormat { pixels, width, height, stride } = *format;
        let (row, rows) = (stride as usize, height as usize);
        let bytes = match pixels {
            OutputPixels::Nv12 | OutputPixels::I420 => row * rows * 3 / 2,
            OutputPixels::Yuyv | OutputPixels::Rgb => row * rows,
        };
        self.bytes.resize(bytes, 0);
        let converted = match pixels {
            OutputPixels::Rgb => {
                let tight = width as usize * 3;
                for (to, from) in self.bytes.chunks_exact_mut(row).zip(rgb.chunks_exact(tight)) {
                    to[..tight].copy_from_slice(from);
                }
                return Ok(());
            }
            OutputPixels::Yuyv => return self.yuyv(rgb, format),
            OutputPixels::Nv12 => {
                let (y_plane, uv_plane) = self.bytes.split_at_mut(row * rows);
                let mut image = YuvBiPlanarImageMut {
                    y_plane: BufferStoreMut::Borrowed(y_plane),
                    y_stride: stride,
                    uv_plane: BufferStoreMut::Borrowed(uv_plane),
                    uv_stride: stride,
                    width,
                    height,
                };
                yuv::rgb_to_yuv_nv12(&mut image, rgb, width * 3, RANGE, MATRIX, MODE)
            }
            OutputPixels::I420 => {
                let mut image = planar(&mut self.bytes, (width, height), stride, row * rows / 4);
                yuv::rgb_to_yuv420(&mut image, rgb, width * 3, RANGE, MATRIX, MODE)
            }
        };
        converted.map_err(|error| error.to_string())
    }

    fn yuyv(&mut self, rgb: &[u8], format: &DeviceFormat) -> Result<(), String> {
        let (width, pixels) = (format.width as usize, format.width as usize * format.height as usize);
        self.planes.resize(pixels * 2, 0);
        let mut image = planar(&mut self.planes, (format.width, format.height), format.width, pixels / 2);
        yuv::rgb_to_yuv422(&mut image, rgb, format.width * 3, RANGE, MATRIX, MODE)
            .map_err(|error| error.to_string())?;
        let (y, colors) = self.planes.split_at(pixels);
        let (u, v) = colors.split_at(pixels / 2);
        let colors = u.chunks_exact(width / 2).zip(v.chunks_exact(width / 2));
        let rows = self.bytes.chunks_exact_mut(format.stride as usize);
        for ((to, y), (u, v)) in rows.zip(y.chunks_exact(width)).zip(colors) {
            let pairs = y.as_chunks::<2>().0.iter().zip(u.iter().zip(v));
            for (pair, (&[first, second], (&u, &v))) in to.as_chunks_mut::<4>().0.iter_mut().zip(pairs) {
                *pair = [first, u, second, v];
            }
        }
        Ok(())
    }
}

/// Three planes in `bytes`: Y with this stride, then U and V, with half of it and of `color_bytes` each.
fn planar(bytes: &mut [u8], (width, height): (u32, u32), stride: u32, color_bytes: usize) -> YuvPlanarImageMut<'_, u8> {
    let (y_plane, colors) = bytes.split_at_mut(stride as usize * height as usize);
    let (u_plane, v_plane) = colors.split_at_mut(color_bytes);
    YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y_plane),
        y_stride: stride,
        u_plane: BufferStoreMut::Borrowed(u_plane),
        u_stride: stride / 2,
        v_plane: BufferStoreMut::Borrowed(v_plane),
        v_stride: stride / 2,
        width,
        height,
    }
}

/// The largest size with the sides of `size` in `room`, in whole pixels.
fn inside((width, height): (u32, u32), room: (u32, u32)) -> (u32, u32) {
    let scale = (f64::from(room.0) / f64::from(width)).min(f64::from(room.1) / f64::from(height));
    let side = |side: u32, most: u32| ((f64::from(side) * scale).round() as u32).clamp(1, most);
    (side(width, room.0), side(height, room.1))
}

#[cfg(test)]
mod tests {
    use facelens_core::frame::Frame;

    use super::*;
    use crate::{CameraPixels, decode_camera_picture};

    fn format(pixels: OutputPixels, width: u32, height: u32, padding: u32) -> DeviceFormat {
        DeviceFormat { pixels, width, height, stride: width * pixels.bytes() + padding }
    }

    /// A picture whose colours change slowly.
    fn ramp(width: u32, height: u32) -> Vec<u8> {
        let pixel = |x: u32, y: u32| [(40 + x * 4) as u8, (200 - y * 4) as u8, 90];
        (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect()
    }

    fn worst(a: &[u8], b: &[u8]) -> u8 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    }

    #[test]
    fn every_kind_of_pixels_reads_back_as_the_picture() {
        let rgb = ramp(32, 24);
        let kinds = [
            (OutputPixels::Yuyv, CameraPixels::Yuyv),
            (OutputPixels::Nv12, CameraPixels::Nv12),
            (OutputPixels::I420, CameraPixels::I420),
            (OutputPixels::Rgb, CameraPixels::Rgb),
        ];
        for (pixels, read_as) in kinds {
            let mut layouter = Layouter::default();
            layouter.lay_out(&rgb, (32, 24), &format(pixels, 32, 24, 0)).unwrap();
            let back: Frame = decode_camera_picture(read_as, 32, 24, layouter.bytes()).unwrap();
            let tolerance = if pixels == OutputPixels::Rgb { 0 } else { 6 };
            assert!(worst(back.rgb(), &rgb) <= tolerance, "{pixels:?}: {}", worst(back.rgb(), &rgb));
            // The rows of a driver with longer ones hold the same.
            let mut padded = Layouter::default();
            let long = format(pixels, 32, 24, 16);
            padded.lay_out(&rgb, (32, 24), &long).unwrap();
            let tight = 32 * pixels.bytes() as usize;
            for (row, expected) in
                padded.bytes().chunks(long.stride as usize).zip(layouter.bytes().chunks(tight)).take(24)
            {
                assert_eq!(row[..tight], expected[..tight], "{pixels:?}");
            }
        }
    }

    #[test]
    fn another_size_is_scaled_with_black_bars_and_black_is_black() {
        let mut layouter = Layouter::default();
        let device = format(OutputPixels::Rgb, 40, 20, 0);
        layouter.lay_out(&vec![200; 30 * 30 * 3], (30, 30), &device).unwrap();
        let row = &layouter.bytes()[10 * 120..11 * 120];
        // 20 of 40 pixels are the picture, in the middle.
        assert!(row[..30].iter().chain(&row[90..]).all(|byte| *byte == 0), "{row:?}");
        assert!(row[30..90].iter().all(|byte| *byte == 200), "{row:?}");
        layouter.lay_out(&[0; 3], (1, 1), &device).unwrap();
        assert!(layouter.bytes().iter().all(|byte| *byte == 0));
        let yuyv = format(OutputPixels::Yuyv, 40, 20, 0);
        layouter.lay_out(&[0; 3], (1, 1), &yuyv).unwrap();
        assert!(layouter.bytes().as_chunks::<4>().0.iter().all(|pair| *pair == [16, 128, 16, 128]));
    }

    #[test]
    fn what_is_no_picture_is_refused_and_the_last_one_stays() {
        let mut layouter = Layouter::default();
        let device = format(OutputPixels::Rgb, 4, 4, 0);
        layouter.lay_out(&[9; 48], (4, 4), &device).unwrap();
        for (bytes, size) in [(47, (4, 4)), (0, (0, 4)), (48, (4, 5))] {
            assert!(layouter.lay_out(&vec![0; bytes], size, &device).is_err(), "{bytes} {size:?}");
        }
        assert_eq!(layouter.bytes(), [9; 48]);
    }

    #[test]
    fn a_picture_keeps_its_sides() {
        assert_eq!(inside((640, 480), (1280, 720)), (960, 720));
        assert_eq!(inside((1920, 1080), (1280, 720)), (1280, 720));
        assert_eq!(inside((1, 1000), (1280, 720)), (1, 720));
        assert_eq!(inside((100_000, 1), (2, 2)), (2, 1));
    }
}
