//! RGB8 frames to H.264 access units.

use openh264::OpenH264API;
use openh264::encoder::{
    Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, RateControlMode, SpsPpsStrategy, UsageType,
    VuiConfig,
};
use openh264::formats::YUVSlices;
use yuv::{BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix};

/// OpenH264 encodes at most this: long side, short side, pixels (level 5.2).
pub(super) const LARGEST: (u32, u32) = (3840, 2160);

/// OpenH264 encodes nothing smaller.
const SMALLEST_SIDE: u32 = 16;

/// One encoded picture, in the order of decoding, which is the order of showing.
pub(super) struct Encoded {
    /// NAL units with start codes (ISO/IEC 14496-10, annex B).
    pub annex_b: Vec<u8>,
    /// Decoding can begin here.
    pub keyframe: bool,
}

/// Encodes frames of one size. Odd sizes are padded to even ones, because H.264 halves the colour's resolution, by
/// repeating the last row and column.
pub(super) struct FrameEncoder {
    encoder: Encoder,
    /// Size of the frames that come in.
    size: (u32, u32),
    /// Size of the frames that are encoded.
    padded: (u32, u32),
    luma: Vec<u8>,
    chroma: [Vec<u8>; 2],
}

impl FrameEncoder {
    /// An encoder of constant quality, or words for what is wrong.
    pub(super) fn new(width: u32, height: u32) -> Result<Self, String> {
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            // Constant quality (QP 26): no frame may be dropped, and the frame rate is not known beforehand.
            .rate_control_mode(RateControlMode::Off)
            .skip_frames(false)
            .adaptive_quantization(false)
            .background_detection(false)
            .scene_change_detect(false)
            .intra_frame_period(IntraFramePeriod::auto())
            .sps_pps_strategy(SpsPpsStrategy::ConstantId)
            .max_frame_rate(FrameRate::from_hz(30.0))
            .num_threads(1)
            .vui(VuiConfig::bt601());
        let encoder =
            Encoder::with_api_config(OpenH264API::from_source(), config).map_err(|error| error.to_string())?;
        let even = |side: u32| side.next_multiple_of(2).max(SMALLEST_SIDE);
        let padded = (even(width), even(height));
        let pixels = padded.0 as usize * padded.1 as usize;
        let chroma = [vec![0; pixels / 4], vec![0; pixels / 4]];
        Ok(Self { encoder, size: (width, height), padded, luma: vec![0; pixels], chroma })
    }

    /// Whether frames of this size can be encoded at all.
    pub(super) fn fits(width: u32, height: u32) -> bool {
        let (long, short) = (width.max(height), width.min(height));
        short > 0 && long <= LARGEST.0 && short <= LARGEST.1
    }

    /// Encodes one frame; as a keyframe where `keyframe` says so, and maybe where it does not.
    pub(super) fn encode(&mut self, rgb: &[u8], keyframe: bool) -> Result<Encoded, String> {
        self.convert(rgb)?;
        if keyframe {
            self.encoder.force_intra_frame();
        }
        let (width, height) = (self.padded.0 as usize, self.padded.1 as usize);
        let planes = (self.luma.as_slice(), self.chroma[0].as_slice(), self.chroma[1].as_slice());
        let picture = YUVSlices::new(planes, (width, height), (width, width / 2, width / 2));
        let stream = self.encoder.encode(&picture).map_err(|error| error.to_string())?;
        let keyframe = stream.frame_type() == FrameType::IDR;
        Ok(Encoded { annex_b: stream.to_vec(), keyframe })
    }

    /// RGB8 to limited-range BT.601 4:2:0, as the stream's video usability information says.
    fn convert(&mut self, rgb: &[u8]) -> Result<(), String> {
        let ((width, height), padded) = (self.size, self.padded);
        // Planes of exactly the picture's rows: where there is one more, yuv 0.8.20 panics at an odd height.
        let luma = &mut self.luma[..padded.0 as usize * height as usize];
        let [u, v] = self.chroma.each_mut().map(|plane| {
            let length = (padded.0 / 2) as usize * height.div_ceil(2) as usize;
            &mut plane[..length]
        });
        let mut planes = YuvPlanarImageMut {
            y_plane: BufferStoreMut::Borrowed(luma),
            y_stride: padded.0,
            u_plane: BufferStoreMut::Borrowed(u),
            u_stride: padded.0 / 2,
            v_plane: BufferStoreMut::Borrowed(v),
            v_stride: padded.0 / 2,
            width,
            height,
        };
        yuv::rgb_to_yuv420(
            &mut planes,
            rgb,
            width * 3,
            YuvRange::Limited,
            YuvStandardMatrix::Bt601,
            YuvConversionMode::Balanced,
        )
        .map_err(|error| error.to_string())?;
        repeat_edges(&mut self.luma, padded, self.size);
        let half = |(width, height): (u32, u32)| (width.div_ceil(2), height.div_ceil(2));
        for plane in &mut self.chroma {
            repeat_edges(plane, half(padded), half(self.size));
        }
        Ok(())
    }
}

/// Fills what lies right of and below a picture in its plane with the picture's last column and row.
fn repeat_edges(plane: &mut [u8], (stride, rows): (u32, u32), (width, height): (u32, u32)) {
    let (stride, width, height) = (stride as usize, width as usize, height as usize);
    if width < stride {
        for row in plane.chunks_exact_mut(stride).take(height) {
            let last = row[width - 1];
            row[width..].fill(last);
        }
    }
    for row in height..rows as usize {
        plane.copy_within((height - 1) * stride..height * stride, row * stride);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_repeated_into_the_padding() {
        let mut plane = vec![1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0];
        repeat_edges(&mut plane, (4, 3), (2, 2));
        assert_eq!(plane, [1, 2, 2, 2, 3, 4, 4, 4, 3, 4, 4, 4]);
    }

    #[test]
    fn sizes_beyond_the_encoder_are_known_beforehand() {
        assert!(FrameEncoder::fits(3840, 2160) && FrameEncoder::fits(2160, 3840) && FrameEncoder::fits(1, 1));
        assert!(!FrameEncoder::fits(3842, 100) && !FrameEncoder::fits(2200, 2200) && !FrameEncoder::fits(0, 5));
    }

    #[test]
    fn the_first_frame_and_those_that_are_asked_for_are_keyframes() {
        let mut encoder = FrameEncoder::new(33, 17).unwrap();
        let keyframes: Vec<_> = (0..6)
            .map(|number| encoder.encode(&vec![number * 20; 33 * 17 * 3], number == 3).unwrap().keyframe)
            .collect();
        assert_eq!(keyframes, [true, false, false, true, false, false]);
    }
}
