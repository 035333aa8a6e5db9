//! H.264 as cameras send it: a stream of bytes, some of it in each buffer.

use facelens_core::frame::Frame;
use image::metadata::Orientation;
use openh264::OpenH264API;
use openh264::decoder::{Decoder, DecoderConfig};

use super::super::avc::push_nal;
use super::super::sps::Sps;
use super::picture::Conversion;

/// More parameter sets than these are those of no camera.
const MAX_SETS: usize = 16;

/// Decodes a stream that has begun before, and goes on after damage at the next key frame.
#[derive(Default)]
pub(crate) struct LiveH264 {
    /// Where the stream has not come to a key frame, none.
    decoder: Option<Decoder>,
    /// The parameter sets so far: some cameras send them once only.
    sets: Vec<Vec<u8>>,
    conversion: Option<Conversion>,
}

impl LiveH264 {
    /// Decodes what came in one buffer; `None` where it shows nothing, as before the first key frame.
    ///
    /// # Errors
    /// What is wrong with it, in words. What follows is not shown before the next key frame.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Result<Option<Frame>, String> {
        let units = units(bytes);
        let kind = |unit: &[u8]| unit.first().map_or(0, |first| first & 31);
        for unit in &units {
            match kind(unit) {
                7 => self.take_set(unit)?,
                8 if self.sets.len() < MAX_SETS && !self.sets.iter().any(|set| set == unit) => {
                    self.sets.push(unit.to_vec());
                }
                _ => {}
            }
        }
        let is_key = units.iter().any(|unit| matches!(kind(unit), 5 | 7));
        let mut stream = Vec::new();
        if self.decoder.is_none() {
            if !is_key || self.conversion.is_none() {
                return Ok(None);
            }
            let decoder = Decoder::with_api_config(OpenH264API::from_source(), DecoderConfig::new());
            self.decoder = Some(decoder.map_err(|error| error.to_string())?);
            self.sets.iter().for_each(|set| push_nal(&mut stream, set));
        }
        units.iter().for_each(|unit| push_nal(&mut stream, unit));
        let (Some(decoder), Some(conversion)) = (&mut self.decoder, &self.conversion) else { return Ok(None) };
        let frame = match decoder.decode(&stream) {
            Ok(picture) => picture.map(|picture| conversion.frame(&picture)).transpose(),
            Err(error) => Err(error.to_string()),
        };
        if frame.is_err() {
            self.decoder = None;
        }
        frame
    }

    fn take_set(&mut self, set: &[u8]) -> Result<(), String> {
        if self.sets.iter().any(|known| known == set) {
            return Ok(());
        }
        let sps = Sps::read(set).ok_or("its sequence parameter set is damaged")?;
        if !sps.plain {
            return Err("this kind of H.264 (10 bit, 4:2:2 or interlaced) is not supported".to_owned());
        }
        Frame::check_size(sps.width, sps.height).map_err(|error| error.to_string())?;
        // Another size, mostly: what was sent before means nothing any more.
        (self.decoder, self.sets) = (None, vec![set.to_vec()]);
        self.conversion = Some(Conversion::new(&sps, None, Orientation::NoTransforms));
        Ok(())
    }
}

/// The NAL units between start codes.
fn units(bytes: &[u8]) -> Vec<&[u8]> {
    let mut begins: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.windows(3).position(|code| code == [0, 0, 1])) {
        at += found + 3;
        begins.push(at);
    }
    let ends = begins.iter().skip(1).map(|begin| begin - 3).chain([bytes.len()]);
    let unit = |(&begin, end): (&usize, usize)| {
        // Zeros before a start code belong to it.
        let unit = &bytes[begin..end];
        &unit[..unit.len() - unit.iter().rev().take_while(|&&byte| byte == 0).count()]
    };
    begins.iter().zip(ends).map(unit).filter(|unit| !unit.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use openh264::encoder::Encoder;
    use openh264::formats::{RgbSliceU8, YUVBuffer};

    use super::*;

    /// Pictures of rising grey; the second half begins with a key frame.
    fn stream() -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new().unwrap();
        let mut picture = |number: u8| {
            if number == 4 {
                encoder.force_intra_frame();
            }
            let rgb = vec![40 + 20 * number; 64 * 48 * 3];
            let yuv = YUVBuffer::from_rgb_source(RgbSliceU8::new(&rgb, (64, 48)));
            encoder.encode(&yuv).unwrap().to_vec()
        };
        (0..8).map(&mut picture).collect()
    }

    fn light(frame: &Frame) -> u8 {
        frame.rgb()[(24 * 64 + 32) * 3]
    }

    #[test]
    fn every_buffer_is_a_picture() {
        let mut live = LiveH264::default();
        for (number, buffer) in stream().iter().enumerate() {
            let frame = live.decode(buffer).unwrap().unwrap();
            assert_eq!((frame.width(), frame.height()), (64, 48));
            assert!(light(&frame).abs_diff(40 + 20 * number as u8) <= 4, "{number}: {}", light(&frame));
        }
    }

    #[test]
    fn a_stream_that_has_begun_before_is_shown_from_its_next_key_frame_on() {
        let stream = stream();
        let mut live = LiveH264::default();
        for buffer in &stream[1..4] {
            assert!(live.decode(buffer).unwrap().is_none());
        }
        assert!(live.decode(&stream[4]).unwrap().is_some());
        // Rubbish, and what needs it, shows nothing; the next key frame does.
        let mut live = LiveH264::default();
        assert!(live.decode(&stream[0]).unwrap().is_some());
        let torn = [&[0, 0, 1, 0x41][..], &[0xe5; 40]].concat();
        let _ = live.decode(&torn);
        assert!(live.decode(&stream[4]).unwrap().is_some());
    }

    #[test]
    fn units_are_parted_by_start_codes_of_both_lengths() {
        assert_eq!(units(&[0, 0, 0, 1, 7, 1, 0, 0, 1, 8, 0, 0, 0, 1, 5]), [&[7, 1][..], &[8], &[5]]);
        assert!(units(&[1, 2, 3]).is_empty() && units(&[]).is_empty() && units(&[0, 0, 1]).is_empty());
    }
}
