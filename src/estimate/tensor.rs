//! RGB bytes as the numbers that a network takes.

use crate::model::{ChannelOrder, InputSpec, Layout, Scaling};

/// Fills `tensor` with `rgb` (tightly packed, of the input's size) in the card's channel order, scaling and layout.
pub(super) fn fill(rgb: &[u8], input: &InputSpec, tensor: &mut Vec<f32>) {
    let tables = Tables::new(rgb, &input.scaling);
    // Where the network's channel lies in an RGB pixel.
    let source: [usize; 3] = match input.channels {
        ChannelOrder::Rgb => [0, 1, 2],
        ChannelOrder::Bgr => [2, 1, 0],
    };
    tensor.clear();
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

/// What is subtracted from a byte of each channel, and what the rest is then multiplied by or divided by.
struct Tables {
    subtract: [f32; 3],
    divide: [f32; 3],
    multiply: f32,
}

impl Tables {
    fn new(rgb: &[u8], scaling: &Scaling) -> Self {
        match scaling {
            Scaling::MeanStd { mean, std } => Self { subtract: *mean, divide: *std, multiply: 1.0 },
            Scaling::MinMax => {
                let (low, high) = rgb.iter().fold((u8::MAX, 0), |(low, high), byte| (low.min(*byte), high.max(*byte)));
                let span = f32::from(high.saturating_sub(low));
                // A flat crop: every byte less the minimum is 0 already, so anything but 0 may divide.
                let span = if span > 0.0 { span } else { 1.0 };
                Self { subtract: [f32::from(low); 3], divide: [span; 3], multiply: 255.0 }
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
}
