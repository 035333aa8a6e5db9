//! The menus at the top, made of the actions, and what is shown at the moment.

use eframe::egui::containers::menu::MenuConfig;
use eframe::egui::{self, Align, Button, Layout, Margin, MenuBar, Rect, RichText, ScrollArea, Stroke, vec2};

use super::action::{Action, Menu};
use super::command::AppCommand;
use super::recent_files;
use super::state::{App, LOCKED};
use super::view::capitalised;
use super::{elide, theme};

/// Height of the bar in points.
const HEIGHT: f32 = 40.0;
/// The edge of a menu, the line and the entry that always stays in sight below the others, points.
const BELOW_ENTRIES: f32 = 64.0;

pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let frame = theme::bar(Margin::symmetric(8, 4));
    egui::Panel::top("menu bar").frame(frame).exact_size(HEIGHT).resizable(false).show(ui, |ui| {
        let config = MenuConfig::new().style(theme::menu_style);
        MenuBar::new().style(theme::menu_style).config(config).ui(ui, |ui| {
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
    // Room for the mark of what is on.
    ui.spacing_mut().button_padding.x = 22.0;
    // In a small window the entries scroll; the way out is always in sight.
    let room = ui.ctx().content_rect().bottom() - ui.cursor().top() - BELOW_ENTRIES;
    ScrollArea::vertical().max_height(room.max(64.0)).show(ui, |ui| {
        for action in Action::ALL.into_iter().filter(|action| action.menu() == menu && *action != Action::Quit) {
            if action.begins_a_group() {
                ui.separator();
            }
            entry(app, ui, action, commands);
            if action == Action::OpenFolder {
                recent_files::menu(app, ui, commands);
            }
        }
    });
    if menu == Action::Quit.menu() {
        ui.separator();
        entry(app, ui, Action::Quit, commands);
    }
}

/// The mark of what is on, before its title.
fn check_mark(ui: &egui::Ui, entry: Rect) {
    let at = entry.left_center() + vec2(11.0, 0.0);
    let points = [vec2(-4.0, 0.0), vec2(-1.0, 3.5), vec2(4.5, -4.0)].map(|point| at + point).to_vec();
    ui.painter().line(points, Stroke::new(1.8, theme::colors().text));
}

fn entry(app: &App, ui: &mut egui::Ui, action: Action, commands: &mut Vec<AppCommand>) {
    let keys = app.keys.first(action);
    let name = format!("{} {keys}", action.title());
    let button = Button::new(action.title()).frame_when_inactive(false).shortcut_text(keys);
    let locked = app.is_locked(&action.into());
    let enabled = app.is_available(action) && !locked;
    let response = ui.add_enabled(enabled, button);
    if let Some(on) = app.is_on(action) {
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::MenuItemCheckBox, enabled, on, &name));
        if on {
            check_mark(ui, response.rect);
        }
    }
    let response = if locked { response.on_disabled_hover_text(LOCKED) } else { response };
    if response.clicked() {
        commands.push(action.into());
        ui.close();
    }
}
