//! Coloured pictures of walkers in a room: flat light, shadows, nearer things before farther ones.

use super::mesh::MeshPart;
use super::raster::Camera;
use super::vector::{Vec3, add, dot, scaled, sub, unit};

/// Drawn so many times wider and higher, and averaged: soft edges.
const FINER: usize = 2;

/// How far behind the origin the wall stands, metres.
const WALL: f32 = -3.2;

/// Where the light comes from.
const LIGHT: Vec3 = [0.35, 1.0, 0.55];

/// Nobody.
const NOBODY: u8 = u8::MAX;

/// A picture that is being drawn.
pub(super) struct RenderTarget {
    width: usize,
    height: usize,
    /// Pixels of the final picture for a tangent of 1.
    focal: f32,
    camera: Camera,
    background: Vec<[f32; 3]>,
    colour: Vec<[f32; 3]>,
    /// One over the depth; larger is nearer.
    nearness: Vec<f32>,
    owner: Vec<u8>,
}

/// What is seen of one walker.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct VisibleWalker {
    /// Left, top, right and bottom in pixels of all that would be seen if nobody stood before; cut off at the picture's edge.
    pub bounds: [f32; 4],
    /// Share of it that is seen, 0 to 1.
    pub visible: f32,
}

impl RenderTarget {
    pub(super) fn new(width: usize, height: usize, focal: f32, camera: Camera) -> Self {
        let (fine_width, fine_height) = (width * FINER, height * FINER);
        let mut background = Vec::with_capacity(fine_width * fine_height);
        for i in 0..fine_width * fine_height {
            let at = |pixel: usize, size: usize| (pixel as f32 + 0.5 - size as f32 / 2.0) / (focal * FINER as f32);
            let (right, down) = (at(i % fine_width, fine_width), at(i / fine_width, fine_height));
            background.push(room(camera.place, camera.ray(right, down)));
        }
        let pixels = background.len();
        Self {
            width,
            height,
            focal,
            camera,
            colour: background.clone(),
            background,
            nearness: vec![0.0; pixels],
            owner: vec![NOBODY; pixels],
        }
    }

    /// An empty room.
    pub(super) fn clear(&mut self) {
        self.colour.copy_from_slice(&self.background);
        self.nearness.fill(0.0);
        self.owner.fill(NOBODY);
    }

    /// Where a point is in the fine picture, and its nearness.
    fn pixel(&self, point: Vec3) -> Vec3 {
        let [right, down, depth] = self.camera.project(point);
        let focal = self.focal * FINER as f32;
        let (width, height) = (self.width * FINER, self.height * FINER);
        [right * focal + width as f32 / 2.0, down * focal + height as f32 / 2.0, 1.0 / depth]
    }

    /// The shadow on the floor; to be drawn before the walkers.
    pub(super) fn shadow(&mut self, parts: &[(&MeshPart, Vec<Vec3>)]) {
        let mut shaded = vec![false; self.colour.len()];
        for (part, points) in parts {
            let floor = |point: Vec3| {
                let down = sub(point, scaled(LIGHT, point[1] / LIGHT[1]));
                self.pixel([down[0], 0.0, down[2]])
            };
            let pixels: Vec<Vec3> = points.iter().map(|point| floor(*point)).collect();
            for quad in &part.quads {
                let [a, b, c, d] = quad.map(|corner| pixels[corner as usize]);
                for triangle in [[a, b, c], [a, c, d]] {
                    self.cover(triangle, |pixel, _, _| shaded[pixel] = true);
                }
            }
        }
        for (colour, shaded) in self.colour.iter_mut().zip(&shaded) {
            if *shaded {
                *colour = scaled(*colour, 0.72);
            }
        }
    }

    /// Draws a walker, whose number is `who`; the points are those of each part's vertices now.
    pub(super) fn walker(&mut self, who: u8, parts: &[(&MeshPart, Vec<Vec3>)]) -> Vec<usize> {
        let light = unit(LIGHT);
        let mut touched = vec![false; self.colour.len()];
        for (part, points) in parts {
            let moved = MeshPart { vertices: points.clone(), ..(*part).clone() };
            let normals = moved.normals();
            let base = part.colour.map(f32::from);
            let lit: Vec<[f32; 3]> = (points.iter().zip(&normals).zip(&part.vertices))
                .map(|((point, normal), resting)| {
                    let view = unit(sub(self.camera.place, *point));
                    // The inside of cloth is seen, too.
                    let normal = if part.open && dot(*normal, view) < 0.0 { scaled(*normal, -1.0) } else { *normal };
                    let light = 0.5 + 0.45 * dot(normal, light).max(0.0) + 0.1 * dot(normal, view).max(0.0);
                    // Folds, so that cloth is not as smooth as paint.
                    let folds = 1.0 + 0.05 * (resting[1] * 90.0 + resting[0] * 40.0).sin();
                    scaled(base, light * folds)
                })
                .collect();
            let pixels: Vec<Vec3> = points.iter().map(|point| self.pixel(*point)).collect();
            for quad in &part.quads {
                for corners in [[quad[0], quad[1], quad[2]], [quad[0], quad[2], quad[3]]] {
                    let triangle = corners.map(|corner| pixels[corner as usize]);
                    let [a, b, c] = corners.map(|corner| lit[corner as usize]);
                    let mut hits = Vec::new();
                    self.cover(triangle, |pixel, weights, nearness| hits.push((pixel, weights, nearness)));
                    for (pixel, [u, v, w], nearness) in hits {
                        touched[pixel] = true;
                        if nearness > self.nearness[pixel] {
                            self.nearness[pixel] = nearness;
                            self.owner[pixel] = who;
                            self.colour[pixel] = add(add(scaled(a, u), scaled(b, v)), scaled(c, w));
                        }
                    }
                }
            }
        }
        (0..touched.len()).filter(|pixel| touched[*pixel]).collect()
    }

    /// Every pixel whose middle a triangle covers, with the corners' weights and its nearness.
    fn cover(&self, triangle: [Vec3; 3], mut hit: impl FnMut(usize, [f32; 3], f32)) {
        let [a, b, c] = triangle;
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        if area.abs() < 1e-9 {
            return;
        }
        let (width, height) = (self.width * FINER, self.height * FINER);
        let range = |axis: usize, size: usize| {
            let low = a[axis].min(b[axis]).min(c[axis]).max(0.0).min(size as f32);
            let high = a[axis].max(b[axis]).max(c[axis]).max(0.0).min(size as f32);
            low as usize..(high.ceil() as usize).min(size)
        };
        for y in range(1, height) {
            for x in range(0, width) {
                let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
                let edge = |p: Vec3, q: Vec3| ((q[0] - p[0]) * (py - p[1]) - (q[1] - p[1]) * (px - p[0])) / area;
                let weights = [edge(b, c), edge(c, a), edge(a, b)];
                if weights.iter().all(|weight| *weight >= 0.0) {
                    let nearness = weights[0] * a[2] + weights[1] * b[2] + weights[2] * c[2];
                    hit(y * width + x, weights, nearness);
                }
            }
        }
    }

    /// What is seen of a walker, of the pixels that he would fill if he were alone.
    pub(super) fn seen(&self, who: u8, touched: &[usize]) -> VisibleWalker {
        if touched.is_empty() {
            return VisibleWalker::default();
        }
        let width = self.width * FINER;
        let mut bounds = [usize::MAX, usize::MAX, 0, 0];
        for pixel in touched {
            let (x, y) = (pixel % width, pixel / width);
            bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x + 1), bounds[3].max(y + 1)];
        }
        let visible = touched.iter().filter(|pixel| self.owner[**pixel] == who).count();
        VisibleWalker {
            bounds: bounds.map(|side| side as f32 / FINER as f32),
            visible: visible as f32 / touched.len() as f32,
        }
    }

    /// The picture, RGB rows from the top.
    pub(super) fn rgb(&self) -> Vec<u8> {
        let fine_width = self.width * FINER;
        let mut rgb = Vec::with_capacity(self.width * self.height * 3);
        for y in 0..self.height {
            for x in 0..self.width {
                let mut sum = [0.0; 3];
                for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    sum = add(sum, self.colour[(y * FINER + dy) * fine_width + x * FINER + dx]);
                }
                rgb.extend(sum.map(|value| (value / 4.0).round().clamp(0.0, 255.0) as u8));
            }
        }
        rgb
    }
}

/// The colour of the room in this direction: a wooden floor, and a wall with a skirting board and two pictures.
fn room(from: Vec3, direction: Vec3) -> [f32; 3] {
    let to_floor = if direction[1] < 0.0 { -from[1] / direction[1] } else { f32::MAX };
    let to_wall = if direction[2] < 0.0 { (WALL - from[2]) / direction[2] } else { f32::MAX };
    if to_floor < to_wall {
        let [x, _, z] = add(from, scaled(direction, to_floor));
        // Boards of 18 cm, each a little other, with dark joints.
        let board = (z / 0.18).floor();
        let grain = ((board * 12.9898).sin() * 43_758.547).fract().abs();
        let joint = if (z / 0.18).fract().abs() < 0.04 { 0.8 } else { 1.0 };
        let light = (0.85 + 0.2 * grain) * joint * (1.0 + 0.03 * (x * 2.0 + board).sin());
        return scaled([150.0, 116.0, 84.0], light);
    }
    if to_wall == f32::MAX {
        return [190.0; 3];
    }
    let [x, y, _] = add(from, scaled(direction, to_wall));
    let inside = |middle: [f32; 2], half: [f32; 2]| (x - middle[0]).abs() < half[0] && (y - middle[1]).abs() < half[1];
    match () {
        () if y < 0.12 => [225.0, 222.0, 214.0],
        () if inside([-2.6, 2.1], [0.5, 0.35]) => [96.0, 128.0, 150.0],
        () if inside([-2.6, 2.1], [0.56, 0.41]) => [70.0, 56.0, 44.0],
        () if inside([2.2, 2.2], [0.35, 0.5]) => [150.0, 140.0, 96.0],
        () if inside([2.2, 2.2], [0.41, 0.56]) => [70.0, 56.0, 44.0],
        () => scaled([196.0, 198.0, 190.0], 0.92 + 0.04 * y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_before_hides_who_stands_behind() {
        let camera = Camera::looking_at([0.0, 1.0, 5.0], [0.0, 1.0, 0.0]);
        let mut scene = RenderTarget::new(64, 48, 60.0, camera);
        let ball = |z: f32, colour: [u8; 3]| {
            let part = MeshPart { colour, ..MeshPart::ball([0.0, 1.0, z], [0.5, 0.5, 0.2], 1.0, 0) };
            let points = part.vertices.clone();
            (part, points)
        };
        let ((near, near_points), (far, far_points)) = (ball(1.0, [200, 0, 0]), ball(-1.0, [0, 200, 0]));
        let near_pixels = scene.walker(0, &[(&near, near_points)]);
        let far_pixels = scene.walker(1, &[(&far, far_points)]);
        let (near, far) = (scene.seen(0, &near_pixels), scene.seen(1, &far_pixels));
        assert_eq!((near.visible, far.visible), (1.0, 0.0));
        // Half a metre at a depth of 3.8 to 4.2 metres, from the middle.
        let half = (near.bounds[2] - near.bounds[0]) / 2.0;
        assert!((7.0..8.0).contains(&half), "{half}");
        let rgb = scene.rgb();
        let middle = &rgb[(24 * 64 + 32) * 3..][..3];
        assert!(middle[0] > 100 && middle[1] < 20, "{middle:?}");
        scene.clear();
        assert_eq!(scene.seen(0, &near_pixels).visible, 0.0);
    }
}
