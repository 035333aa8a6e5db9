//! Who is in view: one row for each identity, with a live crop and the last 20 seconds of age and pose.

use std::collections::VecDeque;
use std::sync::Arc;

use eframe::egui::{self, ColorImage, TextureHandle, TextureOptions};
use facelens_core::Analysis;
use facelens_core::frame::Frame;
use facelens_core::geometry::{Pose, Rect};
use facelens_core::track::{Age, Face};
use facelens_session::overlay::SteadyLabels;

use super::picture::set_texture;

/// How far back a history goes, seconds.
pub(crate) const HISTORY_SECS: f32 = 20.0;
/// At most this many samples a second: more would not be seen.
const SAMPLES_PER_SEC: f32 = 10.0;
/// A row stays this long after its person was last seen, seconds, so that the list does not jump.
const ROW_STAYS_SECS: f32 = 2.0;
/// Side of a crop's texture in pixels.
const CROP_SIDE: usize = 96;
/// Crops are refreshed this often, seconds.
const CROP_EVERY_SECS: f32 = 0.1;

/// A moment in somebody's history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AgeSample {
    /// Seconds of the source's own time.
    pub at: f32,
    pub age: Option<Age>,
    pub pose: Option<Pose>,
    /// The person was away just before.
    pub after_gap: bool,
}

/// Somebody who is, or was just now, in view.
pub(crate) struct PersonEntry {
    /// As last seen, with age and gender as labels say them.
    pub face: Face,
    /// When, in seconds of the source's time.
    pub seen_at: f32,
    /// Not in the newest picture.
    pub away: bool,
    /// The last [`HISTORY_SECS`], oldest first.
    pub history: VecDeque<AgeSample>,
    /// The crop.
    pub crop: Option<TextureHandle>,
    crop_at: f32,
    was_away: bool,
}

/// Everybody, by identity.
#[derive(Default)]
pub(crate) struct People {
    list: Vec<PersonEntry>,
    labels: SteadyLabels,
    /// Time of the newest analysis, seconds.
    pub now: f32,
    newest: Option<Arc<Analysis>>,
}

impl People {
    /// Forgets everybody.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Everybody, by identity.
    pub fn list(&self) -> &[PersonEntry] {
        &self.list
    }

    /// The same faces with age and gender as labels say them.
    pub fn labelled(&self, faces: &[Face]) -> Vec<Face> {
        self.labels.of(faces)
    }

    /// Takes the faces of a replayed session in, for the words of their labels alone.
    pub fn hold_labels(&mut self, analysis: &Analysis) {
        self.labels.update(analysis);
    }

    /// Takes an analysis in. One that was taken in already changes nothing. `unrelated` pictures have nothing to do
    /// with each other: each starts with nobody.
    pub fn update(&mut self, analysis: &Arc<Analysis>, unrelated: bool) {
        let now = analysis.frame.time.as_secs_f32();
        if self.newest.as_ref().is_some_and(|newest| Arc::ptr_eq(newest, analysis)) {
            return;
        }
        if now < self.now || unrelated {
            // The file was started again: what was seen before lies in the future.
            self.clear();
        }
        (self.newest, self.now) = (Some(Arc::clone(analysis)), now);
        for person in &mut self.list {
            person.away = true;
        }
        let labelled = self.labels.update(analysis);
        for (face, labelled) in analysis.faces.iter().zip(labelled) {
            let place = match self.list.binary_search_by_key(&face.id, |person| person.face.id) {
                Ok(place) => place,
                Err(place) => {
                    self.list.insert(place, PersonEntry::new(face, now));
                    place
                }
            };
            let person = &mut self.list[place];
            person.see(face, labelled, now);
        }
        for person in &mut self.list {
            person.was_away |= person.away;
        }
        self.list.retain(|person| now - person.seen_at <= ROW_STAYS_SECS);
    }

    /// Takes new crops of who is in view, where the last ones are old enough. For rows that are painted: a window that is
    /// hidden needs none.
    pub fn refresh_crops(&mut self, ctx: &egui::Context) {
        let Some(analysis) = &self.newest else { return };
        for face in &analysis.faces {
            let Ok(place) = self.list.binary_search_by_key(&face.id, |person| person.face.id) else { continue };
            let person = &mut self.list[place];
            if person.crop.is_some() && self.now - person.crop_at < CROP_EVERY_SECS {
                continue;
            }
            person.crop_at = self.now;
            let image = crop(&analysis.frame, &face.rect);
            match &mut person.crop {
                Some(texture) => set_texture(texture, image),
                None => person.crop = Some(ctx.load_texture("crop", image, TextureOptions::LINEAR)),
            }
        }
    }
}

impl PersonEntry {
    fn new(face: &Face, now: f32) -> Self {
        Self {
            face: face.clone(),
            seen_at: now,
            away: false,
            history: VecDeque::new(),
            crop: None,
            crop_at: now,
            was_away: false,
        }
    }

    fn see(&mut self, face: &Face, labelled: Face, now: f32) {
        self.face = labelled;
        let after_gap = self.was_away;
        (self.seen_at, self.away) = (now, false);
        // A little less than the interval, so that a camera at exactly this rate loses no sample to rounding.
        if self.history.back().is_none_or(|last| now - last.at >= 0.95 / SAMPLES_PER_SEC) {
            self.was_away = false;
            self.history.push_back(AgeSample { at: now, age: face.age, pose: face.pose, after_gap });
        }
        while self.history.front().is_some_and(|first| now - first.at > HISTORY_SECS) {
            self.history.pop_front();
        }
    }
}

/// The face's box as a small square picture; what lies outside the frame is the frame's nearest edge.
fn crop(frame: &Frame, rect: &Rect) -> ColorImage {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let rgb = frame.rgb();
    let step = (rect.width / CROP_SIDE as f32, rect.height / CROP_SIDE as f32);
    // As many samples a pixel as it takes not to step over any, up to 4 a side.
    let samples = (step.0.max(step.1).ceil() as usize).clamp(1, 4);
    let mut pixels = Vec::with_capacity(CROP_SIDE * CROP_SIDE);
    for row in 0..CROP_SIDE {
        for column in 0..CROP_SIDE {
            let mut sum = [0_u32; 3];
            for sample in 0..samples * samples {
                let inside = |place: usize| (place as f32 + 0.5) / samples as f32;
                let x = rect.x + (column as f32 + inside(sample % samples)) * step.0;
                let y = rect.y + (row as f32 + inside(sample / samples)) * step.1;
                // `as` stops at 0 for what lies left of or above the picture.
                let at = ((y as usize).min(height - 1) * width + (x as usize).min(width - 1)) * 3;
                for channel in 0..3 {
                    sum[channel] += u32::from(rgb[at + channel]);
                }
            }
            let [r, g, b] = sum.map(|sum| (sum / (samples * samples) as u32) as u8);
            pixels.push(egui::Color32::from_rgb(r, g, b));
        }
    }
    ColorImage::new([CROP_SIDE, CROP_SIDE], pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fake::{analysis, face, frame};

    fn at(sequence: u64, ids: &[u64]) -> Arc<Analysis> {
        analysis(frame(64, 48, sequence), ids.iter().map(|id| face(*id)).collect())
    }

    fn ids(people: &People) -> Vec<(u64, bool)> {
        people.list().iter().map(|person| (person.face.id, person.away)).collect()
    }

    #[test]
    fn rows_are_ordered_by_identity_and_outlast_a_short_gap() {
        let mut people = People::default();
        people.update(&at(0, &[7, 2]), false);
        assert_eq!(ids(&people), [(2, false), (7, false)]);
        people.update(&at(30, &[7]), false);
        assert_eq!(ids(&people), [(2, true), (7, false)]);
        people.update(&at(31, &[2, 7]), false);
        assert_eq!(ids(&people), [(2, false), (7, false)]);
        people.update(&at(130, &[7]), false);
        assert_eq!(ids(&people), [(7, false)]);
    }

    #[test]
    fn a_history_keeps_twenty_seconds_at_ten_samples_a_second() {
        let mut people = People::default();
        for sequence in 0..900 {
            people.update(&at(sequence, &[1]), false);
        }
        let history = &people.list()[0].history;
        assert!((199..=202).contains(&history.len()), "{}", history.len());
        let span = history.back().unwrap().at - history.front().unwrap().at;
        assert!((19.8..=20.0).contains(&span), "{span}");
    }

    #[test]
    fn a_file_that_starts_again_starts_with_nobody() {
        let mut people = People::default();
        people.update(&at(100, &[3]), false);
        people.update(&at(0, &[1]), false);
        assert_eq!(ids(&people), [(1, false)]);
        assert_eq!(people.list()[0].history.len(), 1);
    }

    #[test]
    fn unrelated_pictures_share_nobody() {
        let mut people = People::default();
        people.update(&at(0, &[1, 2]), true);
        people.update(&at(1, &[1]), true);
        assert_eq!(ids(&people), [(1, false)]);
        assert_eq!(people.list()[0].history.len(), 1);
    }

    #[test]
    fn a_picture_that_is_analysed_again_with_other_models_is_taken_in_again() {
        let mut people = People::default();
        let bare = Face { age: None, ..face(1) };
        people.update(&analysis(frame(64, 48, 0), vec![bare]), true);
        people.update(&at(0, &[1]), true);
        assert!(people.list()[0].face.age.is_some());
    }

    #[test]
    fn a_crop_is_taken_ten_times_a_second_of_who_is_in_view() {
        let (ctx, mut people) = (egui::Context::default(), People::default());
        let sequences = 0..90;
        let mut taken = Vec::new();
        for sequence in sequences {
            people.update(&at(sequence, if sequence < 60 { &[1, 2] } else { &[1] }), false);
            people.refresh_crops(&ctx);
            people.refresh_crops(&ctx);
            taken.push(people.list().iter().map(|person| (person.crop_at * 30.0).round() as u64).collect::<Vec<_>>());
        }
        assert_eq!((&taken[2], &taken[3], &taken[59]), (&vec![0, 0], &vec![3, 3], &vec![57, 57]));
        assert_eq!(taken[89], [87, 57], "who is away keeps the last one");
    }

    #[test]
    fn a_crop_reaches_over_the_edge_without_harm() {
        let frame = frame(64, 48, 0);
        let image = crop(&frame, &Rect::new(-40.0, -40.0, 600.0, 600.0));
        assert_eq!(image.size, [CROP_SIDE, CROP_SIDE]);
        let rgb = frame.rgb();
        assert_eq!(image.pixels[0], egui::Color32::from_rgb(rgb[0], rgb[1], rgb[2]));
    }
}
