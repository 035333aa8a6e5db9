//! The walkers among the people: one row of fixed height for each.

use eframe::egui::{self, Color32, FontId, Rect, RichText, Sense, TextureHandle, pos2, vec2};
use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, Measures, WalkState, Walker};
use facelens_session::overlay::gait_age_words;

use super::super::command::AppCommand;
use super::super::gait::{direction_words, measure_words};
use super::super::state::App;
use super::super::theme;
use crate::pipeline::GaitView;

/// Height of a row in points.
const ROW_HEIGHT: f32 = GEI_HEIGHT as f32 + 24.0;

/// Height of one row with its title and the model.
pub(super) const LEAST_HEIGHT: f32 = ROW_HEIGHT + 72.0;

/// What a row says.
pub(in crate::app) struct GaitPanelRow<'a> {
    /// Whose it is.
    pub id: u64,
    /// The gait energy image, where there is one.
    pub image: Option<&'a TextureHandle>,
    /// Where they walk to, or why there is no gait.
    pub state: String,
    /// Whether the state is a reason to wait.
    pub waits: bool,
    /// The figures.
    pub measures: Measures,
    /// What the gait says of the age.
    pub age: Option<String>,
}

/// Shows the walkers of the live picture under the people; nothing where the gaits are off.
pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let Some(view) = app.gait.view() else { return };
    let count = view.walkers.len();
    let rate = if view.fps > 0.0 { format!("  ·  {:.0} a second", view.fps) } else { String::new() };
    super::title(ui, &format!("GAIT  {count}{rate}"));
    if view.walkers.is_empty() {
        let words = if view.loading {
            "Preparing the networks…"
        } else {
            "Nobody is fully visible: head to feet, at least 80 pixels high."
        };
        ui.label(RichText::new(words).color(theme::colors().weak));
    }
    for walker in &view.walkers {
        row(ui, &of_walker(app, walker));
    }
    model(app, view, ui, commands);
}

/// Which model tells the age by gait, and a button to choose another.
fn model(app: &App, view: &GaitView, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let file = app.settings.gait_model.as_ref();
    let name = file.and_then(|file| file.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
    let (words, color) = match (&view.age_error, name) {
        (Some(error), _) => (error.clone(), theme::colors().bad),
        (None, Some(name)) => (format!("Age by gait: {name}"), theme::colors().weak),
        (None, None) => ("No model estimates the age from gait.".to_owned(), theme::colors().weak),
    };
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if file.is_some() && ui.button("None").on_hover_text("Do not estimate the age from gait").clicked() {
                commands.push(AppCommand::NoGaitModel);
            }
            let load =
                ui.button("Load…").on_hover_text("Load a model that estimates the age from gait: its card (.toml)");
            if load.accessible_name("Load a model for the age by gait").clicked() {
                commands.push(AppCommand::PickGaitModel);
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let label = egui::Label::new(RichText::new(&words).small().color(color)).truncate();
                ui.add(label).on_hover_text(&words);
            });
        });
    });
}

fn of_walker<'a>(app: &'a App, walker: &Walker) -> GaitPanelRow<'a> {
    let (state, waits) = match walker.state {
        WalkState::Waiting(waiting) => (waiting.words().to_owned(), true),
        WalkState::Walking { strides: 0 } => ("walks: the first stride is not complete".to_owned(), true),
        WalkState::Walking { strides } => {
            let direction = walker.measures.direction_deg.map(|degrees| direction_words(degrees, app.mirrored()));
            let count = if strides == 1 { "1 stride".to_owned() } else { format!("{strides} strides") };
            (format!("{} · {count}", direction.unwrap_or("walks")), false)
        }
    };
    GaitPanelRow {
        id: walker.id,
        image: app.gait.texture(walker.id),
        state,
        waits,
        measures: walker.measures,
        age: walker.age.as_ref().map(gait_age_words),
    }
}

/// One row: the image at the left, number, state and figures beside it.
pub(in crate::app) fn row(ui: &mut egui::Ui, row: &GaitPanelRow<'_>) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::hover());
    let [pace, body] = measure_words(&row.measures);
    let figures: Vec<&str> = [pace.as_str(), body.as_str(), row.age.as_deref().unwrap_or_default()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    response.widget_info(|| {
        let spoken =
            format!("Gait of person {}: {}", row.id, [&[row.state.as_str()], figures.as_slice()].concat().join(", "));
        egui::WidgetInfo::labeled(egui::Role::ListItem, true, spoken)
    });
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 8.0, theme::colors().card);
    let inside = rect.shrink(theme::STEP);
    let image = Rect::from_min_size(inside.min, vec2(GEI_WIDTH as f32, GEI_HEIGHT as f32));
    match row.image {
        Some(texture) => {
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(texture.id(), image, whole, Color32::WHITE);
        }
        None => {
            painter.rect_filled(image, 4.0, theme::colors().stage);
        }
    }
    let color = theme::id_color(row.id);
    painter.rect_stroke(image, 4.0, egui::Stroke::new(1.5, color), egui::StrokeKind::Outside);
    let left = image.right() + 12.0;
    let number = theme::id_tag(&painter, inside.right_top(), row.id);
    let width = |right: f32| (right - left).max(0.0);
    let line = |y: f32, right: f32, text: &str, size: f32, color: Color32| {
        let galley = painter.layout(text.to_owned(), FontId::proportional(size), color, width(right));
        let height = galley.size().y;
        painter.galley(pos2(left, y), galley, color);
        y + height
    };
    let tone = if row.waits { theme::colors().weak } else { theme::colors().text };
    let mut y = line(inside.top() - 1.0, number.left() - 8.0, &row.state, 14.0, tone) + 3.0;
    for text in figures {
        y = line(y, inside.right(), text, 12.0, theme::colors().weak) + 1.0;
    }
}
