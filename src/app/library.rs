//! The library of sessions: a page in the place of the picture with a row for each recording in the sessions' folder.

use eframe::egui::{self, Align, Button, Color32, Layout, Rect, RichText, Sense, TextEdit, UiBuilder, pos2, vec2};
use facelens_session::library::{SessionEntry, SessionState};

use super::action::Action;
use super::command::{AppCommand, LibraryCommand};
use super::notices::Tone;
use super::recording_text::{bytes_text, clock_text};
use super::state::{App, LOCKED, LibraryItem, from_home};
use super::{elide, theme};

/// Size of a thumbnail in points.
const THUMBNAIL: egui::Vec2 = vec2(128.0, 72.0);
/// The same in a narrow window.
const SMALL_THUMBNAIL: egui::Vec2 = vec2(64.0, 36.0);
/// Rows below this width are narrow.
const NARROW: f32 = 480.0;
/// Height of a row in points, its margins included.
const ROW_HEIGHT: f32 = THUMBNAIL.y + 2.0 * theme::STEP;
/// Width of the buttons of a row.
const BUTTONS: f32 = 112.0;
/// Rows are no wider than this.
const MOST_WIDTH: f32 = 880.0;

/// Shows the page in `area`.
pub(super) fn show(app: &mut App, ui: &mut egui::Ui, area: Rect, commands: &mut Vec<AppCommand>) {
    let area = area.shrink(theme::MARGIN);
    let width = area.width().min(MOST_WIDTH);
    let place = Rect::from_min_max(
        pos2(area.center().x - width / 2.0, area.top()),
        pos2(area.center().x + width / 2.0, area.bottom()),
    );
    let page = UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Min));
    ui.scope_builder(page, |ui| {
        head(app, ui, commands);
        ui.add_space(theme::STEP);
        if app.library.items.is_empty() {
            nothing(app, ui, commands);
            return;
        }
        egui::ScrollArea::vertical().id_salt("sessions").auto_shrink(false).show(ui, |ui| {
            ui.set_width(ui.available_width() - 12.0);
            ui.spacing_mut().item_spacing.y = theme::STEP;
            for place in 0..app.library.items.len() {
                row(app, place, ui, commands);
            }
        });
    });
}

fn library(command: LibraryCommand) -> AppCommand {
    AppCommand::Library(command)
}

fn head(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let page = &app.library;
    ui.horizontal(|ui| {
        ui.label(RichText::new("Sessions").heading().color(theme::colors().text));
        if page.reading {
            ui.label(theme::weak("reading…"));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let close = ui.button("Close").on_hover_text("Back to the image (Esc)");
            if close.accessible_name("Close the library").clicked() {
                commands.push(library(LibraryCommand::Close));
            }
            if let Some(folder) = &page.folder
                && ui
                    .button("Show folder")
                    .on_hover_text("Show the folder of all sessions in the file manager")
                    .clicked()
            {
                commands.push(library(LibraryCommand::ShowFolder(folder.clone())));
            }
            let refresh =
                ui.add_enabled(!page.reading, Button::new("Refresh")).on_hover_text("List the sessions again");
            if refresh.accessible_name("List the sessions again").clicked() {
                commands.push(library(LibraryCommand::Refresh));
            }
        });
    });
    let folder = page.folder.as_deref().map_or_else(|| "no folder".to_owned(), from_home);
    let count = match page.items.len() {
        0 => String::new(),
        1 => ", 1 session".to_owned(),
        count => format!(", {count} sessions"),
    };
    ui.add(egui::Label::new(theme::weak(format!("{folder}{count}"))).truncate());
}

/// The page without any session.
fn nothing(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    ui.add_space(ui.available_height() * 0.25);
    ui.vertical_centered(|ui| {
        let page = &app.library;
        let (title, text) = match (&page.error, page.reading) {
            (Some(error), _) => ("The sessions cannot be listed", error.clone()),
            (None, true) => ("Reading the sessions…", String::new()),
            (None, false) => (
                "No sessions yet",
                format!("{} or the button below the image records one.", app.keys.text(Action::Record)),
            ),
        };
        ui.label(RichText::new(title).heading().color(theme::colors().text));
        ui.label(RichText::new(text).color(theme::colors().weak));
        if !page.reading && ui.button("Recording options…").on_hover_text("Choose where sessions are kept").clicked()
        {
            commands.push(Action::RecordOptions.into());
        }
    });
}

fn row(app: &mut App, place: usize, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let locked = app.is_recording();
    let page = &mut app.library;
    let Some(item) = page.items.get(place) else { return };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::hover());
    if !ui.is_rect_visible(rect) {
        return;
    }
    let spoken = format!("{}, {}", item.entry.name(), facts(item));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ListItem, true, &spoken));
    ui.painter().rect_filled(rect, 8.0, theme::colors().card);
    let inside = rect.shrink(theme::STEP);
    let narrow = rect.width() < NARROW;
    let size = if narrow { SMALL_THUMBNAIL } else { THUMBNAIL };
    thumbnail(ui, Rect::from_min_size(inside.min, size), item);
    let buttons = inside.with_min_x(inside.right() - BUTTONS);
    let words = inside.with_min_x(inside.left() + size.x + 12.0).with_max_x(buttons.left() - theme::STEP);
    let column = UiBuilder::new().max_rect(words).layout(Layout::top_down(Align::Min)).id_salt(("words", place));
    let renaming = page.renaming.as_mut().filter(|(session, _)| *session == item.entry.path);
    let begins = renaming.is_some() && std::mem::take(&mut page.renaming_begins);
    // Children of their own: the next row comes after this one's frame, not after its words.
    let mut inner = ui.new_child(column);
    {
        let ui = &mut inner;
        ui.spacing_mut().item_spacing.y = 3.0;
        match renaming {
            Some((_, name)) => rename_field(ui, &item.entry, name, begins, commands),
            None => {
                let name = item.entry.name();
                let shown = elide::middle(ui, &name, &elide::body(ui), words.width());
                ui.add(egui::Label::new(theme::strong(shown)).truncate()).on_hover_text(name);
            }
        }
        let label = egui::Label::new(theme::weak(facts(item)));
        ui.add(if narrow { label.wrap() } else { label.truncate() });
        if let Some((tone, text, more)) = remark(item) {
            let label = egui::Label::new(RichText::new(text).small().color(tone.color())).truncate();
            ui.add(label).on_hover_text(more);
        }
    }
    let column = UiBuilder::new().max_rect(buttons).layout(Layout::right_to_left(Align::Center)).id_salt(("do", place));
    actions(&mut ui.new_child(column), item, locked, commands);
}

/// What is known of a session, on one line.
fn facts(item: &LibraryItem) -> String {
    let SessionEntry { started, duration_s, bytes, .. } = &item.entry;
    let read = item.details.as_ref().and_then(|details| details.as_ref().ok());
    let secs = read.map_or(*duration_s, |read| read.duration_s);
    let people = match read.map(|read| read.people) {
        Some(Some(0)) => "nobody in it".to_owned(),
        Some(Some(1)) => "1 person".to_owned(),
        Some(Some(people)) => format!("{people} people"),
        Some(None) | None => String::new(),
    };
    let length = std::time::Duration::try_from_secs_f64(secs).map(clock_text).unwrap_or_default();
    let parts = [started.clone(), length, people, bytes_text(*bytes)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ·  ")
}

/// What is not as it should be: how bad, in short, and all of it.
fn remark(item: &LibraryItem) -> Option<(Tone, String, String)> {
    match &item.entry.state {
        SessionState::InUse => {
            return Some((Tone::Info, "Being recorded".to_owned(), "It can be played when it is saved.".to_owned()));
        }
        SessionState::Interrupted => {
            let more = "The recording was interrupted. It plays as it is; Recover completes its files.".to_owned();
            return Some((Tone::Warn, "Interrupted".to_owned(), more));
        }
        SessionState::Failed(error) => return Some((Tone::Warn, format!("Ended by an error: {error}"), error.clone())),
        SessionState::Complete | SessionState::Damaged(_) => {}
    }
    match &item.details {
        Some(Err(error)) => Some((Tone::Bad, "It cannot be read".to_owned(), error.clone())),
        Some(Ok(read)) => {
            let first = read.notices.first()?;
            Some((Tone::Warn, format!("Damaged: {first}"), read.notices.join("\n")))
        }
        None => match &item.entry.state {
            SessionState::Damaged(cause) => Some((Tone::Warn, format!("Damaged: {cause}"), cause.clone())),
            _ => None,
        },
    }
}

fn thumbnail(ui: &egui::Ui, place: Rect, item: &LibraryItem) {
    let painter = ui.painter();
    painter.rect_filled(place, 4.0, theme::colors().stage);
    let centered = |text: &str| {
        let font = egui::FontId::proportional(12.0);
        painter.text(place.center(), egui::Align2::CENTER_CENTER, text, font, theme::colors().weak);
    };
    match item.details.as_ref().map(|details| details.as_ref().ok().and_then(|read| read.thumbnail.as_ref())) {
        Some(Some(texture)) => {
            let [width, height] = texture.size();
            let inner = super::picture::letterbox(place, width as u32, height as u32);
            let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.add(egui::epaint::RectShape::filled(inner, 4.0, Color32::WHITE).with_texture(texture.id(), uv));
        }
        Some(None) => centered("no video"),
        None => centered("…"),
    }
}

/// The field for another name: Enter takes it, Esc leaves the old one.
fn rename_field(
    ui: &mut egui::Ui,
    entry: &SessionEntry,
    name: &mut String,
    begins: bool,
    commands: &mut Vec<AppCommand>,
) {
    let field = TextEdit::singleline(name).desired_width(ui.available_width()).margin(egui::Margin::symmetric(6, 2));
    let response = ui.add(field).accessible_name("New name");
    if begins {
        response.request_focus();
    }
    if response.lost_focus() {
        commands.push(if ui.input(|input| input.key_pressed(egui::Key::Enter)) {
            library(LibraryCommand::Rename(entry.path.clone(), name.clone()))
        } else {
            library(LibraryCommand::StopRenaming)
        });
    }
}

/// The buttons of a session, from right to left.
fn actions(ui: &mut egui::Ui, item: &LibraryItem, locked: bool, commands: &mut Vec<AppCommand>) {
    let path = || item.entry.path.clone();
    let name = item.entry.name();
    let free = item.entry.is_free();
    let mut entries = vec![
        ("Rename…", free, LibraryCommand::StartRenaming(path())),
        ("Export…", free, LibraryCommand::Export(path())),
        ("Show in folder", true, LibraryCommand::ShowFolder(path())),
        ("Move to trash", free, LibraryCommand::Trash(path())),
    ];
    if item.entry.state == SessionState::Interrupted {
        entries.insert(0, ("Recover", free, LibraryCommand::Recover(path())));
    }
    let more = ui.menu_button("⋯", |ui| {
        ui.set_min_width(152.0);
        for (text, enabled, command) in entries {
            if ui.add_enabled(enabled, Button::new(text)).clicked() {
                commands.push(library(command));
                ui.close();
            }
        }
    });
    more.response.on_hover_text("More").accessible_name(format!("More about {name}"));
    let play = ui.add_enabled(free && !locked, theme::primary("Play"));
    let play = if locked { play.on_disabled_hover_text(LOCKED) } else { play };
    if play.accessible_name(format!("Play {name}")).clicked() {
        commands.push(library(LibraryCommand::Play(path())));
    }
}
