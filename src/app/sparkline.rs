//! Small histories: a fixed scale and a fixed span of time, so that nothing moves but the line.

use eframe::egui::{self, Color32, Rect, Shape, Stroke, pos2};

use super::people::{AgeSample, HISTORY_SECS};
use super::theme;

/// Age runs from 0 to this, years.
const AGE_TOP: f32 = 80.0;
/// Angles run from minus this to this, degrees.
const ANGLE_TOP: f32 = 60.0;

/// Paints age with its range as a band.
pub(crate) fn age<'a>(
    painter: &egui::Painter,
    rect: Rect,
    now: f32,
    samples: &(impl Iterator<Item = &'a AgeSample> + Clone),
    color: Color32,
) {
    ground(painter, rect);
    let y = |years: f32| rect.bottom() - rect.height() * (years / AGE_TOP).clamp(0.0, 1.0);
    for decade in [20.0, 40.0, 60.0] {
        painter.hline(rect.x_range(), y(decade), Stroke::new(1.0, theme::DARK.line.gamma_multiply(0.6)));
    }
    let painter = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
    for pair in pairs(samples) {
        let [(a, from), (b, to)] = pair.map(|sample| (x(rect, now, sample.at), sample.age));
        if let (Some(from), Some(to)) = (from, to) {
            painter.add(Shape::convex_polygon(
                vec![pos2(a, y(from.high)), pos2(b, y(to.high)), pos2(b, y(to.low)), pos2(a, y(from.low))],
                color.gamma_multiply(0.25),
                Stroke::NONE,
            ));
        }
    }
    line(&painter, rect, now, samples.clone(), color, |sample| sample.age.map(|age| y(age.years)));
}

/// Paints yaw, pitch and roll.
pub(crate) fn pose<'a>(
    painter: &egui::Painter,
    rect: Rect,
    now: f32,
    samples: &(impl Iterator<Item = &'a AgeSample> + Clone),
) {
    ground(painter, rect);
    let y = |degrees: f32| rect.center().y - rect.height() / 2.0 * (degrees / ANGLE_TOP).clamp(-1.0, 1.0);
    painter.hline(rect.x_range(), y(0.0), Stroke::new(1.0, theme::DARK.line));
    let painter = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
    for (place, color) in theme::DARK.angles.into_iter().enumerate() {
        let angle = |sample: &AgeSample| sample.pose.map(|pose| [pose.yaw, pose.pitch, pose.roll][place]);
        for run in unwrapped(samples.clone(), angle) {
            line(&painter, rect, now, run.into_iter(), color, |sample| angle(sample).map(y));
        }
    }
}

/// The samples in runs within which an angle does not go over 180 degrees: the line does not cross the whole scale there.
fn unwrapped<'a>(
    samples: impl Iterator<Item = &'a AgeSample>,
    angle: impl Fn(&AgeSample) -> Option<f32>,
) -> Vec<Vec<&'a AgeSample>> {
    let mut runs: Vec<Vec<&AgeSample>> = Vec::new();
    let mut last = None;
    for sample in samples {
        let next = angle(sample);
        let wraps = last.zip(next).is_some_and(|(last, next): (f32, f32)| (next - last).abs() > 180.0);
        match runs.last_mut().filter(|_| !wraps) {
            Some(run) => run.push(sample),
            None => runs.push(vec![sample]),
        }
        last = next;
    }
    runs
}

fn ground(painter: &egui::Painter, rect: Rect) {
    painter.rect_filled(rect, 4.0, theme::DARK.stage);
}

/// Where a moment stands: now is the right edge.
fn x(rect: Rect, now: f32, at: f32) -> f32 {
    rect.right() - rect.width() * (now - at) / HISTORY_SECS
}

/// Neighbours that belong together.
fn pairs<'a>(samples: &(impl Iterator<Item = &'a AgeSample> + Clone)) -> impl Iterator<Item = [&'a AgeSample; 2]> {
    samples.clone().zip(samples.clone().skip(1)).filter(|(_, b)| !b.after_gap).map(|(a, b)| [a, b])
}

fn line<'a>(
    painter: &egui::Painter,
    rect: Rect,
    now: f32,
    samples: impl Iterator<Item = &'a AgeSample>,
    color: Color32,
    y: impl Fn(&AgeSample) -> Option<f32>,
) {
    let stroke = Stroke::new(1.5, color);
    let mut points = Vec::new();
    let end = |points: &mut Vec<egui::Pos2>| {
        if points.len() > 1 {
            painter.line(std::mem::take(points), stroke);
        } else {
            points.clear();
        }
    };
    for sample in samples {
        if sample.after_gap {
            end(&mut points);
        }
        match y(sample) {
            Some(y) => points.push(pos2(x(rect, now, sample.at), y)),
            None => end(&mut points),
        }
    }
    end(&mut points);
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::Pose;
    use facelens_core::track::Age;

    use super::*;

    #[test]
    fn now_is_the_right_edge_and_the_span_is_the_width() {
        let rect = Rect::from_min_size(pos2(10.0, 0.0), egui::vec2(100.0, 20.0));
        assert_eq!(x(rect, 50.0, 50.0), 110.0);
        assert_eq!(x(rect, 50.0, 50.0 - HISTORY_SECS), 10.0);
    }

    #[test]
    fn an_angle_that_goes_over_180_degrees_breaks_the_line() {
        let rolled =
            |roll| AgeSample { at: 0.0, age: None, pose: Some(Pose { roll, ..Pose::default() }), after_gap: false };
        let samples = [rolled(170.0), rolled(178.0), rolled(-177.0), rolled(-170.0), rolled(-20.0)];
        let runs = unwrapped(samples.iter(), |sample| sample.pose.map(|pose| pose.roll));
        assert_eq!(runs.iter().map(Vec::len).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn an_absence_breaks_the_line() {
        let sample =
            |at| AgeSample { at, age: Some(Age { years: 30.0, low: 26.0, high: 36.0 }), pose: None, after_gap: false };
        let samples = [sample(0.0), sample(0.7), AgeSample { after_gap: true, ..sample(5.0) }, sample(5.1)];
        assert_eq!(pairs(&samples.iter()).count(), 2);
    }
}
