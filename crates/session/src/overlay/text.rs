//! How wide and how high a text is: measured on the font that both painters use, egui's default proportional font.

use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, GlyphId};

/// The font, or `None` where its bytes cannot be read; then texts have no size and are not painted by software.
static FONT: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT).ok());

/// Width of a text and the height of its line at font size 1 (one em).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TextSize {
    /// From the pen's start to its end, kerning included.
    pub width: f32,
    /// From the font's ascent to its descent.
    pub height: f32,
}

impl TextSize {
    /// The size of `text` at a font size of `size` pixels per em.
    pub fn of(text: &str, size: f32) -> Self {
        let mut width = 0.0;
        let height = layout(text, size, |_, _, end| width = end).map_or(0.0, |line| line.height);
        Self { width, height }
    }
}

/// Where a line of text stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextLine {
    /// From the top of the line to its baseline.
    pub ascent: f32,
    /// From the font's ascent to its descent.
    pub height: f32,
}

/// Sets a line of text from x = 0: `glyph` gets each glyph with the x where it starts and the x where it ends.
pub(super) fn layout(text: &str, size: f32, mut glyph: impl FnMut(GlyphId, f32, f32)) -> Option<TextLine> {
    let font = font()?;
    let per_unit = size / font.units_per_em()?;
    let (mut x, mut before) = (0.0, None);
    for character in text.chars() {
        let id = font.glyph_id(character);
        if let Some(before) = before {
            x += font.kern_unscaled(before, id) * per_unit;
        }
        let end = x + font.h_advance_unscaled(id) * per_unit;
        glyph(id, x, end);
        (x, before) = (end, Some(id));
    }
    let (ascent, descent) = (font.ascent_unscaled() * per_unit, font.descent_unscaled() * per_unit);
    Some(TextLine { ascent, height: ascent - descent })
}

/// The font that texts are measured and painted with.
pub(super) fn font() -> Option<&'static FontRef<'static>> {
    FONT.as_ref()
}

/// Whether the font has this character.
pub fn has_glyph(character: char) -> bool {
    font().is_some_and(|font| font.glyph_id(character).0 != 0)
}

#[cfg(test)]
mod tests {
    use egui;

    use super::*;

    /// Everything that a label may say.
    const SAID: [&str; 7] =
        ["#12", "gender unsure", "female", "age 25–43", "age about 30 to 50", "yaw −12°", "age under 15"];

    #[test]
    fn every_character_of_a_label_is_in_the_font() {
        for character in SAID.concat().chars() {
            assert_ne!(font().unwrap().glyph_id(character).0, 0, "{character:?}");
        }
    }

    #[test]
    fn a_text_is_as_large_as_egui_makes_it() {
        let context = egui::Context::default();
        let mut output = context.run_ui(egui::RawInput::default(), |ui| {
            for text in SAID {
                for size in [11.0, 14.0, 30.0] {
                    let font = egui::FontId::proportional(size);
                    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, egui::Color32::WHITE);
                    let ours = TextSize::of(text, size);
                    let tolerance = 0.03 * galley.size().x + 0.5;
                    assert!((ours.width - galley.size().x).abs() < tolerance, "{text} {ours:?} {:?}", galley.size());
                    assert!((ours.height - galley.size().y).abs() < 1.0, "{text} {ours:?} {:?}", galley.size());
                }
            }
        });
        output.textures_delta.clear();
    }

    #[test]
    fn the_size_of_a_text_grows_with_its_font_and_nothing_is_nothing() {
        let (small, large) = (TextSize::of("age", 10.0), TextSize::of("age", 20.0));
        assert!((large.width - 2.0 * small.width).abs() < 1e-3);
        assert_eq!(TextSize::of("", 10.0).width, 0.0);
    }
}
