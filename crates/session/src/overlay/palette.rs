//! The overlay's colours.

use super::scene::Color;

/// Outlines and plates: nearly black, so that coloured lines and light text stand out on any picture.
pub(super) const INK: Color = Color::opaque(0x0e, 0x12, 0x18);

/// Behind texts: [`INK`], with a hint of the picture below.
pub(super) const PLATE: Color = Color { a: 0xe6, ..INK };

/// What is sure.
pub(super) const TEXT: Color = Color::opaque(0xf7, 0xf9, 0xfb);

/// What is said with reserve: unsure estimates and figures.
pub(super) const TEXT_DIM: Color = Color::opaque(0xb6, 0xc0, 0xcc);

/// The X axis: red.
pub(super) const AXIS_X: Color = Color::opaque(0xff, 0x4d, 0x4d);

/// The Y axis: green.
pub(super) const AXIS_Y: Color = Color::opaque(0x3e, 0xdc, 0x5c);

/// The Z axis, out of the face: blue.
pub(super) const AXIS_Z: Color = Color::opaque(0x4d, 0x9b, 0xff);

/// The first six are of Okabe and Ito, "Color Universal Design" (2008), without black and the dark blue, which a dark
/// outline would swallow: told apart with any kind of colour vision. The others lie between them.
const IDENTITIES: [Color; 12] = [
    Color::opaque(0x56, 0xb4, 0xe9),
    Color::opaque(0xe6, 0x9f, 0x00),
    Color::opaque(0xcc, 0x79, 0xa7),
    Color::opaque(0xf0, 0xe4, 0x42),
    Color::opaque(0x00, 0xb0, 0x80),
    Color::opaque(0xe8, 0x6e, 0x1c),
    Color::opaque(0xb3, 0x9d, 0xff),
    Color::opaque(0x9b, 0xe5, 0x64),
    Color::opaque(0xff, 0x9a, 0xa8),
    Color::opaque(0x7c, 0xe8, 0xdc),
    Color::opaque(0xb9, 0x9a, 0x6b),
    Color::opaque(0xdd, 0xe2, 0xe8),
];

/// The colour of an identity, from 1; it comes round again after twelve.
pub fn identity_color(id: u64) -> Color {
    let len = IDENTITIES.len() as u64;
    IDENTITIES[(id.wrapping_sub(1) % len) as usize]
}
