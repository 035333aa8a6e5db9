//! Other threads wake the window when there is something new to show.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eframe::egui;

/// At once, and a single time. A delay of zero, as of [`egui::Context::request_repaint`], has egui paint twice, which
/// doubles the work for each frame of a camera.
pub(super) const AT_ONCE: Duration = Duration::from_nanos(1);
/// egui paints twice because some sizes are known only after something was painted. So the window is painted once more
/// when nothing else came for this long.
const SETTLE: Duration = Duration::from_millis(100);

/// Has the window painted, from any thread.
#[derive(Clone)]
pub(super) struct Waker {
    ctx: egui::Context,
    woken: Arc<AtomicBool>,
}

impl Waker {
    /// Wakes the window of this context.
    pub(super) fn new(ctx: egui::Context) -> Self {
        Self { ctx, woken: Arc::default() }
    }

    /// Has it painted soon.
    pub(super) fn wake(&self) {
        self.woken.store(true, Ordering::Relaxed);
        self.ctx.request_repaint_after(AT_ONCE);
    }

    /// To be called whenever it is painted.
    pub(super) fn painted(&self) {
        if self.woken.swap(false, Ordering::Relaxed) {
            self.ctx.request_repaint_after(SETTLE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paints, and gives when egui wants to be painted next.
    fn paint(waker: &Waker) -> Duration {
        let mut output = waker.ctx.run_ui(egui::RawInput::default(), |_| waker.painted());
        output.textures_delta.clear();
        output.viewport_output[&egui::ViewportId::ROOT].repaint_delay
    }

    #[test]
    fn a_frame_is_painted_once_and_the_last_one_once_more_a_little_later() {
        let waker = Waker::new(egui::Context::default());
        // The first passes of a context ask for more.
        while paint(&waker) == Duration::ZERO {}
        assert_eq!(paint(&waker), Duration::MAX, "nothing new");
        for _ in 0..3 {
            waker.wake();
            assert_eq!(paint(&waker), SETTLE);
        }
        assert_eq!(paint(&waker), Duration::MAX);
        // Two frames between two times it is painted are one.
        waker.wake();
        waker.wake();
        assert_eq!((paint(&waker), paint(&waker)), (SETTLE, Duration::MAX));
        // What egui does by itself.
        waker.ctx.request_repaint();
        assert_eq!(paint(&waker), Duration::ZERO);
    }
}
