//! The seconds before a recording begins, large over the picture.

use eframe::egui::{self, Align2, FontId, Rect, Sense, vec2};

use super::theme;

/// How many seconds may be counted; 0 begins at once.
pub(crate) const CHOICES: [u32; 4] = [0, 3, 5, 10];

/// A recording that begins at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Countdown {
    /// When, seconds of the window.
    pub ends_at: f64,
}

impl Countdown {
    /// The whole seconds that are left, the last one as 1; `None` once it is over.
    pub fn left(self, now: f64) -> Option<u32> {
        let left = (self.ends_at - now).ceil();
        (left >= 1.0).then_some(left as u32)
    }
}

/// Shows the seconds in the middle of `area`.
pub(super) fn show(ui: &egui::Ui, area: Rect, left: u32) {
    let place = Rect::from_center_size(area.center(), vec2(144.0, 144.0));
    let painter = ui.painter();
    painter.circle_filled(place.center(), 72.0, theme::colors().card.gamma_multiply(0.85));
    painter.circle_stroke(place.center(), 72.0, (3.0, theme::colors().record));
    painter.text(
        place.center() - vec2(0.0, 6.0),
        Align2::CENTER_CENTER,
        left.to_string(),
        FontId::proportional(72.0),
        theme::colors().text,
    );
    painter.text(
        place.center_bottom() - vec2(0.0, 26.0),
        Align2::CENTER_CENTER,
        "Esc cancels",
        FontId::proportional(12.0),
        theme::colors().weak,
    );
    let response = ui.interact(place, ui.scope_id().with("countdown"), Sense::hover());
    let spoken = format!("Recording begins in {left} s; Esc cancels");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &spoken));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_second_is_one() {
        let countdown = Countdown { ends_at: 10.0 };
        assert_eq!(
            [7.0, 7.1, 8.999, 9.0, 9.5, 10.0, 11.0].map(|now| countdown.left(now)),
            [Some(3), Some(3), Some(2), Some(1), Some(1), None, None]
        );
    }
}
