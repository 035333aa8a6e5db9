//! What is drawn over walkers: their outlines, what is known of their gait, and their gait energy images beside them.

use std::sync::Arc;

use facelens_core::geometry::{Point, Rect};
use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, GaitAge, GaitEstimate, Gei, Stage, Waiting, WalkState, Walker};

use super::palette::{INK, PLATE, TEXT, TEXT_DIM, identity_color};
use super::scene::{Color, Scene, SceneOptions, Shape};
use super::software_painter::paint_on_picture;
use super::text::TextSize;

/// Lengths on the screen, in points.
mod metrics {
    /// Font size of the ID, and of what is said.
    pub const TITLE: f32 = 15.0;
    pub const BODY: f32 = 13.0;
    /// Between a plate's edge and its text, across and down.
    pub const PADDING: (f32, f32) = (7.0, 4.0);
    pub const PLATE_RADIUS: f32 = 5.0;
    /// Between the edge of a plate and the coloured tag with the ID.
    pub const TAG_INSET: f32 = 3.0;
    /// Stroke of an outline, and how far its dark casing reaches beyond it.
    pub const OUTLINE: f32 = 2.2;
    pub const CASING: f32 = 1.2;
    /// Between a person and what stands beside them.
    pub const GAP: f32 = 6.0;
    /// Side of a pixel of a gait energy image, and the frame around it.
    pub const GEI_PIXEL: f32 = 1.5;
    pub const GEI_FRAME: f32 = 2.0;
}

/// A gait energy image in its place on the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct GeiPlace {
    /// Whose it is.
    pub id: u64,
    /// The image.
    pub gei: Arc<Gei>,
    /// Where, pixels of the picture as it is shown.
    pub rect: Rect,
}

/// The overlay of a frame's walkers: shapes, and the images that go on top of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GaitScene {
    /// Outlines, labels, and the frames of the images.
    pub scene: Scene,
    /// The images, for those where there is room.
    pub images: Vec<GeiPlace>,
}

impl GaitScene {
    /// The overlay of these walkers on a picture of `width` x `height` pixels; of the options, `boxes` stands for outlines,
    /// `labels` for what is said, `angles` for the images. Nothing that is said covers a plate of `faces`, the scene of the
    /// faces in the same picture.
    pub fn of(walkers: &[Walker], faces: &Scene, width: u32, height: u32, options: &SceneOptions) -> Self {
        let size = (width as f32, height as f32);
        let unit = if options.zoom.is_finite() { 1.0 / options.zoom.clamp(0.02, 50.0) } else { 1.0 };
        let mut composer =
            GaitComposer { shapes: Vec::new(), unit, size, taken: Vec::new(), mirrored: options.mirrored };
        composer.taken.extend(faces.shapes.iter().filter_map(|shape| match shape {
            Shape::Rect { rect, fill: Some(_), .. } => Some(*rect),
            _ => None,
        }));
        if options.boxes {
            walkers.iter().for_each(|walker| composer.outline(walker));
        }
        // What is beside one person shall not lie on another.
        composer.taken.extend(walkers.iter().map(|walker| shown(walker.rect, size.0, options.mirrored)));
        if options.labels {
            walkers.iter().for_each(|walker| composer.label(walker));
        }
        let mut images = Vec::new();
        if options.angles {
            images.extend(walkers.iter().filter_map(|walker| composer.image(walker)));
        }
        Self { scene: Scene { width: size.0, height: size.1, shapes: composer.shapes }, images }
    }

    /// Paints it onto tightly packed RGB8 rows of `width` x `height` pixels.
    pub fn paint(&self, rgb: &mut [u8], width: u32, height: u32) {
        paint_on_picture(&self.scene, rgb, width, height);
        for place in &self.images {
            paint_image(place, rgb, width, height);
        }
    }
}

/// What is said of a walker: the figures in short, or why there are none.
pub fn gait_words(walker: &Walker) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(stride_s) = walker.measures.stride_s {
        let strides = match walker.state {
            WalkState::Walking { strides: 1 } => " · 1 stride".to_owned(),
            WalkState::Walking { strides } => format!(" · {strides} strides"),
            WalkState::Waiting(_) => String::new(),
        };
        lines.push(format!("{stride_s:.2} s{strides}"));
    }
    match (walker.state, walker.age) {
        (WalkState::Waiting(waiting), _) => lines.push(waiting.words().to_owned()),
        (WalkState::Walking { strides: 0 }, _) => lines.push("walks: the first stride is not complete".to_owned()),
        (_, Some(told)) => lines.push(gait_age_words(&told)),
        _ => {}
    }
    lines
}

/// What is said of an age by gait: `age by gait 8–14`, or the part of life.
pub fn gait_age_words(told: &GaitEstimate) -> String {
    match told.age {
        Some(GaitAge { years, low, high, .. }) if [years, low, high].iter().all(|years| years.is_finite()) => {
            format!("age by gait {}–{}", low.round().max(0.0) as i32, high.round().max(0.0) as i32)
        }
        _ => gait_stage_words(told.stage).to_owned(),
    }
}

/// What is said of a part of life.
pub fn gait_stage_words(stage: Stage) -> &'static str {
    match stage {
        Stage::Child => "child by gait",
        Stage::Adult => "adult by gait",
        Stage::Older => "older by gait",
        Stage::Unsure => "age by gait unsure",
    }
}

fn shown(rect: Rect, width: f32, mirrored: bool) -> Rect {
    if mirrored { Rect { x: width - rect.right(), ..rect } } else { rect }
}

struct GaitComposer {
    shapes: Vec<Shape>,
    /// One point on the screen in pixels of the picture.
    unit: f32,
    size: (f32, f32),
    /// Where something stands already.
    taken: Vec<Rect>,
    mirrored: bool,
}

impl GaitComposer {
    fn outline(&mut self, walker: &Walker) {
        let width = self.size.0;
        let place = |point: &Point| Point { x: if self.mirrored { width - point.x } else { point.x }, ..*point };
        let color = identity_color(walker.id);
        for line in &walker.outline {
            // Closed: it ends where it began.
            let points: Vec<Point> = line.iter().chain(line.first()).map(place).collect();
            let casing = (metrics::OUTLINE + 2.0 * metrics::CASING) * self.unit;
            self.shapes.push(Shape::Polyline { points: points.clone(), width: casing, color: INK });
            self.shapes.push(Shape::Polyline { points, width: metrics::OUTLINE * self.unit, color });
        }
    }

    /// The plate with the ID and what is said, over the head or under the feet.
    fn label(&mut self, walker: &Walker) {
        let unit = self.unit;
        let (padding, inset) = ((metrics::PADDING.0 * unit, metrics::PADDING.1 * unit), metrics::TAG_INSET * unit);
        let id = format!("#{}", walker.id);
        let id_font = metrics::TITLE * unit;
        let id_size = TextSize::of(&id, id_font);
        // Many are too far in a street: their numbers are enough.
        let is_far = walker.state == WalkState::Waiting(Waiting::TooFar);
        let said: Vec<(String, TextSize)> = gait_words(walker)
            .into_iter()
            .filter(|_| !is_far)
            .map(|text| {
                let size = TextSize::of(&text, metrics::BODY * unit);
                (text, size)
            })
            .collect();
        // Somebody small among many gets the number alone.
        for lines in [&said[..], &[]] {
            let text_width = lines.iter().map(|(_, size)| size.width).fold(0.0, f32::max);
            let text_height = lines.iter().map(|(_, size)| size.height).sum::<f32>().max(id_size.height);
            let tag_width = id_size.width + 2.0 * padding.0 - inset;
            let width = inset + tag_width + if lines.is_empty() { inset } else { text_width + 2.0 * padding.0 };
            let Some(plate) = self.place_label(walker, width, text_height + 2.0 * padding.1) else { continue };
            self.taken.push(plate);
            self.fill(plate, metrics::PLATE_RADIUS * unit, PLATE);
            let tag = Rect::new(plate.x + inset, plate.y + inset, tag_width, plate.height - 2.0 * inset);
            let radius = (metrics::PLATE_RADIUS - metrics::TAG_INSET + 1.0) * unit;
            self.fill(tag, radius, identity_color(walker.id));
            let middle = tag.center();
            let at = Point { x: middle.x - id_size.width / 2.0, y: middle.y - id_size.height / 2.0 };
            self.shapes.push(Shape::Text { at, text: id, size: id_font, color: INK });
            let mut at = Point { x: tag.right() + padding.0, y: plate.y + padding.1 };
            if let [(_, only)] = lines {
                at.y = plate.center().y - only.height / 2.0;
            }
            for (index, (text, size)) in lines.iter().enumerate() {
                let color = if index == 0 && walker.measures.stride_s.is_some() { TEXT } else { TEXT_DIM };
                self.shapes.push(Shape::Text { at, text: text.clone(), size: metrics::BODY * unit, color });
                at.y += size.height;
            }
            return;
        }
    }

    /// Where a plate has room: over the head, under the feet.
    fn place_label(&self, walker: &Walker, width: f32, height: f32) -> Option<Rect> {
        let rect = shown(walker.rect, self.size.0, self.mirrored);
        let gap = metrics::GAP * self.unit;
        let x = (rect.center().x - width / 2.0).clamp(0.0, (self.size.0 - width).max(0.0));
        let places = [rect.y - gap - height, rect.bottom() + gap];
        places.into_iter().map(|y| Rect::new(x, y, width, height)).find(|place| self.is_free(place, &rect))
    }

    /// The image beside its walker, with a frame in their colour; `None` without an image or without room.
    fn image(&mut self, walker: &Walker) -> Option<GeiPlace> {
        let gei = walker.gei.clone()?;
        let unit = self.unit;
        let (frame, gap) = (metrics::GEI_FRAME * unit, metrics::GAP * unit);
        let (width, height) =
            (GEI_WIDTH as f32 * metrics::GEI_PIXEL * unit, GEI_HEIGHT as f32 * metrics::GEI_PIXEL * unit);
        let own = shown(walker.rect, self.size.0, self.mirrored);
        let y = (own.center().y - height / 2.0).clamp(frame, (self.size.1 - height - frame).max(frame));
        // Twice as far where somebody stands beside them.
        let right = own.right() + gap + frame;
        let left = own.x - gap - frame - width;
        let places = [right, left, right + width, left - width];
        let rect = places.into_iter().map(|x| Rect::new(x, y, width, height)).find(|place| {
            let framed = Rect::new(place.x - frame, place.y - frame, width + 2.0 * frame, height + 2.0 * frame);
            self.is_free(&framed, &own)
        })?;
        self.taken.push(rect);
        let framed = Rect::new(rect.x - frame, rect.y - frame, width + 2.0 * frame, height + 2.0 * frame);
        self.fill(framed, frame, identity_color(walker.id));
        Some(GeiPlace { id: walker.id, gei, rect })
    }

    /// Whether a place is in the picture and nothing stands there but `own`.
    fn is_free(&self, place: &Rect, own: &Rect) -> bool {
        place.x >= 0.0
            && place.y >= 0.0
            && place.right() <= self.size.0
            && place.bottom() <= self.size.1
            && self.taken.iter().filter(|taken| *taken != own).all(|taken| taken.intersection(place).is_none())
    }

    fn fill(&mut self, rect: Rect, radius: f32, color: Color) {
        self.shapes.push(Shape::Rect { rect, radius, fill: Some(color), stroke: None });
    }
}

/// Paints an image as grey, bilinearly between its pixels.
fn paint_image(place: &GeiPlace, rgb: &mut [u8], width: u32, height: u32) {
    let rect = &place.rect;
    let columns = rect.x.max(0.0).round() as u32..rect.right().min(width as f32).round() as u32;
    let rows = rect.y.max(0.0).round() as u32..rect.bottom().min(height as f32).round() as u32;
    let pixels = place.gei.pixels();
    let at = |x: usize, y: usize| pixels[y.min(GEI_HEIGHT - 1) * GEI_WIDTH + x.min(GEI_WIDTH - 1)];
    let split = |place: f32| {
        let place = place.max(0.0);
        (place as usize, place.fract())
    };
    for y in rows {
        let (row, below) = split((y as f32 + 0.5 - rect.y) / rect.height * GEI_HEIGHT as f32 - 0.5);
        for x in columns.clone() {
            let (column, right) = split((x as f32 + 0.5 - rect.x) / rect.width * GEI_WIDTH as f32 - 0.5);
            let across = |row: usize| at(column, row) * (1.0 - right) + at(column + 1, row) * right;
            let value = across(row) * (1.0 - below) + across(row + 1) * below;
            let start = (y as usize * width as usize + x as usize) * 3;
            if let Some(pixel) = rgb.get_mut(start..start + 3) {
                pixel.fill((value * 255.0).round() as u8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use facelens_gait::Measures;

    use super::*;

    fn walker(id: u64, x: f32) -> Walker {
        let corners = [(0.0, 0.0), (40.0, 0.0), (40.0, 120.0), (0.0, 120.0)];
        Walker {
            id,
            face: None,
            rect: Rect::new(x, 100.0, 40.0, 120.0),
            outline: vec![corners.iter().map(|(dx, dy)| Point { x: x + dx, y: 100.0 + dy }).collect()],
            state: WalkState::Walking { strides: 2 },
            gei: Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, &[200; GEI_WIDTH * GEI_HEIGHT]).map(Arc::new),
            measures: Measures { stride_s: Some(1.084), ..Measures::default() },
            age: None,
        }
    }

    #[test]
    fn the_label_says_the_stride_or_why_there_is_none() {
        let mut person = walker(1, 100.0);
        assert_eq!(gait_words(&person), ["1.08 s · 2 strides"]);
        person.state = WalkState::Waiting(Waiting::FeetHidden);
        assert_eq!(gait_words(&person), ["1.08 s", "feet not visible"]);
        (person.state, person.measures.stride_s) = (WalkState::Walking { strides: 0 }, None);
        assert_eq!(gait_words(&person), ["walks: the first stride is not complete"]);
    }

    #[test]
    fn images_stand_beside_their_walkers_and_on_nobody() {
        let walkers = [walker(1, 100.0), walker(2, 160.0), walker(3, 590.0)];
        let scene = GaitScene::of(&walkers, &Scene::default(), 640, 360, &SceneOptions::default());
        assert_eq!(scene.images.iter().map(|place| place.id).collect::<Vec<_>>(), [1, 2, 3]);
        for (index, place) in scene.images.iter().enumerate() {
            assert!(place.rect.x >= 0.0 && place.rect.right() <= 640.0);
            assert!(walkers.iter().all(|walker| walker.rect.intersection(&place.rect).is_none()), "{place:?}");
            assert!(scene.images[..index].iter().all(|other| other.rect.intersection(&place.rect).is_none()));
        }
        let mut rgb = vec![0; 640 * 360 * 3];
        scene.paint(&mut rgb, 640, 360);
        let middle = scene.images[0].rect.center();
        assert_eq!(rgb[(middle.y as usize * 640 + middle.x as usize) * 3], 200);
    }

    #[test]
    fn labels_do_not_cover_those_of_the_faces() {
        let plate = |scene: &GaitScene| {
            let plate = scene.scene.shapes.iter().find_map(|shape| match shape {
                Shape::Rect { rect, fill: Some(PLATE), .. } => Some(*rect),
                _ => None,
            });
            plate.unwrap()
        };
        let walkers = [walker(1, 100.0)];
        let options = SceneOptions::default();
        let alone = plate(&GaitScene::of(&walkers, &Scene::default(), 640, 360, &options));
        assert!(alone.bottom() < 100.0, "over the head: {alone:?}");
        let fill = Some(PLATE);
        let label = Shape::Rect { rect: Rect::new(90.0, 60.0, 60.0, 40.0), radius: 0.0, fill, stroke: None };
        let faces = Scene { width: 640.0, height: 360.0, shapes: vec![label] };
        let beside = plate(&GaitScene::of(&walkers, &faces, 640, 360, &options));
        assert!(beside.y > 220.0, "under the feet: {beside:?}");
    }

    #[test]
    fn mirrored_it_is_mirrored_as_a_whole() {
        let options = SceneOptions { mirrored: true, ..SceneOptions::default() };
        let scene = GaitScene::of(&[walker(1, 100.0)], &Scene::default(), 640, 360, &options);
        let Shape::Polyline { points, .. } = &scene.scene.shapes[0] else { panic!("an outline comes first") };
        assert_eq!((points[0].x, points[1].x), (540.0, 500.0));
        assert!(scene.images[0].rect.x > 540.0);
    }

    #[test]
    fn every_character_of_a_label_is_in_the_font() {
        let said = Waiting::ALL.map(Waiting::words).concat()
            + "walks: the first stride is not complete · 0123456789 age by gait unsure";
        for character in said.chars().filter(|character| *character != ' ') {
            assert!(crate::overlay::has_glyph(character), "{character:?}");
        }
    }
}
