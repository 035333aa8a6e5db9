//! The figures of `eval` as a picture, for people who would rather look than read: errors by age, by gender and by yaw.

use facelens_core::geometry::Rect;
use facelens_core::model::{ModelSet, Task, task_words};
use facelens_session::overlay::{Scene, Shape};
use panel::grouped;

use super::metrics::{EvalMetrics, EvalSample};
use crate::cli::chart::{DIM, INK, PAPER, fitted};

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
    /// The chart drawn.
    pub(super) fn scene(&self) -> Scene {
        let rows = content::rows(self.samples, self.all);
        let count = rows.len() as f32;
        let height = MARGIN + HEAD + count * ROW + (count - 1.0).max(0.0) * GAP + MARGIN / 2.0;
        let paper = Rect::new(0.0, 0.0, WIDTH, height);
        let mut shapes = vec![Shape::Rect { rect: paper, radius: 0.0, fill: Some(PAPER), stroke: None }];
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
