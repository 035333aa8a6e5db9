use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, RgbImage};

use super::*;

/// A picture with something in every block.
fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x * 7 + y * 3) as u8, (x * x + y) as u8, (y * 5).wrapping_mul(x) as u8])
    });
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(&picture).unwrap();
    bytes
}

/// Where the data of the only scan begins.
fn data(bytes: &[u8]) -> usize {
    let scan = bytes.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    scan + 2 + usize::from(u16::from_be_bytes([bytes[scan + 2], bytes[scan + 3]]))
}

/// The same without its Huffman tables, as cheap webcams send it: the encoder's are the standard's.
fn bare(whole: &[u8]) -> Vec<u8> {
    let (mut bare, mut at) = (whole[..2].to_vec(), 2);
    while whole[at + 1] != 0xda {
        let length = 2 + usize::from(u16::from_be_bytes([whole[at + 2], whole[at + 3]]));
        if whole[at + 1] != 0xc4 {
            bare.extend_from_slice(&whole[at..at + length]);
        }
        at += length;
    }
    bare.extend_from_slice(&whole[at..]);
    bare
}

#[test]
fn whole_pictures_are_whole_with_and_without_tables_and_last_marker() {
    for (width, height) in [(1, 1), (16, 16), (97, 61), (320, 200)] {
        let whole = jpeg(width, height);
        assert_eq!(look(&whole), Data::Whole, "{width}x{height}");
        assert_eq!(look(&bare(&whole)), Data::Whole, "{width}x{height}");
        assert_eq!(look(&whole[..whole.len() - 2]), Data::Whole, "{width}x{height}");
        // What follows the last marker in a driver's buffer.
        for rest in [vec![0; 3000], vec![7; 3000], whole[..whole.len() / 2].to_vec()] {
            assert_eq!(look(&[&whole[..], &rest].concat()), Data::Whole);
        }
        // Without the last marker, and filled up.
        assert_eq!(look(&[&whole[..whole.len() - 2], &[0; 500]].concat()), Data::Whole);
    }
    let mut grey = Vec::new();
    let picture = GrayImage::from_fn(50, 30, |x, y| image::Luma([(x * 5 + y * 3) as u8]));
    JpegEncoder::new(&mut grey).encode_image(&picture).unwrap();
    assert_eq!(look(&grey), Data::Whole);
}

#[test]
fn pictures_that_end_early_are_cut() {
    let whole = jpeg(160, 120);
    let begin = data(&whole);
    // Closer to the end it is a matter of a few blocks.
    for end in (begin..whole.len() - 60).step_by(97) {
        assert_eq!(look(&whole[..end]), Data::Cut, "{end} of {}", whole.len());
        // A buffer that is filled up with zeros.
        let filled = [&whole[..end], &vec![0; whole.len() - end]].concat();
        assert_ne!(look(&filled), Data::Whole, "{end} of {}", whole.len());
    }
    for end in [0, 1, 2, 3, 30, begin - 1] {
        assert_ne!(look(&whole[..end]), Data::Whole, "{end}");
    }
}

#[test]
fn pictures_with_a_hole_or_mixed_up_are_damaged() {
    let whole = jpeg(160, 120);
    let (begin, end) = (data(&whole), whole.len() - 2);
    let third = (end - begin) / 3;
    let hole = [&whole[..begin + third], &whole[begin + 2 * third..]].concat();
    assert_eq!(look(&hole), Data::Damaged);
    // The half of one picture, then the next one.
    let two = [&whole[..begin + third], &whole[..]].concat();
    assert_eq!(look(&two), Data::Damaged);
    // The half of one picture over an older, larger one.
    let other = jpeg(320, 240);
    let mixed = [&whole[..begin + 2 * third], &other[begin + 2 * third..]].concat();
    assert_eq!(look(&mixed), Data::Damaged);
}

/// Restarts after every two MCUs, as many webcams set them.
#[test]
fn restarts_are_followed() {
    // One MCU of grey, difference 0 and no more coefficients: the codes 00 and 1010, filled up with ones.
    let mcu = 0b0010_1011;
    let head = [
        &[0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 8, 0, 48, 1, 1, 0x11, 0][..],
        &[0xff, 0xdd, 0, 4, 0, 1],
        &[0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0],
    ]
    .concat();
    let picture = |marks: &[u8]| {
        let data = marks.iter().flat_map(|&mark| [mcu, 0xff, mark]).collect::<Vec<_>>();
        [&head[..], &data].concat()
    };
    assert_eq!(look(&picture(&[0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd9])), Data::Whole);
    assert_eq!(look(&picture(&[0xd0, 0xd1, 0xd2, 0xd9])), Data::Damaged);
    assert_eq!(look(&picture(&[0xd0, 0xd1])), Data::Cut);
}

#[test]
fn of_a_progressive_picture_the_last_marker_tells() {
    let head = [0xff, 0xd8, 0xff, 0xc2, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0];
    assert_eq!(look(&[&head[..], &[1, 2, 0xff, 0, 3, 0xff, 0xd9]].concat()), Data::Whole);
    assert_eq!(look(&[&head[..], &[1, 2, 0xff, 0, 3]].concat()), Data::Cut);
}

#[test]
fn any_bytes_are_looked_at_in_no_time() {
    let whole = jpeg(64, 64);
    for at in 2..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x5a;
        let _ = look(&bytes);
    }
}
