//! The pictures of a session, decoded on a thread of their own. Nobody ever waits for it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use facelens_base::panic_words;
use facelens_core::frame::Frame;
use facelens_media::{SourceError, SourceErrorKind, VideoReader};

/// How the video does.
#[derive(Clone, Debug, PartialEq)]
pub enum PictureState {
    /// It is being opened.
    Opening,
    /// It gives pictures, at these times (seconds, rising).
    Ready(Arc<[f64]>),
    /// It cannot be opened, or is damaged where it was last looked at.
    Failed(SourceError),
}

/// A video whose pictures are asked for by their times. Dropping it stops its thread, without waiting for it.
pub struct Pictures {
    shared: Arc<PicturesShared>,
}

struct PicturesShared {
    desk: Mutex<Desk>,
    /// Something was wanted, or the thread is to stop.
    changed: Condvar,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// What goes between the threads.
struct Desk {
    /// The newest wish, seconds; the ones before it are forgotten.
    wanted_s: Option<f64>,
    stop: bool,
    state: PictureState,
    frame: Option<Arc<Frame>>,
    /// The picture after it, decoded before it is due: what plays is painted once for each picture, then.
    next: Option<Arc<Frame>>,
}

impl Desk {
    /// Shows the picture that was decoded ahead where it is this one; whether it was.
    fn take_next(&mut self, number: usize) -> bool {
        let next = self.next.take_if(|next| next.sequence == number as u64);
        let taken = next.is_some();
        self.frame = next.or(self.frame.take());
        taken
    }
}

impl PicturesShared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        // A panic leaves nothing half done on the desk.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts something on the desk and wakes the window.
    fn put(&self, change: impl FnOnce(&mut Desk)) {
        change(&mut self.desk());
        (self.wake)();
    }
}

impl Pictures {
    /// Opens the video on its thread. `mirrored` where the file is: its pictures are turned back then. `wake` is called
    /// on that thread whenever there is something new; it must not block.
    ///
    /// # Errors
    /// Where the system cannot start a thread.
    pub fn open(path: PathBuf, mirrored: bool, wake: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        let desk = Desk { wanted_s: Some(0.0), stop: false, state: PictureState::Opening, frame: None, next: None };
        let shared = Arc::new(PicturesShared { desk: Mutex::new(desk), changed: Condvar::new(), wake: Box::new(wake) });
        let of_thread = Arc::clone(&shared);
        thread::Builder::new().name("replay".into()).spawn(move || {
            guarded(&of_thread, &path, || work(&of_thread, &path, mirrored));
        })?;
        Ok(Self { shared })
    }

    /// Asks for the picture that is shown at `time_s`; it comes as soon as it is decoded, which the next one mostly is.
    pub fn want(&self, time_s: f64) {
        let mut desk = self.shared.desk();
        if desk.wanted_s != Some(time_s) {
            desk.wanted_s = Some(time_s);
            if let PictureState::Ready(times) = &desk.state {
                let number = number_at(times, time_s);
                desk.take_next(number);
            }
            self.shared.changed.notify_one();
        }
    }

    /// The newest picture; its time is the video's, its sequence the number of the picture.
    pub fn frame(&self) -> Option<Arc<Frame>> {
        self.shared.desk().frame.clone()
    }

    /// How the video does.
    pub fn state(&self) -> PictureState {
        self.shared.desk().state.clone()
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        self.shared.desk().stop = true;
        self.shared.changed.notify_one();
    }
}

/// Does `work`, and says so where it breaks off: a decoder that panics must not leave a picture that is waited for.
fn guarded(shared: &PicturesShared, path: &Path, work: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
        let cause = format!("an error in facelens itself: {}", panic_words(panic.as_ref()));
        let error = SourceError::new(SourceErrorKind::Unreadable, path.display().to_string(), cause, "");
        shared.put(|desk| desk.state = PictureState::Failed(error));
    }
}

fn work(shared: &PicturesShared, path: &Path, mirrored: bool) {
    let mut reader = match VideoReader::open(path) {
        Ok(reader) => reader,
        Err(error) => return shared.put(|desk| desk.state = PictureState::Failed(error)),
    };
    let times: Arc<[f64]> = reader.times().iter().map(|time| time.as_secs_f64()).collect();
    shared.put(|desk| desk.state = PictureState::Ready(Arc::clone(&times)));
    let mut done_s = None;
    loop {
        let mut desk = shared.desk();
        while !desk.stop && desk.wanted_s == done_s {
            desk = shared.changed.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
        if desk.stop {
            return;
        }
        done_s = desk.wanted_s;
        let number = number_at(&times, done_s.unwrap_or(0.0));
        // It was asked for while it was decoded ahead.
        let came = desk.take_next(number);
        let shown = desk.frame.as_ref().is_some_and(|frame| frame.sequence == number as u64);
        drop(desk);
        let ready = || PictureState::Ready(Arc::clone(&times));
        let mut decode = |number: usize| {
            let frame = reader.picture(number)?;
            Ok(frame.map(|frame| Arc::new(if mirrored { turned_back(frame) } else { frame })))
        };
        if came {
            shared.put(|desk| desk.state = ready());
        } else if !shown {
            match decode(number) {
                Ok(Some(frame)) => shared.put(|desk| (desk.state, desk.frame) = (ready(), Some(frame))),
                Ok(None) => {}
                Err(error) => {
                    shared.put(|desk| desk.state = PictureState::Failed(error));
                    continue;
                }
            }
        }
        let ahead = number + 1;
        let desk = shared.desk();
        let is_there = desk.next.as_ref().is_some_and(|next| next.sequence == ahead as u64);
        let is_due = desk.wanted_s == done_s && ahead < times.len() && !is_there;
        drop(desk);
        if is_due {
            // Where it is damaged, that is told once it is asked for.
            let next = decode(ahead).unwrap_or_default();
            shared.desk().next = next;
        }
    }
}

/// The picture that is shown at `time_s`: the last one that does not begin later. A time of the data may be a millisecond
/// before its picture's.
fn number_at(times: &[f64], time_s: f64) -> usize {
    times.partition_point(|time| *time <= time_s + 0.0015).saturating_sub(1)
}

fn turned_back(frame: Frame) -> Frame {
    let (width, height, sequence, time) = (frame.width(), frame.height(), frame.sequence, frame.time);
    let original = frame.clone();
    let mut rgb = frame.into_rgb();
    for row in rgb.chunks_exact_mut(width as usize * 3) {
        row.reverse();
        row.chunks_exact_mut(3).for_each(<[u8]>::reverse);
    }
    Frame::from_rgb(width, height, rgb).map_or(original, |frame| frame.at(sequence, time))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::testing::session::{FRAMES, picture, rows, write};

    /// Waits until the thread has done something; only a broken one takes 30 s.
    fn until(pictures: &Pictures, mut done: impl FnMut(&Pictures) -> bool) {
        let begun = Instant::now();
        while !done(pictures) {
            assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", pictures.state());
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn shown(pictures: &Pictures) -> Option<u64> {
        pictures.frame().map(|frame| frame.sequence)
    }

    fn ahead(pictures: &Pictures) -> Option<u64> {
        pictures.shared.desk().next.as_ref().map(|frame| frame.sequence)
    }

    #[test]
    fn pictures_come_in_whatever_order_they_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &rows(), &[("clean.mp4", false)]);
        let pictures = Pictures::open(folder.path().join("clean.mp4"), false, || ()).unwrap();
        until(&pictures, |pictures| shown(pictures) == Some(0));
        let PictureState::Ready(times) = pictures.state() else { panic!("{:?}", pictures.state()) };
        assert_eq!(times.len(), FRAMES as usize);
        for number in [1_u64, 2, 30, 29, 5, 6, 49, 0, 49, 48] {
            pictures.want(number as f64 / 10.0);
            until(&pictures, |pictures| shown(pictures) == Some(number));
            let frame = pictures.frame().unwrap();
            let (grey, got) = (i32::from(picture(number)[0]), i32::from(frame.rgb()[0]));
            assert!((grey - got).abs() <= 3, "image {number}: {got} instead of {grey}");
            assert_eq!(frame.time, Duration::from_millis(100 * number));
        }
        pictures.want(99.0);
        until(&pictures, |pictures| shown(pictures) == Some(FRAMES - 1));
    }

    #[test]
    fn the_next_picture_is_there_at_once_and_wakes_nobody() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &rows(), &[("clean.mp4", false)]);
        let woken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&woken);
        let wake = move || {
            counter.fetch_add(1, Ordering::SeqCst);
        };
        let pictures = Pictures::open(folder.path().join("clean.mp4"), false, wake).unwrap();
        until(&pictures, |pictures| ahead(pictures) == Some(1));
        let before = woken.load(Ordering::SeqCst);
        for number in 1..FRAMES {
            pictures.want(number as f64 / 10.0);
            assert_eq!(shown(&pictures), Some(number));
            let last = number == FRAMES - 1;
            until(&pictures, |pictures| last || ahead(pictures) == Some(number + 1));
        }
        assert_eq!(woken.load(Ordering::SeqCst), before);
    }

    #[test]
    fn a_decoder_that_panics_is_told_of() {
        let (woken, wakes) = std::sync::mpsc::channel();
        let desk = Desk { wanted_s: None, stop: false, state: PictureState::Opening, frame: None, next: None };
        let wake = Box::new(move || woken.send(()).unwrap());
        let shared = PicturesShared { desk: Mutex::new(desk), changed: Condvar::new(), wake };
        guarded(&shared, Path::new("a/clean.mp4"), || panic!("index out of bounds"));
        let state = shared.desk().state.clone();
        let PictureState::Failed(error) = state else { panic!("{state:?}") };
        assert!(error.to_string().contains("a/clean.mp4") && error.to_string().contains("index out"), "{error}");
        assert!(wakes.try_recv().is_ok(), "the window is woken");
    }

    #[test]
    fn a_video_that_is_none_is_an_error_and_a_cut_one_gives_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &rows(), &[("clean.mp4", false)]);
        let file = folder.path().join("clean.mp4");
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() * 3 / 4]).unwrap();
        let pictures = Pictures::open(file.clone(), false, || ()).unwrap();
        until(&pictures, |pictures| shown(pictures) == Some(0));
        pictures.want(2.0);
        until(&pictures, |pictures| shown(pictures) == Some(20));
        std::fs::write(&file, b"no video").unwrap();
        let pictures = Pictures::open(file, false, || ()).unwrap();
        until(&pictures, |pictures| matches!(pictures.state(), PictureState::Failed(_)));
    }

    #[test]
    fn the_picture_of_a_moment_is_the_last_that_has_begun() {
        let times = [0.0, 0.1, 0.2];
        assert_eq!([-1.0, 0.0, 0.05, 0.099, 0.2, 9.0].map(|at| number_at(&times, at)), [0, 0, 0, 1, 2, 2]);
        assert_eq!(number_at(&[], 1.0), 0);
    }

    #[test]
    fn a_mirrored_picture_is_turned_back() {
        let frame = Frame::from_rgb(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap().at(7, Duration::from_secs(1));
        let back = turned_back(frame);
        assert_eq!((back.rgb(), back.sequence, back.time), (&[4, 5, 6, 1, 2, 3][..], 7, Duration::from_secs(1)));
    }
}
