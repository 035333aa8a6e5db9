//! Rotations against matrices that are multiplied out here.

use proptest::prelude::*;

use super::*;
use crate::geometry::Pose;

type Matrix = [[f64; 3]; 3];

fn product(a: Matrix, b: Matrix) -> Matrix {
    std::array::from_fn(|row| std::array::from_fn(|column| (0..3).map(|k| a[row][k] * b[k][column]).sum()))
}

fn transposed(a: Matrix) -> Matrix {
    std::array::from_fn(|row| std::array::from_fn(|column| a[column][row]))
}

fn about_x(degrees: f64) -> Matrix {
    let (sin, cos) = degrees.to_radians().sin_cos();
    [[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]]
}

fn about_y(degrees: f64) -> Matrix {
    let (sin, cos) = degrees.to_radians().sin_cos();
    [[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]]
}

fn about_z(degrees: f64) -> Matrix {
    let (sin, cos) = degrees.to_radians().sin_cos();
    [[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]
}

/// `Rx(-pitch) Ry(yaw) Rz(roll)`.
fn matrix_of(pose: Pose) -> Matrix {
    let [yaw, pitch, roll] = [pose.yaw, pose.pitch, pose.roll].map(f64::from);
    product(about_x(-pitch), product(about_y(yaw), about_z(roll)))
}

/// The angle between two rotation matrices by the trace, good to about 1e-6 degrees.
fn angle_between(a: Matrix, b: Matrix) -> f64 {
    let relative = product(transposed(a), b);
    ((relative[0][0] + relative[1][1] + relative[2][2] - 1.0) / 2.0).clamp(-1.0, 1.0).acos().to_degrees()
}

#[track_caller]
fn assert_near(got: Rotation, expected: Matrix) {
    for (row, expected) in got.matrix().into_iter().zip(expected) {
        for (got, expected) in row.into_iter().zip(expected) {
            assert!((got - expected).abs() < 1e-9, "{got} instead of {expected}");
        }
    }
}

const ASIDE_AND_DOWN: Pose = Pose { yaw: 40.0, pitch: -20.0, roll: 15.0 };

/// Any head, also one that is seen from behind or upside down.
fn heads() -> impl Strategy<Value = Pose> {
    (-180.0_f32..180.0, -89.0_f32..89.0, -180.0_f32..180.0).prop_map(|(yaw, pitch, roll)| Pose { yaw, pitch, roll })
}

#[test]
fn a_head_that_looks_aside_and_down_is_turned_as_matrices_turn_it() {
    let rotation = ASIDE_AND_DOWN.rotation();
    assert_near(rotation, matrix_of(ASIDE_AND_DOWN));
    assert_near(rotation.turned(30.0), product(about_z(30.0), matrix_of(ASIDE_AND_DOWN)));
    assert_near(rotation.inverse(), transposed(matrix_of(ASIDE_AND_DOWN)));
    assert_near(rotation * rotation.inverse(), about_x(0.0));
    let mirror = [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    assert_near(rotation.mirrored(), product(mirror, product(matrix_of(ASIDE_AND_DOWN), mirror)));
    assert!((rotation.angle_to(rotation.turned(30.0)) - 30.0).abs() < 1e-9);
    assert!(
        (rotation.angle_to(Rotation::IDENTITY) - angle_between(matrix_of(ASIDE_AND_DOWN), about_x(0.0))).abs() < 1e-6
    );
}

#[test]
fn the_mean_lies_in_the_middle_and_knows_no_wrap() {
    let pose = |yaw, pitch, roll| Pose { yaw, pitch, roll };
    // Equal turns about one axis to both sides of a head that looks aside.
    let tilts = [-25.0, -5.0, 5.0, 25.0].map(|tilt| ASIDE_AND_DOWN.rotation().turned(tilt));
    assert!(Rotation::mean(tilts).unwrap().angle_to(ASIDE_AND_DOWN.rotation()) < 1e-9);
    let mean = Pose::mean(&[pose(0.0, 0.0, 170.0), pose(0.0, 0.0, -160.0)]).unwrap();
    assert!(mean.rotation().angle_to(pose(0.0, 0.0, -175.0).rotation()) < 1e-5, "{mean:?}");
    // The same head just before and just behind the profile.
    let mean = Rotation::mean([pose(80.0, 10.0, 5.0), pose(100.0, 10.0, 5.0)].map(Pose::rotation)).unwrap();
    assert!(mean.angle_to(pose(90.0, 10.0, 5.0).rotation()) < 1.0, "{mean:?}");
    assert!(Rotation::mean([]).is_none());
    // Opposite ones have no middle; what comes is a rotation all the same.
    assert!(Rotation::mean([Rotation::IDENTITY, Rotation::IDENTITY.turned(180.0)]).unwrap().is_finite());
}

#[test]
fn the_mean_is_nearest_to_the_sum_of_the_matrices() {
    // As by singular values: R is nearest to M where R'M is symmetric and positive.
    let heads = [ASIDE_AND_DOWN, Pose { yaw: -15.0, pitch: 30.0, roll: 70.0 }, Pose { yaw: 5.0, ..Pose::default() }];
    let matrices = heads.map(matrix_of);
    let sum: Matrix = std::array::from_fn(|row| std::array::from_fn(|k| matrices.iter().map(|m| m[row][k]).sum()));
    let mean = Rotation::mean(heads.map(Pose::rotation)).unwrap();
    let stretch = product(transposed(mean.matrix()), sum);
    for (row, column) in [(0, 1), (0, 2), (1, 2)] {
        assert!((stretch[row][column] - stretch[column][row]).abs() < 1e-9, "{stretch:?}");
    }
    assert!((0..3).all(|place| stretch[place][place] > 1.0), "{stretch:?}");
    assert!(Rotation::from_matrix(&sum).angle_to(mean) < 1e-9);
}

#[test]
fn a_matrix_that_is_not_quite_a_rotation_gives_the_nearest_one() {
    let mut matrix = matrix_of(ASIDE_AND_DOWN).map(|row| row.map(|number| 1.02 * number));
    assert!(Rotation::from_matrix(&matrix).angle_to(ASIDE_AND_DOWN.rotation()) < 1e-9);
    matrix[1][2] += 0.01;
    assert!(Rotation::from_matrix(&matrix).angle_to(ASIDE_AND_DOWN.rotation()) < 0.6);
    matrix[0][0] = f64::NAN;
    assert!(!Rotation::from_matrix(&matrix).is_finite());
}

#[test]
fn small_and_large_turns_go_through_the_logarithm() {
    for vector in [[0.0; 3], [1e-9, 0.0, -2e-9], [30.0, -40.0, 20.0], [0.0, 179.99, 0.0], [-100.0, 100.0, 100.0]] {
        let back = Rotation::from_vector(vector).vector();
        for (got, expected) in back.into_iter().zip(vector) {
            assert!((got - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{back:?} instead of {vector:?}");
        }
    }
    let [x, y, z] = Rotation::from_vector([0.0, 270.0, 0.0]).vector();
    assert!(x.abs() < 1e-9 && z.abs() < 1e-9 && (y + 90.0).abs() < 1e-9, "the shorter way: {y}");
}

proptest! {
    #[test]
    fn products_are_products_of_matrices(a in heads(), b in heads()) {
        assert_near(a.rotation() * b.rotation(), product(matrix_of(a), matrix_of(b)));
        assert_near(Rotation::from_matrix(&matrix_of(a)), matrix_of(a));
    }

    #[test]
    fn distances_are_those_of_matrices_and_symmetric(a in heads(), b in heads()) {
        let (first, second) = (a.rotation(), b.rotation());
        prop_assert!((first.angle_to(second) - angle_between(matrix_of(a), matrix_of(b))).abs() < 1e-4);
        prop_assert!((first.angle_to(second) - second.angle_to(first)).abs() < 1e-9);
        prop_assert!((first.mirrored().angle_to(second.mirrored()) - first.angle_to(second)).abs() < 1e-9);
        prop_assert!(first.angle_to(first) < 1e-9);
    }

    #[test]
    fn turns_and_mirrors_undo_themselves(head in heads(), degrees in -180.0_f32..180.0) {
        let rotation = head.rotation();
        assert_near(rotation.turned(degrees).turned(-degrees), matrix_of(head));
        assert_near(rotation.mirrored().mirrored(), matrix_of(head));
        // A mirror turns a clockwise turn round.
        let both = rotation.turned(degrees).mirrored();
        prop_assert!(both.angle_to(rotation.mirrored().turned(-degrees)) < 1e-9);
        prop_assert!(Pose::from(rotation.mirrored()).rotation().angle_to(head.mirrored().rotation()) < 1e-4);
        let (upright, tilt) = rotation.upright();
        prop_assert!(upright.turned(tilt).angle_to(rotation) < 1e-9);
        prop_assert!(upright.vector()[2].abs() < 1e-4 || upright.angle_to(Rotation::IDENTITY) > 179.9);
    }

    #[test]
    fn angles_come_back(head in heads()) {
        let back = Pose::from(head.rotation());
        prop_assert!(back.pitch.abs() <= 90.0);
        if head.yaw.abs() < 89.9 || head.yaw.abs() > 90.1 {
            prop_assert!(back.differences(head).iter().all(|difference| *difference < 1e-4), "{back:?}");
        }
        prop_assert!(back.rotation().angle_to(head.rotation()) < 1e-4);
    }

    #[test]
    fn near_the_profile_angles_are_finite_and_mean_the_same_head(
        off in -1e-3_f32..1e-3, right in any::<bool>(), pitch in -89.0_f32..89.0, roll in -180.0_f32..180.0,
    ) {
        let yaw = if right { 90.0 + off } else { -90.0 - off };
        let head = Pose { yaw, pitch, roll };
        let back = Pose::from(head.rotation());
        prop_assert!(back.is_finite() && back.rotation().angle_to(head.rotation()) < 1e-4, "{back:?}");
    }

    #[test]
    fn the_mean_of_equal_heads_is_that_head(head in heads(), count in 1_usize..6) {
        let mean = Rotation::mean(vec![head.rotation(); count]).unwrap();
        prop_assert!(mean.angle_to(head.rotation()) < 1e-6);
        // Wherever the heads are, their mean goes along.
        let turned = Rotation::mean([head.rotation().turned(10.0), head.rotation().turned(-30.0)]).unwrap();
        prop_assert!(turned.angle_to(head.rotation().turned(-10.0)) < 1e-6);
    }
}
