//! Which actions the keys ask for, and giving them other keys.

use eframe::egui;

use super::{App, Dialog};
use crate::app::action::{Action, keys_text};
use crate::app::key_map::{KeyChoice, KeyMap, pressed};
use crate::app::notices::Tone;

/// The actions of the keys pressed since the last repaint. Keys belong to a text field while it has the focus, to an open
/// menu or list, and to an open dialog: there, only the key that opened it and the one with Ctrl that quits do anything.
/// The space bar belongs to any widget that has the focus.
pub(super) fn pressed_actions(ctx: &egui::Context, map: &KeyMap, dialog: Option<Dialog>) -> Vec<Action> {
    if ctx.text_edit_focused() || egui::Popup::is_any_open(ctx) {
        return Vec::new();
    }
    let focused = ctx.memory(|memory| memory.focused().is_some());
    ctx.input(|input| {
        let pressed = input.events.iter().filter_map(|event| match event {
            egui::Event::Key { key, pressed: true, repeat, modifiers, .. } => map
                .action(*key, *modifiers)
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

impl App {
    /// The next key that is pressed is to be that of `action`.
    pub(super) fn wait_for_key(&mut self, ctx: &egui::Context, action: Action) {
        self.waits_for_key = Some(action);
        // Otherwise the key would also work the button that was clicked.
        ctx.memory_mut(|memory| {
            if let Some(id) = memory.focused() {
                memory.surrender_focus(id);
            }
        });
    }

    /// Takes the key that is waited for, if one is pressed; `true` while one is waited for.
    pub(super) fn take_key(&mut self, ctx: &egui::Context) -> bool {
        let Some(action) = self.waits_for_key else { return false };
        if self.dialog != Some(Dialog::Help) {
            self.waits_for_key = None;
            return false;
        }
        let keys = ctx.input_mut(|input| {
            let place = input.events.iter().position(|event| pressed(event).is_some())?;
            pressed(&input.events.remove(place))
        });
        let Some(keys) = keys else { return true };
        self.waits_for_key = None;
        if keys.logical_key == egui::Key::Escape {
            return true;
        }
        match self.keys.choose(action, keys) {
            KeyChoice::Taken => self.settings.keys = self.keys.settings(),
            KeyChoice::Belongs(other) => {
                let words = format!(
                    "{} belongs to \"{}\": choose another key, or change that one first.",
                    keys_text(&keys),
                    other.title()
                );
                self.notices.say(Tone::Warn, words);
            }
            KeyChoice::Reserved => {
                let words =
                    format!("{} is needed by dialogs, fields or the text size: choose another key.", keys_text(&keys));
                self.notices.say(Tone::Warn, words);
            }
        }
        true
    }

    /// Gives an action its usual keys again.
    pub(super) fn usual_keys(&mut self, action: Action) {
        if let Some(other) = self.keys.reset(action) {
            let words = format!("Its usual key belongs to \"{}\" now: change that one first.", other.title());
            self.notices.say(Tone::Warn, words);
        }
        self.settings.keys = self.keys.settings();
    }
}
