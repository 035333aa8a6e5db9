//! What a scene holds: places, words, colours.

use facelens_core::geometry::Pose;
use facelens_core::track::{Age, Gender, GenderLabel, GenderNumber};

use super::super::wording;
use super::*;

const POSE: Pose = Pose { yaw: 30.0, pitch: 20.0, roll: 10.0 };

fn face(id: u64, rect: Rect) -> Face {
    Face {
        id,
        rect,
        score: 0.9,
        age: Some(Age { years: 34.0, low: 25.0, high: 43.0 }),
        gender: Some(Gender { label: GenderLabel::Female, male: 0.1, number: GenderNumber::Chance }),
        pose: Some(POSE),
    }
}

fn scene(faces: &[Face], options: &SceneOptions) -> Scene {
    Scene::of(faces, 640, 480, options)
}

fn texts(scene: &Scene) -> Vec<&str> {
    scene
        .shapes
        .iter()
        .filter_map(|shape| if let Shape::Text { text, .. } = shape { Some(text.as_str()) } else { None })
        .collect()
}

/// Plates: rectangles in the plate's colour.
fn plates(scene: &Scene) -> Vec<Rect> {
    let plate = |shape: &Shape| match shape {
        Shape::Rect { rect, fill: Some(fill), .. } if *fill == PLATE => Some(*rect),
        _ => None,
    };
    scene.shapes.iter().filter_map(plate).collect()
}

fn lines(scene: &Scene, wanted: Color) -> Vec<(Point, Point)> {
    let line = |shape: &Shape| match shape {
        Shape::Line { from, to, color, .. } if *color == wanted => Some((*from, *to)),
        _ => None,
    };
    scene.shapes.iter().filter_map(line).collect()
}

fn assert_near(point: Point, x: f32, y: f32) {
    assert!((point.x - x).abs() < 0.02 && (point.y - y).abs() < 0.02, "{point:?} is not ({x}, {y})");
}

#[test]
fn a_label_says_id_gender_and_the_range_of_the_age() {
    let one = scene(&[face(7, Rect::new(200.0, 200.0, 100.0, 100.0))], &SceneOptions::default());
    assert_eq!(texts(&one), ["#7", "female, 9 in 10", "age 25–43", "yaw", "30°", "pitch", "20°", "roll", "10°"]);
}

#[test]
fn what_is_unsure_is_said_and_shown_so() {
    let mut unsure = face(1, Rect::new(200.0, 200.0, 100.0, 100.0));
    unsure.age = Some(Age { years: 40.0, low: 27.0, high: 53.0 });
    unsure.gender = Some(Gender { label: GenderLabel::Unsure, male: 0.02, number: GenderNumber::Chance });
    let scene = scene(&[unsure], &SceneOptions { angles: false, ..SceneOptions::default() });
    assert_eq!(texts(&scene), ["#1", "gender unsure", "age about 25 to 55"]);
    let dim = |shape: &&Shape| matches!(shape, Shape::Text { color, .. } if *color == TEXT_DIM);
    assert_eq!(scene.shapes.iter().filter(dim).count(), 2);
}

#[test]
fn without_models_a_face_has_its_box_and_its_id() {
    let bare = Face { age: None, gender: None, pose: None, ..face(3, Rect::new(200.0, 200.0, 100.0, 100.0)) };
    let scene = scene(&[bare], &SceneOptions::default());
    assert_eq!(texts(&scene), ["#3"]);
    assert_eq!(plates(&scene).len(), 1);
    assert!(lines(&scene, AXIS_X).is_empty());
}

#[test]
fn each_part_can_be_left_out() {
    let faces = [face(1, Rect::new(200.0, 200.0, 100.0, 100.0))];
    let nothing = SceneOptions { boxes: false, labels: false, axes: false, angles: false, ..SceneOptions::default() };
    assert!(scene(&faces, &nothing).shapes.is_empty());
    let label = |age, gender| texts_of(&faces, &SceneOptions { labels: true, age, gender, ..nothing });
    assert_eq!(label(true, true), ["#1", "female, 9 in 10", "age 25–43"]);
    assert_eq!(label(true, false), ["#1", "age 25–43"]);
    assert_eq!(label(false, true), ["#1", "female, 9 in 10"]);
    assert_eq!(label(false, false), ["#1"]);
    assert_eq!(texts(&scene(&faces, &SceneOptions { angles: true, ..nothing })).len(), 6);
    assert_eq!(lines(&scene(&faces, &SceneOptions { axes: true, ..nothing }), AXIS_X).len(), 1);
    let corners = scene(&faces, &SceneOptions { boxes: true, ..nothing });
    let color = identity_color(1);
    let corner = |shape: &&Shape| matches!(shape, Shape::Polyline { color: c, .. } if *c == color);
    assert_eq!(corners.shapes.iter().filter(corner).count(), 4);
}

#[test]
fn the_axes_start_in_the_middle_of_the_box_and_follow_the_published_formula() {
    // The axes of a head at 100 pixels, by hand in `axes.rs`; here half of the box's 120 pixels.
    let one = scene(&[face(1, Rect::new(200.0, 100.0, 120.0, 120.0))], &SceneOptions::default());
    for (color, x, y) in [(AXIS_X, 51.17, -0.31), (AXIS_Y, -9.02, 57.31), (AXIS_Z, -30.0, -17.77)] {
        let (from, to) = lines(&one, color)[0];
        assert_near(from, 260.0, 160.0);
        assert_near(to, 260.0 + x, 160.0 + y);
    }
}

#[test]
fn a_mirrored_view_mirrors_places_and_axes_but_neither_words_nor_figures() {
    let faces = [face(1, Rect::new(100.0, 100.0, 120.0, 120.0)), face(2, Rect::new(400.0, 220.0, 100.0, 100.0))];
    let plain = scene(&faces, &SceneOptions::default());
    let mirrored = scene(&faces, &SceneOptions { mirrored: true, ..SceneOptions::default() });
    assert_eq!(texts(&mirrored), texts(&plain));
    for color in [AXIS_X, AXIS_Y, AXIS_Z] {
        for ((from, to), (mirrored_from, mirrored_to)) in lines(&plain, color).into_iter().zip(lines(&mirrored, color))
        {
            assert_near(mirrored_from, 640.0 - from.x, from.y);
            assert_near(mirrored_to, 640.0 - to.x, to.y);
        }
    }
    let plate = plates(&mirrored)[0];
    assert!(plate.center().x > 320.0, "the label of the face on the left is on the right: {plate:?}");
    // Texts run from left to right inside their plates in both views.
    for scene in [&plain, &mirrored] {
        for shape in &scene.shapes {
            if let Shape::Text { at, text, size, .. } = shape {
                let size = TextSize::of(text, *size);
                let inside = |p: &Rect| {
                    at.x >= p.x
                        && at.x + size.width <= p.right() + 0.01
                        && at.y >= p.y
                        && at.y + size.height <= p.bottom() + 0.01
                };
                assert!(plates(scene).iter().any(inside), "{text}");
            }
        }
    }
}

#[test]
fn plates_keep_inside_the_picture_and_off_each_other_in_any_crowd() {
    // A small generator of places: the same crowds every time.
    let mut seed = 7_u32;
    let mut random = |below: f32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / (1 << 24) as f32 * below
    };
    for crowd in 1..40_u64 {
        let faces: Vec<_> = (1..=crowd % 9 + 1)
            .map(|id| {
                let side = 20.0 + random(160.0);
                face(id, Rect::new(random(640.0) - side / 2.0, random(480.0) - side / 2.0, side, side))
            })
            .collect();
        for zoom in [0.5, 1.0, 2.7] {
            let scene = scene(&faces, &SceneOptions { zoom, mirrored: crowd % 2 == 0, ..SceneOptions::default() });
            let plates = plates(&scene);
            for (index, plate) in plates.iter().enumerate() {
                assert!(plate.x >= 0.0 && plate.y >= 0.0, "{plate:?}");
                assert!(plate.right() <= 640.01 && plate.bottom() <= 480.01, "{plate:?}");
                for other in &plates[index + 1..] {
                    assert_eq!(plate.intersection(other), None, "crowd {crowd}");
                }
            }
        }
    }
}

#[test]
fn four_people_each_have_their_label() {
    let faces = [(60.0, 60.0), (360.0, 40.0), (200.0, 250.0), (450.0, 280.0)]
        .into_iter()
        .zip(1..)
        .map(|((x, y), id)| face(id, Rect::new(x, y, 110.0, 110.0)))
        .collect::<Vec<_>>();
    let scene = scene(&faces, &SceneOptions::default());
    assert_eq!(plates(&scene).len(), 8, "a label and figures for each");
    for id in 1..=4 {
        assert!(texts(&scene).contains(&format!("#{id}").as_str()));
    }
}

#[test]
fn text_keeps_its_size_on_the_screen_whatever_the_zoom() {
    let faces = [face(1, Rect::new(200.0, 200.0, 100.0, 100.0))];
    for zoom in [0.5, 1.0, 3.0] {
        for shape in scene(&faces, &SceneOptions { zoom, ..SceneOptions::default() }).shapes {
            if let Shape::Text { size, .. } = shape {
                assert!((12.9..=15.1).contains(&(size * zoom)), "{size} at zoom {zoom}");
            }
        }
    }
}

#[test]
fn saved_pictures_have_texts_that_grow_with_large_pictures_only() {
    assert_eq!(SceneOptions::default().for_saving(480).zoom, 1.0);
    assert!((SceneOptions::default().for_saving(1440).zoom - 0.5).abs() < 1e-6);
    assert_eq!(SceneOptions::default().for_saving(0).zoom, 1.0);
}

#[test]
fn broken_numbers_and_tiny_pictures_break_nothing() {
    let mut broken = face(1, Rect::new(f32::NAN, 0.0, 10.0, 10.0));
    assert!(scene(&[broken.clone()], &SceneOptions::default()).shapes.is_empty());
    broken.rect = Rect::new(10.0, 10.0, f32::INFINITY, 10.0);
    assert!(scene(&[broken.clone()], &SceneOptions::default()).shapes.is_empty());
    broken.rect = Rect::new(200.0, 200.0, 100.0, 100.0);
    broken.pose = Some(Pose { yaw: f32::NAN, pitch: 0.0, roll: 0.0 });
    broken.age = Some(Age { years: f32::INFINITY, low: 1.0, high: 2.0 });
    for zoom in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let scene = scene(&[broken.clone()], &SceneOptions { zoom, ..SceneOptions::default() });
        assert!(lines(&scene, AXIS_X).is_empty());
        assert!(!texts(&scene).contains(&"NaN°"));
    }
    let tiny = Scene::of(&[face(1, Rect::new(0.0, 0.0, 1.0, 1.0))], 1, 1, &SceneOptions::default());
    assert!(texts(&tiny).is_empty());
}

#[test]
fn identities_differ_in_colour_and_the_tag_has_the_colour_of_the_box() {
    let colors: Vec<_> = (1..=12).map(identity_color).collect();
    for (index, color) in colors.iter().enumerate() {
        for other in &colors[index + 1..] {
            assert!(difference(*color, *other) > 20.0, "{color:?} and {other:?}: {}", difference(*color, *other));
        }
    }
    assert_eq!(identity_color(13), identity_color(1));
    let _ = identity_color(0);
    let scene = scene(&[face(2, Rect::new(200.0, 200.0, 100.0, 100.0))], &SceneOptions::default());
    let tag = |shape: &&Shape| matches!(shape, Shape::Rect { fill, .. } if *fill == Some(colors[1]));
    assert_eq!(scene.shapes.iter().filter(tag).count(), 1);
}

#[test]
fn every_text_stands_out_from_what_is_behind_it_even_on_a_white_picture() {
    let over_white = |color: Color| {
        let blend = |c: u8| (u32::from(c) * u32::from(color.a) + 255 * (255 - u32::from(color.a))) / 255;
        Color::opaque(blend(color.r) as u8, blend(color.g) as u8, blend(color.b) as u8)
    };
    for text in [TEXT, TEXT_DIM] {
        for plate in [over_white(PLATE), INK] {
            assert!(contrast(text, plate) > 4.5, "{text:?} on {plate:?}: {}", contrast(text, plate));
        }
    }
    for id in 1..=12 {
        let tag = identity_color(id);
        assert!(contrast(INK, tag) > 4.5, "ID {id}: {}", contrast(INK, tag));
    }
}

/// How different two colours look: CIE 1976 (their distance in L*a*b*, D65); from about 2 it can be seen at all.
fn difference(a: Color, b: Color) -> f32 {
    let lab = |color: Color| {
        let [r, g, b] = [color.r, color.g, color.b].map(linear);
        let x = (0.412_456 * r + 0.357_576 * g + 0.180_438 * b) / 0.950_47;
        let y = 0.212_673 * r + 0.715_152 * g + 0.072_175 * b;
        let z = (0.019_334 * r + 0.119_192 * g + 0.950_304 * b) / 1.088_83;
        let [x, y, z] = [x, y, z].map(|t| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    };
    let (a, b) = (lab(a), lab(b));
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

/// Light of one channel, 0 to 1.
fn linear(channel: u8) -> f32 {
    let c = f32::from(channel) / 255.0;
    if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
}

#[test]
fn in_a_crowd_the_angles_say_whose_they_are_and_moved_labels_point_to_their_face() {
    let spread = [face(1, Rect::new(60.0, 150.0, 90.0, 90.0)), face(2, Rect::new(420.0, 150.0, 90.0, 90.0))];
    let ids = |scene: &Scene, id: &str| texts(scene).iter().filter(|text| **text == id).count();
    let spread = scene(&spread, &SceneOptions::default());
    for id in ["#1", "#2"] {
        assert_eq!(ids(&spread, id), 2, "in the label and beside the angles");
    }
    assert_eq!(leaders(&spread), [], "each label stands beside its face");

    // Two rows of small faces side by side: their labels are wider than they are.
    let crowd: Vec<_> = (0..12_u8)
        .map(|n| {
            let (row, column) = (f32::from(n / 6), f32::from(n % 6));
            face(u64::from(n) + 1, Rect::new(150.0 + 46.0 * column, 200.0 + 46.0 * row, 44.0, 44.0))
        })
        .collect();
    let scene = scene(&crowd, &SceneOptions::default());
    let leaders = leaders(&scene);
    assert!(!leaders.is_empty());
    for (color, from, to) in leaders {
        let face = crowd.iter().find(|face| identity_color(face.id) == color).unwrap().rect;
        let on = |rect: &Rect, at: Point| {
            at.x >= rect.x - 0.1 && at.x <= rect.right() + 0.1 && at.y >= rect.y - 0.1 && at.y <= rect.bottom() + 0.1
        };
        assert!(on(&face, to), "{to:?} is not at {face:?}");
        assert!(plates(&scene).iter().any(|plate| on(plate, from)), "{from:?} is at no label");
    }
}

/// The lines from labels to faces: their colour, where they begin and where they end. Axes have none of these colours.
fn leaders(scene: &Scene) -> Vec<(Color, Point, Point)> {
    let is_identity = |color: &Color| (1..=12).map(identity_color).any(|identity| identity == *color);
    let leader = |shape: &Shape| match shape {
        Shape::Line { from, to, color, .. } if is_identity(color) => Some((*color, *from, *to)),
        _ => None,
    };
    scene.shapes.iter().filter_map(leader).collect()
}

fn texts_of(faces: &[Face], options: &SceneOptions) -> Vec<String> {
    texts(&scene(faces, options)).into_iter().map(str::to_owned).collect()
}

/// Contrast ratio of two opaque colours (WCAG 2.1, "contrast ratio" and "relative luminance"), 1 to 21.
fn contrast(a: Color, b: Color) -> f32 {
    let luminance = |c: Color| 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b);
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn figures_begin_at_the_same_place_whatever_they_are() {
    let starts = |pose| {
        let one = Face { pose: Some(pose), ..face(1, Rect::new(200.0, 200.0, 100.0, 100.0)) };
        let scene = scene(&[one], &SceneOptions { labels: false, ..SceneOptions::default() });
        let figures: Vec<_> = wording::angles(pose).map(|(_, figure)| figure).to_vec();
        let start = |shape: &Shape| match shape {
            Shape::Text { at, text, .. } if figures.contains(text) => Some(at.x),
            _ => None,
        };
        scene.shapes.iter().filter_map(start).collect::<Vec<_>>()
    };
    let (short, long) =
        (starts(Pose { yaw: 1.0, pitch: 2.0, roll: 3.0 }), starts(Pose { yaw: -61.0, pitch: -42.0, roll: 73.0 }));
    assert_eq!(short.len(), 3);
    for (short, long) in short.iter().zip(&long) {
        assert!((short - long).abs() < 0.01);
    }
}
