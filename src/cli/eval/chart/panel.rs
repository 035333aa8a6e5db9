//! Draws one panel: title, axes, bars or dots with their 95 % intervals, names of the groups.

use facelens_core::geometry::{Point, Rect};
use facelens_session::overlay::{Color, Shape, TextSize};

use super::content::{ChartSeries, Marks, Panel};
use crate::cli::chart::{Anchor, ChartAxis, DIM, GRID, INK, text};

/// Behind labels: nearly paper.
const PLATE: Color = Color { r: 255, g: 255, b: 255, a: 215 };

/// Font sizes, pixels per em.
const TITLE: f32 = 19.0;
const LABEL: f32 = 14.0;
const SMALL: f32 = 12.0;

/// Height of everything but the plot itself: title and measure above, names of groups and of the axis below.
const ABOVE: f32 = 72.0;
const BELOW: f32 = 62.0;
/// Room for the tick labels on the left and for the line over all on the right.
const LEFT: f32 = 54.0;
const RIGHT: f32 = 60.0;

/// A panel in its place.
struct Plot<'a> {
    panel: &'a Panel,
    axis: ChartAxis,
    /// The inside of the axes.
    area: Rect,
    shapes: &'a mut Vec<Shape>,
}

/// Draws a panel into `area`.
pub(super) fn draw(panel: &Panel, area: Rect, shapes: &mut Vec<Shape>) {
    let axis = if panel.percent { ChartAxis::percent() } else { value_axis(panel) };
    let inside = Rect::new(area.x + LEFT, area.y + ABOVE, area.width - LEFT - RIGHT, area.height - ABOVE - BELOW);
    let mut plot = Plot { panel, axis, area: inside, shapes };
    plot.head(area);
    plot.value_axis();
    plot.categories();
    let labels = match panel.marks {
        Marks::Bars => plot.bars(),
        Marks::Dots => plot.dots(),
    };
    plot.overall();
    // Over the line, which would strike them through.
    plot.shapes.extend(labels);
}

/// An axis for the values and their intervals, with room for the labels below negative bars. Where no value is negative
/// (errors without a sign), it begins at 0: an interval that reaches below says only that there are few faces.
fn value_axis(panel: &Panel) -> ChartAxis {
    /// Height of a label, as a part of the plot's.
    const LABEL_ROOM: f64 = 0.09;
    let means = || panel.series.iter().flat_map(|series| series.values.iter().flatten());
    let ends = || means().flat_map(|mean| [mean.interval.0, mean.interval.1, mean.value]).chain(panel.overall);
    if means().all(|mean| mean.value >= 0.0) {
        return ChartAxis::around(ends().map(|end| end.max(0.0)));
    }
    let axis = ChartAxis::around(ends());
    let room = LABEL_ROOM * (axis.high - axis.low);
    let lowest = means().filter(|mean| mean.value < 0.0).map(|mean| mean.interval.0.min(mean.value) - room);
    ChartAxis::around(ends().chain(lowest))
}

impl Plot<'_> {
    fn head(&mut self, area: Rect) {
        self.shapes.push(text(&self.panel.title, area.x, area.y, TITLE, INK, Anchor::Start));
        self.shapes.push(text(&self.panel.measure, area.x, area.y + 25.0, LABEL, DIM, Anchor::Start));
        if self.panel.series.len() < 2 {
            return;
        }
        let mut right = self.area.right();
        for series in self.panel.series.iter().rev() {
            let width = TextSize::of(series.name, LABEL).width;
            self.shapes.push(text(series.name, right, area.y + 25.0, LABEL, INK, Anchor::End));
            let swatch = Rect::new(right - width - 18.0, area.y + 28.0, 12.0, 12.0);
            self.shapes.push(Shape::Rect {
                rect: swatch,
                radius: 2.0,
                fill: series.colors.first().copied(),
                stroke: None,
            });
            right -= width + 34.0;
        }
    }

    fn y(&self, value: f64) -> f32 {
        self.area.bottom() - self.axis.place(value) as f32 * self.area.height
    }

    fn horizontal(&mut self, y: f32, width: f32, color: Color) {
        let (from, to) = (Point { x: self.area.x, y }, Point { x: self.area.right(), y });
        self.shapes.push(Shape::Line { from, to, width, color });
    }

    fn value_axis(&mut self) {
        let decimals = self.axis.decimals();
        for tick in self.axis.ticks.clone() {
            let y = self.y(tick);
            // The line at 0 is drawn over the bars.
            if tick != 0.0 {
                self.horizontal(y, 1.0, GRID);
            }
            let words = self.words(tick, if self.panel.percent { 0 } else { decimals });
            let words = if self.panel.percent { format!("{words} %") } else { words };
            let half = TextSize::of(&words, SMALL).height / 2.0;
            self.shapes.push(text(&words, self.area.x - 8.0, y - half, SMALL, DIM, Anchor::End));
        }
    }

    /// A value with a real minus, in hundredths where it is a share.
    fn words(&self, value: f64, decimals: usize) -> String {
        let value = if self.panel.percent { value * 100.0 } else { value };
        let words = format!("{:.decimals$}", value.abs());
        // What rounds to 0 has no sign.
        let is_zero = words.chars().all(|c| matches!(c, '0' | '.'));
        if value < 0.0 && !is_zero { format!("−{words}") } else { words }
    }

    /// Width of a category's place, and its middle.
    fn slot(&self, place: usize) -> (f32, f32) {
        let width = self.area.width / self.panel.categories.len().max(1) as f32;
        (width, self.area.x + (place as f32 + 0.5) * width)
    }

    fn categories(&mut self) {
        let categories = &self.panel.categories;
        let counts: Vec<String> = categories.iter().map(|category| grouped(category.n)).collect();
        let (slot, _) = self.slot(0);
        let every = |widest: f32| ((widest + 6.0) / slot).ceil().max(1.0) as usize;
        let widest = |words: &mut dyn Iterator<Item = &String>, size| {
            words.map(|words| TextSize::of(words, size).width).fold(0.0, f32::max)
        };
        let names = every(widest(&mut categories.iter().map(|category| &category.name), LABEL));
        let numbers = every(widest(&mut counts.iter(), SMALL));
        let bottom = self.area.bottom();
        for (place, (category, count)) in categories.iter().zip(&counts).enumerate() {
            let (_, middle) = self.slot(place);
            if place % names == 0 {
                self.shapes.push(text(&category.name, middle, bottom + 6.0, LABEL, INK, Anchor::Middle));
            }
            if place % numbers.max(names) == 0 {
                self.shapes.push(text(count, middle, bottom + 23.0, SMALL, DIM, Anchor::Middle));
            }
        }
        self.shapes.push(text("n", self.area.x - 8.0, bottom + 23.0, SMALL, DIM, Anchor::End));
        let by = self.area.x + self.area.width / 2.0;
        self.shapes.push(text(&self.panel.by, by, bottom + 42.0, SMALL, DIM, Anchor::Middle));
    }

    /// Draws bars and gives their labels.
    fn bars(&mut self) -> Vec<Shape> {
        let mut labels = Vec::new();
        let (slot, _) = self.slot(0);
        let count = self.panel.series.len().max(1) as f32;
        let share = if count > 1.0 { 0.84 } else { 0.72 };
        let width = (slot * share / count).min(56.0);
        let decimals = self.decimals_that_fit(width * if count > 1.0 { 1.0 } else { 1.35 });
        let zero = self.y(0.0);
        for (index, series) in self.panel.series.iter().enumerate() {
            let aside = (index as f32 - (count - 1.0) / 2.0) * width;
            for (place, mean) in series.values.iter().enumerate() {
                let Some(mean) = mean else { continue };
                let (x, y) = (self.slot(place).1 + aside, self.y(mean.value));
                let inset = if count > 1.0 { 1.0 } else { 0.0 };
                let rect = Rect::new(x - width / 2.0 + inset, zero.min(y), width - 2.0 * inset, (zero - y).abs());
                self.shapes.push(Shape::Rect { rect, radius: 0.0, fill: Some(color(series, place)), stroke: None });
                let (low, high) = self.whisker(x, mean.interval, INK);
                let Some(decimals) = decimals else { continue };
                let words = self.words(mean.value, decimals);
                let size = TextSize::of(&words, SMALL);
                let top = if mean.value < 0.0 { low.max(y) + 2.0 } else { high.min(y) - size.height - 2.0 };
                let plate = Rect::new(x - size.width / 2.0, top + 1.0, size.width, size.height - 2.0);
                labels.push(Shape::Rect { rect: plate, radius: 2.0, fill: Some(PLATE), stroke: None });
                labels.push(text(&words, x, top, SMALL, INK, Anchor::Middle));
            }
        }
        self.horizontal(zero, 1.5, INK);
        labels
    }

    /// Draws dots; they have no labels.
    fn dots(&mut self) -> Vec<Shape> {
        let (slot, _) = self.slot(0);
        let count = self.panel.series.len() as f32;
        for (index, series) in self.panel.series.iter().enumerate() {
            // Beside each other, so that no interval hides another.
            let aside = (index as f32 - (count - 1.0) / 2.0) * (slot * 0.16).min(7.0);
            let at = |place: usize, value: f64| Point { x: self.slot(place).1 + aside, y: self.y(value) };
            let mut points = Vec::new();
            // No line leads over a category without a value.
            let mut lines: Vec<Vec<Point>> = vec![Vec::new()];
            for (place, mean) in series.values.iter().enumerate() {
                match mean {
                    Some(mean) => {
                        let point = at(place, mean.value);
                        points.push((point, mean.interval));
                        lines.last_mut().into_iter().for_each(|line| line.push(point));
                    }
                    None => lines.push(Vec::new()),
                }
            }
            let color = color(series, 0);
            for points in lines.into_iter().filter(|line| line.len() > 1) {
                self.shapes.push(Shape::Polyline { points, width: 2.0, color });
            }
            for (point, interval) in points {
                self.whisker(point.x, interval, color);
                self.shapes.push(Shape::Line { from: point, to: point, width: 8.0, color });
            }
        }
        let zero = self.y(0.0);
        self.horizontal(zero, 1.5, INK);
        Vec::new()
    }

    /// Draws an interval and gives where it ends: below and above. One of no length says nothing and is left out.
    fn whisker(&mut self, x: f32, (low, high): (f64, f64), color: Color) -> (f32, f32) {
        let (bottom, top) = (self.y(low), self.y(high));
        if high > low {
            let mut line = |from: (f32, f32), to: (f32, f32)| {
                let at = |(x, y)| Point { x, y };
                self.shapes.push(Shape::Line { from: at(from), to: at(to), width: 1.4, color });
            };
            line((x, bottom), (x, top));
            line((x - 3.5, bottom), (x + 3.5, bottom));
            line((x - 3.5, top), (x + 3.5, top));
        }
        (bottom, top)
    }

    /// With how many decimals every value can be written over its bar; `None` where not even whole numbers fit.
    fn decimals_that_fit(&self, room: f32) -> Option<usize> {
        let values = || self.panel.series.iter().flat_map(|series| series.values.iter().flatten());
        let largest = values().map(|mean| mean.value.abs()).fold(0.0, f64::max);
        let most = if largest >= 100.0 || self.panel.series.len() > 1 {
            0
        } else {
            usize::from(!self.panel.percent || room > 30.0)
        };
        (0..=most)
            .rev()
            .find(|&decimals| values().all(|mean| TextSize::of(&self.words(mean.value, decimals), SMALL).width <= room))
    }

    /// The line of the value over everything, named at its right end.
    fn overall(&mut self) {
        let Some(value) = self.panel.overall else { return };
        let y = self.y(value);
        let mut x = self.area.x;
        while x < self.area.right() {
            let (from, to) = (Point { x, y }, Point { x: (x + 5.0).min(self.area.right()), y });
            self.shapes.push(Shape::Line { from, to, width: 1.3, color: DIM });
            x += 10.0;
        }
        let words = self.words(value, 1);
        let words = if self.panel.percent { format!("{words} %") } else { words };
        let line = TextSize::of(&words, SMALL).height;
        let x = self.area.right() + 6.0;
        self.shapes.push(text("all", x, y - line, SMALL, DIM, Anchor::Start));
        self.shapes.push(text(&words, x, y, SMALL, INK, Anchor::Start));
    }
}

fn color(series: &ChartSeries, place: usize) -> Color {
    series.colors.get(place).or(series.colors.first()).copied().unwrap_or(INK)
}

/// A count with a comma between thousands.
pub(super) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut words = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            words.push(',');
        }
        words.push(digit);
    }
    words
}
