//! The page of the first start: in ten seconds what this is, what it sends, and how far to trust it. The demo runs behind
//! it; no camera is opened before the user says so.

use eframe::egui::{self, Button, RichText, vec2};
use facelens_media::SourceSpec;

use super::action::Action;
use super::command::AppCommand;
use super::state::App;
use super::theme;
use super::view::choose_camera;

/// What matters, in the order in which it is read.
const POINTS: [(&str, &str); 3] = [
    (
        "What it does",
        "It finds faces and estimates their age, gender and head pose: live from a camera, in videos and in images.",
    ),
    (
        "What it sends: nothing",
        "Images are analysed on this machine and then discarded. They are kept only if you record or take a snapshot.",
    ),
    (
        "How far to trust it",
        "Age and gender are guesses from the look of a face, and often wrong: a range is what is likely, not what is \
         true. Decide nothing about a person by them.",
    ),
];
/// What runs behind the page at the first start.
const DEMO: &str = "Behind this page runs the demo. No camera is opened before you choose one.";

/// Height of the buttons in points.
const BUTTON: f32 = 32.0;

pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    theme::dialog_width(ui, 440.0);
    ui.heading("Welcome to facelens");
    for (title, text) in POINTS {
        ui.add_space(theme::HALF);
        ui.label(theme::strong(title));
        ui.label(RichText::new(text).color(theme::colors().weak));
    }
    if app.source.spec == SourceSpec::Demo {
        ui.add_space(theme::HALF);
        ui.label(theme::weak(DEMO));
    }
    ui.add_space(theme::MARGIN);
    ui.horizontal_wrapped(|ui| {
        for (place, (text, command)) in ways_on(app).into_iter().enumerate() {
            let button = if place == 0 { theme::primary(text) } else { Button::new(text) };
            if ui.add(button.min_size(vec2(0.0, BUTTON)).truncate()).clicked() {
                commands.push(AppCommand::CloseDialog);
                commands.push(command);
            }
        }
    });
}

/// The camera, where there is one, the demo, a file.
fn ways_on(app: &App) -> Vec<(String, AppCommand)> {
    let camera = app.cameras.list.first();
    let camera = camera
        .map(|camera| (format!("Use {}", camera.label(&app.cameras.list)), choose_camera(camera, &app.cameras.list)));
    let others = [(Action::Demo.title(), Action::Demo), ("Open a file…", Action::OpenFile)];
    camera.into_iter().chain(others.map(|(text, action)| (text.to_owned(), action.into()))).collect()
}
