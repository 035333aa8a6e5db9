//! A clip of three drawn walkers, with the truth about them: for tests of what finds and measures people.
//!
//! ```text
//! walkers.mp4     480 x 360, 25 frames a second, 9 s: a man walks to the right, a woman behind him to the left, then a girl comes near
//! walkers.json    Truth: who walks, when the feet land, and in each frame the box and how much of the walker is seen
//! walkers-N.png   the silhouettes of walker N as the generator cuts them out, 44 x 64 for each frame, 25 in a row; black where the
//!                 walker is not seen whole
//! ```

use std::path::Path;
use std::time::Duration;

use facelens_base::atomic_file::{self, Access};
use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, Mask, Silhouette};
use facelens_session::video::{VideoFile, VideoOptions, VideoWriter};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use serde::Serialize;

use super::WalkersError;
use super::body::{Growth, RestingBody, median_height_m};
use super::figure::{Drawer, SIDE};
use super::generate::view_degrees;
use super::mesh::{MeshPart, Transforms};
use super::model::{BodyShape, Model};
use super::norms;
use super::outfit::Outfit;
use super::raster::Camera;
use super::scene::{RenderTarget, VisibleWalker};
use super::vector::{Matrix3, Vec3, add, sub};
use super::walk::Walk;
use super::wheel::Wheel;

const WIDTH: usize = 480;
const HEIGHT: usize = 360;

/// Pixels for a tangent of 1.
const FOCAL: f32 = 430.0;

const FRAMES_PER_S: usize = 25;
const FRAMES: usize = 9 * FRAMES_PER_S;

/// Of whom less than this share is seen has no silhouette.
const WHOLLY_SEEN: f32 = 0.99;

/// Silhouettes side by side in a picture.
const A_ROW: usize = 25;

/// Who walks where. Along z is towards the camera, which stands at z = 6.4; along x is to the right.
struct Role {
    age: f32,
    male: bool,
    /// Where the walk begins, metres: x, z.
    start: [f32; 2],
    /// Into which direction, degrees: 0 towards the camera, 90 to the right.
    heading: f32,
    /// When it begins, seconds.
    begin_s: f32,
    clothes: [[u8; 3]; 6],
}

const ROLES: [Role; 3] = [
    Role {
        age: 34.0,
        male: true,
        start: [-3.6, 0.0],
        heading: 90.0,
        begin_s: 0.0,
        clothes: [[206, 160, 132], [52, 38, 28], [52, 84, 140], [58, 58, 66], [36, 30, 28], [90, 70, 50]],
    },
    Role {
        age: 71.0,
        male: false,
        start: [4.0, -1.0],
        heading: -90.0,
        begin_s: 0.0,
        clothes: [[220, 180, 156], [150, 146, 140], [150, 52, 58], [70, 66, 92], [60, 44, 36], [120, 90, 60]],
    },
    Role {
        age: 8.0,
        male: false,
        start: [4.7, -1.6],
        heading: -45.0,
        begin_s: 3.4,
        clothes: [[196, 146, 116], [70, 48, 30], [206, 170, 60], [64, 104, 88], [170, 60, 70], [90, 90, 90]],
    },
];

/// What is true of the clip.
#[derive(Debug, Serialize)]
struct ClipTruth {
    width: usize,
    height: usize,
    frames: usize,
    frames_per_s: usize,
    silhouettes_in_a_row: usize,
    walkers: Vec<WalkerTruth>,
}

/// What is true of one walker.
#[derive(Debug, Serialize)]
struct WalkerTruth {
    id: usize,
    age: f32,
    male: bool,
    height_m: f32,
    leg_m: f32,
    step_over_leg: f32,
    /// Where the walker goes, degrees: 0 towards the picture's plane, 90 to the right, as `Measures::direction_deg`.
    direction_deg: f32,
    /// When the left foot lands, seconds: from one to the next is a stride.
    left_landings_s: Vec<f32>,
    /// Of the frames in which the walker is in the picture.
    frames: Vec<FrameTruth>,
}

#[derive(Debug, Serialize)]
struct FrameTruth {
    frame: usize,
    time_s: f32,
    /// Left, top, width, height in pixels, hidden parts too; cut off at the picture's edge.
    r#box: [f32; 4],
    /// Share that nobody hides.
    visible: f32,
    /// From where the walker is seen, as in a gait set: 0 goes to the right, 90 comes towards the camera.
    view_degrees: f32,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipSummary {
    /// Pictures.
    pub frames: usize,
    /// Bytes of the film.
    pub bytes: u64,
}

/// One walker on the stage.
struct Actor<'a> {
    role: &'a Role,
    walk: Walk<'a>,
    parts: &'a [MeshPart],
    start: Vec3,
    turn: Matrix3,
}

impl Actor<'_> {
    /// The parts with their vertices in the room at this time of the clip.
    fn placed(&self, time_s: f32) -> Vec<(&MeshPart, Vec<Vec3>)> {
        let pose = self.walk.at(time_s - self.role.begin_s);
        let transforms = Transforms::new(self.walk.body, &pose);
        let place = |part| {
            let mut points = Vec::new();
            transforms.apply(part, &mut points);
            (part, points.into_iter().map(|point| self.in_room(point)).collect())
        };
        self.parts.iter().map(place).collect()
    }

    fn in_room(&self, point: Vec3) -> Vec3 {
        add(self.start, self.turn.apply(point))
    }
}

/// Draws the clip into a folder that is there.
///
/// # Errors
/// Where the wheel cannot be read or has not what is needed, or a file cannot be written.
pub fn draw_clip(bodies: &Path, folder: &Path) -> Result<ClipSummary, WalkersError> {
    let model = Model::read(&Wheel::open(bodies)?)?;
    let growth = Growth::of(&model);
    let duration_s = FRAMES as f32 / FRAMES_PER_S as f32;
    let cast: Vec<(RestingBody, Vec<MeshPart>)> = ROLES.iter().map(|role| dressed(&model, &growth, role)).collect();
    let actors: Vec<Actor> = ROLES
        .iter()
        .zip(&cast)
        .filter_map(|(role, (body, parts))| {
            let style = norms::usual(role.age, role.male);
            let strides = ((duration_s - role.begin_s) / style.stride_s).ceil() as usize + 1;
            let walk = Walk::new(body, style, &vec![(1.0, 1.0); strides])?;
            // Soles are thicker than bare feet.
            let start = [role.start[0], SOLES_M, role.start[1]];
            Some(Actor { role, walk, parts, start, turn: Matrix3::about_y(role.heading) })
        })
        .collect();

    let camera = Camera::looking_at([0.0, 1.4, 6.4], [0.0, 1.1, 0.0]);
    let mut scene = RenderTarget::new(WIDTH, HEIGHT, FOCAL, camera);
    let path = folder.join("walkers.mp4");
    let options = VideoOptions { fragment: Duration::from_secs(2), file: VideoFile::Whole, ..Default::default() };
    let mut video = VideoWriter::create(&path, WIDTH as u32, HEIGHT as u32, options).map_err(WalkersError::Video)?;
    let mut drawer = Drawer::new();
    let mut truths: Vec<Vec<FrameTruth>> = actors.iter().map(|_| Vec::new()).collect();
    let sheet_rows = FRAMES.div_ceil(A_ROW);
    let sheet = vec![0_u8; A_ROW * GEI_WIDTH * sheet_rows * GEI_HEIGHT];
    let mut sheets = vec![sheet; actors.len()];
    for frame in 0..FRAMES {
        let time_s = frame as f32 / FRAMES_PER_S as f32;
        let seen = draw_frame(&mut scene, &actors, time_s);
        video.write(&scene.rgb(), Duration::from_secs_f32(time_s)).map_err(WalkersError::Video)?;
        for (number, actor) in actors.iter().enumerate() {
            let VisibleWalker { bounds: [left, top, right, bottom], visible } = seen[number];
            if time_s < actor.role.begin_s || right <= left {
                continue;
            }
            let local = camera.seen_from(actor.start, &actor.turn);
            let own_time_s = time_s - actor.role.begin_s;
            truths[number].push(FrameTruth {
                frame,
                time_s,
                r#box: [left, top, right - left, bottom - top],
                visible,
                view_degrees: view_degrees(sub(local.place, actor.walk.at(own_time_s).origins[0])),
            });
            let whole = left > 0.0 && top > 0.0 && right < WIDTH as f32 && bottom < HEIGHT as f32;
            if !whole || visible < WHOLLY_SEEN {
                continue;
            }
            drawer.draw(&actor.walk, actor.parts, own_time_s, &local);
            let mask = Mask::new(SIDE, SIDE, drawer.canvas.coverage.clone());
            if let Some(silhouette) = mask.as_ref().and_then(Silhouette::from_mask) {
                copy(&silhouette, frame, &mut sheets[number]);
            }
        }
    }
    let summary = video.finish().map_err(WalkersError::Video)?;
    for (number, sheet) in sheets.iter().enumerate() {
        let size = [A_ROW * GEI_WIDTH, sheet_rows * GEI_HEIGHT];
        write(&folder.join(format!("walkers-{}.png", number + 1)), &png(sheet, size)?)?;
    }
    let walkers = actors.iter().zip(truths).enumerate().map(|(number, (actor, frames))| truth(number, actor, frames));
    let truth = ClipTruth {
        width: WIDTH,
        height: HEIGHT,
        frames: FRAMES,
        frames_per_s: FRAMES_PER_S,
        silhouettes_in_a_row: A_ROW,
        walkers: walkers.collect(),
    };
    let json = serde_json::to_vec(&truth).map_err(|cause| not_written("walkers.json", &cause))?;
    write(&folder.join("walkers.json"), &json)?;
    let bytes = std::fs::metadata(&path).map_err(|cause| not_written("walkers.mp4", &cause))?.len();
    Ok(ClipSummary { frames: summary.frames as usize, bytes })
}

const SOLES_M: f32 = 0.015;

fn dressed(model: &Model, growth: &Growth, role: &Role) -> (RestingBody, Vec<MeshPart>) {
    let shape = BodyShape::average(role.male, growth.ages(role.age, role.male, 0.0));
    let body = RestingBody::new(model, &shape, median_height_m(role.age, role.male));
    let outfit = Outfit {
        upper_m: 0.012,
        sleeves_m: 0.01,
        lower_m: 0.01,
        coat: None,
        skirt: None,
        hair: Some((if role.male { 0.1 } else { 0.35 }, 0.004)),
        knot: None,
        hat: None,
        shoes_m: 0.006,
        soles_m: SOLES_M,
        backpack: None,
        side_bag: None,
        hand_bag: None,
        stick: None,
        colours: role.clothes,
    };
    let parts = outfit.dressed(model, &body);
    (body, parts)
}

/// Draws all who are on the stage; what is seen of each.
fn draw_frame(scene: &mut RenderTarget, actors: &[Actor], time_s: f32) -> Vec<VisibleWalker> {
    let placed: Vec<_> = actors
        .iter()
        .map(|actor| if time_s < actor.role.begin_s { Vec::new() } else { actor.placed(time_s) })
        .collect();
    scene.clear();
    for parts in &placed {
        scene.shadow(parts);
    }
    let touched: Vec<Vec<usize>> =
        placed.iter().enumerate().map(|(number, parts)| scene.walker(number as u8, parts)).collect();
    touched.iter().enumerate().map(|(number, touched)| scene.seen(number as u8, touched)).collect()
}

fn truth(number: usize, actor: &Actor, frames: Vec<FrameTruth>) -> WalkerTruth {
    WalkerTruth {
        id: number + 1,
        age: actor.role.age,
        male: actor.role.male,
        height_m: actor.walk.body.height_m,
        leg_m: actor.walk.body.leg_m(),
        step_over_leg: actor.walk.style.step_over_leg,
        direction_deg: actor.role.heading.rem_euclid(360.0),
        left_landings_s: actor.walk.strides().iter().map(|stride| stride.start_s + actor.role.begin_s).collect(),
        frames,
    }
}

/// Copies a silhouette into its frame's place.
fn copy(silhouette: &Silhouette, frame: usize, sheet: &mut [u8]) {
    let (left, top) = (frame % A_ROW * GEI_WIDTH, frame / A_ROW * GEI_HEIGHT);
    for (y, row) in silhouette.pixels().chunks_exact(GEI_WIDTH).enumerate() {
        let start = (top + y) * A_ROW * GEI_WIDTH + left;
        for (target, value) in sheet[start..start + GEI_WIDTH].iter_mut().zip(row) {
            // Sixteen levels: half the bytes.
            *target = (value * 15.0).round() as u8 * 17;
        }
    }
}

fn png(grey: &[u8], [width, height]: [usize; 2]) -> Result<Vec<u8>, WalkersError> {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive)
        .write_image(grey, width as u32, height as u32, ExtendedColorType::L8)
        .map_err(|cause| not_written("the silhouettes", &cause))?;
    Ok(bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), WalkersError> {
    atomic_file::write(path, bytes, Access::Usual).map_err(|cause| not_written(&path.display().to_string(), &cause))
}

fn not_written(file: &str, cause: &dyn std::fmt::Display) -> WalkersError {
    WalkersError::Write { file: file.to_owned(), cause: cause.to_string() }
}
