//! The models in use: one card for each task.

use eframe::egui::{self, Button, RichText, Sense, vec2};
use facelens_core::model::Task;

use super::super::command::{AppCommand, Section};
use super::super::state::{App, LOCKED, title};
use super::super::theme;
use super::section;

/// Height of a task's row in points.
const ROW_HEIGHT: f32 = 38.0;

pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let open = section::title(app, ui, Section::Models, "", &summary(app), commands);
    for task in Task::ALL {
        if task == Task::Pose && app.models.is_missing(task) {
            // Also where the part is folded: something is missing.
            pose_hint(app, ui, commands);
        } else if open {
            row(app, ui, task, commands);
        }
    }
}

/// The names of the models in use, each once.
fn summary(app: &App) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in Task::ALL.into_iter().filter_map(|task| app.models.names(task)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(", ")
}

fn row(app: &App, ui: &mut egui::Ui, task: Task, commands: &mut Vec<AppCommand>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::hover());
    let mut ui =
        ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(egui::Layout::left_to_right(egui::Align::Center)));
    let button_width = 72.0;
    let text_width = ui.available_width() - button_width - theme::STEP;
    ui.allocate_ui_with_layout(vec2(text_width, ROW_HEIGHT), egui::Layout::top_down(egui::Align::LEFT), |ui| {
        ui.set_width(text_width);
        ui.spacing_mut().item_spacing.y = 2.0;
        let name = match app.models.names(task) {
            Some(name) => name,
            None if app.models.is_loading(task) => "loading…".into(),
            None => "no model".into(),
        };
        let line = RichText::new(format!("{}: {name}", title(task))).color(theme::colors().text);
        let response = ui.add(egui::Label::new(line).truncate());
        let facts = app.models.facts(task).unwrap_or_else(|| "-".into());
        ui.add(egui::Label::new(theme::weak(facts)).truncate());
        let details = app.models.details(task);
        if !details.is_empty() {
            response.on_hover_text(details);
        }
    });
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if app.is_locked(&AppCommand::LoadModel(task)) {
            let button = Button::new("Change").min_size(vec2(button_width, 0.0));
            let response = ui.add_enabled(false, button).on_disabled_hover_text(LOCKED);
            response.accessible_name(format!("Change the model for {task}"));
            return;
        }
        let button = Button::new("Change").min_size(vec2(button_width, 0.0));
        let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| {
            if ui.button("Load file…").clicked() {
                commands.push(AppCommand::LoadModel(task));
                ui.close();
            }
            let choices = app.models.choices(task);
            if !choices.is_empty() {
                ui.separator();
            }
            for (name, in_use) in choices {
                if ui.radio(in_use, name).clicked() && !in_use {
                    commands.push(AppCommand::UseModel(task, name.to_owned()));
                    ui.close();
                }
            }
            ui.separator();
            if ui.add_enabled(app.models.is_own(task), Button::new("Back to shipped")).clicked() {
                commands.push(AppCommand::ShippedModel(task));
                ui.close();
            }
        });
        response.accessible_name(format!("Change the model for {task}"));
    });
}

/// No head pose without a model: how to get one.
fn pose_hint(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    theme::card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = theme::HALF;
        ui.horizontal(|ui| {
            ui.label(theme::strong("Head pose: no model"));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let button = theme::primary("Load one…");
                let locked = app.is_locked(&AppCommand::LoadModel(Task::Pose));
                let response = ui.add_enabled(!locked, button).on_disabled_hover_text(LOCKED);
                if response.accessible_name("Load a head pose model").clicked() {
                    commands.push(AppCommand::LoadModel(Task::Pose));
                }
            });
        });
        ui.label(theme::weak(
            "FSA-Net weights, or start with --model pose=FILE; `facelens models import FILE` keeps them.",
        ));
    });
}
