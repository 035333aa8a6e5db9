//! The strides of a session: for each walker the one at the time that is shown, or the last one before it.

use eframe::egui::{self, TextureHandle, TextureOptions};
use facelens_gait::{GaitAge, GaitEstimate, Measures};
use facelens_session::GaitRow;
use facelens_session::overlay::gait_age_words;

use super::super::gait::{direction_words, picture};
use super::super::theme;
use super::super::walker_row;
use super::Replay;

/// The images of the strides that are shown: one for each walker.
#[derive(Default)]
pub(crate) struct GaitImages(Vec<(u64, Option<String>, Option<TextureHandle>)>);

impl GaitImages {
    /// Loads the image of a stride where another one of the walker was shown.
    fn show(&mut self, ctx: &egui::Context, replay: &facelens_session::SessionFolder, stride: &GaitRow) {
        let texture = || {
            let gei = replay.stride_image(stride)?;
            Some(ctx.load_texture("gait energy image", picture(&gei), TextureOptions::LINEAR))
        };
        match self.0.iter_mut().find(|(id, ..)| *id == stride.id) {
            Some((_, name, _)) if *name == stride.gei => {}
            Some(known) => *known = (stride.id, stride.gei.clone(), texture()),
            None => self.0.push((stride.id, stride.gei.clone(), texture())),
        }
    }

    fn of(&self, id: u64) -> Option<&TextureHandle> {
        self.0.iter().find(|(known, ..)| *known == id)?.2.as_ref()
    }
}

/// Each walker's stride at `time_s`: the last one that began by then, else the first; with its number and their count.
fn strides_at(rows: &[GaitRow], only: Option<u64>, time_s: f64) -> Vec<(&GaitRow, usize, usize)> {
    let mut ids: Vec<u64> = rows.iter().map(|row| row.id).filter(|id| only.is_none_or(|only| only == *id)).collect();
    ids.sort_unstable();
    ids.dedup();
    let at = |id: u64| {
        let of: Vec<&GaitRow> = rows.iter().filter(|row| row.id == id).collect();
        let number = of.partition_point(|row| row.start_s <= time_s + 0.0005).max(1);
        of.get(number - 1).map(|row| (*row, number, of.len()))
    };
    ids.into_iter().filter_map(at).collect()
}

/// Loads what [`show`] needs.
pub(super) fn prepare(replay: &mut Replay, ctx: &egui::Context) {
    let session = std::sync::Arc::clone(&replay.session);
    for (stride, ..) in strides_at(&session.strides, replay.playback.only(), replay.playback.position_s()) {
        replay.images.show(ctx, &session, stride);
    }
}

/// Shows the walkers; nothing where no gait was recorded.
pub(super) fn show(replay: &Replay, ui: &mut egui::Ui) {
    if replay.session.strides.is_empty() {
        return;
    }
    let now = replay.playback.position_s();
    let strides = strides_at(&replay.session.strides, replay.playback.only(), now);
    ui.add_space(theme::STEP);
    ui.label(theme::section(format!("GAIT  {}", strides.len())));
    for (stride, number, count) in strides {
        // Half of a stride later the walker still walks, as far as anybody can tell.
        let walks = now >= stride.start_s && now <= stride.end_s + 0.5;
        let direction = stride.direction_deg.map_or("walks", |degrees| direction_words(f32::from(degrees), false));
        let state = format!("{} · stride {number} of {count}", if walks { direction } else { "not walking" });
        walker_row::show(
            ui,
            &walker_row::WalkerRow {
                id: stride.id,
                image: replay.images.of(stride.id),
                state,
                waits: !walks,
                measures: Measures {
                    stride_s: Some(stride.stride_s),
                    cadence_per_min: stride.cadence_per_min,
                    step_over_leg: stride.step_over_leg,
                    head_over_height: stride.head_over_height,
                    lean_deg: stride.lean_deg,
                    direction_deg: stride.direction_deg.map(f32::from),
                    height_px: None,
                },
                age: stride.stage.map(|stage| {
                    let age = stride.age.map(|age| GaitAge { years: age.years, low: age.low, high: age.high, stage });
                    gait_age_words(&GaitEstimate { stage, age })
                }),
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stride(id: u64, start_s: f64) -> GaitRow {
        serde_json::from_value(serde_json::json!({
            "input": "cam", "id": id, "start_s": start_s, "end_s": start_s + 1.1, "stride_s": 1.1, "frames": 33, "strides": 1,
        }))
        .unwrap()
    }

    #[test]
    fn each_walker_shows_the_stride_of_the_time() {
        let rows = [stride(1, 1.0), stride(4, 1.5), stride(1, 2.1), stride(1, 3.2)];
        let at = |only, time_s| -> Vec<(u64, f64, usize, usize)> {
            strides_at(&rows, only, time_s).iter().map(|(row, n, of)| (row.id, row.start_s, *n, *of)).collect()
        };
        assert_eq!(at(None, 0.0), [(1, 1.0, 1, 3), (4, 1.5, 1, 1)], "before the first it is the first");
        assert_eq!(at(None, 2.5), [(1, 2.1, 2, 3), (4, 1.5, 1, 1)]);
        assert_eq!(at(Some(1), 99.0), [(1, 3.2, 3, 3)]);
        assert!(at(Some(7), 2.5).is_empty());
    }
}
