//! A walker's mask in one frame.

use super::bones::{FOOT, HAND};
use super::mesh::{MeshPart, Transforms};
use super::raster::{Camera, Canvas};
use super::vector::Vec3;
use super::walk::Walk;

/// Side of a mask in pixels.
pub(super) const SIDE: usize = 256;

/// The share of the mask's side that a walker takes at most.
const FILLED: f32 = 0.84;

/// Draws masks; keeps its memory from frame to frame.
pub(super) struct Drawer {
    pub canvas: Canvas,
    points: Vec<Vec3>,
    corners: Vec<Vec<[f32; 2]>>,
}

/// What a drawn mask shows.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// From head to foot, pixels.
    pub tall: f32,
    /// Where hands and feet are, pixels.
    pub limbs: [[f32; 2]; 4],
}

impl Drawer {
    pub(super) fn new() -> Self {
        Self { canvas: Canvas::new(SIDE, SIDE), points: Vec::new(), corners: Vec::new() }
    }

    /// Draws the walker at this time into the middle of the mask, as a tracker would cut him out.
    pub(super) fn draw(&mut self, walk: &Walk, parts: &[MeshPart], time_s: f32, camera: &Camera) -> Drawn {
        let pose = walk.at(time_s);
        let transforms = Transforms::new(walk.body, &pose);
        self.corners.resize_with(parts.len(), Vec::new);
        let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
        for (part, corners) in parts.iter().zip(&mut self.corners) {
            transforms.apply(part, &mut self.points);
            corners.clear();
            corners.extend(self.points.iter().map(|point| {
                let [x, y, _] = camera.project(*point);
                for (axis, value) in [x, y].into_iter().enumerate() {
                    low[axis] = low[axis].min(value);
                    high[axis] = high[axis].max(value);
                }
                [x, y]
            }));
        }
        let side = SIDE as f32;
        let scale = FILLED * side / (high[1] - low[1]).max(high[0] - low[0]).max(1e-6);
        let middle = [(low[0] + high[0]) / 2.0, (low[1] + high[1]) / 2.0];
        let pixel = |point: [f32; 2]| [0, 1].map(|axis| (point[axis] - middle[axis]) * scale + side / 2.0);
        self.canvas.clear();
        for (part, corners) in parts.iter().zip(&mut self.corners) {
            for corner in corners.iter_mut() {
                *corner = pixel(*corner);
            }
            for quad in &part.quads {
                self.canvas.fill(quad.map(|corner| corners[corner as usize]), part.open);
            }
        }
        let limb = |bone: usize| {
            let [x, y, _] = camera.project(pose.place(walk.body, bone, walk.body.ends[bone][1]));
            pixel([x, y])
        };
        let limbs = [HAND[0], HAND[1], FOOT[0], FOOT[1]].map(limb);
        Drawn { tall: (high[1] - low[1]) * scale, limbs }
    }
}
