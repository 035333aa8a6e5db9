//! The pictures that whole frames are measured on: drawn ones with known faces, or a folder of the user's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use facelens_core::frame::Frame;
use facelens_media::demo::Walkers;
use facelens_media::{Mode, Next, SourceSpec};

/// How many pictures `--draw` writes of each case, and the time between two.
const DRAWN: u32 = 60;
const DRAWN_STEP: Duration = Duration::from_nanos(1_000_000_000 / 60);

/// Where frames come from.
pub(super) enum BenchScene {
    /// Drawn for the moment that is asked for.
    Drawn(Walkers),
    /// In their order and back, again and again, so that nothing jumps.
    Pictures(Vec<Arc<Frame>>),
}

impl BenchScene {
    /// `faces` heads that move.
    pub(super) fn drawn((width, height): (u32, u32), faces: u32) -> anyhow::Result<Self> {
        let walkers = Walkers::new(width, height, faces)
            .with_context(|| format!("{faces} faces do not fit into a {width}x{height} frame"))?;
        Ok(Self::Drawn(walkers))
    }

    /// The pictures of a folder, in the order of their names; all of one size.
    pub(super) fn pictures(folder: &Path) -> anyhow::Result<Self> {
        let mut source = facelens_media::open(&SourceSpec::Path(folder.to_owned()), Mode::Batch)?;
        let mut frames: Vec<Arc<Frame>> = Vec::new();
        loop {
            match source.next()? {
                Next::Frame(frame) => frames.push(Arc::new(frame)),
                Next::End => break,
                Next::Skipped(error) | Next::Damaged(error) => return Err(error.into()),
                Next::Waiting | Next::Stalled { .. } | Next::Disconnected { .. } => {}
            }
        }
        let size = frames.first().map(|frame| (frame.width(), frame.height()));
        let (width, height) = size.with_context(|| format!("{}: there is no image in it", folder.display()))?;
        ensure!(
            frames.iter().all(|frame| (frame.width(), frame.height()) == (width, height)),
            "{}: its images have different sizes; put each size into a folder of its own",
            folder.display()
        );
        Ok(Self::Pictures(frames))
    }

    /// The frame with this number, `time` after the first.
    pub(super) fn frame(&mut self, sequence: u64, time: Duration) -> anyhow::Result<Arc<Frame>> {
        match self {
            Self::Drawn(walkers) => Ok(Arc::new(walkers.draw(sequence, time)?)),
            Self::Pictures(frames) => {
                let at = there_and_back(sequence, frames.len());
                let frame = &mut frames[at];
                // Copied only where somebody still holds it.
                let placed = Arc::make_mut(frame);
                (placed.sequence, placed.time) = (sequence, time);
                Ok(Arc::clone(frame))
            }
        }
    }

    /// How many faces there are, where it is known.
    pub(super) fn faces(&self) -> Option<usize> {
        match self {
            Self::Drawn(walkers) => Some(walkers.count()),
            Self::Pictures(_) => None,
        }
    }
}

/// 0, 1, 2, 1, 0, 1, ... for three pictures.
fn there_and_back(sequence: u64, count: usize) -> usize {
    let last = count.saturating_sub(1);
    let at = (sequence % (2 * last as u64).max(1)) as usize;
    if at <= last { at } else { 2 * last - at }
}

/// Writes the drawn frames of a case as PNG into `folder/WIDTHxHEIGHT-FACES`, one every 60th of a second; gives that
/// folder.
pub(super) fn write(folder: &Path, size: (u32, u32), faces: u32) -> anyhow::Result<PathBuf> {
    let mut scene = BenchScene::drawn(size, faces)?;
    let folder = folder.join(format!("{}x{}-{faces}", size.0, size.1));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("{}: the folder cannot be made; choose another", folder.display()))?;
    for number in 0..DRAWN {
        let frame = scene.frame(number.into(), number * DRAWN_STEP)?;
        let path = folder.join(format!("{number:03}.png"));
        image::save_buffer(&path, frame.rgb(), size.0, size.1, image::ExtendedColorType::Rgb8)
            .with_context(|| format!("{}: the image cannot be written", path.display()))?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_go_there_and_back() {
        assert_eq!((0..7).map(|at| there_and_back(at, 3)).collect::<Vec<_>>(), [0, 1, 2, 1, 0, 1, 2]);
        assert_eq!((0..3).map(|at| there_and_back(at, 1)).collect::<Vec<_>>(), [0, 0, 0]);
    }

    #[test]
    fn what_is_written_is_read_as_it_was_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let written = write(folder.path(), (96, 64), 1).unwrap();
        let mut pictures = BenchScene::pictures(&written).unwrap();
        let mut drawn = BenchScene::drawn((96, 64), 1).unwrap();
        for number in [0, 59] {
            let (a, b) = (drawn.frame(number, number as u32 * DRAWN_STEP), pictures.frame(number, Duration::ZERO));
            assert_eq!(a.unwrap().rgb(), b.unwrap().rgb());
        }
    }

    #[test]
    fn folders_without_pictures_or_with_several_sizes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(BenchScene::pictures(folder.path()).is_err());
        image::RgbImage::new(8, 8).save(folder.path().join("a.png")).unwrap();
        image::RgbImage::new(9, 8).save(folder.path().join("b.png")).unwrap();
        let error = BenchScene::pictures(folder.path()).err().unwrap().to_string();
        assert!(error.contains("different sizes"), "{error}");
    }
}
