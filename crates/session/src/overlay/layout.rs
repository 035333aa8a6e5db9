//! Where labels stand: beside their face, inside the picture, never one over another.

use facelens_core::geometry::{Point, Rect};

/// How large a plate is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LabelSize {
    /// Width in pixels of the picture.
    pub width: f32,
    /// Height in pixels of the picture.
    pub height: f32,
}

/// What a plate may stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Beside its face, or on it where the face is large; never on somebody else's face.
    Clear,
    /// Anywhere near its face where no other plate stands.
    Crowded,
}

/// A plate stands on its own face only where it hides at most this part of it.
const MOST_HIDDEN: f32 = 0.2;

/// Finds places for plates, one after the other.
pub(super) struct LabelLayout<'a> {
    /// The picture.
    picture: Rect,
    /// Every face's box. A plate keeps off other people's faces where it can.
    faces: &'a [Rect],
    /// Plates that stand.
    taken: Vec<Rect>,
    /// One pixel of the screen in pixels of the picture: the unit that places are rounded to.
    unit: f32,
}

impl<'a> LabelLayout<'a> {
    /// An empty picture of this size with these faces in it.
    pub(super) fn new(width: f32, height: f32, faces: &'a [Rect], unit: f32) -> Self {
        Self { picture: Rect::new(0.0, 0.0, width, height), faces, taken: Vec::new(), unit }
    }

    /// The place of a plate at face number `face`, or `None` where there is no room near it. `above`: rather above the
    /// face than below.
    pub(super) fn place(&mut self, face: usize, size: LabelSize, above: bool, manner: Manner) -> Option<Rect> {
        let around = self.faces.get(face)?.intersection(&self.picture)?;
        let (outside, inside) = (self.outside(around, size, above), self.inside(around, size, above));
        let mut places = outside.iter().chain(&inside);
        let place = match manner {
            Manner::Clear => places.find(|place| self.is_free(place) && self.is_off_other_faces(place, face)).copied(),
            Manner::Crowded => {
                places.find(|place| self.is_free(place)).copied().or_else(|| self.nearest_free(around, size))
            }
        }?;
        self.taken.push(place);
        Some(place)
    }

    /// Above, below and beside the face, the best first.
    fn outside(&self, around: Rect, size: LabelSize, above: bool) -> Vec<Rect> {
        let gap = 6.0 * self.unit;
        let mut heights = [around.y - gap - size.height, around.bottom() + gap];
        if !above {
            heights.reverse();
        }
        let centered = around.center().x - size.width / 2.0;
        // A plate that is wider than its face stands in its middle; a narrower one begins where the face begins.
        let lefts = if size.width > around.width || !above {
            [centered, around.x, around.right() - size.width]
        } else {
            [around.x, around.right() - size.width, centered]
        };
        let sides = [around.right() + gap, around.x - gap - size.width];
        let tops = [around.y, around.bottom() - size.height];
        let mut places: Vec<_> =
            heights.iter().flat_map(|&y| lefts.map(|x| self.rounded(self.within_width(x, size), y, size))).collect();
        // In the second row, where the first is taken by another plate, most likely of the same face.
        let beside = |plate: &&Rect| super::leader::is_beside(plate, &around, self.unit);
        for plate in self.taken.iter().rev().filter(beside).take(2) {
            let heights = [plate.y - self.unit * 2.0 - size.height, plate.bottom() + self.unit * 2.0];
            let rows = heights.map(|y| self.rounded(self.within_width(lefts[0], size), y, size));
            // Above a face, only the row further up.
            places.extend(rows.into_iter().filter(|place| place.intersection(&around).is_none()));
        }
        places.extend(tops.iter().flat_map(|&y| sides.map(|x| self.rounded(x, self.within_height(y, size), size))));
        places
    }

    /// At the upper and the lower edge of the face's own box, where that is large enough.
    fn inside(&self, around: Rect, size: LabelSize, above: bool) -> Vec<Rect> {
        if size.width > around.width || size.width * size.height > MOST_HIDDEN * around.area() {
            return Vec::new();
        }
        let gap = 6.0 * self.unit;
        let mut heights = [around.y + gap, around.bottom() - gap - size.height];
        if !above {
            heights.reverse();
        }
        let x = self.within_width(around.center().x - size.width / 2.0, size);
        heights.map(|y| self.rounded(x, self.within_height(y, size), size)).to_vec()
    }

    /// The free place nearest to the face, searched on a grid, not further away than the face is large.
    fn nearest_free(&self, around: Rect, size: LabelSize) -> Option<Rect> {
        let wanted = Point { x: around.center().x - size.width / 2.0, y: around.y - size.height };
        let reach = around.width.max(around.height) + size.height;
        let step = LabelSize { width: (size.width / 3.0).max(self.unit), height: (size.height / 2.0).max(self.unit) };
        let steps = |length: f32, step: f32| ((length / step).ceil() as i32).clamp(1, 64);
        let (columns, rows) = (steps(reach, step.width), steps(reach, step.height));
        (-rows..=rows)
            .flat_map(|row| (-columns..=columns).map(move |column| (column as f32, row as f32)))
            .map(|(column, row)| {
                self.rounded(
                    self.within_width(wanted.x + column * step.width, size),
                    self.within_height(wanted.y + row * step.height, size),
                    size,
                )
            })
            .filter(|place| self.is_free(place))
            .map(|place| (place, (place.x - wanted.x).hypot(place.y - wanted.y)))
            .filter(|&(_, distance)| distance <= reach)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(place, _)| place)
    }

    fn within_width(&self, x: f32, size: LabelSize) -> f32 {
        x.min(self.picture.width - size.width).max(0.0)
    }

    fn within_height(&self, y: f32, size: LabelSize) -> f32 {
        y.min(self.picture.height - size.height).max(0.0)
    }

    /// The nearest whole pixel of the screen, so that plates neither blur nor tremble.
    fn rounded(&self, x: f32, y: f32, size: LabelSize) -> Rect {
        let round = |value: f32, room: f32| {
            let rounded = (value / self.unit).round() * self.unit;
            // Rounding alone must not push a plate over an edge; a place outside stays outside and is refused.
            if value <= room && rounded > room { room } else { rounded }
        };
        let (width, height) = (size.width, size.height);
        let rect = Rect::new(x, y, width, height);
        Rect { x: round(rect.x, self.picture.width - width), y: round(rect.y, self.picture.height - height), ..rect }
    }

    fn is_free(&self, place: &Rect) -> bool {
        let picture = &self.picture;
        place.x >= 0.0
            && place.y >= 0.0
            && place.right() <= picture.width + 1e-3
            && place.bottom() <= picture.height + 1e-3
            && self.taken.iter().all(|plate| plate.intersection(place).is_none())
    }

    fn is_off_other_faces(&self, place: &Rect, own: usize) -> bool {
        self.faces.iter().enumerate().all(|(index, face)| index == own || face.intersection(place).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATE: LabelSize = LabelSize { width: 80.0, height: 30.0 };

    fn place(faces: &[Rect], above: bool) -> Option<Rect> {
        LabelLayout::new(640.0, 480.0, faces, 1.0).place(0, PLATE, above, Manner::Clear)
    }

    #[test]
    fn a_plate_stands_above_its_face_and_below_where_there_is_no_room() {
        let face = Rect::new(200.0, 100.0, 120.0, 120.0);
        assert_eq!(place(&[face], true), Some(Rect::new(200.0, 64.0, 80.0, 30.0)));
        assert_eq!(place(&[face.translated(0.0, -80.0)], true), Some(Rect::new(200.0, 146.0, 80.0, 30.0)));
        assert_eq!(place(&[face], false), Some(Rect::new(220.0, 226.0, 80.0, 30.0)));
    }

    #[test]
    fn a_plate_keeps_inside_the_picture_at_every_edge() {
        for (x, y) in [(-40.0, -40.0), (600.0, -40.0), (-40.0, 440.0), (600.0, 440.0), (560.3, 200.7)] {
            let place = place(&[Rect::new(x, y, 90.0, 90.0)], true).unwrap();
            assert!(place.x >= 0.0 && place.right() <= 640.0, "{place:?}");
            assert!(place.y >= 0.0 && place.bottom() <= 480.0, "{place:?}");
        }
    }

    #[test]
    fn a_face_that_fills_the_picture_carries_its_plate_inside() {
        let place = place(&[Rect::new(-50.0, -50.0, 740.0, 580.0)], true).unwrap();
        assert_eq!(place, Rect::new(280.0, 6.0, 80.0, 30.0));
    }

    #[test]
    fn a_second_plate_stands_behind_the_first_and_off_its_face() {
        // Below is no room: the picture ends there.
        let face = [Rect::new(200.0, 340.0, 120.0, 130.0)];
        let mut layout = LabelLayout::new(640.0, 480.0, &face, 1.0);
        let first = layout.place(0, PLATE, true, Manner::Clear).unwrap();
        let second = layout.place(0, LabelSize { width: 160.0, height: 20.0 }, false, Manner::Clear).unwrap();
        assert!(second.bottom() < first.y && first.bottom() < face[0].y, "{first:?} {second:?}");
    }

    #[test]
    fn a_plate_keeps_off_other_faces_where_it_can() {
        let faces = [Rect::new(200.0, 200.0, 100.0, 100.0), Rect::new(190.0, 90.0, 100.0, 100.0)];
        let place = place(&faces, true).unwrap();
        assert!(place.intersection(&faces[1]).is_none(), "{place:?}");
        assert!(place.y > 300.0, "{place:?}");
    }

    #[test]
    fn a_plate_stands_on_another_face_only_where_it_must() {
        let faces = [Rect::new(20.0, 20.0, 40.0, 40.0), Rect::new(0.0, 0.0, 640.0, 480.0)];
        let mut layout = LabelLayout::new(640.0, 480.0, &faces, 1.0);
        assert_eq!(layout.place(0, PLATE, true, Manner::Clear), None);
        let place = layout.place(0, PLATE, true, Manner::Crowded).unwrap();
        assert_eq!(place, Rect::new(0.0, 66.0, 80.0, 30.0));
        let other = layout.place(0, PLATE, true, Manner::Crowded).unwrap();
        assert!(other.intersection(&place).is_none() && other.x < 160.0 && other.y < 160.0, "{other:?}");
    }

    #[test]
    fn where_there_is_no_room_there_is_no_plate() {
        for manner in [Manner::Clear, Manner::Crowded] {
            let faces = [Rect::new(0.0, 0.0, 70.0, 20.0)];
            assert_eq!(LabelLayout::new(70.0, 20.0, &faces, 1.0).place(0, PLATE, true, manner), None);
        }
        assert_eq!(place(&[Rect::new(700.0, 0.0, 50.0, 50.0)], true), None, "a face outside of the image");
    }
}
