//! One row of fixed height for each person.

use eframe::egui::{self, Align2, Color32, FontId, Pos2, Rect, RichText, Sense, pos2, vec2};
use facelens_core::track::{Age, Face, Gender};
use facelens_session::overlay::{age_words, gender_words};

use super::super::command::AppCommand;
use super::super::people::PersonEntry;
use super::super::state::App;
use super::super::{sparkline, theme};
use super::gait;
use crate::outputs::Follow;

/// Height of a row in points.
pub(super) const ROW_HEIGHT: f32 = 100.0;
/// Side of the crop in points.
const CROP: f32 = 56.0;

/// Shows the people in `height` points; gives the height that it took, title and all.
pub(super) fn show(app: &App, ui: &mut egui::Ui, height: f32, commands: &mut Vec<AppCommand>) -> f32 {
    let top = ui.cursor().top();
    let present = app.people.list().iter().filter(|person| !person.away).count();
    super::title(ui, &format!("PEOPLE  {present}"));
    let (place, _) = ui.allocate_exact_size(vec2(ui.available_width(), height - 40.0), Sense::hover());
    let list = egui::UiBuilder::new().accessibility_role(egui::Role::List).accessibility_label("People");
    let mut inner = ui.new_child(list.max_rect(place));
    inner.set_clip_rect(place.intersect(ui.clip_rect()));
    egui::ScrollArea::vertical().id_salt("people").auto_shrink(false).show(&mut inner, |ui| {
        if app.people.list().is_empty() {
            ui.label(RichText::new("Nobody in view.").color(theme::WEAK));
        }
        for person in app.people.list() {
            row(app, ui, person, commands);
        }
        gait::show(app, ui, commands);
    });
    ui.add_space(theme::STEP);
    ui.cursor().top() - top
}

fn row(app: &App, ui: &mut egui::Ui, person: &PersonEntry, commands: &mut Vec<AppCommand>) {
    let now = app.people.now;
    // A click chooses whose head opentrack gets.
    let opentrack = app.outputs.options.opentrack.is_some();
    let sense = if opentrack { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), sense);
    let face = &person.face;
    let followed = app.outputs.follow == Follow::Person(face.id);
    response.widget_info(|| match opentrack {
        true => egui::WidgetInfo::selected(egui::Role::Button, true, followed, spoken(person)),
        false => egui::WidgetInfo::labeled(egui::Role::ListItem, true, spoken(person)),
    });
    if response.clicked() {
        commands.push(AppCommand::Follow(face.id));
    }
    let mut painter = ui.painter_at(rect);
    if person.away {
        painter.set_opacity(0.45);
    }
    let color = theme::id_color(face.id);
    painter.rect_filled(rect, 8.0, theme::CARD);
    if opentrack && followed {
        painter.rect_stroke(rect, 8.0, egui::Stroke::new(1.0, theme::ACCENT), egui::StrokeKind::Inside);
    }
    let inside = rect.shrink(theme::STEP);
    let crop = Rect::from_min_size(inside.min, vec2(CROP, CROP));
    if let Some(texture) = &person.crop {
        let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        painter.add(egui::epaint::RectShape::filled(crop, 6.0, Color32::WHITE).with_texture(texture.id(), uv));
    }
    painter.rect_stroke(crop, 6.0, egui::Stroke::new(2.0, color), egui::StrokeKind::Inside);
    let sent = app.outputs.status.as_ref().is_some_and(|status| status.followed == Some(face.id));
    let mark = if sent && !person.away { "opentrack" } else { "" };
    texts(&painter, pos2(crop.right() + 12.0, inside.top()), inside.right(), face, (color, mark));

    let histories = Rect::from_min_max(pos2(inside.left(), crop.bottom() + theme::STEP), inside.max);
    let (left, right) = histories.split_left_right_at_fraction(0.5);
    let samples = person.history.iter();
    sparkline::age(&painter, left.with_max_x(left.right() - theme::HALF), now, &samples, theme::TEXT);
    sparkline::pose(&painter, right.with_min_x(right.left() + theme::HALF), now, &samples);
    let response = if opentrack {
        response.on_hover_text("Click: send this head to opentrack; click again: send that of the largest face")
    } else {
        response
    };
    response.on_hover_text(
        "Left: age over the last 20 s with its range (80 %), 0 to 80 years.\nRight: yaw (red), pitch (green) and roll (blue), \
         -60 to 60 degrees.",
    );
}

/// A row as a screen reader says it.
fn spoken(person: &PersonEntry) -> String {
    let face = &person.face;
    let pose = face.pose.map_or_else(
        || "no head pose".to_owned(),
        // Without a rounded zero's sign.
        |pose| {
            let [yaw, pitch, roll] = [pose.yaw, pose.pitch, pose.roll].map(|angle| angle.round() + 0.0);
            format!("yaw {yaw:.0}°, pitch {pitch:.0}°, roll {roll:.0}°")
        },
    );
    let away = if person.away { ", not in view" } else { "" };
    format!("Person {}: {}, {}, {pose}{away}", face.id, age_text(face.age).0, gender_text(face.gender).0)
}

/// `mark` stands below the number: what becomes of this person's data.
fn texts(painter: &egui::Painter, at: Pos2, right: f32, face: &Face, (color, mark): (Color32, &str)) {
    let line = |row: f32, text: String, font: FontId, color: Color32| {
        painter.text(at + vec2(0.0, row), Align2::LEFT_TOP, text, font, color);
    };
    let sure = |unsure: bool| if unsure { theme::WEAK } else { theme::TEXT };
    let (age, unsure) = age_text(face.age);
    line(0.0, age, FontId::proportional(16.0), sure(unsure));
    let number = pos2(right, at.y + 2.0);
    painter.text(number, Align2::RIGHT_TOP, format!("#{}", face.id), FontId::monospace(12.0), color);
    // Below the number: beside it, it would run into a long age.
    let below = pos2(right, at.y + 23.0);
    painter.text(below, Align2::RIGHT_TOP, mark, FontId::proportional(12.0), theme::ACCENT);
    let (gender, unsure) = gender_text(face.gender);
    line(21.0, gender, FontId::proportional(14.0), sure(unsure));
    if let Some(pose) = face.pose {
        // The three colours of the history, each figure in a column of its own.
        for (place, (name, angle)) in [("Y", pose.yaw), ("P", pose.pitch), ("R", pose.roll)].into_iter().enumerate() {
            // Without a rounded zero's sign, which would come and go.
            let text = format!("{name}{:>+4.0}°", angle.round() + 0.0);
            let at = at + vec2(place as f32 * 56.0, 42.0);
            painter.text(at, Align2::LEFT_TOP, text, FontId::monospace(12.0), theme::ANGLES[place]);
        }
    } else {
        line(42.0, "no head pose".into(), FontId::proportional(12.0), theme::WEAK);
    }
}

/// An age in words, and whether they are said with reserve; the same words as over the picture.
fn age_text(age: Option<Age>) -> (String, bool) {
    age.map(age_words).map_or_else(|| ("no age".into(), true), |words| (words.text, words.unsure))
}

/// A gender in words, and whether they are said with reserve.
fn gender_text(gender: Option<Gender>) -> (String, bool) {
    gender.map(gender_words).map_or_else(|| ("no gender".into(), true), |words| (words.text, words.unsure))
}
