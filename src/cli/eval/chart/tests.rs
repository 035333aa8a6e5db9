//! What the chart shows, and that it stays within its paper.

use facelens_core::estimate::{AgeEstimate, Estimate, GenderEstimate};
use facelens_core::geometry::Pose;
use facelens_core::model::Task;
use facelens_session::overlay::TextSize;

use super::content::{Panel, rows};
use super::*;
use crate::cli::eval::labels::{AgeLabel, Label};
use crate::cli::eval::metrics::RunningMean;

fn label(age: Option<AgeLabel>, male: Option<bool>, yaw: Option<f32>) -> Label {
    let pose = yaw.map(|yaw| Pose { yaw, ..Pose::default() });
    Label { file: "a".into(), age, male, pose }
}

fn sample(label: &Label, years: f32, male: f32, yaw: f32) -> EvalSample<'_> {
    let pose = Some(Pose { yaw, pitch: 2.0, roll: 0.0 });
    let estimate = Estimate {
        age: Some(AgeEstimate::plain(years)),
        gender: Some(GenderEstimate::Score(male)),
        pose,
        ..Estimate::default()
    };
    EvalSample { label, estimate: Some(estimate), scatter: None }
}

/// A face for each age, years off by `age / 10`, genders and poses going round.
fn labels(bins: bool) -> Vec<Label> {
    (0..120_u16)
        .map(|i| {
            let age = i % 90;
            let age = if bins {
                AgeLabel::Bin { min: age / 10 * 10, max: (age < 70).then_some(age / 10 * 10 + 9) }
            } else {
                AgeLabel::Years(f32::from(age))
            };
            label(Some(age), Some(i % 2 == 0), Some(f32::from(i % 13) * 10.0 - 60.0))
        })
        .collect()
}

fn samples(labels: &[Label]) -> Vec<EvalSample<'_>> {
    let each = labels.iter().enumerate();
    each.map(|(i, label)| sample(label, 30.0, (i % 3) as f32 / 2.0, label.pose.map_or(0.0, |pose| pose.yaw + 3.0)))
        .collect()
}

fn scene(samples: &[EvalSample]) -> Scene {
    let all = EvalMetrics::of(samples.iter(), &Task::ALL);
    let models = ModelSet::default();
    Chart { models: &models, faces: "ready crops", labels: "labels.csv", samples, all: &all }.scene()
}

fn values(panel: &Panel, series: usize) -> Vec<Option<f64>> {
    panel.series[series]
        .values
        .iter()
        .map(|mean| mean.map(|RunningMean { value, .. }| (value * 1e4).round() / 1e4))
        .collect()
}

#[test]
fn errors_and_biases_stand_by_age() {
    let labels = [2.0, 3.0, 50.0].map(|years| label(Some(AgeLabel::Years(years)), None, None));
    let samples =
        [sample(&labels[0], 12.0, 0.0, 0.0), sample(&labels[1], 1.0, 0.0, 0.0), sample(&labels[2], 40.0, 0.0, 0.0)];
    let rows = rows(&samples, &EvalMetrics::of(samples.iter(), &Task::ALL));
    let [far, bias] = rows[0].as_slice() else { panic!("{rows:?}") };
    let names: Vec<_> = far.categories.iter().map(|category| (category.name.as_str(), category.n)).collect();
    assert_eq!(names, [("0–3", 2), ("41–60", 1)]);
    assert_eq!(values(far, 0), [Some(6.0), Some(10.0)]);
    assert_eq!(values(bias, 0), [Some(4.0), Some(-10.0)]);
    assert_eq!((far.overall.map(|all| (all * 3.0).round()), bias.overall), (Some(22.0), Some(-2.0 / 3.0)));
    assert!(far.measure.contains("years") && far.measure.contains("absolute"));
    assert_eq!(rows.len(), 1, "no labels, no panels");
}

#[test]
fn bins_count_what_lies_outside_of_them() {
    let labels = [20, 20, 70].map(|min| {
        let bin = AgeLabel::Bin { min, max: (min < 70).then_some(min + 9) };
        label(Some(bin), None, None)
    });
    let samples =
        [sample(&labels[0], 29.5, 0.0, 0.0), sample(&labels[1], 34.0, 0.0, 0.0), sample(&labels[2], 60.0, 0.0, 0.0)];
    let rows = rows(&samples, &EvalMetrics::of(samples.iter(), &Task::ALL));
    assert_eq!(values(&rows[0][0], 0), [Some(2.0), Some(10.0)]);
    assert_eq!(values(&rows[0][1], 0), [Some(2.0), Some(-10.0)]);
    assert!(rows[0][0].measure.contains("bin") && rows[0][0].categories[1].name == "70+");
}

#[test]
fn genders_stand_by_age_and_by_label() {
    let labels = [(20.0, true), (25.0, false), (65.0, false)]
        .map(|(age, male)| label(Some(AgeLabel::Years(age)), Some(male), None));
    let samples =
        [sample(&labels[0], 0.0, 0.9, 0.0), sample(&labels[1], 0.0, 0.9, 0.0), sample(&labels[2], 0.0, 0.1, 0.0)];
    let rows = rows(&samples, &EvalMetrics::of(samples.iter(), &[Task::Gender]));
    let [by_age, by_gender] = rows[0].as_slice() else { panic!("{rows:?}") };
    assert_eq!((values(by_age, 0), values(by_age, 1)), (vec![Some(0.0), Some(1.0)], vec![Some(1.0), None]));
    assert_eq!(values(by_gender, 0), [Some(0.5), Some(1.0), Some(0.6667)]);
    let without_age = [label(None, Some(true), None)];
    let samples = [sample(&without_age[0], 0.0, 0.9, 0.0)];
    let alone = content::rows(&samples, &EvalMetrics::of(samples.iter(), &Task::ALL));
    assert_eq!(alone[0].iter().map(|panel| panel.title.as_str()).collect::<Vec<_>>(), ["Gender by label"]);
}

#[test]
fn poses_stand_by_labelled_yaw_and_gaps_stay_gaps() {
    let labels = [-40.0, 8.0, 7.0].map(|yaw| label(None, None, Some(yaw)));
    let samples =
        [sample(&labels[0], 0.0, 0.0, -50.0), sample(&labels[1], 0.0, 0.0, 9.0), sample(&labels[2], 0.0, 0.0, 4.0)];
    let rows = rows(&samples, &EvalMetrics::of(samples.iter(), &Task::ALL));
    let names: Vec<_> = rows[0][0].categories.iter().map(|category| (category.name.as_str(), category.n)).collect();
    assert_eq!(names, [("−45°", 1), ("−30°", 0), ("−15°", 0), ("0°", 1), ("15°", 1)]);
    assert_eq!(values(&rows[0][0], 0), [Some(10.0), None, None, Some(3.0), Some(1.0)]);
    assert_eq!(values(&rows[0][0], 1)[0], Some(2.0));
    let mut shapes = Vec::new();
    panel::draw(&rows[0][0], Rect::new(0.0, 0.0, 600.0, ROW), &mut shapes);
    let lines: Vec<_> = shapes.iter().filter(|shape| matches!(shape, Shape::Polyline { .. })).collect();
    assert_eq!(lines.len(), 3, "a line for each angle, from 0 to 15 degrees");
    assert_eq!(values(&rows[0][1], 0), [Some(4.6667), Some(2.0), Some(0.0), Some(2.2222)]);
}

#[test]
fn everything_stays_on_the_paper_and_every_character_is_in_the_font() {
    let many: Vec<Label> =
        (0..100).map(|age| label(Some(AgeLabel::Bin { min: age, max: Some(age) }), Some(true), None)).collect();
    let (exact, bins) = (labels(false), labels(true));
    for labels in [&exact, &bins, &many, &exact[3..4].to_vec()] {
        let scene = scene(&samples(labels));
        for shape in &scene.shapes {
            let corners = match shape {
                Shape::Text { at, text, size, .. } => {
                    let extent = TextSize::of(text, *size);
                    assert!(*size >= 12.0, "{text} is too small to read");
                    for character in text.chars() {
                        assert!(facelens_session::overlay::has_glyph(character), "{character:?} of {text}");
                    }
                    vec![(at.x, at.y), (at.x + extent.width, at.y + extent.height)]
                }
                Shape::Rect { rect, .. } => vec![(rect.x, rect.y), (rect.right(), rect.bottom())],
                Shape::Line { from, to, .. } => vec![(from.x, from.y), (to.x, to.y)],
                Shape::Polyline { points, .. } => points.iter().map(|point| (point.x, point.y)).collect(),
            };
            for (x, y) in corners {
                assert!((0.0..=scene.width).contains(&x) && (0.0..=scene.height).contains(&y), "{shape:?}");
            }
        }
    }
}

#[test]
fn texts_do_not_overlap() {
    // Estimates of 30 years: 39.5 too young on average, next to a tick of the axis.
    let old: Vec<_> = [69.0, 70.0].map(|age| label(Some(AgeLabel::Years(age)), Some(true), None)).into();
    for labels in [labels(false), labels(true), old] {
        let scene = scene(&samples(&labels));
        let texts: Vec<_> = scene
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Text { at, text, size, .. } => {
                    let extent = TextSize::of(text, *size);
                    // Lines of text may touch: ascent and descent are rarely used to the full.
                    let (inset, height) = (extent.height * 0.2, extent.height * 0.6);
                    Some((text, Rect::new(at.x, at.y + inset, extent.width, height)))
                }
                _ => None,
            })
            .collect();
        for (index, (text, area)) in texts.iter().enumerate() {
            for (other, other_area) in &texts[index + 1..] {
                assert!(area.iou(other_area) <= 0.0, "{text:?} at {area:?} and {other:?} at {other_area:?}");
            }
        }
    }
}

#[test]
fn a_long_title_is_set_smaller_and_then_cut() {
    let room = 300.0;
    for words in ["short", &"a rather long title ".repeat(3), &"ssrnet + ".repeat(60)] {
        let Shape::Text { text, size, .. } = fitted(words, 0.0, 0.0, 20.0, INK, room) else { panic!("no text") };
        assert!(TextSize::of(&text, size).width <= room * 1.05 && size >= 12.0, "{text} {size}");
        assert_eq!(text.ends_with('…'), words.len() > 100, "{text}");
    }
}
