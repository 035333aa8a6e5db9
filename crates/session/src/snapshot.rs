//! A picture with its overlay as PNG, and what was found in it as JSON beside it.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use facelens_base::atomic_file::{Access, AtomicFile};
use facelens_core::Analysis;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};

use super::file_error::{WriteError, WriteErrorKind};
use super::jsonl::write_jsonl;
use super::mirror::mirror_rows;
use super::rows::FrameRow;
use crate::overlay::{Scene, SceneOptions, paint_on_picture};

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
/// never overwritten (`-2`, `-3`, ... are added); half-written files never bear these names, and the user alone may read
/// them. The zoom of `options` is replaced by one that suits the picture.
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
    for number in 1..=MOST_A_SECOND {
        let name = if number == 1 { stem.to_owned() } else { format!("{stem}-{number}") };
        let files =
            SnapshotFiles { picture: folder.join(format!("{name}.png")), data: folder.join(format!("{name}.json")) };
        let is_taken = |file: &Path| fs::symlink_metadata(file).is_ok();
        if !is_taken(&files.picture) && !is_taken(&files.data) && write_pair(&files, &png, &json)? {
            return Ok(files);
        }
    }
    let cause = format!("it has {MOST_A_SECOND} snapshots of this second already");
    Err(WriteError::new(WriteErrorKind::Io, folder, cause, "wait a second"))
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
        let cause = format!("the image could not be encoded ({error})");
        WriteError::new(WriteErrorKind::Encoder, folder, cause, "try a smaller image")
    })?;
    Ok(png)
}

/// Writes both files or none; `false` where somebody else has just taken one of the names.
fn write_pair(files: &SnapshotFiles, png: &[u8], json: &[u8]) -> Result<bool, WriteError> {
    let draft = |file: &Path, bytes: &[u8]| {
        let mut draft = AtomicFile::create(file, Access::Private)?;
        draft.write_all(bytes).map(|()| draft)
    };
    let error = |file: &Path, error: &std::io::Error| WriteError::io(file, error);
    let picture = draft(&files.picture, png).map_err(|cause| error(&files.picture, &cause))?;
    let data = draft(&files.data, json).map_err(|cause| error(&files.data, &cause))?;
    match picture.commit_new() {
        Ok(()) => {}
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(cause) => return Err(error(&files.picture, &cause)),
    }
    data.commit_new().map(|()| true).or_else(|cause| {
        // A picture without its data is no snapshot. The error to tell is the one that led here.
        let _ = fs::remove_file(&files.picture);
        if cause.kind() == ErrorKind::AlreadyExists { Ok(false) } else { Err(error(&files.data, &cause)) }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use facelens_core::StageTimings;
    use facelens_core::frame::Frame;
    use facelens_core::geometry::Rect;
    use facelens_core::track::Face;

    use super::*;
    use crate::overlay::identity_color;

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
    fn snapshots_of_one_second_are_all_whole_and_the_users_alone() {
        const COUNT: usize = 8;
        let folder = tempfile::tempdir().unwrap();
        let saved: Vec<SnapshotFiles> = std::thread::scope(|scope| {
            let saves: Vec<_> =
                (0..COUNT).map(|_| scope.spawn(|| save(folder.path(), &SceneOptions::default()).unwrap())).collect();
            saves.into_iter().map(|save| save.join().unwrap()).collect()
        });
        for (index, files) in saved.iter().enumerate() {
            assert!(saved.iter().skip(index + 1).all(|other| other.picture != files.picture), "{files:?}");
            assert_eq!(image::open(&files.picture).unwrap().to_rgb8().dimensions(), (200, 120));
            let row: FrameRow = serde_json::from_slice(&fs::read(&files.data).unwrap()).unwrap();
            assert_eq!((row.width, files.picture.file_stem()), (200, files.data.file_stem()));
            #[cfg(unix)]
            for file in [&files.picture, &files.data] {
                let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file).unwrap().permissions());
                assert_eq!(mode & 0o777, 0o600);
            }
        }
        assert_eq!(names(folder.path()).len(), 2 * COUNT, "no draft is left behind");
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
