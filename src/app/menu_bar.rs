//! The menus at the top, made of the actions, and what is shown at the moment.

use eframe::egui::{self, Align, Button, Layout, Margin, MenuBar, RichText};

use super::action::{Action, Menu, keys_text};
use super::command::AppCommand;
use super::state::{App, LOCKED};
use super::theme;
use super::view::capitalised;

/// Height of the bar in points.
const HEIGHT: f32 = 40.0;

pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let frame = egui::Frame::new().fill(theme::PANEL).inner_margin(Margin::symmetric(8, 4));
    egui::Panel::top("menu bar").frame(frame).exact_size(HEIGHT).resizable(false).show(ui, |ui| {
        MenuBar::new().ui(ui, |ui| {
            for menu in Menu::ALL {
                ui.menu_button(menu.title(), |ui| entries(app, ui, menu, commands));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.add_space(theme::STEP);
                ui.label(theme::weak(app.source_format()));
                ui.add(egui::Label::new(RichText::new(capitalised(&app.source_title())).color(theme::TEXT)).truncate());
            });
        });
    });
}

fn entries(app: &App, ui: &mut egui::Ui, menu: Menu, commands: &mut Vec<AppCommand>) {
    ui.set_min_width(216.0);
    for action in Action::ALL.into_iter().filter(|action| action.menu() == menu) {
        if matches!(action, Action::Record | Action::Opentrack | Action::Quit) {
            ui.separator();
        }
        let keys = action.keys().first().map(keys_text).unwrap_or_default();
        // What is on is marked as the switches under the picture are.
        let button = Button::selectable(app.is_on(action) == Some(true), action.title()).shortcut_text(keys);
        let locked = app.is_locked(&action.into());
        let response = ui.add_enabled(app.is_available(action) && !locked, button);
        let response = if locked { response.on_disabled_hover_text(LOCKED) } else { response };
        if response.clicked() {
            commands.push(action.into());
            ui.close();
        }
    }
}
