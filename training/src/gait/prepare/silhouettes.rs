//! Folders of silhouettes as CASIA-B has them (S. Yu, D. Tan, T. Tan, ICPR 2006): `id/condition/view/*.png`, one picture a frame, white
//! on black, 25 a second. There are no ages: such a set serves to see whether a network says the same of the same walker.

use std::path::{Path, PathBuf};

use facelens_gait::{Mask, Silhouette, strides_of_silhouettes};

use super::images::{Unusable, read_grey};
use super::{GaitPrepareError, GaitReport, Maker};
use crate::gait::set::GaitSample;

/// Most frames of one walk: eleven minutes.
const MOST_FRAMES: usize = 1 << 14;

/// Writes the strides of all walks in `folder` as the gait set `output`. The name of each is `id/condition/view`, and each `id` is a
/// person. `frames_per_s` is the rate of the pictures.
///
/// # Errors
/// Where a folder cannot be read, nothing can be used, or the set cannot be written.
pub fn silhouettes(folder: &Path, frames_per_s: f64, output: &Path) -> Result<GaitReport, GaitPrepareError> {
    let mut maker = Maker::create(output)?;
    for (person, walker) in folders(folder)?.into_iter().enumerate() {
        for condition in folders(&walker)? {
            for view in folders(&condition)? {
                let parts =
                    [&walker, &condition, &view].map(|path| path.file_name().unwrap_or_default().to_string_lossy());
                let name = parts.join("/");
                walk(&view, &name, u32::try_from(person).unwrap_or(u32::MAX), frames_per_s, &mut maker)?;
            }
        }
    }
    maker.finish(folder)
}

/// Adds the strides of one walk.
fn walk(folder: &Path, name: &str, person: u32, frames_per_s: f64, maker: &mut Maker) -> Result<(), GaitPrepareError> {
    let mut frames = Vec::new();
    for (index, file) in list(folder, false)?.into_iter().take(MOST_FRAMES).enumerate() {
        let picture = format!("{name}/{}", file.file_name().unwrap_or_default().to_string_lossy());
        // A frame without anybody is a gap of the walk, as in the published folders.
        match read_grey(&file) {
            Ok((width, height, grey)) => {
                let silhouette = Mask::new(width, height, grey).and_then(|mask| Silhouette::from_mask(&mask));
                match silhouette {
                    Some(silhouette) => frames.push((index as f64 / frames_per_s, silhouette)),
                    None => maker.leave_out("frames without anybody", &picture, ""),
                }
            }
            Err(Unusable::Missing) => maker.leave_out("frames that cannot be read", &picture, "it is not there"),
            Err(Unusable::Bad(cause)) => maker.leave_out("frames that cannot be read", &picture, &cause),
        }
    }
    let strides = strides_of_silhouettes(frames);
    if strides.is_empty() {
        maker.leave_out("walks without a complete stride", name, "");
    }
    for stride in strides {
        let sample = GaitSample {
            person,
            stride_s: Some(stride.stride_s as f32),
            source: name.to_owned(),
            ..GaitSample::default()
        };
        maker.push(sample, &stride.gei)?;
    }
    Ok(())
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, GaitPrepareError> {
    list(folder, true)
}

/// The folders or the pictures in a folder, in natural order, without hidden ones.
fn list(folder: &Path, folders: bool) -> Result<Vec<PathBuf>, GaitPrepareError> {
    let failed = |error: std::io::Error| GaitPrepareError::Labels {
        file: folder.display().to_string(),
        cause: error.to_string(),
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let wanted =
            if folders { path.is_dir() } else { path.extension().is_some_and(|e| e.eq_ignore_ascii_case("png")) };
        if wanted && !name.starts_with('.') {
            found.push((name, path));
        }
    }
    found.sort_by(|a, b| natord::compare(&a.0, &b.0).then_with(|| a.0.cmp(&b.0)));
    Ok(found.into_iter().map(|(_, path)| path).collect())
}
