//! One dark, calm theme: its colours, its type sizes and its 8-point grid.

use eframe::egui::{
    self, Color32, CornerRadius, FontFamily, FontId, Margin, RichText, Stroke, TextStyle, Visuals, vec2,
};
use facelens_session::overlay::identity_color;

/// Half a step of the grid, points.
pub(crate) const HALF: f32 = 4.0;
/// One step of the grid.
pub(crate) const STEP: f32 = 8.0;
/// Two steps: the margin of panels and cards.
pub(crate) const MARGIN: f32 = 16.0;

/// Behind the picture.
pub(crate) const STAGE: Color32 = Color32::from_rgb(0x0B, 0x0E, 0x12);
/// Panels and bars.
pub(crate) const PANEL: Color32 = Color32::from_rgb(0x14, 0x18, 0x1E);
/// Cards on a panel.
pub(crate) const CARD: Color32 = Color32::from_rgb(0x1C, 0x22, 0x2A);
/// Buttons and fields.
pub(crate) const CONTROL: Color32 = Color32::from_rgb(0x27, 0x2F, 0x39);
/// A button under the pointer.
pub(crate) const CONTROL_HOVERED: Color32 = Color32::from_rgb(0x33, 0x3D, 0x4A);
/// Thin lines.
pub(crate) const LINE: Color32 = Color32::from_rgb(0x2C, 0x35, 0x40);
/// Text: 13:1 on a card.
pub(crate) const TEXT: Color32 = Color32::from_rgb(0xE8, 0xEC, 0xF1);
/// Text of less weight: 6:1 on a card.
pub(crate) const WEAK: Color32 = Color32::from_rgb(0x9D, 0xA8, 0xB5);
/// What is chosen or can be followed.
pub(crate) const ACCENT: Color32 = Color32::from_rgb(0x5C, 0xB8, 0xF2);
/// Behind what is chosen.
pub(crate) const ACCENT_FILL: Color32 = Color32::from_rgb(0x1F, 0x4A, 0x68);
/// Something went well.
pub(crate) const GOOD: Color32 = Color32::from_rgb(0x6F, 0xD0, 0x9A);
/// Something to know.
pub(crate) const WARN: Color32 = Color32::from_rgb(0xF0, 0xBE, 0x5A);
/// Something failed.
pub(crate) const BAD: Color32 = Color32::from_rgb(0xF0, 0x80, 0x78);
/// The dot that says that something is recorded.
pub(crate) const RECORD: Color32 = Color32::from_rgb(0xF0, 0x4A, 0x42);
/// Yaw, pitch and roll in the histories.
pub(crate) const ANGLES: [Color32; 3] =
    [Color32::from_rgb(0xF2, 0x8B, 0x82), Color32::from_rgb(0x81, 0xD4, 0x8E), Color32::from_rgb(0x7C, 0xB2, 0xFA)];

/// Gives the context the theme. Costly: once for each context.
pub(crate) fn apply(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    ctx.set_theme(egui::Theme::Dark);
    ctx.all_styles_mut(|style| {
        style.text_styles = [
            (TextStyle::Heading, FontId::new(20.0, FontFamily::Proportional)),
            (TextStyle::Body, FontId::new(14.0, FontFamily::Proportional)),
            (TextStyle::Button, FontId::new(14.0, FontFamily::Proportional)),
            (TextStyle::Small, FontId::new(12.0, FontFamily::Proportional)),
            (TextStyle::Monospace, FontId::new(12.0, FontFamily::Monospace)),
        ]
        .into();
        style.spacing.item_spacing = vec2(STEP, STEP);
        style.spacing.button_padding = vec2(12.0, HALF);
        style.spacing.interact_size = vec2(32.0, 28.0);
        style.spacing.combo_width = 120.0;
        style.spacing.menu_margin = Margin::same(8);
        style.spacing.window_margin = Margin::same(24);
        style.interaction.selectable_labels = false;
        style.visuals = visuals();
    });
}

/// egui's own fonts; what the proportional ones lack (the mark of a notice) comes from the monospaced one.
fn fonts() -> egui::FontDefinitions {
    let mut fonts = egui::FontDefinitions::default();
    let fallback = fonts.families.get(&FontFamily::Monospace).and_then(|names| names.first().cloned());
    if let (Some(names), Some(fallback)) = (fonts.families.get_mut(&FontFamily::Proportional), fallback) {
        names.push(fallback);
    }
    fonts
}

fn visuals() -> Visuals {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = PANEL;
    visuals.window_fill = CARD;
    visuals.window_stroke = Stroke::new(1.0, LINE);
    visuals.window_corner_radius = CornerRadius::same(12);
    visuals.menu_corner_radius = CornerRadius::same(8);
    visuals.extreme_bg_color = STAGE;
    visuals.faint_bg_color = CARD;
    visuals.hyperlink_color = ACCENT;
    visuals.warn_fg_color = WARN;
    visuals.error_fg_color = BAD;
    visuals.weak_text_color = Some(WEAK);
    visuals.selection.bg_fill = ACCENT_FILL;
    visuals.selection.stroke = Stroke::new(1.0, TEXT);
    let radius = CornerRadius::same(6);
    let widgets = &mut visuals.widgets;
    widgets.noninteractive.bg_fill = CARD;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, LINE);
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, TEXT);
    for (state, fill, text) in [
        (&mut widgets.inactive, CONTROL, TEXT),
        (&mut widgets.hovered, CONTROL_HOVERED, Color32::WHITE),
        (&mut widgets.active, ACCENT_FILL, Color32::WHITE),
        (&mut widgets.open, CONTROL_HOVERED, Color32::WHITE),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = Stroke::NONE;
        state.fg_stroke = Stroke::new(1.0, text);
        state.corner_radius = radius;
        state.expansion = 0.0;
    }
    visuals.widgets.hovered.bg_stroke = Stroke::new(1.0, LINE);
    visuals
}

/// The colour of an identity, the same as over the picture.
pub(crate) fn id_color(id: u64) -> Color32 {
    super::egui_painter::color32(identity_color(id))
}

/// A card on a panel.
pub(crate) fn card() -> egui::Frame {
    egui::Frame::new().fill(CARD).corner_radius(CornerRadius::same(8)).inner_margin(Margin::symmetric(12, 8))
}

/// The title of a part of the panel.
pub(crate) fn section(text: &str) -> RichText {
    RichText::new(text).small().strong().color(WEAK)
}

/// The strongest line of a card.
pub(crate) fn strong(text: impl Into<String>) -> RichText {
    RichText::new(text).color(TEXT).strong()
}

/// Text of less weight.
pub(crate) fn weak(text: impl Into<String>) -> RichText {
    RichText::new(text).color(WEAK).small()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast of two colours by WCAG 2.2 (relative luminance).
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |color: Color32| {
            let rgba = egui::Rgba::from(color);
            0.2126 * rgba.r() + 0.7152 * rgba.g() + 0.0722 * rgba.b()
        };
        let (light, dark) = (luminance(a).max(luminance(b)), luminance(a).min(luminance(b)));
        (light + 0.05) / (dark + 0.05)
    }

    #[test]
    fn every_text_colour_is_legible_on_every_surface() {
        for surface in [STAGE, PANEL, CARD, CONTROL] {
            for text in [TEXT, WEAK, ACCENT, GOOD, WARN, BAD] {
                assert!(contrast(text, surface) >= 4.5, "{text:?} on {surface:?}: {}", contrast(text, surface));
            }
        }
        assert!(contrast(Color32::WHITE, ACCENT_FILL) >= 4.5);
    }
}
