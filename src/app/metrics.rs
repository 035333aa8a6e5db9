//! The honest figures: read twice a second at most, so that nothing flickers.

use crate::pipeline::{SourceState, Status};

/// Seconds between two readings.
const EVERY_SECS: f64 = 0.5;

/// Names and values in the order of the panel. The names never change, so nothing moves.
pub(crate) type MetricRows = Vec<(&'static str, String)>;

/// The figures as they stand in the panel.
#[derive(Default)]
pub(crate) struct MetricsPanel {
    rows: MetricRows,
    read_at: Option<f64>,
}

impl MetricsPanel {
    /// Reads them anew if the last reading is old enough. `now` is the window's time in seconds.
    pub fn update(&mut self, now: f64, status: &Status) {
        if self.read_at.is_none_or(|read_at| now - read_at >= EVERY_SECS) {
            self.read_at = Some(now);
            self.rows = rows(status);
        }
    }

    /// Reads them at the next update in any case.
    pub fn expire(&mut self) {
        self.read_at = None;
    }

    /// Names and values.
    pub fn rows(&self) -> &MetricRows {
        &self.rows
    }
}

fn rows(status: &Status) -> MetricRows {
    let format = match &status.shown {
        SourceState::Running(info)
        | SourceState::Stalled { info, .. }
        | SourceState::Disconnected { info, .. }
        | SourceState::Ended(info) => info.format.clone(),
        SourceState::Opening | SourceState::Failed(_) => "-".into(),
    };
    let stages = &status.stages;
    let ms = |value: f32| format!("{value:.1} ms");
    let missed = if status.captured > 0 { 100.0 * status.dropped as f64 / status.captured as f64 } else { 0.0 };
    vec![
        ("Format", format),
        ("Captured", format!("{:.1} fps", status.capture_fps)),
        ("Analysed", format!("{:.1} fps", status.analysed_fps)),
        ("Delay", ms(status.delay_ms)),
        ("Frames", status.captured.to_string()),
        ("Dropped", format!("{} ({missed:.0} %)", status.dropped)),
        ("Detection", ms(stages.detect)),
        ("Crops", ms(stages.crop)),
        // One sum: a network for several tasks runs once, and its time belongs to none of them alone.
        ("Networks", ms(stages.age + stages.gender + stages.pose)),
        ("Tracking", ms(stages.track)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fake::status;

    #[test]
    fn figures_are_read_twice_a_second_at_most() {
        let mut figures = MetricsPanel::default();
        figures.update(0.0, &Status { capture_fps: 30.0, ..status() });
        figures.update(0.3, &Status { capture_fps: 12.0, ..status() });
        assert_eq!(figures.rows()[1].1, "30.0 fps");
        figures.update(0.5, &Status { capture_fps: 12.0, ..status() });
        assert_eq!(figures.rows()[1].1, "12.0 fps");
        figures.expire();
        figures.update(0.6, &Status { capture_fps: 7.0, ..status() });
        assert_eq!(figures.rows()[1].1, "7.0 fps");
    }

    #[test]
    fn frames_that_were_not_analysed_are_counted_with_their_share() {
        let status = Status { captured: 200, dropped: 50, ..status() };
        assert!(rows(&status).contains(&("Dropped", "50 (25 %)".into())));
    }
}
