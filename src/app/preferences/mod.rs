//! The page of preferences: what is chosen once and then left alone.

mod folders;

use eframe::egui::{self, Button, Checkbox, vec2};

use super::action::Action;
use super::command::{AppCommand, Output, Preference};
use super::outputs_dialog;
use super::state::{App, LOCKED, STANDARD_OUTPUT};
use super::{theme, virtual_camera};
use crate::settings::ThemeChoice;

/// Whether it is on, its title, and what a click asks for.
type ShownSwitch = (bool, &'static str, fn(bool) -> Preference);

/// Width of the column of names, points.
const NAME_WIDTH: f32 = 112.0;
/// The sizes of text that the buttons step through.
const STEPS: [f32; 10] = [0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 3.0];

pub(super) fn show(app: &mut App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    theme::dialog_width(ui, 520.0);
    ui.heading("Preferences");
    let height = ui.ctx().content_rect().height() - 152.0;
    theme::scrolled(height).show(ui, |ui| {
        // Free of the bar that scrolls.
        ui.set_width(ui.available_width() - theme::MARGIN);
        appearance(app, ui, commands);
        shown(app, ui, commands);
        folders::show(app, ui, commands);
        outputs(app, ui, commands);
        privacy(app, ui, commands);
    });
}

fn section(ui: &mut egui::Ui, title: &str) {
    ui.add_space(theme::HALF);
    ui.label(theme::section(title));
}

/// A name, and what stands beside it.
fn row<R>(ui: &mut egui::Ui, name: &str, contents: impl FnOnce(&mut egui::Ui) -> R) -> R {
    ui.horizontal_wrapped(|ui| {
        ui.set_min_height(28.0);
        let used = ui.label(name).rect.width();
        ui.add_space((NAME_WIDTH - used).max(0.0));
        contents(ui)
    })
    .inner
}

fn appearance(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    section(ui, "APPEARANCE");
    row(ui, "Theme", |ui| {
        ui.spacing_mut().item_spacing.x = theme::HALF;
        for theme in ThemeChoice::ALL {
            let chosen = app.settings.theme == theme;
            let button = Button::selectable(chosen, theme_text(theme)).frame_when_inactive(true);
            if ui.add(button).clicked() {
                commands.push(AppCommand::Prefer(Preference::Theme(theme)));
            }
        }
    });
    row(ui, "Text size", |ui| {
        ui.spacing_mut().item_spacing.x = theme::HALF;
        let size = app.settings.text_size;
        let step = |ui: &mut egui::Ui, text: &str, name: &str, to: Option<f32>| {
            let button = Button::new(text).min_size(vec2(32.0, 0.0));
            let response = ui.add_enabled(to.is_some(), button).accessible_name(name);
            response.clicked().then_some(to).flatten()
        };
        let smaller = step(ui, "\u{2212}", "Smaller text", STEPS.into_iter().rev().find(|step| *step < size - 0.01));
        ui.add_sized(vec2(56.0, 20.0), egui::Label::new(format!("{:.0} %", size * 100.0)));
        let larger = step(ui, "+", "Larger text", STEPS.into_iter().find(|step| *step > size + 0.01));
        let usual = ui.add_enabled((size - 1.0).abs() > 0.01, Button::new("Usual size")).clicked().then_some(1.0);
        for size in [smaller, larger, usual].into_iter().flatten() {
            commands.push(AppCommand::Prefer(Preference::TextSize(size)));
        }
        ui.label(theme::weak("also Ctrl with + and \u{2212}"));
    });
}

const fn theme_text(theme: ThemeChoice) -> &'static str {
    match theme {
        ThemeChoice::System => "System",
        ThemeChoice::Dark => "Dark",
        ThemeChoice::Light => "Light",
    }
}

fn shown(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    section(ui, "SHOWN OF PEOPLE");
    let switches: [ShownSwitch; 2] = [
        (app.settings.show_age, "Age", Preference::ShowAge),
        (app.settings.show_gender, "Gender", Preference::ShowGender),
    ];
    ui.horizontal_wrapped(|ui| {
        for (mut on, title, preference) in switches {
            if ui.add(Checkbox::new(&mut on, title)).clicked() {
                commands.push(AppCommand::Prefer(preference(on)));
            }
        }
    });
    ui.label(theme::weak("In the list and over the image, also where the overlay is recorded. Data files have both."));
}

fn outputs(app: &mut App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    section(ui, "LIVE OUTPUTS");
    for (output, name) in [(Output::Opentrack, "opentrack"), (Output::JsonLines, "JSON lines")] {
        if app.outputs.typed(output).text == STANDARD_OUTPUT {
            row(ui, name, |ui| ui.label(theme::weak("to standard output")));
            continue;
        }
        row(ui, name, |ui| outputs_dialog::address(app, ui, output, commands));
        outputs_dialog::error(app, ui, output);
    }
    if virtual_camera::SUPPORTED {
        row(ui, "Virtual camera", |ui| virtual_camera::device(app, ui, commands));
        virtual_camera::hint(app, ui);
    }
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::weak("Where they go once they are switched on. Off at each start."));
        if ui.button(Action::Outputs.title()).clicked() {
            commands.push(Action::Outputs.into());
        }
    });
}

fn privacy(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    section(ui, "PRIVACY");
    let mut blur = app.settings.record_blur;
    let locked = app.is_recording();
    let response =
        ui.add_enabled(!locked, Checkbox::new(&mut blur, "Blur faces in recorded videos and in the virtual camera"));
    let response = if locked { response.on_disabled_hover_text(LOCKED) } else { response };
    if response.clicked() {
        commands.push(AppCommand::RecordBlur(blur));
    }
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::weak("Images stay on this machine, and are saved only when you say so."));
        if ui.button(Action::About.title()).clicked() {
            commands.push(Action::About.into());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::TEXT_SIZES;

    #[test]
    fn every_step_is_a_size_that_can_be_remembered() {
        assert!(STEPS.iter().all(|step| TEXT_SIZES.contains(step)));
        assert!(STEPS.is_sorted() && STEPS.contains(&1.0));
    }
}
