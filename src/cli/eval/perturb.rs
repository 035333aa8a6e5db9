//! Whether an estimate stays where nothing that matters changes: the face found a little elsewhere, the picture mirrored,
//! lighter, or compressed.

use anyhow::Context as _;
use facelens_core::estimate::{Estimate, Estimator, FaceRegion};
use facelens_core::frame::Frame;
use facelens_core::geometry::{Point, Pose, Rect};
use facelens_media::decode_picture;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use serde::Serialize;

use super::metrics::RunningMean;

/// How far the box is shifted, pixels of the picture.
const SHIFT_PX: f32 = 2.0;
/// By which factor the box grows, and shrinks.
const SCALE: f32 = 1.05;
/// How far the picture is turned to either side, degrees.
const TURN_DEGREES: f32 = 5.0;
/// How much lighter and darker it becomes, parts of each level.
const LIGHT: f32 = 0.2;
/// Quality of the JPEG.
const JPEG_QUALITY: u8 = 60;
/// A chance or score of which the larger side is below this is unsure: its label may change.
const SURE: f32 = 0.7;

/// How one face's estimates scatter over the changed pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Scatter {
    /// Standard deviation of the age, years.
    pub age_years: Option<f64>,
    /// Whether a change makes another gender likelier; `None` where the unchanged picture's gender is unsure.
    pub label_changed: Option<bool>,
    /// Mean angle between the poses and the unchanged picture's, each with its change undone, degrees.
    pub pose_degrees: Option<f64>,
}

/// How the estimates of faces scatter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct ScatterMetrics {
    /// Mean over the faces of the standard deviation of the age, years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_sd: Option<RunningMean>,
    /// Share of the faces with a sure gender of which a change makes the other one likelier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels_changed: Option<RunningMean>,
    /// Mean angle between a changed picture's pose and the unchanged one's, degrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pose_spread: Option<RunningMean>,
}

impl ScatterMetrics {
    /// Of these faces; `None` of none.
    pub(super) fn of(scatters: &[Scatter]) -> Option<Self> {
        let numbers = |of: fn(&Scatter) -> Option<f64>| scatters.iter().filter_map(of).collect::<Vec<_>>();
        let changed: Vec<bool> = scatters.iter().filter_map(|scatter| scatter.label_changed).collect();
        (!scatters.is_empty()).then(|| Self {
            age_sd: RunningMean::of(&numbers(|scatter| scatter.age_years)),
            labels_changed: RunningMean::share(&changed),
            pose_spread: RunningMean::of(&numbers(|scatter| scatter.pose_degrees)),
        })
    }
}

/// A changed picture, where the face is in it, and how a pose in it becomes one in the unchanged picture.
struct Changed {
    frame: Frame,
    place: FaceRegion,
    mirrored: bool,
    clockwise: f32,
}

/// How the estimates of the face at `place` scatter around `unchanged`.
pub(super) fn scatter(
    estimator: &mut Estimator,
    frame: &Frame,
    place: FaceRegion,
    unchanged: &Estimate,
) -> anyhow::Result<Scatter> {
    let mut estimates = vec![unchanged.clone()];
    for Changed { frame, place, mirrored, clockwise } in changes(frame, place)? {
        let mut estimate = estimator.first_look(&frame, Some(place))?.0;
        estimate.pose = estimate.pose.map(|pose| {
            let upright = pose.turned(-clockwise);
            if mirrored { upright.mirrored() } else { upright }
        });
        estimates.push(estimate);
    }
    Ok(of(&estimates))
}

/// Of the unchanged picture's estimate, which comes first, and the others'.
fn of(estimates: &[Estimate]) -> Scatter {
    let ages: Vec<f64> = estimates.iter().filter_map(|estimate| Some(f64::from(estimate.age?.years))).collect();
    let mean = ages.iter().sum::<f64>() / ages.len().max(1) as f64;
    let variance = ages.iter().map(|age| (age - mean).powi(2)).sum::<f64>() / ages.len().max(1) as f64;
    let males: Vec<f32> = estimates.iter().filter_map(|estimate| Some(estimate.gender?.male())).collect();
    let sure = males.first().filter(|male| male.max(1.0 - **male) >= SURE);
    let poses: Vec<Pose> = estimates.iter().filter_map(|estimate| estimate.pose).collect();
    let apart = |first: &Pose| {
        let others = poses[1..].iter().map(|pose| first.rotation().angle_to(pose.rotation()));
        others.sum::<f64>() / (poses.len() - 1).max(1) as f64
    };
    Scatter {
        age_years: (!ages.is_empty()).then(|| variance.sqrt()),
        label_changed: sure.map(|first| males.iter().any(|male| (*male >= 0.5) != (*first >= 0.5))),
        pose_degrees: poses.first().map(apart),
    }
}

/// The picture with each change.
fn changes(frame: &Frame, place: FaceRegion) -> anyhow::Result<Vec<Changed>> {
    let moved =
        |rect: Rect| Changed { frame: frame.clone(), place: place.in_box(rect), mirrored: false, clockwise: 0.0 };
    let mut changes = vec![
        moved(place.rect.translated(SHIFT_PX, 0.0)),
        moved(place.rect.translated(-SHIFT_PX, 0.0)),
        moved(place.rect.translated(0.0, SHIFT_PX)),
        moved(place.rect.translated(0.0, -SHIFT_PX)),
        moved(place.rect.scaled(SCALE)),
        moved(place.rect.scaled(1.0 / SCALE)),
    ];
    let painted = |rgb: Vec<u8>| -> anyhow::Result<Changed> {
        let frame = Frame::from_rgb(frame.width(), frame.height(), rgb)?;
        Ok(Changed { frame, place, mirrored: false, clockwise: 0.0 })
    };
    let level = |factor: f32| frame.rgb().iter().map(|byte| (f32::from(*byte) * factor + 0.5) as u8).collect();
    changes.push(painted(level(1.0 + LIGHT))?);
    changes.push(painted(level(1.0 - LIGHT))?);
    changes.push(painted(grey(frame.rgb()))?);
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY)
        .encode(frame.rgb(), frame.width(), frame.height(), ExtendedColorType::Rgb8)
        .context("the image cannot be written as JPEG")?;
    changes.push(Changed {
        frame: decode_picture("the changed image", &file)?,
        place,
        mirrored: false,
        clockwise: 0.0,
    });

    let row = frame.width() as usize * 3;
    let mirrored = frame.rgb().chunks_exact(row).flat_map(|row| row.rchunks_exact(3).flatten().copied()).collect();
    let mirror = place.mirrored(frame.width() as f32);
    changes.push(Changed { place: mirror, mirrored: true, ..painted(mirrored)? });
    for clockwise in [TURN_DEGREES, -TURN_DEGREES] {
        let turned = frame.turned(clockwise)?;
        let place = turned_place(place, frame, &turned, clockwise);
        changes.push(Changed { frame: turned, place, mirrored: false, clockwise });
    }
    Ok(changes)
}

/// Rec. 601 luma in each channel.
fn grey(rgb: &[u8]) -> Vec<u8> {
    let luma = |pixel: &[u8]| {
        let [r, g, b] = [0, 1, 2].map(|channel| f32::from(pixel[channel]));
        (0.299 * r + 0.587 * g + 0.114 * b + 0.5) as u8
    };
    rgb.chunks_exact(3).flat_map(|pixel| [luma(pixel); 3]).collect()
}

/// Where a face is in a picture that was turned about its middle.
fn turned_place(place: FaceRegion, before: &Frame, after: &Frame, clockwise: f32) -> FaceRegion {
    let middle = |frame: &Frame| (frame.width() as f32 / 2.0, frame.height() as f32 / 2.0);
    let ((x, y), (new_x, new_y)) = (middle(before), middle(after));
    let (sin, cos) = clockwise.to_radians().sin_cos();
    let moved = |point: Point| {
        let (dx, dy) = (point.x - x, point.y - y);
        Point { x: new_x + cos * dx - sin * dy, y: new_y + sin * dx + cos * dy }
    };
    let Point { x: center_x, y: center_y } = moved(place.rect.center());
    let Rect { width, height, .. } = place.rect;
    FaceRegion {
        rect: Rect::new(center_x - width / 2.0, center_y - height / 2.0, width, height),
        roll_degrees: place.roll_degrees + clockwise,
        landmarks: place.landmarks.map(|landmarks| landmarks.map(moved)),
    }
}

#[cfg(test)]
mod tests {
    use facelens_core::estimate::{AgeEstimate, GenderEstimate};

    use super::*;

    fn said(years: f32, male: f32, yaw: f32) -> Estimate {
        Estimate {
            age: Some(AgeEstimate::plain(years)),
            gender: Some(GenderEstimate::Chance(male)),
            pose: Some(Pose { yaw, ..Pose::default() }),
            ..Estimate::default()
        }
    }

    #[test]
    fn what_scatters_shows() {
        let still = of(&[said(30.0, 0.9, 5.0), said(30.0, 0.8, 5.0)]);
        assert_eq!(still, Scatter { age_years: Some(0.0), label_changed: Some(false), pose_degrees: Some(0.0) });
        let moved = of(&[said(30.0, 0.9, 5.0), said(34.0, 0.45, 9.0), said(26.0, 0.9, 7.0)]);
        assert!((moved.age_years.unwrap() - (32.0_f64 / 3.0).sqrt()).abs() < 1e-6);
        assert_eq!(moved.label_changed, Some(true));
        assert!((moved.pose_degrees.unwrap() - 3.0).abs() < 1e-3);
        assert_eq!(of(&[said(30.0, 0.6, 5.0), said(30.0, 0.4, 5.0)]).label_changed, None, "it was unsure before");
        let figures = ScatterMetrics::of(&[still, moved]).unwrap();
        assert_eq!(figures.labels_changed.unwrap().value, 0.5);
        assert_eq!(ScatterMetrics::of(&[]), None);
    }

    #[test]
    fn the_face_is_where_the_change_takes_it() {
        // A red dot in the middle of the face.
        let (width, height) = (100_usize, 60_usize);
        let mut rgb = vec![20; width * height * 3];
        for (x, y) in (60..65).flat_map(|x| (20..25).map(move |y| (x, y))) {
            rgb[(y * width + x) * 3] = 250;
        }
        let frame = Frame::from_rgb(width as u32, height as u32, rgb).unwrap();
        // All landmarks in the dot.
        let rect = Rect::square(Point { x: 62.5, y: 22.5 }, 20.0);
        let place = FaceRegion { rect, roll_degrees: 3.0, landmarks: Some([rect.center(); 6]) };
        let changes = changes(&frame, place).unwrap();
        assert_eq!(changes.len(), 13);
        for (index, changed) in changes.iter().enumerate().skip(4) {
            let Point { x, y } = changed.place.rect.center();
            let pixel = (y as usize * changed.frame.width() as usize + x as usize) * 3;
            let pixel = &changed.frame.rgb()[pixel..pixel + 3];
            let seen = if index == 8 { pixel[0] > 60 } else { pixel[0] > 150 && pixel[2] < 60 };
            assert!(seen, "change {index}: {pixel:?} at {x}, {y}");
        }
        let rolls: Vec<f32> = changes[10..].iter().map(|changed| changed.place.roll_degrees).collect();
        assert_eq!(rolls, [-3.0, 8.0, -2.0]);
    }
}
