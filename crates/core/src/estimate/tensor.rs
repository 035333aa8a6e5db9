//! RGB bytes as the numbers that a network takes.

use crate::model::{ChannelOrder, InputSpec, Layout, Scaling};

/// Fills `tensor` with `rgb` (tightly packed, of the input's size) in the card's channel order, scaling and layout.
pub(super) fn fill(rgb: &[u8], input: &InputSpec, tensor: &mut Vec<f32>) {
    tensor.clear();
    // Where the network's channel lies in an RGB pixel.
    let source: [usize; 3] = match input.channels {
        ChannelOrder::Rgb => [0, 1, 2],
        ChannelOrder::Bgr => [2, 1, 0],
        ChannelOrder::Grey => {
            let grey: Vec<u8> = rgb.chunks_exact(3).map(brightness).collect();
            let tables = Tables::new(&grey, &input.scaling);
            // One channel lies the same in either layout.
            tensor.extend(grey.iter().map(|byte| tables.scaled(0, *byte)));
            return;
        }
    };
    let tables = Tables::new(rgb, &input.scaling);
    match input.layout {
        Layout::Nchw => {
            for (channel, source) in source.into_iter().enumerate() {
                let bytes = rgb.iter().skip(source).step_by(3);
                tensor.extend(bytes.map(|byte| tables.scaled(channel, *byte)));
            }
        }
        Layout::Nhwc => {
            let pixel = |pixel: &[u8]| [0, 1, 2].map(|channel| tables.scaled(channel, pixel[source[channel]]));
            tensor.extend(rgb.chunks_exact(3).flat_map(pixel));
        }
    }
}

/// Fills `mirrored` with the numbers of the mirror image of what `tensor` was filled with.
pub(super) fn mirror(tensor: &[f32], input: &InputSpec, mirrored: &mut Vec<f32>) {
    let pixel = match (input.layout, input.channels) {
        (Layout::Nhwc, ChannelOrder::Rgb | ChannelOrder::Bgr) => 3,
        _ => 1,
    };
    mirrored.clear();
    for row in tensor.chunks_exact((input.width as usize * pixel).max(1)) {
        mirrored.extend(row.chunks_exact(pixel).rev().flatten());
    }
}

/// The brightness of an RGB pixel (Rec. 601, as `cv2.COLOR_RGB2GRAY`).
fn brightness(pixel: &[u8]) -> u8 {
    let [red, green, blue] = [0, 1, 2].map(|channel| f32::from(pixel[channel]));
    (0.299 * red + 0.587 * green + 0.114 * blue).round() as u8
}

/// The least byte that more than this share of the bytes do not exceed.
fn quantile(bytes: &[u8], share: f32) -> u8 {
    let mut counts = [0_usize; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let wanted = share * bytes.len() as f32;
    let mut below = 0;
    for (byte, count) in (0..=u8::MAX).zip(counts) {
        below += count;
        if below as f32 > wanted {
            return byte;
        }
    }
    u8::MAX
}

/// What is subtracted from a byte of each channel, and what the rest is then multiplied by or divided by.
struct Tables {
    subtract: [f32; 3],
    divide: [f32; 3],
    multiply: f32,
}

impl Tables {
    fn new(bytes: &[u8], scaling: &Scaling) -> Self {
        match scaling {
            Scaling::MeanStd { mean, std } => Self { subtract: *mean, divide: *std, multiply: 1.0 },
            Scaling::MinMax => {
                let (low, high) =
                    bytes.iter().fold((u8::MAX, 0), |(low, high), byte| (low.min(*byte), high.max(*byte)));
                let span = f32::from(high.saturating_sub(low));
                // A flat crop: every byte less the minimum is 0 already, so anything but 0 may divide.
                let span = if span > 0.0 { span } else { 1.0 };
                Self { subtract: [f32::from(low); 3], divide: [span; 3], multiply: 255.0 }
            }
            Scaling::Brighten { quantile: share, below, to, subtract } => {
                /// A crop darker than this shows nothing that could be brought to light.
                const DARKEST: f32 = 5.0;
                let level = f32::from(quantile(bytes, *share));
                let factor = if level < *below { to / level.max(DARKEST) } else { 1.0 / 255.0 };
                Self { subtract: [subtract / factor; 3], divide: [1.0; 3], multiply: factor }
            }
        }
    }

    fn scaled(&self, channel: usize, byte: u8) -> f32 {
        (f32::from(byte) - self.subtract[channel]) * self.multiply / self.divide[channel]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_image_is_one_in_every_layout() {
        let size = |layout, channels| InputSpec { width: 2, height: 2, layout, channels, scaling: Scaling::MinMax };
        let numbers: Vec<f32> = (0..12_u8).map(f32::from).collect();
        let mut mirrored = Vec::new();
        mirror(&numbers, &size(Layout::Nchw, ChannelOrder::Rgb), &mut mirrored);
        assert_eq!(mirrored, [1.0, 0.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0, 9.0, 8.0, 11.0, 10.0]);
        mirror(&numbers, &size(Layout::Nhwc, ChannelOrder::Bgr), &mut mirrored);
        assert_eq!(mirrored, [3.0, 4.0, 5.0, 0.0, 1.0, 2.0, 9.0, 10.0, 11.0, 6.0, 7.0, 8.0]);
        mirror(&numbers[..4], &size(Layout::Nhwc, ChannelOrder::Grey), &mut mirrored);
        assert_eq!(mirrored, [1.0, 0.0, 3.0, 2.0]);
    }

    fn filled(rgb: &[u8], layout: Layout, channels: ChannelOrder, scaling: Scaling) -> Vec<f32> {
        let mut tensor = vec![99.0];
        fill(rgb, &InputSpec { width: 2, height: 1, layout, channels, scaling }, &mut tensor);
        tensor
    }

    #[test]
    fn layout_and_channel_order_put_each_byte_in_its_place() {
        let rgb = [1, 2, 3, 4, 5, 6];
        let raw = || Scaling::MeanStd { mean: [0.0; 3], std: [1.0; 3] };
        assert_eq!(filled(&rgb, Layout::Nhwc, ChannelOrder::Rgb, raw()), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(filled(&rgb, Layout::Nhwc, ChannelOrder::Bgr, raw()), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        assert_eq!(filled(&rgb, Layout::Nchw, ChannelOrder::Rgb, raw()), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(filled(&rgb, Layout::Nchw, ChannelOrder::Bgr, raw()), [3.0, 6.0, 2.0, 5.0, 1.0, 4.0]);
    }

    #[test]
    fn means_follow_the_networks_channel_order() {
        let scaling = Scaling::MeanStd { mean: [3.0, 2.0, 1.0], std: [2.0, 4.0, 1.0] };
        let tensor = filled(&[1, 2, 3, 4, 6, 5], Layout::Nhwc, ChannelOrder::Bgr, scaling);
        assert_eq!(tensor, [0.0, 0.0, 0.0, 1.0, 1.0, 3.0]);
    }

    #[test]
    fn min_max_stretches_all_channels_together_and_a_flat_crop_is_zero() {
        let stretched = filled(&[10, 20, 30, 61, 40, 50], Layout::Nhwc, ChannelOrder::Rgb, Scaling::MinMax);
        assert_eq!(stretched, [0.0, 50.0, 100.0, 255.0, 150.0, 200.0]);
        for flat in [0, 128, 255] {
            assert_eq!(filled(&[flat; 6], Layout::Nchw, ChannelOrder::Bgr, Scaling::MinMax), [0.0; 6]);
        }
    }

    #[test]
    fn grey_is_one_channel_of_brightness() {
        let raw = || Scaling::MeanStd { mean: [0.0; 3], std: [2.0; 3] };
        // 0.299 * 200 + 0.587 * 100 + 0.114 * 10 = 119.64; 0.299 * 10 + 0.587 * 100 + 0.114 * 200 = 84.49.
        for layout in [Layout::Nchw, Layout::Nhwc] {
            assert_eq!(filled(&[200, 100, 10, 10, 100, 200], layout, ChannelOrder::Grey, raw()), [60.0, 42.0]);
        }
    }

    #[test]
    fn a_dark_crop_is_made_brighter_and_a_bright_one_is_not() {
        let brighten = |below| Scaling::Brighten { quantile: 0.5, below, to: 0.45, subtract: 0.5 };
        let near = |got: Vec<f32>, expected: [f32; 2]| {
            assert!(got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-6), "{got:?}");
        };
        let grey = |dark: u8, bright: u8| [dark, dark, dark, bright, bright, bright];
        // More than half of the two bytes do not exceed 90: 90 becomes 0.45.
        near(filled(&grey(40, 90), Layout::Nchw, ChannelOrder::Grey, brighten(127.0)), [0.2 - 0.5, 0.45 - 0.5]);
        near(
            filled(&grey(40, 90), Layout::Nchw, ChannelOrder::Grey, brighten(90.0)),
            [40.0 / 255.0 - 0.5, 90.0 / 255.0 - 0.5],
        );
        near(filled(&grey(0, 2), Layout::Nchw, ChannelOrder::Grey, brighten(127.0)), [-0.5, 2.0 * 0.45 / 5.0 - 0.5]);
    }

    #[test]
    fn a_quantile_is_the_first_byte_that_more_than_its_share_do_not_exceed() {
        let bytes: Vec<u8> = (1..=10).collect();
        assert_eq!((quantile(&bytes, 0.85), quantile(&bytes, 0.9), quantile(&bytes, 0.001)), (9, 10, 1));
    }
}
