//! The drawn clip of three walkers, whose truth is known: who is who, stride times, gait energy images, views.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use facelens_core::geometry::Rect;
use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, GaitAnalyser, GaitOptions, Gei, Stride};
use facelens_media::VideoReader;
use serde::Deserialize;

/// What `facelens-training walkers clip` writes beside the film.
#[derive(Deserialize)]
struct Truth {
    width: f32,
    height: f32,
    silhouettes_in_a_row: usize,
    walkers: Vec<Walker>,
}

#[derive(Deserialize)]
struct Walker {
    id: usize,
    direction_deg: f32,
    left_landings_s: Vec<f32>,
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    frame: usize,
    time_s: f32,
    r#box: [f32; 4],
    visible: f32,
}

impl Truth {
    fn read() -> Self {
        serde_json::from_slice(&std::fs::read(path("walkers.json")).unwrap()).unwrap()
    }

    /// Whether the walker is seen whole in this frame.
    fn is_whole(&self, frame: &Frame) -> bool {
        let [left, top, width, height] = frame.r#box;
        frame.visible > 0.99 && left > 0.0 && top > 0.0 && left + width < self.width && top + height < self.height
    }
}

impl Walker {
    fn stride_s(&self) -> f32 {
        self.left_landings_s[1] - self.left_landings_s[0]
    }

    /// The generator's own mean of the silhouettes in this time; `None` where the walker was not seen whole in most of its frames.
    fn gei(&self, truth: &Truth, from: Duration, to: Duration) -> Option<Gei> {
        let sheet = image::open(path(&format!("walkers-{}.png", self.id))).unwrap().into_luma8();
        let within = from.as_secs_f32()..to.as_secs_f32();
        let frames: Vec<&Frame> = self.frames.iter().filter(|frame| within.contains(&frame.time_s)).collect();
        let whole: Vec<&&Frame> = frames.iter().filter(|frame| truth.is_whole(frame)).collect();
        if whole.len() * 10 < frames.len() * 9 || whole.is_empty() {
            return None;
        }
        let mut sums = vec![0_u32; GEI_WIDTH * GEI_HEIGHT];
        for frame in &whole {
            let (row, column) = (frame.frame / truth.silhouettes_in_a_row, frame.frame % truth.silhouettes_in_a_row);
            for (i, sum) in sums.iter_mut().enumerate() {
                let (x, y) = (column * GEI_WIDTH + i % GEI_WIDTH, row * GEI_HEIGHT + i / GEI_WIDTH);
                *sum += u32::from(sheet.get_pixel(x as u32, y as u32)[0]);
            }
        }
        let grey: Vec<u8> = sums.iter().map(|sum| (sum / whole.len() as u32) as u8).collect();
        Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, &grey)
    }
}

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "walkers", name].iter().collect()
}

/// Area of the overlap over that of both.
fn overlap(rect: &Rect, [left, top, width, height]: [f32; 4]) -> f32 {
    let across = (rect.x + rect.width).min(left + width) - rect.x.max(left);
    let down = (rect.y + rect.height).min(top + height) - rect.y.max(top);
    let both = across.max(0.0) * down.max(0.0);
    both / (rect.width * rect.height + width * height - both)
}

/// What the analyser says of the pictures with these numbers: of each walker of the truth the identity, and all strides.
fn analysed(truth: &Truth, pictures: Range<usize>) -> (Vec<Option<u64>>, Vec<Stride>) {
    let mut video = VideoReader::open(&path("walkers.mp4")).unwrap();
    let mut analyser = GaitAnalyser::new(GaitOptions::default()).unwrap();
    let mut seen: Vec<BTreeSet<u64>> = vec![BTreeSet::new(); truth.walkers.len()];
    let mut strides: Vec<Stride> = Vec::new();
    for number in pictures {
        let frame = video.picture(number).unwrap().unwrap();
        let found = analyser.analyse(&frame, &[]).unwrap();
        for (walker, identities) in truth.walkers.iter().zip(&mut seen) {
            let Some(place) = walker.frames.iter().find(|f| f.frame == number && truth.is_whole(f)) else { continue };
            let there = found.walkers.iter().filter(|person| overlap(&person.rect, place.r#box) > 0.5);
            identities.extend(there.map(|person| person.id));
        }
        strides.extend(found.strides);
    }
    strides.extend(analyser.finish().unwrap());
    let identities = seen.iter().map(|seen| {
        assert!(seen.len() <= 1, "each walker keeps one identity: {seen:?}");
        seen.first().copied()
    });
    (identities.collect(), strides)
}

/// Compares the strides of one walker with the truth; how many there are.
fn check(truth: &Truth, walker: &Walker, id: u64, strides: &[Stride]) -> usize {
    let own: Vec<&Stride> = strides.iter().filter(|stride| stride.id == id).collect();
    let mut compared = 0;
    for stride in &own {
        let stride_s = (stride.end - stride.start).as_secs_f32() / stride.strides as f32;
        let error = stride_s / walker.stride_s() - 1.0;
        assert!(error.abs() < 0.05, "walker {}: {stride_s} s instead of {}", walker.id, walker.stride_s());
        if let Some(image) = walker.gei(truth, stride.start, stride.end) {
            compared += 1;
            let difference = stride.gei.difference(&image);
            assert!(difference < 0.06, "walker {}: {difference}", walker.id);
        }
        let direction = stride.measures.direction_deg.unwrap();
        let off = (direction - walker.direction_deg + 180.0).rem_euclid(360.0) - 180.0;
        assert!(off.abs() < 20.0, "walker {}: {direction} instead of {}", walker.id, walker.direction_deg);
    }
    assert!(compared >= 2, "walker {}: {compared} images compared", walker.id);
    own.len()
}

#[test]
fn two_walkers_who_cross_are_told_apart_and_measured() {
    let truth = Truth::read();
    // Until the girl comes in.
    let (identities, strides) = analysed(&truth, 0..115);
    let (man, woman) = (identities[0].unwrap(), identities[1].unwrap());
    assert_ne!(man, woman);
    assert!(check(&truth, &truth.walkers[0], man, &strides) >= 3);
    // She was hidden behind him for a moment.
    assert!(check(&truth, &truth.walkers[1], woman, &strides) >= 2);
    assert!(strides.iter().all(|stride| stride.id == man || stride.id == woman), "nobody else walks");
}

#[test]
fn a_walker_who_comes_near_is_measured() {
    let truth = Truth::read();
    let (identities, strides) = analysed(&truth, 145..225);
    assert!(check(&truth, &truth.walkers[2], identities[2].unwrap(), &strides) >= 2);
}
