//! A face as the input of each network: crop, resize, scale; each once, however many models share it.

use super::crop::{PixelRect, crop_rect};
use super::resize::CropResizer;
use super::upright::Turner;
use super::{Place, tensor};
use crate::detect::box_in_style;
use crate::frame::Frame;
use crate::model::{CropSpec, InputSpec, ModelCard};

/// What part of a frame is the face.
#[derive(Clone, Copy)]
pub(super) enum Region {
    /// A face; each card adds its margin, and is shown it upright or as it is.
    Face(Place),
    /// The whole picture is a ready crop: no margin.
    Whole,
}

/// Prepares inputs; keeps its buffers between faces.
#[derive(Default)]
pub(super) struct Preparer {
    pub(super) resizer: CropResizer,
    turner: Turner,
    pixels: Vec<Pixels>,
    pixels_used: usize,
    inputs: Vec<Input>,
    inputs_used: usize,
}

/// A crop at its input size.
struct Pixels {
    crop: CropSpec,
    size: (u32, u32),
    rgb: Vec<u8>,
}

/// A crop as numbers.
struct Input {
    crop: CropSpec,
    spec: InputSpec,
    tensor: Vec<f32>,
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
        face: impl Into<Place>,
        card: &ModelCard,
    ) -> Result<Option<Vec<f32>>, super::EstimateError> {
        self.preparer.next_face();
        let input = self.preparer.input(frame, Region::Face(face.into()), card);
        let failed = |cause| super::EstimateError { model: card.name.clone(), cause };
        Ok(input.map_err(failed)?.map(<[f32]>::to_vec))
    }
}

impl Preparer {
    /// Another face comes: nothing that was prepared fits any more.
    pub(super) fn next_face(&mut self) {
        (self.pixels_used, self.inputs_used) = (0, 0);
    }

    /// The input that `card` wants of the face; `None` where the face lies outside the picture.
    pub(super) fn input(&mut self, frame: &Frame, region: Region, card: &ModelCard) -> Result<Option<&[f32]>, String> {
        let ready = &self.inputs[..self.inputs_used];
        if let Some(index) = ready.iter().position(|input| input.crop == card.crop && input.spec == card.input) {
            return Ok(Some(&self.inputs[index].tensor));
        }
        let Some(pixels) = self.pixels(frame, region, card)? else { return Ok(None) };
        let index = self.inputs_used;
        if index == self.inputs.len() {
            self.inputs.push(Input { crop: card.crop.clone(), spec: card.input.clone(), tensor: Vec::new() });
        }
        let input = &mut self.inputs[index];
        input.crop.clone_from(&card.crop);
        input.spec.clone_from(&card.input);
        tensor::fill(&self.pixels[pixels].rgb, &card.input, &mut input.tensor);
        self.inputs_used += 1;
        Ok(Some(&self.inputs[index].tensor))
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
            self.pixels.push(Pixels { crop: card.crop.clone(), size, rgb: Vec::new() });
        }
        let pixels = &mut self.pixels[index];
        pixels.crop.clone_from(&card.crop);
        pixels.size = size;
        let (width, height) = (frame.width(), frame.height());
        let part = match region {
            Region::Whole => Some(PixelRect::whole(width, height)),
            Region::Face(face) => {
                let rect = box_in_style(&face.rect, card.crop.relative_to);
                if card.crop.upright && face.roll_degrees != 0.0 {
                    let crop = (&rect, card.crop.margin, face.roll_degrees);
                    let inside = self.turner.fill(&mut self.resizer, frame, crop, size, &mut pixels.rgb)?;
                    self.pixels_used += usize::from(inside);
                    return Ok(inside.then_some(index));
                }
                crop_rect(&rect, card.crop.margin, width, height)
            }
        };
        let Some(part) = part else { return Ok(None) };
        self.resizer.resize(frame, part, size, card.crop.resize, &mut pixels.rgb)?;
        self.pixels_used += 1;
        Ok(Some(index))
    }
}
