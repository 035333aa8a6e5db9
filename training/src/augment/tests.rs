use super::*;

const SIDE: usize = 96;

/// A picture whose red is the column and whose green is the row, in levels.
fn ramp() -> Vec<u8> {
    (0..SIDE * SIDE).flat_map(|place| [(place % SIDE * 2) as u8, (place / SIDE * 2) as u8, 100]).collect()
}

fn stored(pixels: &[u8]) -> Stored<'_> {
    Stored { pixels, side: SIDE, context: 2.0 }
}

fn at(input: &[u8], row: usize, column: usize) -> [u8; 3] {
    let start = (row * INPUT + column) * 3;
    [input[start], input[start + 1], input[start + 2]]
}

#[test]
fn the_plain_crop_is_the_middle_of_the_stored_picture() {
    let picture = ramp();
    let mut input = vec![0; INPUT_LEN];
    // 1.5 boxes of 48 pixels: columns 12 to 84, 1.125 of them for each column of the input.
    Augmenter::new(0.25).plain(stored(&picture), &mut input);
    for (index, expected) in [(0, 12.0625), (31, 46.9375), (63, 82.9375)] {
        let level = (2.0 * (expected - 0.0_f32)).round() as u8;
        assert_eq!(at(&input, 5, index)[0], level, "column {index}");
        assert_eq!(at(&input, index, 5)[1], level, "row {index}");
    }
}

#[test]
fn outside_the_stored_picture_its_edge_is_repeated() {
    let picture = ramp();
    let mut input = vec![0; INPUT_LEN];
    Augmenter::new(1.0).plain(stored(&picture), &mut input);
    assert_eq!((at(&input, 0, 0), at(&input, 63, 63)), ([0, 0, 100], [190, 190, 100]));
}

#[test]
fn a_reduction_leaves_no_moire() {
    // Stripes of one pixel are grey from afar; single samples would pick some and leave others.
    let side = 2 * SIDE;
    let picture: Vec<u8> = (0..side * side).flat_map(|place| [if place % 2 == 0 { 0 } else { 255 }; 3]).collect();
    let mut input = vec![0; INPUT_LEN];
    Augmenter::new(0.45).plain(Stored { pixels: &picture, side, context: 2.0 }, &mut input);
    let deviation = input.iter().map(|level| (f32::from(*level) - 127.5).abs()).fold(0.0, f32::max);
    assert!(deviation < 20.0, "{deviation}");
}

#[test]
fn the_filter_is_the_apps_triangle() {
    // An input of 64 pixels out of 96 stored ones, by the image crate's antialiased triangle.
    let picture: Vec<u8> = (0..SIDE * SIDE * 3).map(|place| (place * 7919 % 251) as u8).collect();
    let source = image::RgbImage::from_raw(SIDE as u32, SIDE as u32, picture.clone()).unwrap();
    let expected = image::imageops::resize(&source, 64, 64, image::imageops::FilterType::Triangle);
    let mut input = vec![0; INPUT_LEN];
    Augmenter::new(0.5).plain(stored(&picture), &mut input);
    for (place, (got, expected)) in input.chunks_exact(3).zip(expected.pixels()).enumerate() {
        let inside = (2..62).contains(&(place % INPUT)) && (2..62).contains(&(place / INPUT));
        let apart = got.iter().zip(expected.0).map(|(a, b)| a.abs_diff(b)).max();
        assert!(!inside || apart <= Some(1), "{place}: {got:?} not {expected:?}");
    }
}

/// Where in the input the brightest spot lies, from its middle.
fn spot(input: &[u8]) -> (f32, f32) {
    let (mut x, mut y, mut total) = (0.0, 0.0, 0.0);
    for (place, pixel) in input.chunks_exact(3).enumerate() {
        let weight = f32::from(pixel[0]);
        x += weight * ((place % INPUT) as f32 - 31.5);
        y += weight * ((place / INPUT) as f32 - 31.5);
        total += weight;
    }
    (x / total, y / total)
}

#[test]
fn labels_follow_the_picture() {
    // One spot above the middle and to the right: the angle at which it is seen tells how the picture was turned.
    let (column, row) = (58.0_f32, 36.0_f32);
    let picture: Vec<u8> = (0..SIDE * SIDE)
        .flat_map(|place| {
            let (dx, dy) = ((place % SIDE) as f32 - column, (place / SIDE) as f32 - row);
            [(255.0 * (-(dx * dx + dy * dy) / 8.0).exp()) as u8; 3]
        })
        .collect();
    let only = Augmentation { mirror: true, rotation_degrees: 40.0, ..Augmentation::none() };
    let mut augmenter = Augmenter::new(0.25);
    let mut input = vec![0; INPUT_LEN];
    for index in 0..12 {
        let mirrored = index % 2 == 0;
        let turn = augmenter.varied(stored(&picture), mirrored, &only, &mut generator(1, 0, index), &mut input);
        let (dx, dy) = (column - 47.5, row - 47.5);
        let dx = if turn.mirrored { -dx } else { dx };
        assert_eq!(turn.mirrored, mirrored);
        // Clockwise as displayed, y down.
        let (sin, cos) = turn.clockwise_degrees.to_radians().sin_cos();
        let expected = ((dx * cos - dy * sin) / 1.125, (dx * sin + dy * cos) / 1.125);
        let (x, y) = spot(&input);
        assert!((x - expected.0).abs() < 0.1 && (y - expected.1).abs() < 0.1, "{turn:?}: {x},{y} not {expected:?}");
    }
}

#[test]
fn the_label_of_a_head_that_looks_aside_follows_the_picture_in_all_three_angles() {
    let aside = Pose { yaw: 40.0, pitch: 0.0, roll: 0.0 };
    for (mirrored, sign) in [(false, 1.0), (true, -1.0)] {
        let turned = Turn { mirrored, clockwise_degrees: 30.0 * sign }.pose(aside);
        // Rz(30) Ry(40): sin yaw = cos 30 sin 40, tan pitch = sin 30 tan 40, tan roll = tan 30 / cos 40.
        let expected = Pose { yaw: 33.825_8 * sign, pitch: 22.760_5, roll: 37.004_5 * sign };
        assert!(turned.differences(expected).iter().all(|off| *off < 1e-3), "{turned:?}");
    }
    // In which order mirror and turn come is not the same.
    let turn = Turn { mirrored: true, clockwise_degrees: 15.0 };
    let label = Pose { yaw: 40.0, pitch: -20.0, roll: 5.0 };
    let expected = label.mirrored().rotation().turned(15.0);
    assert!(turn.pose(label).rotation().angle_to(expected) < 1e-4);
    assert!(turn.pose(label).rotation().angle_to(label.rotation().turned(15.0).mirrored()) > 29.0);
}

#[test]
fn the_same_draw_gives_the_same_bytes_and_another_gives_others() {
    let picture = ramp();
    let mut augmenter = Augmenter::new(0.25);
    let mut draw = |seed, epoch, index| {
        let mut input = vec![0; INPUT_LEN];
        augmenter.varied(
            stored(&picture),
            false,
            &Augmentation::default(),
            &mut generator(seed, epoch, index),
            &mut input,
        );
        input
    };
    let first = draw(1, 2, 3);
    assert_ne!(first, draw(2, 2, 3));
    assert_ne!(first, draw(1, 3, 3));
    assert_ne!(first, draw(1, 2, 4));
    assert_eq!(first, draw(1, 2, 3), "what was drawn before must not matter");
}

#[test]
fn without_augmentation_the_varied_crop_is_the_plain_one() {
    let picture = ramp();
    let mut augmenter = Augmenter::new(0.25);
    let (mut plain, mut varied) = (vec![0; INPUT_LEN], vec![0; INPUT_LEN]);
    augmenter.plain(stored(&picture), &mut plain);
    let turn = augmenter.varied(stored(&picture), false, &Augmentation::none(), &mut generator(1, 0, 0), &mut varied);
    assert_eq!(turn, Turn::default());
    let difference = plain.iter().zip(&varied).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(difference <= Some(1), "{difference:?}");
}

#[test]
fn each_way_to_spoil_does_its_own() {
    let flat = vec![128.0_f32; INPUT_LEN];
    let mut rng = generator(1, 0, 0);
    let mut noisy = flat.clone();
    spoil::noise(8.0, &mut rng, &mut noisy);
    let variance = noisy.iter().map(|value| (value - 128.0).powi(2)).sum::<f32>() / INPUT_LEN as f32;
    assert!((variance.sqrt() - 8.0).abs() < 0.2, "{variance}");

    let mut erased = flat.clone();
    spoil::erase(0.5, &mut rng, &mut erased);
    let changed = erased.iter().zip(&flat).filter(|(a, b)| a != b).count() / 3;
    assert!((36..=32 * 32).contains(&changed), "{changed}");

    let stripes: Vec<u8> = (0..INPUT_LEN).map(|place| if place / 3 % 4 < 2 { 40 } else { 210 }).collect();
    let contrast = |bytes: &[u8]| bytes.iter().map(|byte| (f32::from(*byte) - 125.0).abs()).sum::<f32>();
    let mut small = stripes.clone();
    spoil::shrink(20, &mut small);
    assert!(contrast(&small) < 0.5 * contrast(&stripes));
    let mut compressed = stripes.clone();
    spoil::jpeg(30, &mut compressed);
    assert_ne!(compressed, stripes);
    assert!((contrast(&compressed) / contrast(&stripes) - 1.0).abs() < 0.2);

    let mut blurred: Vec<f32> = stripes.iter().map(|byte| f32::from(*byte)).collect();
    let before: f32 = blurred.iter().sum();
    blur::gaussian(1.2, &mut blurred, &mut vec![0.0; INPUT_LEN]);
    assert!((blurred.iter().sum::<f32>() / before - 1.0).abs() < 0.01, "light is kept");
    let middle = &blurred[20 * 3..40 * 3];
    assert!(middle.iter().all(|value| (70.0..180.0).contains(value)), "{middle:?}");
}

#[test]
fn a_grey_picture_has_no_colour_and_a_senseless_setting_is_named() {
    let picture = ramp();
    let mut input = vec![0; INPUT_LEN];
    let grey = Augmentation { grey_share: 1.0, ..Augmentation::none() };
    Augmenter::new(0.25).varied(stored(&picture), false, &grey, &mut generator(1, 0, 0), &mut input);
    assert!(input.chunks_exact(3).all(|pixel| pixel[0].abs_diff(pixel[1]) <= 1 && pixel[0].abs_diff(pixel[2]) <= 1));

    Augmentation::default().check().unwrap();
    Augmentation::none().check().unwrap();
    let wrong = Augmentation { blur_share: 1.5, ..Augmentation::default() };
    assert!(wrong.check().unwrap_err().contains("blur_share"));
    let wrong = Augmentation { shift: f32::NAN, ..Augmentation::default() };
    assert!(wrong.check().unwrap_err().contains("shift"));
}
