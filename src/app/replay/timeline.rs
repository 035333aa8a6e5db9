//! Yaw, pitch, roll and age of everybody over the whole session, and the playhead.

use eframe::egui::{
    self, Align2, Color32, FontId, Margin, Painter, Pos2, Rect, Sense, Shape, Stroke, Vec2, pos2, vec2,
};
use facelens_session::SessionFolder;
use facelens_session::replay::{Curve, CurvePoint, Playback, Quantity, curve};

use super::super::command::{AppCommand, ReplayCommand};
use super::super::theme;
use super::{Replay, clock, transport};

/// Between two lanes, points.
const GAP: f32 = theme::HALF;
/// Width of the lanes' names.
const NAMES: f32 = 52.0;
/// Height of the times under the lanes.
const AXIS: f32 = 18.0;
/// Height of a person's line in the lane that shows who is there, and of the space below it.
const PRESENCE: (f32, f32) = (4.0, 2.0);
/// More people than this share the lane that shows who is there.
const MOST_PRESENT: usize = 8;
/// Two times under the lanes are at least this far apart, points.
const TICK_SPACE: f32 = 72.0;

/// The curves of everybody, made for one width.
#[derive(Default)]
pub(crate) struct Curves {
    width: usize,
    people: Vec<(u64, [Curve; 4])>,
    /// The top of each lane's scale: years, or degrees either way.
    tops: [f32; 4],
}

impl Curves {
    /// Makes the curves anew where the width has changed.
    fn fit(&mut self, session: &SessionFolder, playback: &Playback, width: f32) {
        let width = width.max(1.0) as usize;
        if self.width == width {
            return;
        }
        self.width = width;
        let of_person =
            |person| Quantity::ALL.map(|quantity| curve(&session.rows, person, quantity, playback.duration_s(), width));
        self.people = playback.people().iter().map(|person| (person.id, of_person(person))).collect();
        self.tops = [0, 1, 2, 3].map(|lane| {
            let curves = self.people.iter().flat_map(|(_, curves)| curves[lane].iter().flatten());
            let most = curves.map(|point| point.high.abs().max(point.low.abs())).fold(0.0, f32::max);
            let (step, least) = if lane == 3 { (20.0, 60.0) } else { (15.0, 30.0) };
            // A little room above the highest point.
            ((most * 1.05 / step).ceil() * step).max(least)
        });
    }
}

/// Shows the timeline of the session.
pub(in crate::app) fn show(replay: &mut Replay, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let window = ui.ctx().content_rect().height();
    let lane = (window * 0.06).clamp(26.0, 48.0).round();
    let present = replay.playback.people().len().min(MOST_PRESENT) as f32 * (PRESENCE.0 + PRESENCE.1);
    let lanes = 4.0 * (lane + GAP) + present + AXIS;
    let frame = theme::bar(Margin { left: 12, right: 12, top: 8, bottom: 4 });
    let height = transport::HEIGHT + theme::STEP + lanes + 12.0;
    egui::Panel::bottom("timeline").frame(frame).exact_size(height).resizable(false).show(ui, |ui| {
        transport::show(replay, ui, commands);
        show_lanes(replay, ui, vec2(ui.available_width(), lanes), lane, commands);
    });
}

fn show_lanes(replay: &mut Replay, ui: &mut egui::Ui, size: Vec2, lane: f32, commands: &mut Vec<AppCommand>) {
    let (whole, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let spoken = "Timeline in seconds: yaw, pitch, roll and age";
    let position = replay.playback.position_s();
    response.widget_info(|| egui::WidgetInfo::slider(true, position, spoken));
    // The last point's playhead is inside.
    let plot = whole.with_min_x(whole.left() + NAMES).with_max_x(whole.right() - 2.0);
    replay.curves.fit(&replay.session, &replay.playback, plot.width());
    let playback = &replay.playback;
    let across = Across { plot, duration_s: playback.duration_s() };
    let painter = ui.painter_at(whole);
    for (place, quantity) in Quantity::ALL.into_iter().enumerate() {
        let top = whole.top() + place as f32 * (lane + GAP);
        let rect = Rect::from_min_max(pos2(plot.left(), top), pos2(plot.right(), top + lane));
        paint_lane(&painter, rect, across, replay, place, quantity);
    }
    let present = whole.top() + 4.0 * (lane + GAP);
    let below = paint_presence(&painter, present, across, playback);
    paint_axis(&painter, below, across);

    let pointer = response.hover_pos().filter(|pos| pos.x >= plot.left() - 4.0);
    if let Some(pos) = pointer.filter(|_| !response.dragged()) {
        let x = pos.x.clamp(plot.left(), plot.right());
        painter.vline(x, whole.top()..=below, Stroke::new(1.0, theme::DARK.weak.gamma_multiply(0.6)));
        response.clone().on_hover_text_at_pointer(clock(across.time(x), 2));
    }
    paint_playhead(&painter, across.x(playback.position_s()), whole.top()..=below);
    steer(&response, across, commands);
}

/// Clicks and drags move the playhead.
fn steer(response: &egui::Response, across: Across, commands: &mut Vec<AppCommand>) {
    let time = response.interact_pointer_pos().map(|pos| across.time(pos.x));
    if let Some(time) = time.filter(|_| response.dragged()) {
        commands.push(AppCommand::Replay(ReplayCommand::Scrub(time)));
    } else if let Some(time) = time.filter(|_| response.clicked()) {
        commands.push(AppCommand::Replay(ReplayCommand::Seek(time)));
    }
    if response.drag_stopped() {
        commands.push(AppCommand::Replay(ReplayCommand::Release));
    }
}

/// Time from left to right.
#[derive(Clone, Copy)]
struct Across {
    plot: Rect,
    duration_s: f64,
}

impl Across {
    fn x(self, time_s: f64) -> f32 {
        let part = if self.duration_s > 0.0 { (time_s / self.duration_s).clamp(0.0, 1.0) as f32 } else { 0.0 };
        self.plot.left() + self.plot.width() * part
    }

    fn time(self, x: f32) -> f64 {
        f64::from(((x - self.plot.left()) / self.plot.width().max(1.0)).clamp(0.0, 1.0)) * self.duration_s
    }
}

fn paint_lane(painter: &Painter, rect: Rect, across: Across, replay: &Replay, place: usize, quantity: Quantity) {
    painter.rect_filled(rect, 4.0, theme::DARK.stage);
    let top = replay.curves.tops[place];
    let is_age = quantity == Quantity::Age;
    let (name, color) = match quantity {
        Quantity::Yaw => ("Yaw", theme::colors().angles[0]),
        Quantity::Pitch => ("Pitch", theme::colors().angles[1]),
        Quantity::Roll => ("Roll", theme::colors().angles[2]),
        Quantity::Age => ("Age", theme::colors().text),
    };
    let left = pos2(rect.left() - NAMES, rect.center().y);
    painter.text(left - vec2(0.0, 6.0), Align2::LEFT_CENTER, name, FontId::proportional(12.0), color);
    let scale = if is_age { format!("0–{top:.0}") } else { format!("±{top:.0}°") };
    painter.text(left + vec2(0.0, 7.0), Align2::LEFT_CENTER, scale, FontId::proportional(10.0), theme::colors().weak);

    let inner = rect.shrink2(vec2(0.0, 2.0));
    let y = |value: f32| {
        let part = if is_age { value / top } else { value / top / 2.0 + 0.5 };
        inner.bottom() - inner.height() * part.clamp(0.0, 1.0)
    };
    let line = Stroke::new(1.0, theme::DARK.line);
    let grid: &[f32] = if is_age { &[20.0, 40.0, 60.0, 80.0] } else { &[0.0] };
    for value in grid.iter().filter(|value| **value < top) {
        painter.hline(rect.x_range(), y(*value), line);
    }
    let people = &replay.curves.people;
    if !people.is_empty() && people.iter().all(|(_, curves)| curves[place].is_empty()) {
        let words = if is_age { "no age model was in use" } else { "no head pose model was in use" };
        let at = rect.left_center() + vec2(theme::STEP, 0.0);
        let shown = painter.layout_no_wrap(words.to_owned(), FontId::proportional(11.0), theme::DARK.weak);
        // The line in the middle does not strike the words through.
        let ground =
            Rect::from_min_size(at - vec2(theme::HALF, shown.size().y / 2.0), shown.size() + vec2(theme::STEP, 0.0));
        painter.rect_filled(ground, 0.0, theme::DARK.stage);
        painter.galley(at - vec2(0.0, shown.size().y / 2.0), shown, theme::DARK.weak);
    }
    let painter = painter.with_clip_rect(rect);
    let only = replay.playback.only();
    let dimmed = |id: u64| only.is_some_and(|only| only != id);
    // The chosen one is painted last, over the others.
    let (back, front): (Vec<_>, Vec<_>) = replay.curves.people.iter().partition(|(id, _)| dimmed(*id));
    for (id, curves) in back.into_iter().chain(front) {
        let color = theme::id_color(*id).gamma_multiply(if dimmed(*id) { 0.25 } else { 1.0 });
        for piece in &curves[place] {
            paint_piece(&painter, piece, across, y, color);
        }
    }
}

/// A line through the points; where one holds several samples, an upright line from the smallest to the largest.
fn paint_piece(painter: &Painter, piece: &[CurvePoint], across: Across, y: impl Fn(f32) -> f32, color: Color32) {
    let mut points: Vec<Pos2> = Vec::with_capacity(piece.len());
    for point in piece {
        let x = across.x(point.time_s);
        points.push(pos2(x, y(point.low)));
        if point.high > point.low {
            points.push(pos2(x, y(point.high)));
        }
    }
    match points.as_slice() {
        [] => {}
        [single] => {
            painter.circle_filled(*single, 1.5, color);
        }
        _ => {
            painter.add(Shape::line(points, Stroke::new(1.5, color)));
        }
    }
}

/// A thin line for each person while there; gives where it ends below.
fn paint_presence(painter: &Painter, top: f32, across: Across, playback: &Playback) -> f32 {
    let mut y = top;
    for person in playback.people().iter().take(MOST_PRESENT) {
        let only = playback.only().is_none_or(|only| only == person.id);
        let color = theme::id_color(person.id).gamma_multiply(if only { 1.0 } else { 0.25 });
        for there in &person.appearances {
            let (from, to) = (across.x(there.from_s), across.x(there.to_s));
            let rect = Rect::from_min_max(pos2(from, y), pos2(to.max(from + 2.0), y + PRESENCE.0));
            painter.rect_filled(rect, 2.0, color);
        }
        y += PRESENCE.0 + PRESENCE.1;
    }
    y
}

/// Seconds between two times under the lanes, so that they do not touch.
fn tick_step(duration_s: f64, width: f32) -> f64 {
    const STEPS: [f64; 17] =
        [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0];
    let least = duration_s * f64::from(TICK_SPACE) / f64::from(width.max(1.0));
    STEPS.into_iter().find(|step| *step >= least).unwrap_or(least)
}

fn paint_axis(painter: &Painter, top: f32, across: Across) {
    let Across { plot, duration_s } = across;
    let step = tick_step(duration_s, plot.width());
    let decimals = usize::from(step < 1.0);
    let mut tick = 0;
    loop {
        let time = f64::from(tick) * step;
        let x = across.x(time);
        // The last one is left out where it would be cut off.
        if time > duration_s || (tick > 0 && (x > plot.right() - 16.0 || step <= 0.0)) {
            return;
        }
        let align = if tick == 0 { Align2::LEFT_TOP } else { Align2::CENTER_TOP };
        painter.vline(x, top..=top + 3.0, Stroke::new(1.0, theme::colors().weak));
        let font = FontId::proportional(11.0);
        painter.text(pos2(x, top + 3.0), align, clock(time, decimals), font, theme::colors().weak);
        tick += 1;
    }
}

fn paint_playhead(painter: &Painter, x: f32, range: std::ops::RangeInclusive<f32>) {
    let top = *range.start();
    painter.vline(x, range.clone(), Stroke::new(3.5, theme::DARK.panel));
    painter.vline(x, range, Stroke::new(1.5, Color32::WHITE));
    let head = vec![pos2(x - 5.0, top), pos2(x + 5.0, top), pos2(x, top + 7.0)];
    painter.add(Shape::convex_polygon(head, Color32::WHITE, Stroke::NONE));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_under_the_lanes_do_not_touch() {
        for (duration, width) in [(0.4, 600.0), (5.0, 600.0), (65.0, 900.0), (3600.0, 500.0), (1e6, 500.0)] {
            let step = tick_step(duration, width);
            assert!(step / duration * f64::from(width) >= f64::from(TICK_SPACE) - 0.01, "{duration} {width}: {step}");
        }
        assert_eq!(tick_step(60.0, 800.0), 10.0);
    }

    #[test]
    fn time_and_place_are_each_other_s_inverse() {
        let plot = Rect::from_min_size(pos2(50.0, 0.0), vec2(200.0, 10.0));
        let across = Across { plot, duration_s: 10.0 };
        assert_eq!((across.x(5.0), across.time(150.0)), (150.0, 5.0));
        assert_eq!((across.time(-9.0), across.time(900.0)), (0.0, 10.0));
        assert_eq!(Across { plot, duration_s: 0.0 }.x(3.0), 50.0);
    }
}
