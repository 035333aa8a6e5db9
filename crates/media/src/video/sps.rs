//! What an H.264 sequence parameter set says about the pictures (ITU-T H.264, 7.3.2.1.1 and E.1.1).

/// The part of a sequence parameter set that decides whether and how its pictures are decoded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sps {
    /// Size before cropping, pixels.
    pub width: u32,
    /// Size before cropping, pixels.
    pub height: u32,
    /// 8 bits, 4:2:0, one progressive frame at a time: what the built-in decoder does.
    pub plain: bool,
    /// `matrix_coefficients` of the colour description: 1 is BT.709, 5 and 6 are BT.601.
    pub matrix: Option<u8>,
    /// Samples from 0 to 255 instead of 16 to 235.
    pub full_range: bool,
    /// Width and height of a pixel, where the set says them.
    pub pixel_aspect: Option<(u32, u32)>,
}

/// Width and height of a pixel by `aspect_ratio_idc`, from 1 (table E-1).
const PIXEL_ASPECTS: [(u32, u32); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

impl Sps {
    /// Reads a sequence parameter set (a NAL unit of type 7, without its start code). `None` where it is damaged.
    pub(super) fn read(nal: &[u8]) -> Option<Self> {
        if nal.first()? & 31 != 7 {
            return None;
        }
        let mut bits = SpsBits::new(nal.get(1..)?);
        let profile = bits.read(8)?;
        bits.skip(16)?; // constraints, level
        bits.ue()?; // id
        let (mut chroma, mut depth) = (1, 0);
        if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
            chroma = bits.ue()?;
            if chroma == 3 {
                bits.skip(1)?;
            }
            depth = bits.ue()?.max(bits.ue()?);
            bits.skip(1)?;
            if bits.flag()? {
                for list in 0..if chroma == 3 { 12 } else { 8 } {
                    if bits.flag()? {
                        bits.skip_scaling_list(if list < 6 { 16 } else { 64 })?;
                    }
                }
            }
        }
        bits.ue()?; // log2_max_frame_num
        match bits.ue()? {
            0 => bits.ue().map(|_| ())?,
            1 => {
                bits.skip(1)?;
                bits.ue()?;
                bits.ue()?;
                for _ in 0..bits.ue()?.min(255) {
                    bits.ue()?;
                }
            }
            _ => {}
        }
        bits.ue()?; // max_num_ref_frames
        bits.skip(1)?;
        let (width, height) = (bits.ue()?.checked_add(1)?, bits.ue()?.checked_add(1)?);
        let frames_only = bits.flag()?;
        if !frames_only {
            bits.skip(1)?;
        }
        bits.skip(1)?;
        if bits.flag()? {
            for _ in 0..4 {
                bits.ue()?;
            }
        }
        // A damaged end of the set only loses the colours and the shape of the pixels.
        let mut pixel_aspect = None;
        let (matrix, full_range) = bits.usability(&mut pixel_aspect).unwrap_or((None, false));
        Some(Self {
            width: width.checked_mul(16)?,
            height: height.checked_mul(if frames_only { 16 } else { 32 })?,
            plain: chroma == 1 && depth == 0 && frames_only,
            matrix,
            full_range,
            pixel_aspect,
        })
    }
}

/// Reads bits, most significant first, without the emulation prevention bytes.
struct SpsBits {
    bytes: Vec<u8>,
    at: usize,
}

impl SpsBits {
    fn new(nal: &[u8]) -> Self {
        let (mut bytes, mut zeros) = (Vec::with_capacity(nal.len()), 0);
        for &byte in nal {
            // 00 00 03 stands for 00 00 (7.4.1).
            if byte == 3 && zeros >= 2 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            bytes.push(byte);
        }
        Self { bytes, at: 0 }
    }

    fn read(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        self.read(1).map(|bit| bit == 1)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.read(count).map(|_| ())
    }

    /// An Exp-Golomb code (9.1). Signed codes have the same length, so they are skipped with it as well.
    fn ue(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.read(zeros)?)
    }

    fn se(&mut self) -> Option<i32> {
        let code = self.ue()?;
        let half = code.div_ceil(2).cast_signed();
        Some(if code % 2 == 1 { half } else { -half })
    }

    fn skip_scaling_list(&mut self, size: usize) -> Option<()> {
        let (mut last, mut next) = (8, 8);
        for _ in 0..size {
            if next != 0 {
                // A difference is one of eight bits (7.4.2.1.1.1).
                let delta = self.se().filter(|delta| (-128..128).contains(delta))?;
                next = (last + delta + 256) % 256;
            }
            if next != 0 {
                last = next;
            }
        }
        Some(())
    }

    /// The shape of the pixels and the video signal type of the VUI parameters (E.1.1).
    fn usability(&mut self, pixel_aspect: &mut Option<(u32, u32)>) -> Option<(Option<u8>, bool)> {
        if !self.flag()? {
            return None;
        }
        if self.flag()? {
            *pixel_aspect = match self.read(8)? {
                255 => Some((self.read(16)?, self.read(16)?)),
                number => PIXEL_ASPECTS.get((number as usize).wrapping_sub(1)).copied(),
            };
        }
        if self.flag()? {
            self.skip(1)?; // overscan
        }
        if !self.flag()? {
            return None;
        }
        self.skip(3)?;
        let full_range = self.flag()?;
        let matrix = if self.flag()? { Some(self.read(24)?.to_le_bytes()[0]) } else { None };
        Some((matrix, full_range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Written by x264.
    const HIGH_BT709: [u8; 29] = [
        0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x40, 0xa0, 0x3d, 0xb0, 0x16, 0xa0, 0x20, 0x20, 0x28, 0x00, 0x00, 0x03,
        0x00, 0x08, 0x00, 0x00, 0x03, 0x01, 0xe0, 0x78, 0xb1, 0x6c, 0xb0,
    ];
    const HIGH_10: [u8; 25] = [
        0x67, 0x6e, 0x00, 0x0d, 0xa6, 0xcd, 0x94, 0x14, 0x1f, 0xb0, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00,
        0x03, 0x00, 0x3c, 0x0f, 0x14, 0x29, 0x96,
    ];
    const INTERLACED: [u8; 26] = [
        0x67, 0x64, 0x00, 0x15, 0xac, 0xd9, 0x41, 0x41, 0x0f, 0xcb, 0x80, 0x88, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00,
        0x00, 0x03, 0x01, 0xe0, 0xf8, 0xa1, 0x4c, 0xb0,
    ];

    #[test]
    fn size_colours_and_what_is_plain_are_read() {
        let sps = Sps::read(&HIGH_BT709).unwrap();
        let expected = Sps {
            width: 640,
            height: 480,
            plain: true,
            matrix: Some(1),
            full_range: false,
            pixel_aspect: Some((1, 1)),
        };
        assert_eq!(sps, expected);
        let sps = Sps::read(&HIGH_10).unwrap();
        assert_eq!((sps.width, sps.height, sps.plain), (320, 240, false));
        let sps = Sps::read(&INTERLACED).unwrap();
        assert_eq!((sps.width, sps.height, sps.plain), (320, 256, false));
    }

    /// A set of High profile whose first scaling list has these differences, as Exp-Golomb codes of so many bits.
    fn with_scaling_list(codes: &[(u32, usize)]) -> Vec<u8> {
        let mut bits = vec![true; 4]; // id 0, chroma format 1 ("010"), depths 0
        bits.splice(1..2, [false, true, false]);
        bits.extend([false, true, true]); // no bypass, a matrix, its first list
        for &(code, length) in codes {
            bits.extend((0..length).rev().map(|bit| (u64::from(code) + 1) >> bit & 1 == 1));
        }
        bits.extend([true; 600]);
        let bytes = bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit)));
        [0x67, 100, 0, 30].into_iter().chain(bytes).collect()
    }

    #[test]
    fn differences_in_scaling_lists_are_small() {
        // The largest code there is stands for -(2^31 - 1).
        assert_eq!(Sps::read(&with_scaling_list(&[(u32::MAX - 1, 63)])), None);
        assert_eq!(Sps::read(&with_scaling_list(&[(u32::MAX - 2, 63)])), None);
        assert_eq!(Sps::read(&with_scaling_list(&[(255, 17)])), None);
        assert!(Sps::read(&with_scaling_list(&[(253, 15)])).is_some());
    }

    #[test]
    fn damaged_sets_are_refused_and_never_read_beyond() {
        for nal in [&[][..], &[0x67], &[0x68, 1, 2, 3], &[0x67, 66, 0, 30, 0, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(Sps::read(nal), None, "{nal:?}");
        }
    }
}
