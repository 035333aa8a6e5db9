//! The figures of `eval` as a picture, for people who would rather look than read: errors by age, by gender and by yaw.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use facelens_base::atomic_file::{self, Access};
use facelens_core::geometry::{Point, Rect};
use facelens_core::model::{ModelSet, Task, task_words};
use facelens_session::overlay::{Color, Scene, Shape, TextSize, paint_on_picture, to_svg};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use panel::{Anchor, DIM, INK, grouped, text};

use super::metrics::{EvalMetrics, EvalSample};
use crate::cli::output::usage;

mod axis;
mod content;
mod panel;
#[cfg(test)]
mod tests;

/// Width of the chart in points.
const WIDTH: f32 = 1240.0;
/// Height of a row of panels in points.
const ROW: f32 = 374.0;
const MARGIN: f32 = 40.0;
/// Between two panels in a row, and between two rows.
const GAP: f32 = 32.0;
const TITLE: f32 = 25.0;
const SUBTITLE: f32 = 15.0;
/// Height of title and subtitle with the room below.
const HEAD: f32 = 88.0;
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
    pub(super) fn check_folder(&self) -> anyhow::Result<()> {
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
    pub(super) fn check_inputs(&self, mut inputs: impl Iterator<Item = PathBuf>) -> anyhow::Result<()> {
        if self.path.exists() && inputs.any(|input| atomic_file::is_same_file(&input, &self.path)) {
            let words = "it is an input and cannot be the chart; choose another --chart";
            return Err(usage(format!("{}: {words}", self.path.display())));
        }
        Ok(())
    }

    /// Draws the chart and writes it.
    ///
    /// # Errors
    /// Names the file and why it cannot be written.
    pub(super) fn write(&self, chart: &Chart) -> anyhow::Result<()> {
        let scene = chart.scene();
        let bytes = match self.format {
            ChartFormat::Svg => to_svg(&scene).into_bytes(),
            ChartFormat::Png => png(&scene)?,
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

/// What a chart is about.
pub(super) struct Chart<'a> {
    /// The models that were measured.
    pub models: &'a ModelSet,
    /// Where faces came from: the detector's name or `ready crops`.
    pub faces: &'a str,
    /// Name of the file of labels.
    pub labels: &'a str,
    /// Every picture that was read.
    pub samples: &'a [EvalSample<'a>],
    /// The figures over all of them.
    pub all: &'a EvalMetrics,
}

impl Chart<'_> {
    fn scene(&self) -> Scene {
        let rows = content::rows(self.samples, self.all);
        let count = rows.len() as f32;
        let height = MARGIN + HEAD + count * ROW + (count - 1.0).max(0.0) * GAP + MARGIN / 2.0;
        let paper = Rect::new(0.0, 0.0, WIDTH, height);
        let white = Some(Color::opaque(255, 255, 255));
        let mut shapes = vec![Shape::Rect { rect: paper, radius: 0.0, fill: white, stroke: None }];
        let room = WIDTH - 2.0 * MARGIN;
        shapes.push(fitted(&self.title(), MARGIN, MARGIN, TITLE, INK, room));
        shapes.push(fitted(&self.subtitle(), MARGIN, MARGIN + 38.0, SUBTITLE, DIM, room));
        let width = (room - GAP) / 2.0;
        for (row, panels) in rows.iter().enumerate() {
            let y = MARGIN + HEAD + row as f32 * (ROW + GAP);
            for (column, panel) in panels.iter().enumerate() {
                let x = MARGIN + column as f32 * (width + GAP);
                panel::draw(panel, Rect::new(x, y, width, ROW), &mut shapes);
            }
        }
        Scene { width: WIDTH, height, shapes }
    }

    /// `Age and gender: NAME · pose: A + B`.
    fn title(&self) -> String {
        let mut parts: Vec<(Vec<_>, String)> = Vec::new();
        let measured = [self.all.age.is_some(), self.all.gender.is_some(), self.all.pose.is_some()];
        for (task, _) in Task::ALL.into_iter().zip(measured).filter(|(_, measured)| *measured) {
            let names: Vec<_> = self.models.of(task).iter().map(|model| model.card.name.as_str()).collect();
            let names = names.join(" + ");
            match parts.iter_mut().find(|(_, known)| *known == names) {
                Some((tasks, _)) => tasks.push(task),
                None => parts.push((vec![task], names)),
            }
        }
        let words: Vec<_> = parts.iter().map(|(tasks, names)| format!("{}: {names}", task_words(tasks))).collect();
        let words = words.join(" · ");
        let first = words.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        format!("{first}{}", words.chars().skip(1).collect::<String>())
    }

    fn subtitle(&self) -> String {
        format!(
            "{} images of {}, {}; a face found in {:.1} %. Thin lines: 95 % intervals.",
            grouped(self.all.n),
            self.labels,
            self.faces,
            self.all.detected * 100.0
        )
    }
}

/// A line of text, set smaller where it would be too wide, and cut where it would be too small to read.
fn fitted(words: &str, x: f32, y: f32, size: f32, color: Color, room: f32) -> Shape {
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
