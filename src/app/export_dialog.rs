//! The dialog that exports a session: into which format, whom, where to; then how far it is.

use std::time::Duration;

use eframe::egui::{self, Button, Checkbox, ComboBox, ProgressBar, RichText, vec2};
use facelens_session::export::{ExportFormat, ExportProgress};

use super::command::{AppCommand, ExportCommand, LibraryCommand};
use super::elide;
use super::state::{App, ExportPhase, SessionExport, from_home};
use super::theme;

/// Width of the column of formats in points.
const FORMAT_WIDTH: f32 = 136.0;

/// A format in words, and what it is good for.
const fn words_of(format: ExportFormat) -> (&'static str, &'static str) {
    match format {
        ExportFormat::Mp4 => ("Video (MP4)", "With the overlay drawn again, or without"),
        ExportFormat::Csv => ("CSV", "One row per face, for spreadsheets"),
        ExportFormat::Jsonl => ("JSON lines", "One line per frame, for scripts"),
        ExportFormat::Parquet => ("Parquet", "For pandas, polars and R"),
        ExportFormat::OpenFace => ("OpenFace CSV", "OpenFace's columns and signs, in radians"),
        ExportFormat::Srt => ("Subtitles (SRT)", "The estimates, for video players"),
    }
}

/// The formats as they are offered.
const FORMATS: [ExportFormat; 6] = [
    ExportFormat::Mp4,
    ExportFormat::Csv,
    ExportFormat::Jsonl,
    ExportFormat::Parquet,
    ExportFormat::OpenFace,
    ExportFormat::Srt,
];

/// Shows the dialog's contents.
pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let Some(running) = &app.export else { return };
    let export = |command: ExportCommand| AppCommand::Export(command);
    ui.set_width(456.0);
    ui.heading("Export");
    ui.add(egui::Label::new(theme::weak(running.session.name())).truncate()).on_hover_text(running.session.name());
    let problem = running.problem();
    ui.add_enabled_ui(!running.is_running(), |ui| {
        ui.add_space(theme::STEP);
        choices(running, ui, &mut |command| commands.push(export(command)));
    });
    ui.add_space(theme::STEP);
    // Always as high, so that nothing moves when it begins or ends.
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 44.0), egui::Layout::top_down(egui::Align::Min), |ui| {
        ui.set_min_height(44.0);
        state(running, problem, ui);
    });
    ui.allocate_ui_with_layout(
        vec2(ui.available_width(), 32.0),
        egui::Layout::right_to_left(egui::Align::Center),
        |ui| match &running.phase {
            ExportPhase::Running { .. } => {
                if ui.add(Button::new("Cancel").min_size(vec2(112.0, 32.0))).clicked() {
                    commands.push(export(ExportCommand::Cancel));
                }
            }
            ExportPhase::Cancelling => {
                ui.add_enabled(false, Button::new("Cancelling…").min_size(vec2(112.0, 32.0)));
            }
            ExportPhase::Exists(_) => {
                if ui.add(Button::new("Replace it").min_size(vec2(112.0, 32.0))).clicked() {
                    commands.push(export(ExportCommand::Replace));
                }
            }
            ExportPhase::Choosing | ExportPhase::Done(_) | ExportPhase::Failed(_) => {
                let start = theme::primary("Export").min_size(vec2(112.0, 32.0));
                if ui.add_enabled(problem.is_none(), start).accessible_name("Start the export").clicked() {
                    commands.push(export(ExportCommand::Start));
                }
                if let ExportPhase::Done(file) = &running.phase
                    && let Some(folder) = file.parent()
                    && ui.add(Button::new("Show in folder").min_size(vec2(112.0, 32.0))).clicked()
                {
                    commands.push(AppCommand::Library(LibraryCommand::ShowFolder(folder.to_owned())));
                }
            }
        },
    );
}

fn choices(running: &SessionExport, ui: &mut egui::Ui, ask: &mut impl FnMut(ExportCommand)) {
    ui.label(theme::section("FORMAT"));
    let grid = egui::Grid::new("export formats").num_columns(2).min_col_width(FORMAT_WIDTH);
    grid.spacing(vec2(theme::STEP, 2.0)).show(ui, |ui| {
        for format in FORMATS {
            let (title, use_for) = words_of(format);
            if ui.radio(running.format == format, title).clicked() {
                ask(ExportCommand::Format(format));
            }
            ui.label(theme::weak(use_for));
            ui.end_row();
        }
    });
    ui.add_space(theme::HALF);
    ui.horizontal(|ui| {
        ui.label(theme::weak("People"));
        let words =
            |person: Option<u64>| person.map_or_else(|| "Everybody".to_owned(), |id| format!("Person {id} only"));
        ComboBox::from_id_salt("export people")
            .width(152.0)
            .selected_text(words(running.person))
            .show_ui(ui, |ui| {
                for person in std::iter::once(None).chain(running.people.iter().map(|person| Some(person.id))) {
                    if ui.selectable_label(running.person == person, words(person)).clicked() {
                        ask(ExportCommand::Person(person));
                    }
                }
            })
            .response
            .accessible_name("People to export");
        ui.add_space(theme::STEP);
        let mut overlay = running.overlay;
        let is_video = running.format == ExportFormat::Mp4;
        if ui.add_enabled(is_video, Checkbox::new(&mut overlay, "With the overlay")).clicked() {
            ask(ExportCommand::Overlay(overlay));
        }
    });
    ui.add_space(theme::HALF);
    ui.label(theme::section("FILE"));
    ui.horizontal(|ui| {
        let choose = 88.0;
        let file = from_home(&running.request(false).file);
        let row = egui::Layout::left_to_right(egui::Align::Center);
        let width = ui.available_width() - choose - theme::STEP;
        ui.allocate_ui_with_layout(vec2(width, 28.0), row, |ui| {
            ui.set_width(width);
            let shown = elide::middle(ui, &file, &elide::body(ui), width);
            ui.add(egui::Label::new(RichText::new(shown).color(theme::colors().text)).truncate()).on_hover_text(&file);
        });
        let button = ui.add(Button::new("Choose…").min_size(vec2(choose, 28.0)));
        if button.accessible_name("Choose the file of the export").clicked() {
            ask(ExportCommand::PickFile);
        }
    });
}

/// How far it is, or what came of it.
fn state(running: &SessionExport, problem: Option<&str>, ui: &mut egui::Ui) {
    let mut say = |text: String, color| {
        ui.add(egui::Label::new(RichText::new(text).small().color(color)).wrap());
    };
    match &running.phase {
        ExportPhase::Choosing => {
            if let Some(problem) = problem {
                say(problem.to_owned(), theme::colors().warn);
            }
        }
        ExportPhase::Running { progress, began } => {
            let now = ui.input(|input| input.time);
            let part = if progress.all > 0 { progress.done as f32 / progress.all as f32 } else { 0.0 };
            ui.add(ProgressBar::new(part.min(1.0)).desired_height(12.0));
            ui.label(theme::weak(progress_text(*progress, now - began)));
        }
        ExportPhase::Cancelling => say("Cancelling…".to_owned(), theme::colors().weak),
        ExportPhase::Done(file) => say(format!("Saved as {}.", from_home(file)), theme::colors().good),
        ExportPhase::Exists(file) => say(format!("{} is there already.", from_home(file)), theme::colors().warn),
        ExportPhase::Failed(error) => say(error.clone(), theme::colors().bad),
    }
}

/// Where it is, and what is left at the rate so far.
fn progress_text(progress: ExportProgress, secs: f64) -> String {
    let ExportProgress { done, all } = progress;
    if all == 0 || done == 0 {
        return "Starting…".to_owned();
    }
    let left = secs / done as f64 * all.saturating_sub(done) as f64;
    let left = Duration::try_from_secs_f64(left).map(super::recording_text::clock_text).unwrap_or_default();
    format!("{} of {all} frames, {left} left", done.min(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_follows_the_rate_so_far() {
        assert_eq!(progress_text(ExportProgress { done: 0, all: 100 }, 0.0), "Starting…");
        assert_eq!(progress_text(ExportProgress { done: 25, all: 100 }, 30.0), "25 of 100 frames, 1:30 left");
        assert_eq!(progress_text(ExportProgress { done: 101, all: 100 }, 30.0), "100 of 100 frames, 0:00 left");
    }
}
