//! The drawn clip of three walkers, whose truth is known: who is who, stride times, gait energy images, views.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use facelens::gait::{GEI_HEIGHT, GEI_WIDTH, GaitAnalyser, GaitOptions, Gei, Stride};
use facelens::geometry::Rect;
use facelens::source::VideoReader;
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
    left_landings_s: Vec<f32>,
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    frame: usize,
    time_s: f32,
    r#box: [f32; 4],
    visible: f32,
    view_degrees: f32,
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

#[test]
fn three_drawn_walkers_are_told_apart_and_measured() {
    let truth = Truth::read();
    let mut video = VideoReader::open(&path("walkers.mp4")).unwrap();
    let mut analyser = GaitAnalyser::new(GaitOptions::default()).unwrap();
    // The identities under which each walker was seen, and how often.
    let mut seen: Vec<BTreeMap<u64, usize>> = vec![BTreeMap::new(); truth.walkers.len()];
    let mut strides: Vec<Stride> = Vec::new();
    let mut number = 0;
    while let Some(frame) = video.picture(number).unwrap() {
        let found = analyser.analyse(&frame, &[]).unwrap();
        for (walker, identities) in truth.walkers.iter().zip(&mut seen) {
            let Some(place) = walker.frames.iter().find(|f| f.frame == number && truth.is_whole(f)) else { continue };
            for person in found.walkers.iter().filter(|person| overlap(&person.rect, place.r#box) > 0.5) {
                *identities.entry(person.id).or_default() += 1;
            }
        }
        strides.extend(found.strides);
        number += 1;
    }
    strides.extend(analyser.finish().unwrap());

    let identities: Vec<u64> = seen
        .iter()
        .map(|seen| {
            assert_eq!(seen.len(), 1, "each walker keeps one identity: {seen:?}");
            *seen.keys().next().unwrap()
        })
        .collect();
    assert!(identities.iter().all(|id| identities.iter().filter(|other| *other == id).count() == 1), "{identities:?}");

    for (walker, id) in truth.walkers.iter().zip(identities) {
        let own: Vec<&Stride> = strides.iter().filter(|stride| stride.id == id).collect();
        assert!(own.len() >= 2, "walker {}: {} strides", walker.id, own.len());
        for stride in own {
            let stride_s = (stride.end - stride.start).as_secs_f32() / stride.strides as f32;
            let error = stride_s / walker.stride_s() - 1.0;
            assert!(error.abs() < 0.05, "walker {}: {stride_s} s instead of {}", walker.id, walker.stride_s());
            if let Some(own) = walker.gei(&truth, stride.start, stride.end) {
                let difference = stride.gei.difference(&own);
                assert!(difference < 0.06, "walker {}: {difference}", walker.id);
            }
            let middle_s = (stride.start + stride.end).as_secs_f32() / 2.0;
            let view =
                walker.frames.iter().min_by(|a, b| (a.time_s - middle_s).abs().total_cmp(&(b.time_s - middle_s).abs()));
            // A gait set counts from walking to the right, the analyser from walking towards the camera.
            let expected = 90.0 - view.unwrap().view_degrees;
            let direction = stride.measures.direction_deg.unwrap();
            let off = (direction - expected + 180.0).rem_euclid(360.0) - 180.0;
            assert!(off.abs() < 25.0, "walker {}: {direction} instead of {expected}", walker.id);
        }
    }
}
