//! One person cut out: MediaPipe's BlazePose landmark network (V. Bazarevsky et al., "BlazePose: On-device real-time body pose
//! tracking", 2020; Apache-2.0), run by tract.

use std::path::Path;

use facelens_core::detect::letterbox::{Letterbox, Placement};
use facelens_core::frame::Frame;
use facelens_core::geometry::{Point, Rect};
use facelens_core::model::Net;

use super::GaitError;
use super::mask::Mask;

/// Side of the network's input and of its mask, pixels.
const SIDE: usize = 256;
/// Points of the body.
pub(super) const LANDMARKS: usize = 33;
/// Numbers a point: x, y, z, and the logits of "visible" and "in the picture".
const NUMBERS: usize = 5;

/// The points of the body that a gait is measured at, by their numbers in BlazePose.
pub(super) mod point {
    pub(crate) const NOSE: usize = 0;
    pub(crate) const MOUTH: [usize; 2] = [9, 10];
    pub(crate) const SHOULDERS: [usize; 2] = [11, 12];
    pub(crate) const HIPS: [usize; 2] = [23, 24];
    pub(crate) const KNEES: [usize; 2] = [25, 26];
    pub(crate) const ANKLES: [usize; 2] = [27, 28];
    pub(crate) const HEELS: [usize; 2] = [29, 30];
    pub(crate) const TOES: [usize; 2] = [31, 32];
}

/// Which of the two networks cuts people out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyNetwork {
    /// BlazePose lite.
    #[default]
    Lite,
    /// BlazePose full: calmer landmarks, half as fast.
    Full,
}

impl BodyNetwork {
    /// Both, the default first.
    pub const ALL: [Self; 2] = [Self::Lite, Self::Full];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lite => "lite",
            Self::Full => "full",
        }
    }
}

/// A point of the body.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Landmark {
    /// Where it is, pixels of the picture.
    pub point: Point,
    /// How much farther from the camera than the middle of the hips, in pixels of the picture.
    pub depth: f32,
    /// How surely it is not hidden, 0 to 1.
    pub visible: f32,
    /// How surely it is in the picture, 0 to 1.
    pub present: f32,
}

/// A person cut out of a picture.
#[derive(Clone, Debug)]
pub(super) struct Body {
    /// How sure the network is that a person is there, 0 to 1.
    pub person: f32,
    /// The person alone: the largest connected part of the mask.
    pub mask: Mask,
    /// Where the mask lies in the picture.
    pub placement: Placement,
    /// The mask's own box, pixels of the picture.
    pub rect: Rect,
    pub landmarks: [Landmark; LANDMARKS],
}

/// The network with its buffers.
pub(super) struct BodyCutter {
    net: Net,
    letterbox: Letterbox,
    input: Vec<f32>,
}

impl BodyCutter {
    /// Prepares a network; its weights are built into the program.
    pub(super) fn new(network: BodyNetwork) -> Result<Self, GaitError> {
        let (name, onnx): (_, &[u8]) = match network {
            BodyNetwork::Lite => ("blazepose-lite.onnx", include_bytes!("../../../models/blazepose-lite.onnx")),
            BodyNetwork::Full => ("blazepose-full.onnx", include_bytes!("../../../models/blazepose-full.onnx")),
        };
        let failed = |cause: String| GaitError::network("outline network", cause);
        let net =
            Net::with_input_shape(onnx, &[1, 3, SIDE, SIDE], Path::new(name)).map_err(|error| failed(error.cause))?;
        if net.output_len() != SIDE * SIDE + LANDMARKS * NUMBERS + 1 {
            return Err(failed(format!("it gives {} numbers", net.output_len())));
        }
        Ok(Self { net, letterbox: Letterbox::new(SIDE as u32), input: Vec::new() })
    }

    /// The person in the middle of a square window of the picture; `None` where the window holds no pixel of the picture or
    /// nobody was cut out.
    pub(super) fn cut(&mut self, frame: &Frame, window: &Rect) -> Result<Option<Body>, GaitError> {
        let failed = |cause: String| GaitError::network("outline network", cause);
        let filled = self.letterbox.fill_window(frame, window).map_err(|error| failed(error.to_string()))?;
        let Some((tensor, placement)) = filled else { return Ok(None) };
        self.input.clear();
        self.input.extend(tensor.iter().map(|value| (value + 1.0) / 2.0));
        let output = self.net.run(&self.input).map_err(failed)?;
        Ok(read(&output, placement))
    }
}

/// The person that the network's output tells of.
fn read(output: &[f32], placement: Placement) -> Option<Body> {
    let (mask, rest) = output.split_at(SIDE * SIDE);
    let (numbers, person) = rest.split_at(LANDMARKS * NUMBERS);
    let coverage = mask.iter().map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8).collect();
    let mask = Mask::new(SIDE, SIDE, coverage)?.largest_part()?;
    let extent = mask.extent()?;
    let corner = |x: usize, y: usize| placement.to_frame(Point { x: x as f32, y: y as f32 });
    let (first, last) = (corner(extent.left, extent.top), corner(extent.right, extent.bottom));
    let mut landmarks = [Landmark::default(); LANDMARKS];
    let sigmoid = |value: f32| 1.0 / (1.0 + (-value).exp());
    for (landmark, numbers) in landmarks.iter_mut().zip(numbers.as_chunks::<NUMBERS>().0) {
        let [x, y, z, visible, present] = *numbers;
        *landmark = Landmark {
            point: placement.to_frame(Point { x, y }),
            depth: z * placement.scale,
            visible: sigmoid(visible),
            present: sigmoid(present),
        };
    }
    let rect = Rect::new(first.x, first.y, last.x - first.x, last.y - first.y);
    Some(Body { person: *person.first()?, mask, placement, rect, landmarks })
}

impl Body {
    /// The mean of two points of the body.
    pub(super) fn middle(&self, [left, right]: [usize; 2]) -> Point {
        let (a, b) = (self.landmarks[left].point, self.landmarks[right].point);
        Point { x: (a.x + b.x) / 2.0, y: (a.y + b.y) / 2.0 }
    }
}
