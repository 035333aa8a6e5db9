//! Makes the [`Scene`] of some faces.

use facelens_core::geometry::{Point, Rect};
use facelens_core::track::Face;

use super::axes::axis_tips;
use super::layout::{LabelLayout, LabelSize, Manner};
use super::leader::{gap, leader};
use super::palette::{AXIS_X, AXIS_Y, AXIS_Z, INK, PLATE, TEXT, TEXT_DIM, identity_color};
use super::scene::{Color, Scene, SceneOptions, Shape};
use super::text::TextSize;
use super::wording::{self, WIDEST_ANGLE, Words};

/// Lengths on the screen, in points.
mod metrics {
    /// Font size of the ID and the gender.
    pub const TITLE: f32 = 15.0;
    /// Font size of the age.
    pub const BODY: f32 = 14.0;
    /// Font size of the angles.
    pub const FIGURES: f32 = 13.0;
    /// Between a plate's edge and its text, across and down.
    pub const PADDING: (f32, f32) = (7.0, 4.0);
    /// Corner radius of a plate.
    pub const PLATE_RADIUS: f32 = 5.0;
    /// Between the edge of a plate and the coloured tag with the ID.
    pub const TAG_INSET: f32 = 3.0;
    /// Between a figure and the next one's name.
    pub const FIGURE_GAP: f32 = 9.0;
    /// Between a name and the widest figure.
    pub const FIGURE_SPACE: f32 = 4.0;
    /// How far a line's dark outline reaches beyond it on each side.
    pub const CASING: f32 = 1.2;
    /// Stroke of a box's corners.
    pub const CORNER: f32 = 2.4;
    /// Stroke of a box's sides.
    pub const SIDE: f32 = 1.0;
    /// Stroke of the line from a label that stands away from its face.
    pub const LEADER: f32 = 1.5;
    /// Two plates of a face that are as near as this belong together.
    pub const TOGETHER: f32 = 4.0;
}

impl Scene {
    /// The overlay of these faces on a picture of `width` x `height` pixels. The same faces give the same scene. Faces
    /// whose box is not finite are left out; so are labels that find no room near their face.
    pub fn of(faces: &[Face], width: u32, height: u32, options: &SceneOptions) -> Self {
        let (width, height) = (width as f32, height as f32);
        let faces: Vec<_> = faces.iter().filter(|face| is_finite(&face.rect)).collect();
        let boxes: Vec<_> =
            faces.iter().map(|face| if options.mirrored { mirrored(face.rect, width) } else { face.rect }).collect();
        let unit = if options.zoom.is_finite() { 1.0 / options.zoom.clamp(0.02, 50.0) } else { 1.0 };
        let mut composer = Composer { shapes: Vec::new(), leaders: Vec::new(), labels: vec![None; faces.len()], unit };
        if options.boxes {
            for (face, &rect) in faces.iter().zip(&boxes) {
                composer.corners(rect, identity_color(face.id));
            }
        }
        if options.axes {
            for (face, &rect) in faces.iter().zip(&boxes) {
                composer.axes(face, rect, options.mirrored);
            }
        }
        let mut layout = LabelLayout::new(width, height, &boxes, unit);
        let below_labels = composer.shapes.len();
        // The names of all come before the figures of any: where there is little room, figures are missed less.
        if options.labels {
            for (index, face) in faces.iter().enumerate() {
                composer.label(&mut layout, index, face, &boxes, options);
            }
        }
        if options.angles {
            for (index, face) in faces.iter().enumerate() {
                composer.figures(&mut layout, index, face, &boxes);
            }
        }
        let Composer { mut shapes, leaders, .. } = composer;
        shapes.splice(below_labels..below_labels, leaders);
        Self { width, height, shapes }
    }
}

fn is_finite(rect: &Rect) -> bool {
    [rect.x, rect.y, rect.width, rect.height].iter().all(|length| length.is_finite())
        && rect.width > 0.0
        && rect.height > 0.0
}

fn mirrored(rect: Rect, width: f32) -> Rect {
    Rect { x: width - rect.right(), ..rect }
}

struct Composer {
    shapes: Vec<Shape>,
    /// Lines from labels to their faces, below all labels.
    leaders: Vec<Shape>,
    /// Where the label of each face stands.
    labels: Vec<Option<Rect>>,
    /// One point on the screen in pixels of the picture.
    unit: f32,
}

impl Composer {
    /// A box as four round corners, joined by fine lines.
    fn corners(&mut self, rect: Rect, color: Color) {
        let unit = self.unit;
        let half = rect.width.min(rect.height) / 2.0;
        let radius = (half * 0.16).clamp(2.0 * unit, 14.0 * unit).min(half);
        let arm = (half * 0.42).clamp(radius, 60.0 * unit).min(half);
        let (left, top, right, bottom) = (rect.x, rect.y, rect.right(), rect.bottom());
        let at = |x, y| Point { x, y };
        for (from, to) in [
            (at(left + arm, top), at(right - arm, top)),
            (at(left + arm, bottom), at(right - arm, bottom)),
            (at(left, top + arm), at(left, bottom - arm)),
            (at(right, top + arm), at(right, bottom - arm)),
        ] {
            let width = (metrics::SIDE + metrics::CASING) * unit;
            self.shapes.push(Shape::Line { from, to, width, color: Color { a: 0x70, ..INK } });
            self.shapes.push(Shape::Line { from, to, width: metrics::SIDE * unit, color: Color { a: 0xc0, ..color } });
        }
        // The corner's own point, and the directions along both sides away from it.
        for (corner, dx, dy) in [
            (at(left, top), 1.0, 1.0),
            (at(right, top), -1.0, 1.0),
            (at(right, bottom), -1.0, -1.0),
            (at(left, bottom), 1.0, -1.0),
        ] {
            let points = round_corner(corner, dx, dy, radius, arm);
            let casing = (metrics::CORNER + 2.0 * metrics::CASING) * unit;
            self.shapes.push(Shape::Polyline { points: points.clone(), width: casing, color: INK });
            self.shapes.push(Shape::Polyline { points, width: metrics::CORNER * unit, color });
        }
    }

    /// The three axes from the middle of the box, half as long as the box is large. Z ends in a dot: the tip of the nose.
    fn axes(&mut self, face: &Face, rect: Rect, mirror: bool) {
        let Some(pose) = face.pose.filter(|pose| pose.is_finite()) else { return };
        let (from, size) = (rect.center(), rect.width.min(rect.height) / 2.0);
        let width = (size * 0.05).clamp(1.8 * self.unit, 5.0 * self.unit);
        let [x, y, z] = axis_tips(pose, size)
            .map(|tip| Point { x: from.x + if mirror { -tip.x } else { tip.x }, y: from.y + tip.y });
        self.cased(&[(from, x, width)], AXIS_X);
        self.cased(&[(from, y, width)], AXIS_Y);
        self.cased(&[(from, z, width), (z, z, 2.4 * width)], AXIS_Z);
    }

    /// Lines of one colour with a common dark outline: from, to, stroke width.
    fn cased(&mut self, lines: &[(Point, Point, f32)], color: Color) {
        for (casing, color) in [(2.0 * metrics::CASING * self.unit, INK), (0.0, color)] {
            let cased = |&(from, to, width)| Shape::Line { from, to, width: width + casing, color };
            self.shapes.extend(lines.iter().map(cased));
        }
    }

    /// The plate with ID, gender and age; with the ID alone where there is no room for more.
    fn label(&mut self, layout: &mut LabelLayout, index: usize, face: &Face, boxes: &[Rect], options: &SceneOptions) {
        let gender = face.gender.filter(|_| options.gender).map(wording::gender);
        let age = face.age.filter(|_| options.age).map(wording::age);
        let words: Vec<_> = gender.into_iter().chain(age).collect();
        // The bare ID beside its face tells more than a whole label on somebody else's.
        for manner in [Manner::Clear, Manner::Crowded] {
            let whole = self.plate(layout, index, face, &words, manner);
            if let Some(plate) = whole.or_else(|| self.plate(layout, index, face, &[], manner)) {
                self.labels[index] = Some(plate);
                self.leader(&plate, &boxes[index], face.id);
                return;
            }
        }
    }

    /// The line from a plate to its face, where the two are not side by side.
    fn leader(&mut self, plate: &Rect, face: &Rect, id: u64) {
        let Some((from, to)) = leader(plate, face, self.unit) else { return };
        let width = metrics::LEADER * self.unit;
        for (width, color) in [(width + 2.0 * metrics::CASING * self.unit, INK), (width, identity_color(id))] {
            self.leaders.push(Shape::Line { from, to, width, color });
        }
    }

    fn plate(
        &mut self,
        layout: &mut LabelLayout,
        index: usize,
        face: &Face,
        words: &[Words],
        manner: Manner,
    ) -> Option<Rect> {
        let unit = self.unit;
        let (padding, inset) = ((metrics::PADDING.0 * unit, metrics::PADDING.1 * unit), metrics::TAG_INSET * unit);
        let id = format!("#{}", face.id);
        let id_font = metrics::TITLE * unit;
        let id_size = TextSize::of(&id, id_font);
        let lines: Vec<_> = words
            .iter()
            .zip([metrics::TITLE, metrics::BODY])
            .map(|(words, font)| (words, font * unit, TextSize::of(&words.text, font * unit)))
            .collect();
        let text_width = lines.iter().map(|(.., size)| size.width).fold(0.0, f32::max);
        let text_height = lines.iter().map(|(.., size)| size.height).sum::<f32>().max(id_size.height);
        let tag_width = id_size.width + 2.0 * padding.0 - inset;
        let size = LabelSize {
            width: inset + tag_width + if lines.is_empty() { inset } else { text_width + 2.0 * padding.0 },
            height: text_height + 2.0 * padding.1,
        };
        let plate = layout.place(index, size, true, manner)?;
        self.fill(plate, metrics::PLATE_RADIUS * unit, PLATE);
        let tag = Rect::new(plate.x + inset, plate.y + inset, tag_width, plate.height - 2.0 * inset);
        self.fill(tag, (metrics::PLATE_RADIUS - metrics::TAG_INSET + 1.0) * unit, identity_color(face.id));
        self.text(
            Point { x: tag.center().x - id_size.width / 2.0, y: tag.center().y - id_size.height / 2.0 },
            id,
            id_font,
            INK,
        );
        let mut at = Point { x: tag.right() + padding.0, y: plate.y + padding.1 };
        for (words, font, size) in lines {
            self.text(at, words.text.clone(), font, if words.unsure { TEXT_DIM } else { TEXT });
            at.y += size.height;
        }
        Some(plate)
    }

    /// Yaw, pitch and roll, each in its own column; none where there is no room that is clear of faces. Where there are
    /// several faces, the ID says whose they are.
    fn figures(&mut self, layout: &mut LabelLayout, index: usize, face: &Face, boxes: &[Rect]) {
        let Some(pose) = face.pose else {
            return;
        };
        let unit = self.unit;
        let font = metrics::FIGURES * unit;
        let padding = (metrics::PADDING.0 * unit, (metrics::PADDING.1 - 1.0) * unit);
        let (space, between) = (metrics::FIGURE_SPACE * unit, metrics::FIGURE_GAP * unit);
        let width = |text: &str| TextSize::of(text, font).width;
        let angles = wording::angles(pose);
        let figure_width = width(WIDEST_ANGLE);
        let columns = angles.each_ref().map(|(name, _)| width(name) + space + figure_width);
        let id = (boxes.len() > 1).then(|| format!("#{}", face.id));
        let inset = metrics::TAG_INSET * unit;
        let tag_width = id.as_ref().map_or(0.0, |id| width(id) + padding.0);
        let size = LabelSize {
            width: tag_width + columns.iter().sum::<f32>() + 2.0 * (between + padding.0),
            height: TextSize::of(WIDEST_ANGLE, font).height + 2.0 * padding.1,
        };
        let Some(plate) = layout.place(index, size, false, Manner::Clear) else {
            return;
        };
        self.fill(plate, metrics::PLATE_RADIUS * unit, PLATE);
        let mut at = Point { x: plate.x + padding.0, y: plate.y + padding.1 };
        if let Some(id) = id {
            let tag = Rect::new(plate.x + inset, plate.y + inset, tag_width, plate.height - 2.0 * inset);
            self.fill(tag, (metrics::PLATE_RADIUS - metrics::TAG_INSET + 1.0) * unit, identity_color(face.id));
            self.text(Point { x: tag.center().x - width(&id) / 2.0, y: at.y }, id, font, INK);
            at.x = tag.right() + padding.0 - inset;
        }
        // Below its own label it needs no line.
        let joined = self.labels[index].is_some_and(|label| gap(&label, &plate) <= metrics::TOGETHER * unit);
        if !joined {
            self.leader(&plate, &boxes[index], face.id);
        }
        for ((name, figure), column) in angles.into_iter().zip(columns) {
            // Figures begin at the same place whatever they are, so that they do not dance.
            self.text(at, name.to_owned(), font, TEXT_DIM);
            self.text(Point { x: at.x + width(name) + space, y: at.y }, figure, font, TEXT);
            at.x += column + between;
        }
    }

    fn fill(&mut self, rect: Rect, radius: f32, color: Color) {
        self.shapes.push(Shape::Rect { rect, radius, fill: Some(color), stroke: None });
    }

    fn text(&mut self, at: Point, text: String, size: f32, color: Color) {
        self.shapes.push(Shape::Text { at, text, size, color });
    }
}

/// A round corner with an arm along each side; `dx` and `dy` point into the box.
fn round_corner(corner: Point, dx: f32, dy: f32, radius: f32, arm: f32) -> Vec<Point> {
    const STEPS: u8 = 6;
    let at = |x: f32, y: f32| Point { x: corner.x + dx * x, y: corner.y + dy * y };
    let arc = (0..=STEPS).map(|step| {
        let (sin, cos) = (f32::from(step) / f32::from(STEPS) * std::f32::consts::FRAC_PI_2).sin_cos();
        at(radius * (1.0 - sin), radius * (1.0 - cos))
    });
    std::iter::once(at(arm, 0.0)).chain(arc).chain(std::iter::once(at(0.0, arm))).collect()
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;
