//! Which actions the keys ask for.

use eframe::egui;

use crate::app::action::Action;

/// The actions of the keys pressed since the last repaint. Keys belong to a text field while it has the focus; the
/// space bar belongs to any widget that has it.
pub(super) fn pressed_actions(ctx: &egui::Context) -> Vec<Action> {
    if ctx.text_edit_focused() {
        return Vec::new();
    }
    let focused = ctx.memory(|memory| memory.focused().is_some());
    ctx.input(|input| {
        let pressed = input.events.iter().filter_map(|event| match event {
            egui::Event::Key { key, pressed: true, repeat, modifiers, .. } => Action::of_key(*key, *modifiers)
                .filter(|action| !(focused && *key == egui::Key::Space) && (!repeat || action.repeats())),
            _ => None,
        });
        pressed.collect()
    })
}
