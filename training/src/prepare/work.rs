//! Listing and pictures -> set, on several threads, with a set that does not depend on how many.

use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use facelens_core::detect::{self, DetectError, Detection, Detector, DetectorKind};
use facelens_core::frame::Frame;
use facelens_core::geometry::Rect;
use facelens_media::decode_picture;

use super::cut::Cutter;
use super::{Found, LeftOut, Listing, PictureStore, PrepareError, Reason, Report, Sample, Undetected, UsualBox};
use crate::data::SetWriter;

/// The most results that wait for their turn, for each thread.
const WAITING: usize = 32;

/// Where a data set says that a face is, the detector must agree by at least this intersection over union.
const SAME_FACE: f32 = 0.3;

/// How pictures become faces.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// Finds the faces.
    pub detector: DetectorKind,
    /// What to do where it finds none.
    pub undetected: Undetected,
    /// Side of the pictures in sides of the face's box.
    pub context: f32,
    /// How many threads look for faces.
    pub threads: NonZero<usize>,
}

/// What became of one picture.
enum PictureOutcome {
    Face { picture: Vec<u8>, found: Option<UsualBox> },
    LeftOut(Reason, String),
}

/// Writes the set `target`. `seen` is called after every picture with the counts so far. `None` where `stop` became true;
/// there is no set then.
///
/// # Errors
/// A detector that fails, a set that cannot be written, a listing of which nothing can be used.
pub fn prepare(
    listing: &Listing,
    pictures: &PictureStore,
    method: &Method,
    target: &Path,
    stop: &AtomicBool,
    mut seen: impl FnMut(&Report),
) -> Result<Option<Report>, PrepareError> {
    let mut report = Report::default();
    let mut writer = SetWriter::with_context(target, method.context)?;
    let leave_out = |report: &mut Report, writer: &mut SetWriter, left_out: LeftOut| {
        writer.leave_out(left_out.reason.words());
        report.leave_out(left_out);
    };
    for left_out in &listing.left_out {
        leave_out(&mut report, &mut writer, left_out.clone());
    }

    let threads = method.threads.get().min(listing.samples.len().max(1));
    // Thread k takes the pictures k, k + threads, ...: their results come in turn, in the order of the listing.
    let done = std::thread::scope(|scope| {
        let results: Vec<Receiver<_>> = (0..threads)
            .map(|first| {
                let (give, results) = sync_channel(WAITING);
                let samples = listing.samples.iter().skip(first).step_by(threads);
                // Each makes its own detector, which takes a tenth of a second.
                scope.spawn(move || match Worker::new(pictures, method) {
                    Ok(worker) => worker.work(samples, &give),
                    // Nobody listens any more where the others have failed before.
                    Err(error) => drop(give.send(Err(error))),
                });
                results
            })
            .collect();
        // Where this ends early its receivers go, and so the threads end.
        for (sample, results) in listing.samples.iter().zip(results.iter().cycle()) {
            if stop.load(Ordering::SeqCst) {
                return Ok(false);
            }
            match results.recv().map_err(|_| PrepareError::WorkerLost)?? {
                PictureOutcome::Face { picture, found } => {
                    writer.push(sample.face.clone(), &picture)?;
                    report.written += 1;
                    match found {
                        Some(place) => report.found(place),
                        None => report.placed += 1,
                    }
                }
                PictureOutcome::LeftOut(reason, detail) => {
                    let name = sample.face.name.clone();
                    leave_out(&mut report, &mut writer, LeftOut { reason, name, detail });
                }
            }
            seen(&report);
        }
        drop(results);
        Ok::<_, PrepareError>(true)
    })?;
    if !done || stop.load(Ordering::SeqCst) {
        return Ok(None);
    }
    if report.written == 0 {
        return Err(PrepareError::Empty(why_empty(listing, &report)));
    }
    writer.finish()?;
    Ok(Some(report))
}

fn why_empty(listing: &Listing, report: &Report) -> String {
    match (listing.samples.first(), report.named().next()) {
        (Some(sample), _) if report.reasons().all(|(reason, _)| reason == Reason::NoPicture) => {
            format!("none of the given folders and archives has `{}` or any other labelled image", sample.face.name)
        }
        (_, Some(LeftOut { reason, name, detail })) => {
            let words = if detail.is_empty() { String::new() } else { format!(": {detail}") };
            format!("all {} images are left out, {name} because {}{words}", report.left_out(), reason.words())
        }
        (_, None) => "there are no labels".to_owned(),
    }
}

struct Worker<'a> {
    pictures: &'a PictureStore,
    detector: Box<dyn Detector>,
    undetected: Undetected,
    context: f32,
    cutter: Cutter,
}

impl<'a> Worker<'a> {
    fn new(pictures: &'a PictureStore, method: &Method) -> Result<Self, DetectError> {
        let detector = detect::create(method.detector)?;
        Ok(Self {
            pictures,
            detector,
            undetected: method.undetected,
            context: method.context,
            cutter: Cutter::default(),
        })
    }

    fn work<'s>(
        mut self,
        samples: impl Iterator<Item = &'s Sample>,
        give: &SyncSender<Result<PictureOutcome, DetectError>>,
    ) {
        for sample in samples {
            let outcome = self.outcome(sample);
            let failed = outcome.is_err();
            // A failing network fails on every picture: no use going on.
            if give.send(outcome).is_err() || failed {
                return;
            }
        }
    }

    fn outcome(&mut self, sample: &Sample) -> Result<PictureOutcome, DetectError> {
        let name = sample.face.name.as_str();
        let left_out = |reason, detail: String| Ok(PictureOutcome::LeftOut(reason, detail));
        let content = match self.pictures.read(name) {
            Found::Content(content) => content,
            Found::Nothing => return left_out(Reason::NoPicture, String::new()),
            Found::Unreadable(cause) => return left_out(Reason::Unreadable, cause),
        };
        let frame = match decode_picture(name, &content) {
            Ok(frame) => frame,
            Err(error) => return left_out(Reason::Unreadable, error.cause),
        };
        let detections = self.detector.detect(&frame)?;
        let Some((face, found)) = self.place(sample, &frame, &detections) else {
            return left_out(Reason::NoFace, String::new());
        };
        match self.cutter.cut(&frame, &face, self.context) {
            Some(picture) => Ok(PictureOutcome::Face { picture, found: found.then(|| usual(&face, &frame)) }),
            None => left_out(Reason::BadLabel, "the position of its face is invalid".to_owned()),
        }
    }

    /// The box of the face that the label means, and whether the detector found it.
    fn place(&self, sample: &Sample, frame: &Frame, detections: &[Detection]) -> Option<(Rect, bool)> {
        if let Some(region) = sample.region {
            let overlap = |face: &&Detection| face.rect.iou(&region);
            let best = detections.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
            let same = best.filter(|face| overlap(face) >= SAME_FACE);
            return Some(same.map_or((region, false), |face| (face.rect, true)));
        }
        if let Some(face) = detect::main_face(frame, detections) {
            return Some((face.rect, true));
        }
        match self.undetected {
            Undetected::Skip => None,
            Undetected::Centre(usual) => Some((usual.in_picture(frame.width(), frame.height()), false)),
        }
    }
}

fn usual(face: &Rect, frame: &Frame) -> UsualBox {
    let (width, height) = (frame.width() as f32, frame.height() as f32);
    let middle = face.center();
    UsualBox { x: middle.x / width, y: middle.y / height, side: face.width / width.min(height) }
}

#[cfg(test)]
#[path = "work_tests.rs"]
mod tests;
