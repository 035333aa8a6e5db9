//! The colours of the two themes, and their contrasts.

use std::cell::Cell;

use eframe::egui::{Color32, Theme};

/// The colours of one theme. Contrasts are those of WCAG 2.2; the tests hold them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Palette {
    /// Behind the picture and behind curves: dark in both themes, as in programs for photographs.
    pub stage: Color32,
    /// Panels and bars.
    pub panel: Color32,
    /// Cards on a panel, dialogs and menus.
    pub card: Color32,
    /// Buttons.
    pub control: Color32,
    /// A button under the pointer, or pressed.
    pub control_hovered: Color32,
    /// Thin lines that only divide.
    pub line: Color32,
    /// The outline of buttons, fields, checkboxes and radio buttons: 3:1 on every surface.
    pub edge: Color32,
    /// The outline of a button under the pointer: 3:1 on it.
    pub edge_hovered: Color32,
    /// The outline of what has the keyboard's focus: 3:1 on every surface and on what is on.
    pub focus: Color32,
    /// Text.
    pub text: Color32,
    /// Text of less weight.
    pub weak: Color32,
    /// What can be followed, and what is worth a glance.
    pub accent: Color32,
    /// Behind what is on or chosen: 3:1 to what is off.
    pub accent_fill: Color32,
    /// Text on [`Self::accent_fill`].
    pub on_accent: Color32,
    /// Behind marked text in a field.
    pub marked: Color32,
    /// Something went well.
    pub good: Color32,
    /// Something to know.
    pub warn: Color32,
    /// Something failed.
    pub bad: Color32,
    /// The dot that says that something is recorded.
    pub record: Color32,
    /// Yaw, pitch and roll.
    pub angles: [Color32; 3],
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Light text on dark ground; also what stands on the stage in both themes.
pub(crate) const DARK: Palette = Palette {
    stage: rgb(0x0B_0E12),
    panel: rgb(0x14_181E),
    card: rgb(0x1C_222A),
    control: rgb(0x23_2A33),
    control_hovered: rgb(0x33_404D),
    line: rgb(0x2C_3540),
    edge: rgb(0x72_7F8F),
    edge_hovered: rgb(0x8C_A0B3),
    focus: rgb(0xFF_FFFF),
    text: rgb(0xE8_ECF1),
    weak: rgb(0x9D_A8B5),
    accent: rgb(0x5C_B8F2),
    accent_fill: rgb(0x2D_79AF),
    on_accent: rgb(0xFF_FFFF),
    marked: rgb(0x1F_4A68),
    good: rgb(0x6F_D09A),
    warn: rgb(0xF0_BE5A),
    bad: rgb(0xF0_8078),
    record: rgb(0xF0_4A42),
    angles: [rgb(0xF2_8B82), rgb(0x81_D48E), rgb(0x7C_B2FA)],
};

/// Dark text on light ground, around the dark stage.
pub(crate) const LIGHT: Palette = Palette {
    stage: DARK.stage,
    panel: rgb(0xF1_F3F6),
    card: rgb(0xFF_FFFF),
    control: rgb(0xE9_EDF1),
    control_hovered: rgb(0xDC_E2E9),
    line: rgb(0xD2_D9E0),
    edge: rgb(0x78_828D),
    edge_hovered: rgb(0x5C_6772),
    focus: rgb(0x0A_1622),
    text: rgb(0x1A_2129),
    weak: rgb(0x50_5A66),
    accent: rgb(0x0B_5C95),
    accent_fill: rgb(0x1A_6AA6),
    on_accent: rgb(0xFF_FFFF),
    marked: rgb(0xBF_DDF3),
    good: rgb(0x14_673A),
    warn: rgb(0x7A_4E00),
    bad: rgb(0xA8_281F),
    record: rgb(0xD3_2F27),
    angles: [rgb(0xB3_261E), rgb(0x15_703A), rgb(0x1F_5FBF)],
};

impl Palette {
    /// The colours of a theme.
    pub const fn of(theme: Theme) -> &'static Self {
        match theme {
            Theme::Dark => &DARK,
            Theme::Light => &LIGHT,
        }
    }
}

thread_local! {
    /// What is painted with on this thread. A window paints on one thread; tests have a thread each.
    static COLORS: Cell<&'static Palette> = const { Cell::new(&DARK) };
}

/// The colours to paint with now.
pub(crate) fn colors() -> &'static Palette {
    COLORS.get()
}

/// Paints with the colours of `theme` from now on.
pub(super) fn use_theme(theme: Theme) {
    COLORS.set(Palette::of(theme));
}

/// Does `paint` with the colours of the stage, which is dark in both themes.
pub(super) fn with_dark<R>(paint: impl FnOnce() -> R) -> R {
    let before = COLORS.replace(&DARK);
    let result = paint();
    COLORS.set(before);
    result
}

#[cfg(test)]
mod tests {
    use eframe::egui;

    use super::*;

    /// Contrast of two colours by WCAG 2.2 (relative luminance), 1 to 21.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |color: Color32| {
            let rgba = egui::Rgba::from(color);
            0.2126 * rgba.r() + 0.7152 * rgba.g() + 0.0722 * rgba.b()
        };
        let (light, dark) = (luminance(a).max(luminance(b)), luminance(a).min(luminance(b)));
        (light + 0.05) / (dark + 0.05)
    }

    fn assert_contrast(least: f32, what: &str, a: Color32, b: Color32) {
        assert!(contrast(a, b) >= least, "{what}: {a:?} on {b:?} is only {:.2}", contrast(a, b));
    }

    /// Both themes with the surfaces that texts and controls stand on; the stage is painted with the dark one alone.
    fn themes() -> [(&'static Palette, Vec<Color32>); 2] {
        let surfaces = |palette: &Palette| vec![palette.panel, palette.card];
        [(&DARK, [surfaces(&DARK), vec![DARK.stage]].concat()), (&LIGHT, surfaces(&LIGHT))]
    }

    #[test]
    fn every_text_is_legible_on_every_surface() {
        for (palette, surfaces) in themes() {
            for surface in surfaces.into_iter().chain([palette.control]) {
                let Palette { text, weak, accent, good, warn, bad, .. } = *palette;
                for color in [text, weak, accent, good, warn, bad] {
                    assert_contrast(4.5, "text", color, surface);
                }
            }
            for surface in [palette.panel, palette.card] {
                for color in palette.angles {
                    assert_contrast(4.5, "angles", color, surface);
                }
            }
            assert_contrast(4.5, "text on a button under the pointer", palette.text, palette.control_hovered);
            assert_contrast(4.5, "text on what is on", palette.on_accent, palette.accent_fill);
            assert_contrast(4.5, "marked text", palette.text, palette.marked);
        }
        for curve in DARK.angles {
            assert_contrast(3.0, "a curve", curve, DARK.stage);
        }
    }

    #[test]
    fn controls_and_their_states_stand_out_at_three_to_one() {
        for (palette, surfaces) in themes() {
            for surface in surfaces {
                assert_contrast(3.0, "the outline of a control", palette.edge, surface);
                assert_contrast(3.0, "the focus", palette.focus, surface);
                assert_contrast(3.0, "the dot of a recording", palette.record, surface);
                assert_contrast(3.0, "what is on", palette.accent_fill, surface);
            }
            assert_contrast(3.0, "an empty checkbox", palette.edge, palette.control);
            assert_contrast(3.0, "a check mark", palette.text, palette.control);
            assert_contrast(3.0, "the outline under the pointer", palette.edge_hovered, palette.control_hovered);
            assert_contrast(3.0, "on beside off", palette.accent_fill, palette.control);
            assert_contrast(3.0, "the focus on a button", palette.focus, palette.control);
            assert_contrast(3.0, "the focus on what is on", palette.focus, palette.accent_fill);
            assert_contrast(3.0, "focus beside no focus", palette.focus, palette.edge);
        }
    }

    #[test]
    fn the_stage_is_dark_whatever_the_theme() {
        use_theme(Theme::Light);
        assert_eq!(colors(), &LIGHT);
        assert_eq!(with_dark(|| colors().text), DARK.text);
        assert_eq!(colors(), &LIGHT);
        use_theme(Theme::Dark);
        assert_eq!(colors(), &DARK);
    }
}
