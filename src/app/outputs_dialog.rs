//! The dialog about live outputs: what other programs get, and where they listen.

use eframe::egui::{self, Button, Checkbox, RichText, TextEdit};

use super::action::Action;
use super::command::{AppCommand, Output};
use super::outputs_mark::hover_text;
use super::state::{App, STANDARD_OUTPUT};
use super::{theme, virtual_camera};

/// Width of an address's field in points.
const FIELD_WIDTH: f32 = 240.0;

/// What goes out, and where to.
pub(super) fn show(app: &mut App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    theme::dialog_width(ui, 496.0);
    ui.heading("Live outputs");
    ui.label(theme::weak("What other programs get during live view. Off at each start."));

    ui.add_space(theme::STEP);
    ui.label(theme::section("HEAD TRACKING"));
    let mut on = app.outputs.options.opentrack.is_some();
    if ui.add(Checkbox::new(&mut on, "Send the head to opentrack")).clicked() {
        commands.push(AppCommand::Opentrack(on));
    }
    ui.label(theme::weak(
        "Choose \"UDP over network\" as opentrack's input. It gets the largest face; a click on a person in the panel \
         chooses one.",
    ));
    ui.horizontal(|ui| {
        address(app, ui, Output::Opentrack, commands);
        let centre = Button::new(Action::Centre.title());
        if ui.add_enabled(on, centre).on_hover_text(Action::Centre.explanation()).clicked() {
            commands.push(Action::Centre.into());
        }
    });
    error(app, ui, Output::Opentrack);

    ui.add_space(theme::STEP);
    ui.label(theme::section("SCRIPTS"));
    let mut on = app.outputs.options.jsonl.is_some();
    if ui.add(Checkbox::new(&mut on, "Send each frame as a line of JSON")).clicked() {
        commands.push(AppCommand::JsonLines(on));
    }
    if app.outputs.typed(Output::JsonLines).text == STANDARD_OUTPUT {
        ui.label(theme::weak(
            "To standard output, as given on the command line; the lines are those of `facelens analyze`.",
        ));
    } else {
        ui.label(theme::weak("By UDP, one line per datagram; the lines are those of `facelens analyze`."));
        address(app, ui, Output::JsonLines, commands);
    }
    error(app, ui, Output::JsonLines);

    virtual_camera::show(app, ui, commands);

    if let Some(status) = &app.outputs.status {
        ui.add_space(theme::STEP);
        ui.label(theme::weak(hover_text(&app.outputs.options, status)));
    }
}

/// The field of an output's address.
pub(super) fn address(app: &mut App, ui: &mut egui::Ui, output: Output, commands: &mut Vec<AppCommand>) {
    let name = match output {
        Output::Opentrack => "Address of opentrack",
        Output::JsonLines => "Address of the script",
    };
    let typed = app.outputs.typed(output);
    let field = TextEdit::singleline(&mut typed.text).margin(egui::Margin::symmetric(8, 6)).desired_width(FIELD_WIDTH);
    let response = theme::field(ui, field).on_hover_text("HOST:PORT, or a port on this machine");
    let response = response.accessible_name(name);
    if response.changed() {
        typed.error = None;
        typed.edited = true;
    }
    // What nobody typed here is not for keeping: the command line's hold for this time only.
    if response.lost_focus() && typed.edited {
        commands.push(AppCommand::OutputAddress(output));
    }
}

/// What is wrong with an address, or that it leaves this machine.
pub(super) fn error(app: &mut App, ui: &mut egui::Ui, output: Output) {
    let typed = app.outputs.typed(output);
    if typed.looking.is_some() {
        ui.label(theme::weak(format!("Looking for the machine `{}` …", typed.text.trim())));
        return;
    }
    if let Some(error) = &typed.error {
        ui.label(RichText::new(format!("{error}.")).small().color(theme::colors().warn));
        return;
    }
    let elsewhere = typed.text.parse::<std::net::SocketAddr>().is_ok_and(|address| !address.ip().is_loopback());
    if elsewhere {
        let words = "This is another machine: the data leave yours, unencrypted.";
        ui.label(RichText::new(words).small().color(theme::colors().warn));
    }
}
