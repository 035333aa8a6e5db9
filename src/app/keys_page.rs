//! The page of the keys: what each does, and another one by a click on it.

use eframe::egui::{self, Align, Button, Layout, RichText, vec2};

use super::action::{Action, Menu};
use super::command::AppCommand;
use super::file_dialogs::can_drop;
use super::state::App;
use super::theme;

/// Width of the column of keys in points.
const KEYS_WIDTH: f32 = 124.0;
/// Width of the button that brings the usual keys back.
const USUAL_WIDTH: f32 = 64.0;
/// Height of a row in points.
const ROW: f32 = 22.0;

/// Keys of the window itself, which no menu shows and nobody changes.
const ZOOM_KEYS: [(&str, &str); 2] =
    [("Ctrl++ Ctrl+\u{2212}", "Larger or smaller text and buttons"), ("Ctrl+0", "Text and buttons of the usual size")];

pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    theme::dialog_width(ui, 560.0);
    ui.heading("Keys");
    ui.label(theme::weak("Click a key to change it."));
    if !can_drop() {
        ui.label(theme::weak("Under Wayland no files can be dropped on this window: open them with a dialog."));
    }
    let height = ui.ctx().content_rect().height() - 220.0;
    theme::scrolled(height).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for menu in Menu::ALL {
            ui.add_space(theme::STEP);
            ui.label(theme::section(menu.title()));
            for action in Action::ALL.into_iter().filter(|action| action.menu() == menu) {
                row(ui, |ui| action_row(app, ui, action, commands));
            }
            for (keys, explanation) in ZOOM_KEYS.into_iter().filter(|_| menu == Menu::View) {
                row(ui, |ui| {
                    ui.add_space(theme::HALF);
                    let used = ui.label(key_text(keys)).rect.width();
                    ui.add_space((KEYS_WIDTH - used - theme::HALF).max(0.0));
                    ui.label(explanation);
                });
            }
        }
    });
}

fn row(ui: &mut egui::Ui, contents: impl FnOnce(&mut egui::Ui)) {
    let size = vec2(ui.available_width() - theme::MARGIN, ROW);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(size);
        ui.spacing_mut().interact_size.y = ROW;
        ui.spacing_mut().button_padding = vec2(theme::HALF, 0.0);
        contents(ui);
    });
}

fn key_text(keys: &str) -> RichText {
    RichText::new(keys).monospace().color(theme::colors().accent)
}

fn action_row(app: &App, ui: &mut egui::Ui, action: Action, commands: &mut Vec<AppCommand>) {
    let waits = app.waits_for_key == Some(action);
    let text = if waits { RichText::new("press a key").italics() } else { key_text(&app.keys.text(action)) };
    let button = Button::selectable(waits, text).min_size(vec2(KEYS_WIDTH - theme::STEP, ROW));
    let response = ui.add(button).on_hover_text("Change this key; Esc leaves it as it is");
    if response.accessible_name(format!("Change the key for {}", action.title())).clicked() {
        commands.push(AppCommand::WaitForKey(action));
    }
    ui.add(egui::Label::new(action.explanation()).truncate());
    if app.keys.is_own(action) {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let usual = Button::new(RichText::new("Default").small()).min_size(vec2(USUAL_WIDTH, 0.0));
            let response = ui.add(usual).accessible_name(format!("Usual keys for {}", action.title()));
            if response.clicked() {
                commands.push(AppCommand::UsualKeys(action));
            }
        });
    }
}
