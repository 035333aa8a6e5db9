//! Which actions the keys ask for.

use eframe::egui;

use super::Dialog;
use crate::app::action::Action;

/// The actions of the keys pressed since the last repaint. Keys belong to a text field while it has the focus, to an open
/// menu or list, and to an open dialog: there, only the key that opened it and the one with Ctrl that quits do anything.
/// The space bar belongs to any widget that has the focus.
pub(super) fn pressed_actions(ctx: &egui::Context, dialog: Option<Dialog>) -> Vec<Action> {
    if ctx.text_edit_focused() || ctx.any_popup_open() {
        return Vec::new();
    }
    let focused = ctx.memory(|memory| memory.focused().is_some());
    ctx.input(|input| {
        let pressed = input.events.iter().filter_map(|event| match event {
            egui::Event::Key { key, pressed: true, repeat, modifiers, .. } => Action::of_key(*key, *modifiers)
                .filter(|action| !(focused && *key == egui::Key::Space) && (!repeat || action.repeats()))
                .filter(|action| {
                    let quits = *action == Action::Quit && modifiers.command;
                    dialog.is_none() || quits || dialog == Dialog::of(*action)
                }),
            _ => None,
        });
        pressed.collect()
    })
}
