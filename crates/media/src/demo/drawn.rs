//! The drawn man of the demo: ellipsoids with a face painted on one of them. He is nobody. What detectors and networks make of
//! him is what they make of a face, and how he turns his head is known exactly.

use facelens_core::geometry::{Point, Pose, Rect};

use super::drawn_face::{FacePaint, hair};
use super::{WIDTH, blend, column, rounded};

/// Where the man's head is, and how it is turned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DrawnPlace {
    /// Middle of the head, in pixels of the frame.
    pub head: Point,
    /// Half the height of the head, pixels: the unit of everything about him.
    pub scale: f32,
    pub pose: Pose,
}

/// Middle of the face in the head (right, down, away) and its side from hairline to chin, in half heights of the head.
const FACE_MIDDLE: [f32; 3] = [0.0, 0.22, -0.55];
const FACE_SIDE: f32 = 1.42;

/// The square from hairline to chin, in pixels of the frame.
pub(super) fn face(place: &DrawnPlace) -> Rect {
    let rows = place.pose.rotation().matrix();
    let along = |row: [f64; 3]| (0..3).map(|axis| row[axis] as f32 * FACE_MIDDLE[axis]).sum::<f32>() * place.scale;
    let center = Point { x: place.head.x + along(rows[0]), y: place.head.y + along(rows[1]) };
    Rect::square(center, FACE_SIDE * place.scale)
}

/// What an ellipsoid is covered with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cover {
    Plain([f32; 3]),
    /// The face in front, hair behind.
    Head,
    /// The face alone.
    Face,
    /// Hair above the hairline and behind, nothing elsewhere.
    Hair,
}

/// An ellipsoid: its middle and its half axes (right, down, away) in half heights of the head, from the head's middle.
struct Ellipsoid {
    middle: [f32; 3],
    half: [f32; 3],
    /// It turns with the head.
    turns: bool,
    cover: Cover,
    /// How light it is where no light falls.
    ambient: f32,
}

const fn part(middle: [f32; 3], half: [f32; 3], turns: bool, cover: Cover, ambient: f32) -> Ellipsoid {
    Ellipsoid { middle, half, turns, cover, ambient }
}

const WOOL: [f32; 3] = [46.0, 92.0, 98.0];
const COLLAR: [f32; 3] = [38.0, 76.0, 82.0];
const NECK: [f32; 3] = [170.0, 122.0, 96.0];
const EAR: [f32; 3] = [182.0, 131.0, 103.0];

const PARTS: [Ellipsoid; 8] = [
    part([0.0, 3.70, 0.30], [1.42, 2.30, 0.80], false, Cover::Plain(WOOL), 0.60),
    part([0.0, 1.32, 0.20], [0.50, 0.30, 0.46], false, Cover::Plain(COLLAR), 0.55),
    part([0.0, 1.00, 0.22], [0.40, 0.75, 0.40], false, Cover::Plain(NECK), 0.50),
    part([0.0, 0.00, 0.00], [0.70, 1.00, 0.86], true, Cover::Head, 0.62),
    part([0.0, -0.17, 0.14], [0.76, 0.95, 0.86], true, Cover::Hair, 0.42),
    part([-0.71, 0.08, 0.10], [0.09, 0.19, 0.13], true, Cover::Plain(EAR), 0.55),
    part([0.71, 0.08, 0.10], [0.09, 0.19, 0.13], true, Cover::Plain(EAR), 0.55),
    part([0.0, 0.19, -0.78], [0.105, 0.20, 0.15], true, Cover::Face, 0.62),
];

/// Where one part of one colour is seen alone, its shade is reckoned this many pixels apart, and even in between.
const SPAN: usize = 8;

/// Where the light comes from (right, down, away), of length 1.
const LIGHT: [f32; 3] = [-0.4450, -0.5439, -0.7115];

/// A part as the frame shows it: an ellipse, orthographic.
struct ProjectedPart<'a> {
    part: &'a Ellipsoid,
    /// Of the ellipsoid, from the head's middle.
    middle: [f32; 3],
    /// The head's own axes in the frame, by rows.
    axes: [[f32; 3]; 3],
    /// `d' Q d = 1` is its surface, `d` from its middle.
    form: [[f32; 3]; 3],
    /// The same of its outline, for right and down alone: the coefficients of xx, 2xy and yy.
    outline: [f32; 3],
    /// How its surface comes nearer with right, down, and what is left to the outline.
    nearer: [f32; 3],
}

impl<'a> ProjectedPart<'a> {
    fn new(part: &'a Ellipsoid, turned: &[[f32; 3]; 3]) -> Self {
        const UPRIGHT: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let axes = if part.turns { *turned } else { UPRIGHT };
        let form: [[f32; 3]; 3] = std::array::from_fn(|row| {
            std::array::from_fn(|column| {
                (0..3).map(|axis| axes[row][axis] * axes[column][axis] / (part.half[axis] * part.half[axis])).sum()
            })
        });
        let less = |row: usize, column: usize| form[row][column] - form[row][2] * form[2][column] / form[2][2];
        let outline = [less(0, 0), less(0, 1), less(1, 1)];
        let nearer = [form[2][0] / form[2][2], form[2][1] / form[2][2], 1.0 / form[2][2]];
        Self { part, middle: times(&axes, part.middle), axes, form, outline, nearer }
    }

    /// What the outline's form is `x` right and `y` below the head's middle: 1 on the outline, less inside of it; and how
    /// steeply it rises there.
    fn inside(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (x - self.middle[0], y - self.middle[1]);
        let [xx, xy, yy] = self.outline;
        let (along_x, along_y) = (xx * x + xy * y, xy * x + yy * y);
        (x * along_x + y * along_y, 2.0 * (along_x * along_x + along_y * along_y).sqrt())
    }

    /// The point of the surface that is seen there, from the ellipsoid's middle.
    fn surface(&self, x: f32, y: f32, inside: f32) -> [f32; 3] {
        let (x, y) = (x - self.middle[0], y - self.middle[1]);
        let [across, down, left] = self.nearer;
        [x, y, -(across * x + down * y) - ((1.0 - inside).max(0.0) * left).sqrt()]
    }

    /// A point of the surface in the head's own axes.
    fn own(&self, surface: [f32; 3]) -> [f32; 3] {
        // The transposed matrix undoes the turn.
        std::array::from_fn(|axis| {
            (0..3).map(|row| self.axes[row][axis] * surface[row]).sum::<f32>() + self.part.middle[axis]
        })
    }

    /// From where to where a line `y` below the head's middle meets the outline, or a rim around it that is at least so
    /// wide.
    fn columns(&self, y: f32, rim: f32) -> Option<(f32, f32)> {
        let [xx, xy, yy] = self.outline;
        let [across, down, away] = self.part.half;
        let bound = (1.0 + rim / across.min(down).min(away)).powi(2);
        let y = y - self.middle[1];
        let discriminant = xy * xy * y * y - xx * (yy * y * y - bound);
        let (middle, half) = (self.middle[0] - xy * y / xx, discriminant.max(0.0).sqrt() / xx);
        (discriminant > 0.0).then_some((middle - half, middle + half))
    }
}

fn times(rows: &[[f32; 3]; 3], point: [f32; 3]) -> [f32; 3] {
    rows.map(|row| row[0] * point[0] + row[1] * point[1] + row[2] * point[2])
}

/// The man, with his face painted.
pub(super) struct DrawnMan {
    paint: FacePaint,
}

impl DrawnMan {
    pub(super) fn new() -> Self {
        Self { paint: FacePaint::new() }
    }

    /// Draws him over a frame.
    pub(super) fn draw(&self, rgb: &mut [u8], place: &DrawnPlace) {
        let turned = place.pose.rotation().matrix().map(|row| row.map(|value| value as f32));
        let seen: [ProjectedPart; PARTS.len()] =
            std::array::from_fn(|number| ProjectedPart::new(&PARTS[number], &turned));
        // An outline touches the pixels beside it as well.
        let pixel = 1.0 / place.scale;
        let top = (place.head.y - 1.5 * place.scale).max(0.0) as usize;
        for (row, line) in rgb.as_chunks_mut::<3>().0.chunks_exact_mut(WIDTH as usize).enumerate().skip(top) {
            let y = (row as f32 + 0.5 - place.head.y) * pixel;
            let across = |x: f32| column(place.head.x + x * place.scale);
            let columns = seen.each_ref().map(|seen| {
                let span = seen.columns(y, pixel);
                span.map_or(0..0, |(left, right)| across(left)..across(right))
            });
            // Between two ends of spans, the same parts can be seen.
            let mut ends: Vec<usize> = columns.iter().flat_map(|columns| [columns.start, columns.end]).collect();
            ends.sort_unstable();
            for piece in ends.windows(2).map(|pair| pair[0]..pair[1]).filter(|piece| !piece.is_empty()) {
                let there = seen.iter().zip(&columns).filter(|(_, columns)| columns.contains(&piece.start));
                let parts: Vec<_> = there.map(|(seen, _)| seen).collect();
                if parts.is_empty() {
                    continue;
                }
                let start = piece.start;
                draw_piece(&mut line[piece], &parts, |number| {
                    let x = ((start + number) as f32 + 0.5 - place.head.x) * pixel;
                    self.color(&parts, x, y, place.scale)
                });
            }
        }
    }

    /// What is seen there, and how much of the pixel it covers.
    fn color(&self, parts: &[&ProjectedPart<'_>], x: f32, y: f32, scale: f32) -> Option<([f32; 3], f32)> {
        let (mut nearest, mut found, mut cover) = (f32::MAX, None, 0.0_f32);
        for seen in parts {
            let (inside, slope) = seen.inside(x, y);
            let share = (0.5 + (1.0 - inside) / slope.max(1e-6) * scale).clamp(0.0, 1.0);
            if share <= 0.0 {
                continue;
            }
            let surface = seen.surface(x, y, inside.min(1.0));
            let depth = surface[2] + seen.middle[2];
            if depth >= nearest {
                cover = cover.max(share);
                continue;
            }
            if seen.part.cover == Cover::Hair && !self.paint.is_hair(seen.own(surface)) {
                continue;
            }
            (nearest, found, cover) = (depth, Some((seen, surface)), cover.max(share));
        }
        let (seen, surface) = found?;
        let normal = times(&seen.form, surface);
        let shorten = 1.0 / normal.iter().map(|part| part * part).sum::<f32>().sqrt().max(1e-6);
        let lit = (0..3).map(|axis| normal[axis] * LIGHT[axis]).sum::<f32>() * shorten;
        let facing = (-normal[2] * shorten).clamp(0.0, 1.0);
        let light = (seen.part.ambient + 0.62 * lit.max(0.0)) * (0.72 + 0.28 * facing);
        let color = match seen.part.cover {
            Cover::Plain(color) => color,
            Cover::Face => {
                let own = seen.own(surface);
                self.paint.face(own[0], own[1]).0
            }
            Cover::Hair => hair(seen.own(surface)),
            Cover::Head => {
                let own = seen.own(surface);
                let (face, mut share) = self.paint.face(own[0], own[1]);
                // Behind the ears and above the neck there is hair as well.
                if own[1] < 0.36 {
                    share = share.max(((own[2] - 0.08) / 0.08).clamp(0.0, 1.0));
                }
                if share > 0.0 { blend(face, hair(own), share) } else { face }
            }
        };
        Some((color.map(|value| value * light), cover))
    }
}

/// Draws a piece of a row in which these parts can be seen; `color` tells the colour of a dot and how much it covers.
fn draw_piece(dots: &mut [[u8; 3]], parts: &[&ProjectedPart<'_>], color: impl Fn(usize) -> Option<([f32; 3], f32)>) {
    let is_smooth = matches!(parts, [only] if matches!(only.part.cover, Cover::Plain(_)));
    let end_color = |number: usize| if is_smooth { color(number) } else { None };
    let mut first = end_color(0);
    for (number, span) in dots.chunks_mut(SPAN).enumerate() {
        let (start, end) = (number * SPAN, number * SPAN + span.len());
        let last = end_color(end);
        if let (Some((first, 1.0)), Some((last, 1.0))) = (first, last) {
            let share = 1.0 / span.len() as f32;
            for (number, dot) in span.iter_mut().enumerate() {
                *dot = rounded(blend(first, last, number as f32 * share));
            }
        } else {
            for (number, dot) in (start..end).zip(span) {
                if let Some((color, cover)) = color(number) {
                    *dot = rounded(blend(dot.map(f32::from), color, cover));
                }
            }
        }
        first = last;
    }
}
