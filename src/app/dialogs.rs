//! Dialogs over the window: the keys, and what becomes of the pictures.

use eframe::egui::{self, Id, Modal, RichText};

use super::command::AppCommand;
use super::state::{App, Dialog};
use super::theme;
use super::{export_dialog, first_run, keys_page, notices, outputs_dialog, preferences, recording_dialog};

/// What facelens does with pictures, and how far its figures can be trusted.
const ABOUT: [(&str, &str); 4] = [
    (
        "Images stay on this machine",
        "Every image is analysed on this machine and then discarded. No image is saved unless you take a snapshot or \
         make a recording. Nothing is sent anywhere unless you switch on a live output: numbers go to the address that \
         you enter, and the virtual camera shows the image to programs on this machine.",
    ),
    (
        "Apparent, not true",
        "Age and gender are a network's estimates from the appearance of a face. They are often wrong: see the error \
         of each model in the panel. If the gender is little more than a guess, facelens says \"unsure\".",
    ),
    (
        "Not for decisions about people",
        "The models work best on faces like those they were trained on, and worse on others. Do not use them to decide \
         anything about a person.",
    ),
    (
        "The networks",
        "Age and gender: SSR-Net (Yang et al., 2018). Head pose: FSA-Net (Yang et al., 2019). Licences are in the panel and in NOTICE.",
    ),
];

/// Where to read on, in the user's browser.
const LINKS: [(&str, &str); 3] = [
    ("facelens", env!("CARGO_PKG_REPOSITORY")),
    ("SSR-Net", "https://github.com/shamangary/SSR-Net"),
    ("FSA-Net", "https://github.com/shamangary/FSA-Net"),
];

pub(super) fn show(app: &mut App, ctx: &egui::Context, commands: &mut Vec<AppCommand>) {
    let Some(dialog) = app.dialog else { return };
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(24.0);
    let modal =
        Modal::new(Id::unique(("dialog", dialog))).frame(frame).backdrop_color(egui::Color32::from_black_alpha(150));
    let response = modal.show(ctx, |ui| {
        match dialog {
            Dialog::Help => keys_page::show(app, ui, commands),
            Dialog::About => scrolled(ui, about),
            Dialog::RecordOptions => scrolled(ui, |ui| recording_dialog::options(app, ui, commands)),
            Dialog::Outputs => scrolled(ui, |ui| outputs_dialog::show(app, ui, commands)),
            Dialog::Export => scrolled(ui, |ui| export_dialog::show(app, ui, commands)),
            Dialog::Messages => notices::show_list(&app.notices, ui, commands),
            Dialog::Preferences => preferences::show(app, ui, commands),
            Dialog::Welcome => {
                first_run::show(app, ui, commands);
                return false;
            }
            Dialog::CloseRecording => {
                recording_dialog::close(app, ui, commands);
                return false;
            }
        }
        ui.add_space(theme::STEP);
        ui.vertical_centered(|ui| ui.button("Close").clicked()).inner
    });
    // Escape that leaves a key as it is leaves the page open.
    let closes = response.should_close() && app.waits_for_key.is_none();
    if response.inner || closes {
        commands.push(AppCommand::CloseDialog);
    }
}

/// In a small window a dialog scrolls, so that its button stays in sight.
fn scrolled(ui: &mut egui::Ui, contents: impl FnOnce(&mut egui::Ui)) {
    let height = ui.ctx().content_rect().height() - 112.0;
    theme::scrolled(height).auto_shrink(true).show(ui, contents);
}

fn about(ui: &mut egui::Ui) {
    theme::dialog_width(ui, 456.0);
    ui.heading(concat!("facelens ", env!("FACELENS_VERSION")));
    ui.label(theme::weak("Age, gender and head pose, live from a webcam"));
    for (title, text) in ABOUT {
        ui.add_space(theme::HALF);
        ui.label(theme::strong(title));
        ui.label(RichText::new(text).color(theme::colors().weak));
    }
    ui.horizontal(|ui| {
        for (name, address) in LINKS {
            ui.hyperlink_to(name, address).on_hover_text(format!("Opens {address} in your browser"));
        }
    });
}
