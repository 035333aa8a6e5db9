//! One row for a person: large with histories, or small.

use eframe::egui::{self, Align2, Color32, FontId, Painter, Rect, Sense, pos2, vec2};
use facelens_core::geometry::Pose;
use facelens_core::track::Face;
use facelens_session::overlay::{Words, age_words, gender_words};

use super::super::command::AppCommand;
use super::super::people::PersonEntry;
use super::super::state::App;
use super::super::{elide, sparkline, theme};
use crate::outputs::Follow;

/// Height of a large row in points.
pub(super) const FULL_HEIGHT: f32 = 100.0;
/// Height of a small row in points.
pub(super) const COMPACT_HEIGHT: f32 = 38.0;
/// Side of the crop in a large row.
const CROP: f32 = 56.0;
/// Width of an angle in a small row.
const ANGLE_WIDTH: f32 = 36.0;

const HISTORIES_HINT: &str = "Left: age over the last 20 s with its range (80 %), 0 to 80 years.\nRight: yaw (red), \
                              pitch (green) and roll (blue), -60 to 60 degrees.";
const FOLLOW_HINT: &str = "Click: send this head to opentrack; click again: send that of the largest face";

pub(super) fn show(app: &App, ui: &mut egui::Ui, person: &PersonEntry, compact: bool, commands: &mut Vec<AppCommand>) {
    // A click chooses whose head opentrack gets.
    let opentrack = app.outputs.options.opentrack.is_some();
    let sense = if opentrack { Sense::click() } else { Sense::hover() };
    let height = if compact { COMPACT_HEIGHT } else { FULL_HEIGHT };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), sense);
    let face = &person.face;
    let followed = app.outputs.follow == Follow::Person(face.id);
    let words = words(app, face);
    response.widget_info(|| match opentrack {
        true => egui::WidgetInfo::selected(egui::Role::Button, true, followed, spoken(person, &words)),
        false => egui::WidgetInfo::labeled(egui::Role::ListItem, true, spoken(person, &words)),
    });
    if response.clicked() {
        commands.push(AppCommand::Follow(face.id));
    }
    let mut painter = ui.painter_at(rect);
    if person.away {
        painter.set_opacity(0.45);
    }
    let colors = theme::colors();
    let radius = if compact { 6.0 } else { 8.0 };
    painter.rect_filled(rect, radius, colors.card);
    if opentrack && (followed || response.has_focus()) {
        let color = if response.has_focus() { colors.focus } else { colors.accent };
        painter.rect_stroke(rect, radius, egui::Stroke::new(2.0, color), egui::StrokeKind::Inside);
    }
    let sent = app.outputs.status.as_ref().is_some_and(|status| status.followed == Some(face.id));
    let mark = if sent && !person.away { "opentrack" } else { "" };
    let row = PersonRow { painter: &painter, rect, person, words: &words, mark };
    if compact {
        row.compact(ui);
    } else {
        row.full(ui, app.people.now);
    }
    if opentrack {
        response.clone().on_hover_text(FOLLOW_HINT);
    }
    if !compact {
        response.on_hover_text(HISTORIES_HINT);
    }
}

/// What a row says of somebody, but for what is not to be shown.
fn words(app: &App, face: &Face) -> Vec<Words> {
    let unknown = |text: &str| Words { text: text.to_owned(), unsure: true };
    let age = app.settings.show_age.then(|| face.age.map_or_else(|| unknown("no age"), age_words));
    let gender = app.settings.show_gender.then(|| face.gender.map_or_else(|| unknown("no gender"), gender_words));
    age.into_iter().chain(gender).collect()
}

/// A row as a screen reader says it.
fn spoken(person: &PersonEntry, words: &[Words]) -> String {
    let mut parts: Vec<String> = words.iter().map(|words| words.text.clone()).collect();
    parts.push(person.face.pose.map_or_else(
        || "no head pose".to_owned(),
        |pose| {
            let [yaw, pitch, roll] = whole(pose);
            format!("yaw {yaw:.0}°, pitch {pitch:.0}°, roll {roll:.0}°")
        },
    ));
    if person.away {
        parts.push("not in view".to_owned());
    }
    format!("Person {}: {}", person.face.id, parts.join(", "))
}

/// The angles in whole degrees, without a rounded zero's sign, which would come and go.
fn whole(pose: Pose) -> [f32; 3] {
    [pose.yaw, pose.pitch, pose.roll].map(|angle| angle.round() + 0.0)
}

/// A row to paint.
struct PersonRow<'a> {
    painter: &'a Painter,
    rect: Rect,
    person: &'a PersonEntry,
    words: &'a [Words],
    /// What becomes of this person's data.
    mark: &'a str,
}

impl PersonRow<'_> {
    fn crop(&self, place: Rect, radius: f32) {
        if let Some(texture) = &self.person.crop {
            let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            let shape = egui::epaint::RectShape::filled(place, radius, Color32::WHITE);
            self.painter.add(shape.with_texture(texture.id(), uv));
        }
        let line = egui::Stroke::new(2.0, theme::id_color(self.person.face.id));
        self.painter.rect_stroke(place, radius, line, egui::StrokeKind::Inside);
    }

    /// The picture, what is said, the angles and the histories.
    fn full(&self, ui: &egui::Ui, now: f32) {
        let (painter, face) = (self.painter, &self.person.face);
        let inside = self.rect.shrink(theme::STEP);
        let crop = Rect::from_min_size(inside.min, vec2(CROP, CROP));
        self.crop(crop, 6.0);
        let at = pos2(crop.right() + 12.0, inside.top());
        let tag = theme::id_tag(painter, inside.right_top(), face.id);
        // Below the number: beside it, it would run into a long age.
        let below = pos2(inside.right(), at.y + 23.0);
        painter.text(below, Align2::RIGHT_TOP, self.mark, FontId::proportional(12.0), theme::colors().accent);
        for (words, (row, size)) in self.words.iter().zip([(0.0, 16.0), (21.0, 14.0)]) {
            let font = FontId::proportional(size);
            let shown = elide::middle(ui, &words.text, &font, tag.left() - theme::HALF - at.x);
            painter.text(at + vec2(0.0, row), Align2::LEFT_TOP, shown, font, color(words));
        }
        let at = at + vec2(0.0, 42.0);
        match face.pose {
            Some(pose) => self.angles(pose, at, 56.0, 12.0, Align2::LEFT_TOP),
            None => {
                let font = FontId::proportional(12.0);
                painter.text(at, Align2::LEFT_TOP, "no head pose", font, theme::colors().weak);
            }
        }
        let histories = Rect::from_min_max(pos2(inside.left(), crop.bottom() + theme::STEP), inside.max);
        let (left, right) = histories.split_left_right_at_fraction(0.5);
        let samples = self.person.history.iter();
        sparkline::age(painter, left.with_max_x(left.right() - theme::HALF), now, &samples, theme::DARK.text);
        sparkline::pose(painter, right.with_min_x(right.left() + theme::HALF), now, &samples);
    }

    /// Two lines: the age and the number; the gender and the angles.
    fn compact(&self, ui: &egui::Ui) {
        let (painter, face) = (self.painter, &self.person.face);
        let inside = self.rect.shrink(theme::HALF);
        let crop = Rect::from_min_size(inside.min, vec2(inside.height(), inside.height()));
        self.crop(crop, 4.0);
        let left = crop.right() + theme::STEP;
        let tag = theme::id_tag(painter, inside.right_top() + vec2(-theme::HALF, -1.0), face.id);
        let mark = pos2(tag.left() - theme::HALF, tag.center().y);
        let small = FontId::proportional(12.0);
        let mark = painter.text(mark, Align2::RIGHT_CENTER, self.mark, small.clone(), theme::colors().accent);
        let line = |words: &Words, y: f32, right: f32, font: FontId| {
            let shown = elide::middle(ui, &words.text, &font, right - left - theme::HALF);
            painter.text(pos2(left, y), Align2::LEFT_TOP, shown, font, color(words));
        };
        if let Some(words) = self.words.first() {
            line(words, inside.top() - 2.0, mark.left(), FontId::proportional(14.0));
        }
        let angles = inside.right() - 3.0 * ANGLE_WIDTH;
        if let Some(words) = self.words.get(1) {
            line(words, inside.top() + 16.0, angles, small.clone());
        }
        match face.pose {
            Some(pose) => {
                let at = pos2(angles, inside.top() + 17.0);
                self.angles(pose, at, ANGLE_WIDTH, 11.0, Align2::LEFT_TOP);
            }
            None => {
                let at = pos2(inside.right() - theme::HALF, inside.top() + 16.0);
                painter.text(at, Align2::RIGHT_TOP, "no head pose", small, theme::colors().weak);
            }
        }
    }

    /// The three angles in the colours of the history, each in a column of its own.
    fn angles(&self, pose: Pose, at: egui::Pos2, column: f32, font_size: f32, align: Align2) {
        let narrow = column < 40.0;
        for (place, (name, angle)) in ["Y", "P", "R"].into_iter().zip(whole(pose)).enumerate() {
            let text = if narrow { format!("{name}{angle:>+3.0}°") } else { format!("{name}{angle:>+4.0}°") };
            let color = theme::colors().angles[place];
            self.painter.text(at + vec2(place as f32 * column, 0.0), align, text, FontId::monospace(font_size), color);
        }
    }
}

/// What is said with reserve stands back.
fn color(words: &Words) -> Color32 {
    if words.unsure { theme::colors().weak } else { theme::colors().text }
}
