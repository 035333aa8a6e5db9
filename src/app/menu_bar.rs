//! The menus at the top, made of the actions, and what is shown at the moment.

use eframe::egui::{self, Align, Button, Layout, Margin, MenuBar, RichText, ScrollArea};

use super::action::{Action, Menu};
use super::command::AppCommand;
use super::state::{App, LOCKED};
use super::view::capitalised;
use super::{elide, theme};

/// Height of the bar in points.
const HEIGHT: f32 = 40.0;
/// The edge of a menu, the line and the entry that always stays in sight below the others, points.
const BELOW_ENTRIES: f32 = 64.0;

pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let frame = egui::Frame::new().fill(theme::colors().panel).inner_margin(Margin::symmetric(8, 4));
    egui::Panel::top("menu bar").frame(frame).exact_size(HEIGHT).resizable(false).show(ui, |ui| {
        MenuBar::new().ui(ui, |ui| {
            for menu in Menu::ALL {
                ui.menu_button(menu.title(), |ui| entries(app, ui, menu, commands));
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.add_space(theme::STEP);
                ui.label(theme::weak(app.source_format()));
                let title = capitalised(&app.source_title());
                let shown = elide::middle(ui, &title, &elide::body(ui), ui.available_width() - theme::STEP);
                let label = ui.add(egui::Label::new(RichText::new(&shown).color(theme::colors().text)).truncate());
                if shown != title {
                    label.on_hover_text(title);
                }
            });
        });
    });
}

fn entries(app: &App, ui: &mut egui::Ui, menu: Menu, commands: &mut Vec<AppCommand>) {
    ui.set_min_width(216.0);
    ui.spacing_mut().item_spacing.y = 2.0;
    // In a small window the entries scroll; the way out is always in sight.
    let room = ui.ctx().content_rect().bottom() - ui.cursor().top() - BELOW_ENTRIES;
    ScrollArea::vertical().max_height(room.max(64.0)).show(ui, |ui| {
        for action in Action::ALL.into_iter().filter(|action| action.menu() == menu && *action != Action::Quit) {
            if action.begins_a_group() {
                ui.separator();
            }
            entry(app, ui, action, commands);
        }
    });
    if menu == Action::Quit.menu() {
        ui.separator();
        entry(app, ui, Action::Quit, commands);
    }
}

fn entry(app: &App, ui: &mut egui::Ui, action: Action, commands: &mut Vec<AppCommand>) {
    // What is on is marked as the switches under the picture are.
    let button =
        Button::selectable(app.is_on(action) == Some(true), action.title()).shortcut_text(app.keys.first(action));
    let locked = app.is_locked(&action.into());
    let response = ui.add_enabled(app.is_available(action) && !locked, button);
    let response = if locked { response.on_disabled_hover_text(LOCKED) } else { response };
    if response.clicked() {
        commands.push(action.into());
        ui.close();
    }
}
