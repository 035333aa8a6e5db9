//! The line around a mask.

use std::collections::HashMap;

use facelens_core::geometry::Point;

use super::mask::Mask;

/// The coverage on the line.
const LEVEL: f32 = 127.5;
/// How far a point may lie beside the line that stays, pixels of the mask.
const TOLERANCE: f32 = 0.35;

/// The closed lines around a mask's person, in pixels of the mask; holes have lines of their own. Marching squares (Lorensen and
/// Cline 1987 in the plane), then simplified (Douglas and Peucker 1973).
pub(super) fn outline(mask: &Mask) -> Vec<Vec<Point>> {
    let (width, height) = (mask.width() as i64, mask.height() as i64);
    let at = |x: i64, y: i64| {
        let inside = (0..width).contains(&x) && (0..height).contains(&y);
        if inside { f32::from(mask.coverage()[(y * width + x) as usize]) } else { 0.0 }
    };
    // Each line goes from one edge of a cell to another, the person on its right. An edge is named by its pixel and direction.
    let mut next: HashMap<(i64, i64, bool), (i64, i64, bool)> = HashMap::new();
    for y in -1..height {
        for x in -1..width {
            let corners = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)].map(|value| value >= LEVEL);
            let [top, right, bottom, left] = [(x, y, true), (x + 1, y, false), (x, y + 1, true), (x, y, false)];
            let index = corners.iter().rev().fold(0, |bits, &inside| bits << 1 | u8::from(inside));
            let mut line = |from, to| {
                next.insert(from, to);
            };
            match index {
                1 => line(left, top),
                2 => line(top, right),
                3 => line(left, right),
                4 => line(right, bottom),
                5 => {
                    line(left, top);
                    line(right, bottom);
                }
                6 => line(top, bottom),
                7 => line(left, bottom),
                8 => line(bottom, left),
                9 => line(bottom, top),
                10 => {
                    line(top, right);
                    line(bottom, left);
                }
                11 => line(bottom, right),
                12 => line(right, left),
                13 => line(right, top),
                14 => line(top, left),
                _ => {}
            }
        }
    }
    // Where the level is crossed on an edge; a pixel's value holds at its middle.
    let place = |(x, y, across): (i64, i64, bool)| {
        let (a, b) = (at(x, y), if across { at(x + 1, y) } else { at(x, y + 1) });
        let share = if a == b { 0.5 } else { ((LEVEL - a) / (b - a)).clamp(0.0, 1.0) };
        let (dx, dy) = if across { (share, 0.0) } else { (0.0, share) };
        Point { x: x as f32 + 0.5 + dx, y: y as f32 + 0.5 + dy }
    };
    let mut starts: Vec<_> = next.keys().copied().collect();
    starts.sort_unstable();
    let mut lines = Vec::new();
    for start in starts {
        let mut line = Vec::new();
        let mut edge = start;
        while let Some(following) = next.remove(&edge) {
            line.push(place(edge));
            edge = following;
        }
        if line.len() >= 3 {
            lines.push(simplified(&line));
        }
    }
    lines
}

/// A closed line with fewer points.
fn simplified(line: &[Point]) -> Vec<Point> {
    // Cut at two points far from each other, each half is an open line.
    let far = (0..line.len()).max_by(|&a, &b| distance(line[0], line[a]).total_cmp(&distance(line[0], line[b])));
    let far = far.unwrap_or(0).max(1);
    let mut kept = vec![false; line.len() + 1];
    let closed = |index: usize| line[index % line.len()];
    let mut waiting = vec![(0, far), (far, line.len())];
    (kept[0], kept[far]) = (true, true);
    while let Some((from, to)) = waiting.pop() {
        let off = |index: usize| beside(closed(index), closed(from), closed(to));
        let Some(worst) = (from + 1..to).max_by(|&a, &b| off(a).total_cmp(&off(b))) else { continue };
        if off(worst) > TOLERANCE {
            kept[worst] = true;
            waiting.extend([(from, worst), (worst, to)]);
        }
    }
    line.iter().zip(kept).filter(|(_, kept)| *kept).map(|(point, _)| *point).collect()
}

fn distance(a: Point, b: Point) -> f32 {
    (a.x - b.x).hypot(a.y - b.y)
}

/// How far a point lies beside the line from `a` to `b`.
fn beside(point: Point, a: Point, b: Point) -> f32 {
    let length = distance(a, b);
    if length < 1e-6 {
        return distance(point, a);
    }
    ((b.x - a.x) * (a.y - point.y) - (a.x - point.x) * (b.y - a.y)).abs() / length
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The area within closed lines: holes count against it.
    fn area(lines: &[Vec<Point>]) -> f32 {
        let one = |line: &Vec<Point>| {
            let pairs = line.iter().zip(line.iter().cycle().skip(1));
            pairs.map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f32>() / 2.0
        };
        lines.iter().map(one).sum::<f32>().abs()
    }

    fn mask(width: usize, height: usize, inside: impl Fn(f32, f32) -> bool) -> Mask {
        let value = |i: usize| if inside((i % width) as f32, (i / width) as f32) { 255 } else { 0 };
        Mask::new(width, height, (0..width * height).map(value).collect()).unwrap()
    }

    #[test]
    fn a_ring_has_two_lines_and_its_area() {
        let ring = mask(64, 64, |x, y| (10.0..25.0).contains(&(x - 30.0).hypot(y - 32.0)));
        let lines = outline(&ring);
        assert_eq!(lines.len(), 2);
        let expected = ring.coverage().iter().filter(|value| **value > 0).count() as f32;
        assert!((area(&lines) / expected - 1.0).abs() < 0.02, "{} of {expected}", area(&lines));
        assert!(lines.iter().map(Vec::len).sum::<usize>() < 120);
    }

    #[test]
    fn a_mask_to_the_edge_is_closed_and_an_empty_one_has_no_line() {
        let whole = outline(&mask(20, 10, |_, _| true));
        assert_eq!(whole.len(), 1);
        assert!((area(&whole) - 200.0).abs() < 3.0, "{}", area(&whole));
        assert!(outline(&mask(20, 10, |_, _| false)).is_empty());
    }

    #[test]
    fn two_corners_that_touch_are_two_lines() {
        let lines = outline(&mask(8, 8, |x, y| (x < 4.0) == (y < 4.0)));
        assert_eq!(lines.len(), 2);
    }
}
