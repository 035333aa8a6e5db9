//! What whole frames cost as a picture: milliseconds over the number of faces, a line for each size.

use facelens_core::geometry::{Point, Rect};
use facelens_session::overlay::{Color, Scene, Shape};

use super::frames::FrameFigures;
use crate::cli::chart::{Anchor, BLUE, ChartAxis, DIM, GREEN, GREY, GRID, INK, PAPER, PURPLE, VERMILION, fitted, text};

const WIDTH: f32 = 760.0;
const HEIGHT: f32 = 460.0;
/// The inside of the axes; on its right is room for the names of the lines.
const AREA: Rect = Rect { x: 72.0, y: 104.0, width: 560.0, height: 272.0 };
const TITLE: f32 = 22.0;
const LABEL: f32 = 14.0;
/// Names of lines that end close together are moved apart by this.
const LINE_HEIGHT: f32 = 18.0;
const COLORS: [Color; 5] = [BLUE, VERMILION, GREEN, PURPLE, GREY];

/// The cases of one size, fewest faces first: faces and milliseconds.
struct SizeLine {
    name: String,
    points: Vec<(f64, f64)>,
}

/// Draws the cases.
pub(super) fn scene(cases: &[FrameFigures], processor: &str) -> Scene {
    let lines = lines(cases);
    let all = || lines.iter().flat_map(|line| &line.points);
    let (faces, cost) = (ChartAxis::around(all().map(|point| point.0)), ChartAxis::around(all().map(|point| point.1)));
    let x = |value: f64| AREA.x + faces.place(value) as f32 * AREA.width;
    let y = |value: f64| AREA.bottom() - cost.place(value) as f32 * AREA.height;

    let paper = Rect::new(0.0, 0.0, WIDTH, HEIGHT);
    let mut shapes = vec![Shape::Rect { rect: paper, radius: 0.0, fill: Some(PAPER), stroke: None }];
    shapes.push(text("What a frame costs", 40.0, 30.0, TITLE, INK, Anchor::Start));
    let measure = "Milliseconds of processor time a frame";
    shapes.push(fitted(&format!("{measure} · {processor}"), 40.0, 62.0, LABEL, DIM, WIDTH - 80.0));
    for &tick in &cost.ticks {
        let color = if tick == 0.0 { INK } else { GRID };
        shapes.push(line(Point { x: AREA.x, y: y(tick) }, Point { x: AREA.right(), y: y(tick) }, 1.0, color));
        let words = format!("{tick:.*}", cost.decimals());
        shapes.push(text(&words, AREA.x - 10.0, y(tick) - 8.0, LABEL, DIM, Anchor::End));
    }
    // Only where a case was measured: half a face is none.
    let mut counts: Vec<usize> = all().map(|point| point.0 as usize).collect();
    counts.sort_unstable();
    counts.dedup();
    for count in counts {
        let at = x(count as f64);
        shapes.push(line(Point { x: at, y: AREA.bottom() }, Point { x: at, y: AREA.bottom() + 5.0 }, 1.0, INK));
        shapes.push(text(&count.to_string(), at, AREA.bottom() + 10.0, LABEL, DIM, Anchor::Middle));
    }
    let middle = AREA.x + AREA.width / 2.0;
    shapes.push(text("faces in the frame", middle, AREA.bottom() + 36.0, LABEL, INK, Anchor::Middle));

    let mut lowest_name = f32::INFINITY;
    let mut by_height: Vec<(&SizeLine, Color)> = lines.iter().zip(COLORS.into_iter().cycle()).collect();
    let end = |line: &SizeLine| line.points.last().map_or(0.0, |point| point.1);
    by_height.sort_by(|(a, _), (b, _)| end(a).total_cmp(&end(b)));
    for (of_size, color) in by_height {
        let points: Vec<Point> = of_size.points.iter().map(|&(faces, ms)| Point { x: x(faces), y: y(ms) }).collect();
        shapes.extend(points.iter().map(|&point| line(point, point, 8.0, color)));
        // The cheapest first: names of dearer ones go above.
        let Some(&last) = points.last() else { continue };
        let top = (last.y - 8.0).min(lowest_name - LINE_HEIGHT);
        lowest_name = top;
        shapes.push(text(&of_size.name, AREA.right() + 16.0, top, LABEL, color, Anchor::Start));
        if points.len() > 1 {
            shapes.push(Shape::Polyline { points, width: 2.5, color });
        }
    }
    Scene { width: WIDTH, height: HEIGHT, shapes }
}

fn line(from: Point, to: Point, width: f32, color: Color) -> Shape {
    Shape::Line { from, to, width, color }
}

/// The lines in the order in which their sizes were measured.
fn lines(cases: &[FrameFigures]) -> Vec<SizeLine> {
    let mut lines: Vec<SizeLine> = Vec::new();
    for case in cases {
        let (name, point) = (case.size(), (case.found() as f64, case.cost_ms()));
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(SizeLine { name, points: vec![point] }),
        }
    }
    for line in &mut lines {
        line.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::frames::tests::case;
    use super::*;

    #[test]
    fn dearer_cases_are_higher_and_names_keep_apart() {
        let cases = [case(640, 1, 4.0), case(640, 8, 28.0), case(1280, 1, 5.0), case(1280, 8, 28.5)];
        let scene = scene(&cases, "a processor");
        let dots: Vec<Point> = scene
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Line { from, to, .. } if from == to => Some(*from),
                _ => None,
            })
            .collect();
        assert_eq!(dots.len(), 4);
        assert!(dots[0].y > dots[1].y && dots[0].x < dots[1].x, "{dots:?}");
        let name = |wanted: &str| {
            scene.shapes.iter().find_map(|shape| match shape {
                Shape::Text { at, text, .. } if text == wanted => Some(*at),
                _ => None,
            })
        };
        let (small, large) = (name("640x480").unwrap(), name("1280x480").unwrap());
        assert!(small.y - large.y >= LINE_HEIGHT, "{small:?} and {large:?}");
        let inside = |point: Point| (0.0..WIDTH).contains(&point.x) && (0.0..HEIGHT).contains(&point.y);
        assert!(dots.into_iter().chain([small, large]).all(inside));
    }

    #[test]
    fn one_case_and_none_are_drawn_too() {
        assert!(scene(&[case(640, 0, 0.2)], "a processor").shapes.len() > 5);
        assert!(scene(&[], "").shapes.len() > 3);
    }
}
