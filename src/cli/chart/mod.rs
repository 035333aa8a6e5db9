//! What the charts of `eval` and `bench` share: the file they go to, their colours, axes and lines of text.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
pub(in crate::cli) use axis::ChartAxis;
use facelens_base::atomic_file::{self, Access};
use facelens_core::geometry::Point;
use facelens_session::overlay::{Color, Scene, Shape, TextSize, paint_on_picture, to_svg};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};

use super::output::usage;

mod axis;

/// The background.
pub(in crate::cli) const PAPER: Color = Color::opaque(255, 255, 255);
/// Text and axes.
pub(in crate::cli) const INK: Color = Color::opaque(0x1b, 0x24, 0x30);
/// Text that explains.
pub(in crate::cli) const DIM: Color = Color::opaque(0x52, 0x5f, 0x6e);
/// Lines behind a plot.
pub(in crate::cli) const GRID: Color = Color::opaque(0xdd, 0xe2, 0xe8);
/// Okabe and Ito, "Color Universal Design" (2008): told apart with any kind of colour vision.
pub(in crate::cli) const BLUE: Color = Color::opaque(0x00, 0x72, 0xb2);
pub(in crate::cli) const VERMILION: Color = Color::opaque(0xd5, 0x5e, 0x00);
pub(in crate::cli) const GREEN: Color = Color::opaque(0x00, 0x9e, 0x73);
pub(in crate::cli) const PURPLE: Color = Color::opaque(0xa8, 0x4f, 0x82);
pub(in crate::cli) const GREY: Color = Color::opaque(0x6b, 0x77, 0x85);

/// Pixels of a PNG for a point: it stays crisp where it is shown large.
const PNG_SCALE: f32 = 2.0;

/// Where a chart goes; the ending says as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFile {
    path: PathBuf,
    format: ChartFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChartFormat {
    Svg,
    Png,
}

impl TryFrom<OsString> for ChartFile {
    type Error = String;

    fn try_from(text: OsString) -> Result<Self, String> {
        let path = PathBuf::from(text);
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        let format = match ending.to_str() {
            Some("svg") => ChartFormat::Svg,
            Some("png") => ChartFormat::Png,
            _ => return Err("a chart is written to FILE.svg or FILE.png".to_owned()),
        };
        Ok(Self { path, format })
    }
}

impl ChartFile {
    /// Whether the folder is there, to be asked before a long measurement.
    ///
    /// # Errors
    /// Names the file and the missing folder.
    pub(in crate::cli) fn check_folder(&self) -> anyhow::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        ensure!(
            folder.is_dir(),
            "{}: there is no folder {}; make it, or choose another file",
            self.path.display(),
            folder.display()
        );
        Ok(())
    }

    /// Whether the file is none of the measurement's `inputs`.
    ///
    /// # Errors
    /// Names the file.
    pub(in crate::cli) fn check_inputs(&self, mut inputs: impl Iterator<Item = PathBuf>) -> anyhow::Result<()> {
        if self.path.exists() && inputs.any(|input| atomic_file::is_same_file(&input, &self.path)) {
            let words = "it is an input and cannot be the chart; choose another --chart";
            return Err(usage(format!("{}: {words}", self.path.display())));
        }
        Ok(())
    }

    /// Writes a chart.
    ///
    /// # Errors
    /// Names the file and why it cannot be written.
    pub(in crate::cli) fn write(&self, chart: &Scene) -> anyhow::Result<()> {
        let bytes = match self.format {
            ChartFormat::Svg => to_svg(chart).into_bytes(),
            ChartFormat::Png => png(chart)?,
        };
        atomic_file::write(&self.path, &bytes, Access::Usual).map_err(|error| {
            anyhow!("{}: cannot be written ({}); choose another file", self.path.display(), atomic_file::cause(&error))
        })
    }
}

fn png(scene: &Scene) -> anyhow::Result<Vec<u8>> {
    let (width, height) = ((scene.width * PNG_SCALE) as u32, (scene.height * PNG_SCALE) as u32);
    let mut rgb = vec![255; width as usize * height as usize * 3];
    paint_on_picture(scene, &mut rgb, width, height);
    let mut png = Vec::new();
    let encoder = PngEncoder::new(&mut png);
    encoder.write_image(&rgb, width, height, ExtendedColorType::Rgb8).context("the chart cannot be encoded")?;
    Ok(png)
}

/// Where a text's place lies in it.
#[derive(Clone, Copy)]
pub(in crate::cli) enum Anchor {
    Start,
    Middle,
    End,
}

/// One line of text with its top at `y`.
pub(in crate::cli) fn text(words: &str, x: f32, y: f32, size: f32, color: Color, anchor: Anchor) -> Shape {
    let width = TextSize::of(words, size).width;
    let left = match anchor {
        Anchor::Start => x,
        Anchor::Middle => x - width / 2.0,
        Anchor::End => x - width,
    };
    Shape::Text { at: Point { x: left, y }, text: words.to_owned(), size, color }
}

/// A line of text, set smaller where it would be too wide, and cut where it would be too small to read.
pub(in crate::cli) fn fitted(words: &str, x: f32, y: f32, size: f32, color: Color, room: f32) -> Shape {
    const SMALLEST: f32 = 0.6;
    let width = TextSize::of(words, size).width;
    let scale = (room / width.max(1.0)).min(1.0);
    if scale >= SMALLEST {
        return text(words, x, y, size * scale, color, Anchor::Start);
    }
    let keep = (words.chars().count() as f32 * scale / SMALLEST) as usize;
    let cut: String = words.chars().take(keep.saturating_sub(2)).chain(['…']).collect();
    Shape::Text { at: Point { x, y }, text: cut, size: size * SMALLEST, color }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_the_format() {
        assert_eq!(ChartFile::try_from(OsString::from("a/b.SVG")).unwrap().format, ChartFormat::Svg);
        assert_eq!(ChartFile::try_from(OsString::from("b.png")).unwrap().format, ChartFormat::Png);
        for wrong in ["b.pdf", "b", ""] {
            assert!(
                ChartFile::try_from(OsString::from(wrong)).unwrap_err().contains("FILE.svg or FILE.png"),
                "{wrong}"
            );
        }
    }
}
