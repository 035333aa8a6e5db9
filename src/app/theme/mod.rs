//! Calm themes, dark and light: their colours, their type sizes and their 8-point grid.

mod palette;

use eframe::egui::{
    self, Button, Color32, CornerRadius, FontFamily, FontId, Margin, Rect, Response, RichText, Sense, Stroke, TextEdit,
    TextStyle, Theme, Visuals, pos2, vec2,
};
use facelens_session::overlay::identity_color;

pub(crate) use palette::{DARK, Palette, colors};

use crate::settings::ThemeChoice;

/// Half a step of the grid, points.
pub(crate) const HALF: f32 = 4.0;
/// One step of the grid.
pub(crate) const STEP: f32 = 8.0;
/// Two steps: the margin of panels and cards.
pub(crate) const MARGIN: f32 = 16.0;

/// Gives the context the fonts and both themes. Costly: once for each context.
pub(crate) fn apply(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    ctx.set_theme(Theme::Dark);
    for theme in [Theme::Dark, Theme::Light] {
        ctx.style_mut_of(theme, |style| {
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
            style.visuals = visuals(theme);
        });
    }
}

/// Follows the user's choice, or the system's where that is the choice.
pub(crate) fn choose(ctx: &egui::Context, choice: ThemeChoice) {
    let preference = match choice {
        ThemeChoice::System => egui::ThemePreference::System,
        ThemeChoice::Dark => egui::ThemePreference::Dark,
        ThemeChoice::Light => egui::ThemePreference::Light,
    };
    ctx.set_theme(preference);
    palette::use_theme(ctx.theme());
}

/// Paints on the stage, which is dark in both themes; `ui` gets the dark theme's widgets.
pub(crate) fn on_stage<R>(ui: &mut egui::Ui, paint: impl FnOnce(&mut egui::Ui) -> R) -> R {
    let dark = ui.ctx().style_of(Theme::Dark);
    ui.set_style(dark);
    palette::with_dark(|| paint(ui))
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

fn visuals(theme: Theme) -> Visuals {
    let colors = Palette::of(theme);
    let mut visuals = theme.default_visuals();
    visuals.panel_fill = colors.panel;
    visuals.window_fill = colors.card;
    visuals.window_stroke = Stroke::new(1.0, colors.line);
    visuals.window_corner_radius = CornerRadius::same(12);
    visuals.menu_corner_radius = CornerRadius::same(8);
    visuals.extreme_bg_color = if theme == Theme::Dark { colors.stage } else { colors.card };
    visuals.faint_bg_color = colors.card;
    visuals.hyperlink_color = colors.accent;
    visuals.warn_fg_color = colors.warn;
    visuals.error_fg_color = colors.bad;
    visuals.weak_text_color = Some(colors.weak);
    visuals.selection.bg_fill = colors.accent_fill;
    visuals.selection.stroke = Stroke::new(1.0, colors.on_accent);
    let radius = CornerRadius::same(6);
    let widgets = &mut visuals.widgets;
    widgets.noninteractive.bg_fill = colors.card;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, colors.line);
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, colors.text);
    for (state, fill, edge) in [
        (&mut widgets.inactive, colors.control, Stroke::new(1.0, colors.edge)),
        (&mut widgets.hovered, colors.control_hovered, Stroke::new(1.0, colors.edge_hovered)),
        // Pressed, and what has the keyboard's focus.
        (&mut widgets.active, colors.control_hovered, Stroke::new(2.0, colors.focus)),
        (&mut widgets.open, colors.control_hovered, Stroke::new(1.0, colors.edge_hovered)),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = edge;
        state.fg_stroke = Stroke::new(1.5, colors.text);
        state.corner_radius = radius;
        state.expansion = 0.0;
    }
    visuals
}

/// The colour of an identity, the same as over the picture.
pub(crate) fn id_color(id: u64) -> Color32 {
    super::egui_painter::color32(identity_color(id))
}

/// Paints somebody's number as a tag in their colour, legible in both themes; gives its place.
pub(crate) fn id_tag(painter: &egui::Painter, right_top: egui::Pos2, id: u64) -> Rect {
    let galley = painter.layout_no_wrap(format!("#{id}"), FontId::monospace(12.0), DARK.stage);
    let size = galley.size() + vec2(10.0, 4.0);
    let place = Rect::from_min_size(pos2(right_top.x - size.x, right_top.y), size);
    painter.rect_filled(place, 4.0, id_color(id));
    painter.galley(place.min + vec2(5.0, 2.0), galley, DARK.stage);
    place
}

/// The frame of a bar or panel at the edge of the window. It is not filled: the window is cleared in its colour, and
/// without a graphics card each pixel that is painted twice costs.
pub(crate) fn bar(margin: impl Into<Margin>) -> egui::Frame {
    egui::Frame::new().inner_margin(margin)
}

/// A card on a panel.
pub(crate) fn card() -> egui::Frame {
    egui::Frame::new().fill(colors().card).corner_radius(CornerRadius::same(8)).inner_margin(Margin::symmetric(12, 8))
}

/// The title of a part of the panel.
pub(crate) fn section(text: impl Into<String>) -> RichText {
    RichText::new(text).small().strong().color(colors().weak)
}

/// The strongest line of a card.
pub(crate) fn strong(text: impl Into<String>) -> RichText {
    RichText::new(text).color(colors().text).strong()
}

/// Text of less weight.
pub(crate) fn weak(text: impl Into<String>) -> RichText {
    RichText::new(text).color(colors().weak).small()
}

/// The button of a page or dialog that most will want.
pub(crate) fn primary(text: impl Into<String>) -> Button<'static> {
    Button::new(RichText::new(text).color(colors().on_accent)).fill(colors().accent_fill)
}

/// Side of the button with a cross.
pub(crate) const CROSS: f32 = 24.0;

/// A button with a cross, which takes something away.
pub(crate) fn cross(ui: &mut egui::Ui, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(CROSS, CROSS), Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    let colors = colors();
    let hot = response.hovered() || response.has_focus();
    if hot {
        let edge = if response.has_focus() { Stroke::new(2.0, colors.focus) } else { Stroke::NONE };
        ui.painter().rect(rect, 4.0, colors.control_hovered, edge, egui::StrokeKind::Inside);
    }
    let line = Stroke::new(1.5, if hot { colors.text } else { colors.weak });
    let arm = rect.shrink(8.0);
    ui.painter().line_segment([arm.left_top(), arm.right_bottom()], line);
    ui.painter().line_segment([arm.right_top(), arm.left_bottom()], line);
    response
}

/// Makes a dialog as wide as `wanted` points, or as the window has room for.
pub(crate) fn dialog_width(ui: &mut egui::Ui, wanted: f32) {
    // The frame's margins, and a rim of the window around it.
    let room = ui.ctx().content_rect().width() - 2.0 * 24.0 - 2.0 * STEP;
    ui.set_width(wanted.min(room));
}

/// The part of a dialog that scrolls where it does not find room in `height` points. Without the least height, egui would
/// give it no more than the usual height of a dialog, however large the window is.
pub(crate) fn scrolled(height: f32) -> egui::ScrollArea {
    let height = height.max(96.0);
    egui::ScrollArea::vertical().auto_shrink([false, true]).max_height(height).min_scrolled_height(height)
}

/// Menus: no edges but where the keyboard's focus is.
pub(crate) fn menu_style(style: &mut egui::Style) {
    egui::containers::menu::menu_style(style);
    style.visuals.widgets.active.bg_stroke = Stroke::new(2.0, colors().focus);
}

/// Adds a field. What outlines it while it has the focus stands out on light ground, too, unlike what is written on
/// buttons that are on, which egui takes for both.
pub(crate) fn field(ui: &mut egui::Ui, edit: TextEdit<'_>) -> Response {
    ui.scope(|ui| {
        let selection = &mut ui.visuals_mut().selection;
        selection.stroke = Stroke::new(2.0, colors().focus);
        selection.bg_fill = colors().marked;
        ui.add(edit)
    })
    .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widgets_are_painted_with_the_colours_whose_contrast_is_tested() {
        for theme in [Theme::Dark, Theme::Light] {
            let (colors, visuals) = (Palette::of(theme), visuals(theme));
            let widgets = &visuals.widgets;
            assert_eq!((widgets.inactive.bg_fill, widgets.inactive.bg_stroke.color), (colors.control, colors.edge));
            assert_eq!((widgets.active.bg_stroke.color, widgets.active.bg_stroke.width), (colors.focus, 2.0));
            assert_eq!(widgets.inactive.fg_stroke.color, colors.text, "the mark of a checkbox");
            let on = visuals.selection;
            assert_eq!((on.bg_fill, on.stroke.color), (colors.accent_fill, colors.on_accent));
            assert_eq!(visuals.dark_mode, theme == Theme::Dark);
        }
    }

    #[test]
    fn the_choice_of_a_theme_is_followed() {
        let ctx = egui::Context::default();
        apply(&ctx);
        choose(&ctx, ThemeChoice::Light);
        assert!(!ctx.global_style().visuals.dark_mode && colors() == Palette::of(Theme::Light));
        choose(&ctx, ThemeChoice::Dark);
        assert!(ctx.global_style().visuals.dark_mode && colors() == &DARK);
    }
}
