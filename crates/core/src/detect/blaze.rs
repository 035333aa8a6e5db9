//! BlazeFace (MediaPipe), run by tract.

use std::path::Path;
use std::sync::Arc;

use fast_image_resize::ResizeError;

use super::anchors::{self, Candidate};
use super::letterbox::{Letterbox, Placement};
use super::{DetectError, DetectNear, Detection, Detector, DetectorKind, boxes, suppress};
use crate::frame::Frame;
use crate::geometry::{Point, Rect};
use crate::model::Net;

/// Scores below this are no face. MediaPipe's own default.
const THRESHOLD: f32 = 0.5;

/// The square window that is searched near a known face, in sides of the face; and the side of the network's input for
/// it. The face is about as large there as in a whole frame of 640x480 in which it has 110 pixels. The table in
/// `models/DETECTORS.md` decided.
const WINDOW_SIDES: f32 = 2.25;
const WINDOW_INPUT: u32 = 96;

/// Faces larger than this, in longer sides of the frame, are searched once more in a smaller frame: the network has not
/// learnt faces of more than about 150 of its 256 pixels. Their boxes come out up to a fifth too small, and some are not
/// found. The table in `models/DETECTORS.md` decided.
const LARGE_FACE: f32 = 0.4;
/// The side of the network's input for them, and the part of it that the frame takes.
const LARGE_INPUT: u32 = 160;
const LARGE_SHARE: f32 = 0.625;
/// A frame whose sides are no longer than this is as sharp there as it is: if a large face is found, that is all.
const SMALL_FRAME: u32 = 160;

const BACK: &[u8] = include_bytes!("../../../../models/blazeface-back-256.onnx");

/// One of the two BlazeFace networks.
pub(super) struct Blaze {
    kind: DetectorKind,
    whole: Eye,
    /// `blaze-back`'s network for large faces, made when it is needed first: most live views never do.
    large: Option<Eye>,
    /// The same network for windows, where that is worth it.
    near: Option<Eye>,
}

impl Blaze {
    /// The network for near faces: 128x128.
    pub(super) fn front() -> Result<Self, DetectError> {
        let kind = DetectorKind::BlazeFront;
        let onnx = include_bytes!("../../../../models/blazeface-front-128.onnx");
        Ok(Self { kind, whole: Eye::new(kind, onnx, 128, [8, 16])?, large: None, near: None })
    }

    /// The network for faces at any distance: 256x256.
    pub(super) fn back() -> Result<Self, DetectError> {
        let kind = DetectorKind::BlazeBack;
        Ok(Self { kind, whole: Eye::back(256)?, large: None, near: Some(Eye::back(WINDOW_INPUT)?) })
    }

    /// The faces of a frame that takes a part of the input only.
    fn large_faces(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let large = match &mut self.large {
            Some(large) => large,
            large => large.insert(Eye::back(LARGE_INPUT)?),
        };
        large.faces(self.kind, frame, LARGE_SHARE)
    }
}

impl Detector for Blaze {
    fn kind(&self) -> DetectorKind {
        self.kind
    }

    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let kind = self.kind;
        if kind != DetectorKind::BlazeBack {
            return self.whole.faces(kind, frame, 1.0);
        }
        let longest = frame.width().max(frame.height());
        let is_large = |face: &Detection| face.rect.width >= LARGE_FACE * longest as f32;
        if longest <= SMALL_FRAME {
            let found = self.large_faces(frame)?;
            if found.iter().any(is_large) {
                return Ok(found);
            }
            return self.whole.faces(kind, frame, 1.0);
        }
        let mut found = self.whole.faces(kind, frame, 1.0)?;
        if found.is_empty() || found.iter().any(is_large) {
            let mut again = self.large_faces(frame)?;
            again.retain(is_large);
            // What was found again is the better box; what was not stays.
            found.splice(0..0, again);
            suppress::drop_doubles(&mut found, |face| face.rect);
            found.sort_by(|a, b| b.score.total_cmp(&a.score));
        }
        Ok(found)
    }

    fn near(&self) -> Option<Box<dyn DetectNear>> {
        Some(Box::new(Near { kind: self.kind, eye: self.near.as_ref()?.another() }))
    }
}

/// The search in a window around one face.
struct Near {
    kind: DetectorKind,
    eye: Eye,
}

impl DetectNear for Near {
    fn detect_near(&mut self, frame: &Frame, expected: &Rect) -> Result<Vec<Detection>, DetectError> {
        let failed = |cause: String| DetectError { detector: self.kind.name(), cause };
        let side = expected.width.max(expected.height) * WINDOW_SIDES;
        let window = within(Rect::square(expected.center(), side), frame);
        let filled = self.eye.letterbox.fill_window(frame, &window).map_err(|error| failed(cannot_shrink(&error)))?;
        let Some((input, placement)) = filled else { return Ok(Vec::new()) };
        let output = self.eye.net.run(input).map_err(failed)?;
        Ok(self.eye.decoder.faces(&output, placement))
    }

    fn another(&self) -> Box<dyn DetectNear> {
        Box::new(Self { kind: self.kind, eye: self.eye.another() })
    }
}

/// A window that is moved into the frame as far as it fits: faces beside black, as beyond the edge, are found badly.
fn within(window: Rect, frame: &Frame) -> Rect {
    let moved = |start: f32, side: f32, length: u32| {
        let room = length as f32 - side;
        if room > 0.0 { start.clamp(0.0, room) } else { start }
    };
    Rect {
        x: moved(window.x, window.width, frame.width()),
        y: moved(window.y, window.height, frame.height()),
        ..window
    }
}

fn cannot_shrink(error: &ResizeError) -> String {
    format!("the image could not be shrunk ({error})")
}

/// A network for one size of input, with its buffers.
struct Eye {
    net: Net,
    letterbox: Letterbox,
    decoder: OutputDecoder,
}

impl Eye {
    fn new(kind: DetectorKind, onnx: &[u8], side: u32, strides: [u32; 2]) -> Result<Self, DetectError> {
        let failed = |cause: String| DetectError { detector: kind.name(), cause };
        let shape = [1, 3, side as usize, side as usize];
        let net = Net::with_input_shape(onnx, &shape, Path::new(kind.name())).map_err(|error| failed(error.cause))?;
        let anchors: Arc<[Point]> = anchors::anchors(side, strides).into();
        if net.output_len() != anchors::output_len(anchors.len()) {
            return Err(failed(format!("its network gives {} numbers", net.output_len())));
        }
        Ok(Self { net, letterbox: Letterbox::new(side), decoder: OutputDecoder::new(anchors) })
    }

    /// `blaze-back`'s network for inputs of this side.
    fn back(side: u32) -> Result<Self, DetectError> {
        Self::new(DetectorKind::BlazeBack, BACK, side, [16, 32])
    }

    /// The faces of a frame that takes this share of the input.
    fn faces(&mut self, kind: DetectorKind, frame: &Frame, share: f32) -> Result<Vec<Detection>, DetectError> {
        let failed = |cause: String| DetectError { detector: kind.name(), cause };
        let filled = if share < 1.0 { self.letterbox.fill_share(frame, share) } else { self.letterbox.fill(frame) };
        let (input, placement) = filled.map_err(|error| failed(cannot_shrink(&error)))?;
        let output = self.net.run(input).map_err(failed)?;
        Ok(self.decoder.faces(&output, placement))
    }

    /// The same network with buffers of its own, for another thread.
    fn another(&self) -> Self {
        let (letterbox, anchors) = (Letterbox::new(self.letterbox.side()), Arc::clone(&self.decoder.anchors));
        Self { net: self.net.clone(), letterbox, decoder: OutputDecoder::new(anchors) }
    }
}

/// From a network's output to faces.
struct OutputDecoder {
    anchors: Arc<[Point]>,
    candidates: Vec<Candidate>,
    faces: Vec<Candidate>,
}

impl OutputDecoder {
    fn new(anchors: Arc<[Point]>) -> Self {
        Self { anchors, candidates: Vec::new(), faces: Vec::new() }
    }

    /// The faces of an output, in pixels of the frame that lay in the input like this; best first.
    fn faces(&mut self, output: &[f32], placement: Placement) -> Vec<Detection> {
        anchors::decode(output, &self.anchors, THRESHOLD, &mut self.candidates);
        suppress::blend(&mut self.candidates, &mut self.faces);
        let faces = self.faces.iter().map(|face| {
            let keypoints = face.keypoints.map(|point| placement.to_frame(point));
            let corner = placement.to_frame(Point { x: face.rect.x, y: face.rect.y });
            let own =
                Rect::new(corner.x, corner.y, face.rect.width * placement.scale, face.rect.height * placement.scale);
            let rect = boxes::from_keypoints(&keypoints, &own);
            Detection { rect, score: face.score, keypoints: Some(keypoints) }
        });
        let mut faces: Vec<_> = faces.collect();
        suppress::drop_doubles(&mut faces, |face| face.rect);
        faces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The drawn input `((7x + 13y + 29c + xy/8) mod 256) / 127.5 - 1`.
    fn drawn(side: usize) -> Vec<f32> {
        let value = |index: usize| {
            let (channel, row, column) = (index / (side * side), index / side % side, index % side);
            ((7 * column + 13 * row + 29 * channel + row * column / 8) % 256) as f32 / 127.5 - 1.0
        };
        (0..3 * side * side).map(value).collect()
    }

    #[test]
    fn windows_are_moved_into_the_frame_where_they_fit() {
        let frame = Frame::from_rgb(100, 60, vec![0; 18_000]).unwrap();
        let moved = |x, y, side| within(Rect::new(x, y, side, side), &frame);
        assert_eq!(moved(-15.0, 70.0, 40.0), Rect::new(0.0, 20.0, 40.0, 40.0));
        assert_eq!(moved(30.0, 10.0, 40.0), Rect::new(30.0, 10.0, 40.0, 40.0));
        // Higher than the frame: only sideways.
        assert_eq!(moved(80.0, -5.0, 70.0), Rect::new(30.0, -5.0, 70.0, 70.0));
    }

    /// A face that fills the frame has the box that it has in a frame with room around it.
    #[test]
    fn large_faces_get_the_box_of_small_ones() {
        let astronaut = crate::testing::astronaut();
        let picture =
            image::RgbImage::from_raw(astronaut.width(), astronaut.height(), astronaut.rgb().to_vec()).unwrap();
        let mut blaze = Blaze::back().unwrap();
        let [known] = blaze.detect(&astronaut).unwrap().try_into().unwrap();
        let side = known.rect.width * 1.2;
        let (left, top) = (known.rect.center().x - side / 2.0, known.rect.center().y - side / 2.0);
        let cut = image::imageops::crop_imm(&picture, left as u32, top as u32, side as u32, side as u32).to_image();
        for pixels in [100, 150, 300, 480] {
            let sized = image::imageops::resize(&cut, pixels, pixels, image::imageops::FilterType::Triangle);
            let found = blaze.detect(&Frame::from_rgb(pixels, pixels, sized.into_raw()).unwrap()).unwrap();
            let [face] = found.as_slice() else { panic!("{} faces at {pixels} pixels", found.len()) };
            let scale = side.floor() / pixels as f32;
            let Rect { x, y, width, height } = face.rect;
            let rect = Rect::new(left.floor() + x * scale, top.floor() + y * scale, width * scale, height * scale);
            assert!(rect.iou(&known.rect) > 0.85, "{rect:?} instead of {:?} at {pixels} pixels", known.rect);
        }
    }

    #[test]
    fn the_networks_give_what_the_original_graphs_give_in_onnx_runtime() {
        // Numbers 0, 101 and 333 of each of the four outputs, taken with ONNX Runtime from the npm package's files.
        let front =
            [-4.6895, -4.2965, -3.4897, -5.3937, -18.9464, -4.147, 0.0843, -4.2628, -0.3085, 0.5176, 0.5518, -5.3834];
        let back = [
            -4.5504, -5.0831, -2.9573, -5.7464, -16.7129, -7.8483, -0.9359, -6.1302, -18.193, 11.1493, -19.198, -25.647,
        ];
        for (blaze, side, expected) in [(Blaze::front().unwrap(), 128, front), (Blaze::back().unwrap(), 256, back)] {
            let output = blaze.whole.net.run(&drawn(side)).unwrap();
            let starts = [0, 512, 896, 896 + 512 * 16];
            let got = starts.iter().flat_map(|start| [0, 101, 333].map(|index| output[start + index]));
            for (place, (got, expected)) in got.zip(expected).enumerate() {
                assert!((got - expected).abs() < 2e-3, "{side}, number {place}: {got} instead of {expected}");
            }
        }
    }
}
