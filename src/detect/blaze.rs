//! BlazeFace (MediaPipe), run by tract.

use std::path::Path;

use super::anchors::{self, Candidate};
use super::letterbox::Letterbox;
use super::{DetectError, Detection, Detector, DetectorKind, boxes, suppress};
use crate::frame::Frame;
use crate::geometry::{Point, Rect};
use crate::model::Net;

/// Scores below this are no face. MediaPipe's own default.
const THRESHOLD: f32 = 0.5;

/// One of the two BlazeFace networks with its buffers.
pub(super) struct Blaze {
    kind: DetectorKind,
    net: Net,
    letterbox: Letterbox,
    anchors: Vec<Point>,
    candidates: Vec<Candidate>,
    faces: Vec<Candidate>,
}

impl Blaze {
    /// The network for near faces: 128x128.
    pub(super) fn front() -> Result<Self, DetectError> {
        let onnx = include_bytes!("../../models/blazeface-front-128.onnx");
        Self::new(DetectorKind::BlazeFront, onnx, 128)
    }

    /// The network for faces at any distance: 256x256.
    pub(super) fn back() -> Result<Self, DetectError> {
        let onnx = include_bytes!("../../models/blazeface-back-256.onnx");
        Self::new(DetectorKind::BlazeBack, onnx, 256)
    }

    fn new(kind: DetectorKind, onnx: &[u8], side: u32) -> Result<Self, DetectError> {
        let failed = |cause: String| DetectError { detector: kind.name(), cause };
        let shape = [1, 3, side as usize, side as usize];
        let net = Net::with_input_shape(onnx, &shape, Path::new(kind.name())).map_err(|error| failed(error.cause))?;
        if net.output_len() != anchors::OUTPUT_LEN {
            return Err(failed(format!("its network gives {} numbers", net.output_len())));
        }
        Ok(Self {
            kind,
            net,
            letterbox: Letterbox::new(side),
            anchors: anchors::anchors(side),
            candidates: Vec::new(),
            faces: Vec::new(),
        })
    }
}

impl Detector for Blaze {
    fn kind(&self) -> DetectorKind {
        self.kind
    }

    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let failed = |cause: String| DetectError { detector: self.kind.name(), cause };
        let (input, placement) =
            self.letterbox.fill(frame).map_err(|error| failed(format!("the picture could not be shrunk ({error})")))?;
        let output = self.net.run(input).map_err(failed)?;
        anchors::decode(&output, &self.anchors, THRESHOLD, &mut self.candidates);
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
        Ok(faces)
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
    fn the_networks_give_what_the_original_graphs_give_in_onnx_runtime() {
        // Numbers 0, 101 and 333 of each of the four outputs, taken with ONNX Runtime from the npm package's files.
        let front =
            [-4.6895, -4.2965, -3.4897, -5.3937, -18.9464, -4.147, 0.0843, -4.2628, -0.3085, 0.5176, 0.5518, -5.3834];
        let back = [
            -4.5504, -5.0831, -2.9573, -5.7464, -16.7129, -7.8483, -0.9359, -6.1302, -18.193, 11.1493, -19.198, -25.647,
        ];
        for (blaze, side, expected) in [(Blaze::front().unwrap(), 128, front), (Blaze::back().unwrap(), 256, back)] {
            let output = blaze.net.run(&drawn(side)).unwrap();
            let starts = [0, 512, 896, 896 + 512 * 16];
            let got = starts.iter().flat_map(|start| [0, 101, 333].map(|index| output[start + index]));
            for (place, (got, expected)) in got.zip(expected).enumerate() {
                assert!((got - expected).abs() < 2e-3, "{side}, number {place}: {got} instead of {expected}");
            }
        }
    }
}
