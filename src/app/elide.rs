//! Long names, shortened in the middle: the beginning tells one from another, the end has the ending.

use eframe::egui::{self, Color32, FontId};

/// `text`, where it is wider than `width` points with its middle left out.
pub(crate) fn middle(ui: &egui::Ui, text: &str, font: &FontId, width: f32) -> String {
    middle_by(text, width, |text| {
        // The colour does not matter: it is only measured.
        ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE).size().x
    })
}

/// The font of ordinary text.
pub(crate) fn body(ui: &egui::Ui) -> FontId {
    egui::TextStyle::Body.resolve(ui.style())
}

fn middle_by(text: &str, width: f32, measure: impl Fn(&str) -> f32) -> String {
    if measure(text) <= width {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let shortened = |kept: usize| {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let mut ends: String = letters[..head].iter().collect();
        ends.push('…');
        ends.extend(&letters[letters.len() - tail..]);
        ends
    };
    // The most letters that fit; the more, the wider.
    let (mut fits, mut too_many) = (0, letters.len());
    while too_many - fits > 1 {
        let kept = fits.midpoint(too_many);
        if measure(&shortened(kept)) <= width { fits = kept } else { too_many = kept }
    }
    shortened(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_letters(text: &str, width: usize) -> String {
        middle_by(text, width as f32, |text| text.chars().count() as f32)
    }

    #[test]
    fn both_ends_of_a_long_name_stay() {
        assert_eq!(by_letters("clip.mp4", 8), "clip.mp4");
        assert_eq!(by_letters("a very long name of a holiday.mp4", 13), "a very…ay.mp4");
        assert_eq!(by_letters("人物写真の長い名前.mp4", 8), "人物写真…mp4");
        assert_eq!(by_letters("anything", 1), "…");
        assert_eq!(by_letters("anything", 0), "…");
        assert_eq!(by_letters("", 0), "");
    }

    #[test]
    fn what_is_given_is_as_wide_as_asked_for_at_most() {
        for width in 1..40 {
            let shown = by_letters("/home/somebody/Videos/2026/walks in the park, second camera.webm", width);
            assert_eq!(shown.chars().count(), width);
        }
    }
}
