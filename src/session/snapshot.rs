//! A picture with its overlay as PNG, and what was found in it as JSON beside it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};

use super::file_error::{WriteError, WriteErrorKind};
use super::jsonl::write_jsonl;
use super::mirror::mirror_rows;
use super::rows::FrameRow;
use crate::overlay::{Scene, SceneOptions, paint_on_picture};
use crate::pipeline::Analysis;

/// More snapshots than this in one second are refused.
const MOST_A_SECOND: u32 = 1000;

/// The two files of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFiles {
    /// The picture with its overlay.
    pub picture: PathBuf,
    /// The line of JSONL that `analyze` would write; places are those of the unmirrored picture.
    pub data: PathBuf,
}

/// `facelens` in the user's folder for pictures, or `None` where the user has no home.
pub fn default_snapshot_folder() -> Option<PathBuf> {
    let user = directories::UserDirs::new()?;
    // A bare system names no folder for pictures; there it gets the usual name.
    let pictures = user.picture_dir().map_or_else(|| user.home_dir().join("Pictures"), Path::to_owned);
    Some(pictures.join("facelens"))
}

/// Saves a frame with the overlay that `options` describe as `facelens-YYYY-MM-DD_HH-MM-SS.png`, with the local time,
/// and what was found in it as `.json` beside it. `folder` is made where it is missing; files that are there already are
/// never overwritten (`-2`, `-3`, ... are added); half-written files never bear these names. The zoom of `options` is
/// replaced by one that suits the picture.
///
/// # Errors
/// [`WriteError`], which names the folder or file, the cause and what to do.
pub fn save_snapshot(
    folder: &Path,
    input: &str,
    analysis: &Analysis,
    options: &SceneOptions,
) -> Result<SnapshotFiles, WriteError> {
    let stem = jiff::Zoned::now().strftime("facelens-%Y-%m-%d_%H-%M-%S").to_string();
    save_as(folder, &stem, input, analysis, options)
}

fn save_as(
    folder: &Path,
    stem: &str,
    input: &str,
    analysis: &Analysis,
    options: &SceneOptions,
) -> Result<SnapshotFiles, WriteError> {
    fs::create_dir_all(folder).map_err(|error| WriteError::io(folder, &error))?;
    let png = encode(folder, analysis, options)?;
    let mut json = Vec::new();
    write_jsonl(&mut json, &FrameRow::new(input, analysis)).map_err(|error| WriteError::io(folder, &error))?;
    // Unlike any snapshot's name, and unlike that of another facelens that saves at this moment.
    let draft = |extension: &str| folder.join(format!(".{stem}.{}.{extension}.part", std::process::id()));
    let drafts = SnapshotFiles { picture: draft("png"), data: draft("json") };
    let saved = write_draft(&drafts.picture, &png)
        .and_then(|()| write_draft(&drafts.data, &json))
        .and_then(|()| give_names(folder, stem, &drafts));
    if saved.is_err() {
        // The error to tell is the one that led here; a draft that stays is hidden and harmless.
        let _ = fs::remove_file(&drafts.picture);
        let _ = fs::remove_file(&drafts.data);
    }
    saved
}

fn encode(folder: &Path, analysis: &Analysis, options: &SceneOptions) -> Result<Vec<u8>, WriteError> {
    let frame = &analysis.frame;
    let (width, height) = (frame.width(), frame.height());
    let mut rgb = frame.rgb().to_vec();
    if options.mirrored {
        mirror_rows(&mut rgb, width);
    }
    let scene = Scene::of(&analysis.faces, width, height, &options.for_saving(height));
    paint_on_picture(&scene, &mut rgb, width, height);
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(&rgb, width, height, ExtendedColorType::Rgb8).map_err(|error| {
        let cause = format!("the picture could not be encoded ({error})");
        WriteError::new(WriteErrorKind::Encoder, folder, cause, "try a smaller picture")
    })?;
    Ok(png)
}

fn write_draft(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    fs::File::create(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(|error| WriteError::io(path, &error))
}

/// Gives the drafts the first free pair of names.
fn give_names(folder: &Path, stem: &str, drafts: &SnapshotFiles) -> Result<SnapshotFiles, WriteError> {
    for number in 1..=MOST_A_SECOND {
        let name = if number == 1 { stem.to_owned() } else { format!("{stem}-{number}") };
        let files =
            SnapshotFiles { picture: folder.join(format!("{name}.png")), data: folder.join(format!("{name}.json")) };
        if !reserve(&files.picture)? {
            continue;
        }
        if !reserve(&files.data)? {
            fs::remove_file(&files.picture).map_err(|error| WriteError::io(&files.picture, &error))?;
            continue;
        }
        for (draft, file) in [(&drafts.data, &files.data), (&drafts.picture, &files.picture)] {
            fs::rename(draft, file).map_err(|error| WriteError::io(file, &error))?;
        }
        return Ok(files);
    }
    let cause = format!("it has {MOST_A_SECOND} snapshots of this second already");
    Err(WriteError::new(WriteErrorKind::Io, folder, cause, "wait a second"))
}

/// Makes an empty file of this name, which the draft then replaces: renaming alone would replace anything.
fn reserve(path: &Path) -> Result<bool, WriteError> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(WriteError::io(path, &error)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::frame::Frame;
    use crate::geometry::Rect;
    use crate::overlay::identity_color;
    use crate::pipeline::StageTimings;
    use crate::track::Face;

    /// A picture that is dark on its left half, with a face there.
    fn analysis() -> Analysis {
        let rgb = (0..120 * 200).flat_map(|index| [if index % 200 < 100 { 20 } else { 220 }; 3]).collect();
        let rect = Rect::new(20.0, 40.0, 60.0, 60.0);
        let face = Face { id: 1, rect, score: 0.9, age: None, gender: None, pose: None };
        let frame = Arc::new(Frame::from_rgb(200, 120, rgb).unwrap());
        Analysis { frame, faces: vec![face], timings: StageTimings::default() }
    }

    fn save(folder: &Path, options: &SceneOptions) -> Result<SnapshotFiles, WriteError> {
        save_as(folder, "facelens-2026-01-02_03-04-05", "camera", &analysis(), options)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_snapshot_is_a_picture_with_its_overlay_and_its_line_of_jsonl() {
        let folder = tempfile::tempdir().unwrap();
        let files = save(&folder.path().join("new").join("facelens"), &SceneOptions::default()).unwrap();
        assert_eq!(files.picture.file_name().unwrap(), "facelens-2026-01-02_03-04-05.png");
        let picture = image::open(&files.picture).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (200, 120));
        assert_eq!(picture.get_pixel(190, 110).0, [220; 3]);
        let color = identity_color(1);
        assert_eq!(picture.get_pixel(30, 40).0, [color.r, color.g, color.b], "an arm of the box's upper left corner");
        let row: FrameRow = serde_json::from_slice(&fs::read(&files.data).unwrap()).unwrap();
        assert_eq!((row.input.as_str(), row.width, row.faces.len()), ("camera", 200, 1));
        assert_eq!(names(files.picture.parent().unwrap()).len(), 2, "no draft is left behind");
    }

    #[test]
    fn a_mirrored_snapshot_mirrors_the_picture_but_not_the_data() {
        let folder = tempfile::tempdir().unwrap();
        let files = save(folder.path(), &SceneOptions { mirrored: true, ..SceneOptions::default() }).unwrap();
        let picture = image::open(&files.picture).unwrap().to_rgb8();
        assert_eq!((picture.get_pixel(10, 110).0, picture.get_pixel(190, 110).0), ([220; 3], [20; 3]));
        let color = identity_color(1);
        assert_eq!(picture.get_pixel(169, 40).0, [color.r, color.g, color.b]);
        let row: FrameRow = serde_json::from_slice(&fs::read(&files.data).unwrap()).unwrap();
        assert_eq!(row.faces[0].rect.x, 20.0);
    }

    #[test]
    fn nothing_is_ever_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("facelens-2026-01-02_03-04-05-2.json"), "mine").unwrap();
        let first = save(folder.path(), &SceneOptions::default()).unwrap();
        let before = fs::read(&first.picture).unwrap();
        let second = save(folder.path(), &SceneOptions { boxes: false, ..SceneOptions::default() }).unwrap();
        assert_eq!(second.picture.file_name().unwrap(), "facelens-2026-01-02_03-04-05-3.png");
        assert_eq!(fs::read(&first.picture).unwrap(), before);
        assert_eq!(fs::read(folder.path().join("facelens-2026-01-02_03-04-05-2.json")).unwrap(), b"mine");
        assert_eq!(names(folder.path()).len(), 5);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named_with_the_cause_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = save(&file.join("facelens"), &SceneOptions::default()).unwrap_err();
        assert_eq!(error.kind, WriteErrorKind::Io);
        let words = error.to_string();
        assert!(
            words.contains("facelens: it cannot be written (") && words.ends_with("choose another folder"),
            "{words}"
        );
    }

    #[test]
    fn the_name_is_the_local_time() {
        let folder = tempfile::tempdir().unwrap();
        let files = save_snapshot(folder.path(), "camera", &analysis(), &SceneOptions::default()).unwrap();
        let name = files.picture.file_name().unwrap().to_str().unwrap();
        let shape: String = name.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "facelens-0000-00-00_00-00-00.png");
    }
}
