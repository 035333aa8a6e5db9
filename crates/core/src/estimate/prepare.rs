//! A face as the input of each network: crop, resize, scale; each once, however many models share it.

use super::crop::{PixelRect, crop_rect};
use super::resize::CropResizer;
use super::warp::{WarpView, Warper};
use super::{FaceRegion, tensor};
use crate::detect::box_in_style;
use crate::frame::Frame;
use crate::model::{CropSpec, Edge, InputSpec, ModelCard};

/// What part of a frame is the face.
#[derive(Clone, Copy)]
pub(super) enum Region {
    /// A face; each card adds its margin, and is shown it upright or as it is.
    Face(FaceRegion),
    /// The whole picture is a ready crop: no margin.
    Whole,
}

/// Prepares inputs; keeps its buffers between faces.
#[derive(Default)]
pub(super) struct Preparer {
    pub(super) resizer: CropResizer,
    warper: Warper,
    pixels: Vec<CropPixels>,
    pixels_used: usize,
    inputs: Vec<Input>,
    inputs_used: usize,
}

/// A crop at its input size.
struct CropPixels {
    crop: CropSpec,
    size: (u32, u32),
    /// How far the crop is turned clockwise in the frame, degrees: the network sees the head turned back by so much.
    turn_degrees: f32,
    rgb: Vec<u8>,
}

/// A crop as numbers.
struct Input {
    crop: CropSpec,
    spec: InputSpec,
    turn_degrees: f32,
    tensor: Vec<f32>,
}

/// What a network is given.
pub(super) struct Prepared<'a> {
    /// The numbers.
    pub(super) tensor: &'a [f32],
    /// How far clockwise the crop is turned in the frame, degrees: the network sees the head turned back by so much.
    pub(super) turn_degrees: f32,
}

impl super::Estimator {
    /// What a network with this card is shown of a face: the numbers that [`Net::run`](crate::model::Net::run)
    /// takes. `None` where the face lies outside the picture. Models that are not in use can be tried with it.
    ///
    /// # Errors
    /// Where the crop cannot be resized.
    pub fn input(
        &mut self,
        frame: &Frame,
        face: impl Into<FaceRegion>,
        card: &ModelCard,
    ) -> Result<Option<Vec<f32>>, super::EstimateError> {
        self.preparer.next_face();
        let input = self.preparer.input(frame, Region::Face(face.into()), card);
        let failed = |cause| super::EstimateError { model: card.name.clone(), cause };
        Ok(input.map_err(failed)?.map(|input| input.tensor.to_vec()))
    }
}

impl Preparer {
    /// Another face comes: nothing that was prepared fits any more.
    pub(super) fn next_face(&mut self) {
        (self.pixels_used, self.inputs_used) = (0, 0);
    }

    /// The input that `card` wants of the face; `None` where the face lies outside the picture.
    pub(super) fn input(
        &mut self,
        frame: &Frame,
        region: Region,
        card: &ModelCard,
    ) -> Result<Option<Prepared<'_>>, String> {
        let ready = &self.inputs[..self.inputs_used];
        let known = ready.iter().position(|input| input.crop == card.crop && input.spec == card.input);
        let index = match known {
            Some(index) => index,
            None => match self.pixels(frame, region, card)? {
                Some(pixels) => self.tensor(pixels, card),
                None => return Ok(None),
            },
        };
        let Input { tensor, turn_degrees, .. } = &self.inputs[index];
        Ok(Some(Prepared { tensor, turn_degrees: *turn_degrees }))
    }

    /// Makes numbers of a crop, and says where in `inputs` they lie.
    fn tensor(&mut self, pixels: usize, card: &ModelCard) -> usize {
        let pixels = &self.pixels[pixels];
        let index = self.inputs_used;
        if index == self.inputs.len() {
            let (crop, spec) = (card.crop.clone(), card.input.clone());
            self.inputs.push(Input { crop, spec, turn_degrees: 0.0, tensor: Vec::new() });
        }
        let input = &mut self.inputs[index];
        input.crop.clone_from(&card.crop);
        input.spec.clone_from(&card.input);
        input.turn_degrees = pixels.turn_degrees;
        tensor::fill(&pixels.rgb, &card.input, &mut input.tensor);
        self.inputs_used += 1;
        index
    }

    /// Where in `pixels` the crop lies at the card's input size.
    fn pixels(&mut self, frame: &Frame, region: Region, card: &ModelCard) -> Result<Option<usize>, String> {
        let size = (card.input.width, card.input.height);
        let ready = &self.pixels[..self.pixels_used];
        if let Some(index) = ready.iter().position(|pixels| pixels.crop == card.crop && pixels.size == size) {
            return Ok(Some(index));
        }
        let index = self.pixels_used;
        if index == self.pixels.len() {
            self.pixels.push(CropPixels { crop: card.crop.clone(), size, turn_degrees: 0.0, rgb: Vec::new() });
        }
        let pixels = &mut self.pixels[index];
        pixels.crop.clone_from(&card.crop);
        (pixels.size, pixels.turn_degrees) = (size, 0.0);
        let part = match part(frame, region, &card.crop) {
            CropPart::Cut(rect) => rect,
            CropPart::View(view, edge) => {
                let how = (card.crop.resize, edge);
                let inside = self.warper.fill(&mut self.resizer, frame, &view, how, size, &mut pixels.rgb)?;
                pixels.turn_degrees = view.turn_degrees;
                self.pixels_used += usize::from(inside);
                return Ok(inside.then_some(index));
            }
        };
        let Some(part) = part else { return Ok(None) };
        self.resizer.resize(frame, part, size, card.crop.resize, &mut pixels.rgb)?;
        self.pixels_used += 1;
        Ok(Some(index))
    }
}

/// How a crop is made.
enum CropPart {
    /// Whole pixels of the frame, resized; `None` where the face lies outside of it.
    Cut(Option<PixelRect>),
    /// Read pixel by pixel, turned, or with something in place of what lies outside the frame.
    View(WarpView, Edge),
}

/// What of a frame a card wants to see.
fn part(frame: &Frame, region: Region, crop: &CropSpec) -> CropPart {
    let (width, height) = (frame.width(), frame.height());
    let Region::Face(face) = region else { return CropPart::Cut(Some(PixelRect::whole(width, height))) };
    let aligned = crop.align.as_ref().zip(face.landmarks.as_ref());
    if let Some(view) = aligned.and_then(|(align, landmarks)| WarpView::aligned(landmarks, align)) {
        // A view has no edge to be cut at.
        return CropPart::View(view, if crop.edge == Edge::Repeat { Edge::Repeat } else { Edge::Black });
    }
    let rect = box_in_style(&face.rect, crop.relative_to);
    if crop.upright && face.roll_degrees != 0.0 {
        let edge = if crop.edge == Edge::Black { Edge::Black } else { Edge::Repeat };
        return CropPart::View(WarpView::of_box(&rect, crop, face.roll_degrees), edge);
    }
    if crop.edge != Edge::Cut {
        return CropPart::View(WarpView::of_box(&rect, crop, 0.0), crop.edge);
    }
    CropPart::Cut(crop_rect(&rect.translated(0.0, crop.down * rect.height), crop.margin, width, height))
}
