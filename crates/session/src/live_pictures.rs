//! Analysed frames as pictures for other programs: with faces made unrecognisable, and with the overlay, as recordings
//! have them.

use std::sync::Arc;
use std::time::Instant;

use facelens_core::Analysis;

use super::overlay::{Scene, SceneOptions, SteadyLabels, paint_on_picture};
use super::recording::{BLUR_REACH, BlurQueue, RecorderJob, pixelate};

/// What the pictures show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureLook {
    /// The overlay is painted.
    pub overlay: bool,
    /// Faces are made unrecognisable. The pictures come half a second late then, as a recording is written: a face is
    /// hidden before it is found.
    pub blur: bool,
    /// The overlay; its mirror and zoom are replaced by what suits the picture.
    pub scene: SceneOptions,
}

impl Default for PictureLook {
    /// The overlay as the window shows it at first, without blur.
    fn default() -> Self {
        Self { overlay: true, blur: false, scene: SceneOptions::default() }
    }
}

/// A picture for other programs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LivePicture<'a> {
    /// Width and height, pixels.
    pub size: (u32, u32),
    /// Tightly packed RGB8; never mirrored.
    pub rgb: &'a [u8],
}

/// Makes the pictures, one after the other.
#[derive(Default)]
pub struct LivePictures {
    queue: BlurQueue,
    labels: SteadyLabels,
    /// When the newest frame came.
    newest_at: Option<Instant>,
    rgb: Vec<u8>,
    /// The size of the last picture, whose pixels are in `rgb`.
    size: Option<(u32, u32)>,
}

impl LivePictures {
    /// Takes in a frame that came at `now`.
    pub fn push(&mut self, analysis: &Arc<Analysis>, look: &PictureLook, now: Instant) {
        let (analysis, scene) = (Arc::clone(analysis), look.scene);
        self.queue.push(RecorderJob { time: analysis.frame.time, analysis, scene });
        self.newest_at = Some(now);
    }

    /// Forgets what waits and the last picture: another source has nothing to do with them.
    pub fn forget(&mut self) {
        *self = Self { rgb: std::mem::take(&mut self.rgb), ..Self::default() };
    }

    /// Makes the newest picture that is due at `now`; `false` where none is due since the last.
    pub fn make_next(&mut self, look: &PictureLook, now: Instant) -> bool {
        // Nothing more comes that could find a face in what waits.
        let is_over = self.newest_at.is_some_and(|newest| now.saturating_duration_since(newest) >= BLUR_REACH);
        let mut due = None;
        while let Some(next) = if look.blur && !is_over { self.queue.pop_due() } else { self.queue.pop() } {
            let labelled = self.labels.update(&next.0.analysis);
            due = Some((next, labelled));
        }
        let Some(((job, hidden), labelled)) = due else { return false };
        let frame = &job.analysis.frame;
        let (width, height) = (frame.width(), frame.height());
        self.rgb.clear();
        self.rgb.extend_from_slice(frame.rgb());
        for rect in hidden.iter().filter(|_| look.blur) {
            pixelate(&mut self.rgb, width, rect);
        }
        if look.overlay {
            let options = SceneOptions { mirrored: false, ..look.scene }.for_saving(height);
            paint_on_picture(&Scene::of(&labelled, width, height, &options), &mut self.rgb, width, height);
        }
        self.size = Some((width, height));
        true
    }

    /// The picture that was made last.
    pub fn last(&self) -> Option<LivePicture<'_>> {
        self.size.map(|size| LivePicture { size, rgb: &self.rgb })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use facelens_core::frame::Frame;

    use super::*;
    use crate::recording::testing::analysis;

    const PLAIN: PictureLook = PictureLook { overlay: false, blur: false, scene: bare() };
    const BLURRED: PictureLook = PictureLook { blur: true, ..PLAIN };

    const fn bare() -> SceneOptions {
        SceneOptions {
            boxes: true,
            labels: false,
            age: false,
            gender: false,
            axes: false,
            angles: false,
            mirrored: true,
            zoom: 1.0,
        }
    }

    impl LivePictures {
        fn next(&mut self, look: &PictureLook, now: Instant) -> Option<LivePicture<'_>> {
            if self.make_next(look, now) { self.last() } else { None }
        }
    }

    /// Frame `number` at this time, with a face for each identity.
    fn at(number: u64, millis: u64, ids: &[u64]) -> Arc<Analysis> {
        let made = analysis(96, 64, number, ids);
        let frame = Frame::from_rgb(96, 64, made.frame.rgb().to_vec()).unwrap();
        let frame = Arc::new(frame.at(number, Duration::from_millis(millis)));
        Arc::new(Analysis { frame, ..(*made).clone() })
    }

    /// Whether the stripes of the picture are still there where the face of identity 1 is.
    fn shows_face(picture: LivePicture<'_>) -> bool {
        let row = &picture.rgb[20 * 96 * 3..][8 * 3..24 * 3];
        row.as_chunks::<3>().0.windows(2).filter(|pair| pair[0] != pair[1]).count() > 4
    }

    #[test]
    fn without_blur_the_newest_frame_is_due_at_once() {
        let (mut pictures, now) = (LivePictures::default(), Instant::now());
        assert_eq!(pictures.next(&PLAIN, now), None);
        for number in 0..3 {
            pictures.push(&at(number, number * 33, &[1]), &PLAIN, now);
        }
        let newest = at(2, 66, &[1]);
        let picture = pictures.next(&PLAIN, now).unwrap();
        assert_eq!((picture.size, picture.rgb), ((96, 64), newest.frame.rgb()));
        assert_eq!(pictures.next(&PLAIN, now), None, "it is given once");
    }

    #[test]
    fn the_overlay_is_painted_unmirrored() {
        let (mut pictures, now) = (LivePictures::default(), Instant::now());
        let analysis = at(0, 0, &[1]);
        let look = PictureLook { overlay: true, ..PLAIN };
        pictures.push(&analysis, &look, now);
        let painted = pictures.next(&look, now).unwrap().rgb.to_vec();
        let changed = |columns: std::ops::Range<usize>| {
            let rows = painted.chunks(96 * 3).zip(analysis.frame.rgb().chunks(96 * 3));
            rows.filter(|(a, b)| a[columns.start * 3..columns.end * 3] != b[columns.start * 3..columns.end * 3]).count()
        };
        assert!(changed(0..48) > 8, "the face is on the left");
        assert_eq!(changed(48..96), 0);
    }

    #[test]
    fn with_blur_a_face_is_hidden_before_it_is_found() {
        let (mut pictures, start) = (LivePictures::default(), Instant::now());
        let mut shown = Vec::new();
        for number in 0..30_u64 {
            let millis = number * 40;
            let now = start + Duration::from_millis(millis);
            // It is found after 600 ms.
            let ids: &[u64] = if millis < 600 { &[] } else { &[1] };
            pictures.push(&at(number, millis, ids), &BLURRED, now);
            if let Some(picture) = pictures.next(&BLURRED, now) {
                shown.push((millis, shows_face(picture)));
            }
        }
        assert_eq!(shown[0].0, 520, "half a second late");
        // What was taken up to 80 ms is more than half a second before the face was found.
        assert_eq!(shown.iter().filter(|(_, shows)| *shows).map(|(millis, _)| *millis).max(), Some(600));
        assert!(shown.iter().filter(|(millis, _)| *millis > 600).all(|(_, shows)| !shows));
    }

    #[test]
    fn what_waits_is_shown_when_nothing_follows_and_forgotten_with_its_source() {
        let (mut pictures, start) = (LivePictures::default(), Instant::now());
        let after = |millis| start + Duration::from_millis(millis);
        // A single image, as a source of one picture has it.
        pictures.push(&at(0, 0, &[1]), &BLURRED, start);
        assert_eq!(pictures.next(&BLURRED, after(499)), None);
        assert!(!shows_face(pictures.next(&BLURRED, after(500)).unwrap()));
        pictures.push(&at(1, 33, &[1]), &BLURRED, after(600));
        pictures.forget();
        assert_eq!(pictures.next(&BLURRED, after(5000)), None);
        assert_eq!(pictures.last(), None);
        // Switched off, what waits is shown at once.
        pictures.push(&at(2, 66, &[1]), &BLURRED, after(6000));
        assert!(shows_face(pictures.next(&PLAIN, after(6001)).unwrap()));
    }
}
