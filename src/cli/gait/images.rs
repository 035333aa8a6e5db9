//! `--gei`: each stride's gait energy image as a PNG.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use facelens_base::atomic_file::{Access, AtomicFile, cause};
use facelens_gait::Stride;
use facelens_media::SourceSpec;
use facelens_session::gei_png;

use crate::cli::output;

/// Most images of one call: a folder with more is hard to open.
const MOST: usize = 20_000;
/// Longest part of an image's name that comes from its input, characters.
const LONGEST_NAME: usize = 60;

/// The folder of the images.
pub(super) struct GeiImages {
    folder: PathBuf,
    /// What the names of this input's images begin with, and those of earlier inputs.
    name: String,
    used: Vec<String>,
    /// How many images each walker of this input has.
    counts: HashMap<u64, u32>,
    written: usize,
}

impl GeiImages {
    /// Makes the folder where it is not there.
    pub(super) fn new(folder: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&folder).map_err(|error| {
            anyhow!("{}: cannot be made ({}); choose another folder with --gei", folder.display(), cause(&error))
        })?;
        Ok(Self { folder, name: String::new(), used: Vec::new(), counts: HashMap::new(), written: 0 })
    }

    /// The next strides come from this input.
    pub(super) fn begin(&mut self, input: &SourceSpec) {
        let name = match input {
            SourceSpec::Path(path) => safe_name(path),
            SourceSpec::Demo => "demo".to_owned(),
            SourceSpec::Camera(_) => "camera".to_owned(),
        };
        // Two inputs of one name, in two folders.
        let taken = |name: &String| self.used.contains(&name.to_lowercase());
        let free = std::iter::once(name.clone())
            .chain((2..).map(|number| format!("{name}_{number}")))
            .find(|name| !taken(name));
        self.name = free.unwrap_or(name);
        self.used.push(self.name.to_lowercase());
        self.counts.clear();
    }

    /// Writes the image of a stride and gives its file name; `None` where there are too many.
    pub(super) fn write(&mut self, stride: &Stride) -> anyhow::Result<Option<String>> {
        if self.written >= MOST {
            if self.written == MOST {
                self.written += 1;
                output::note(format_args!("{MOST} images were written; later strides get none"));
            }
            return Ok(None);
        }
        let count = self.counts.entry(stride.id).or_default();
        *count += 1;
        let name = format!("{}-{}-{count:03}.png", self.name, stride.id);
        let path = self.folder.join(&name);
        let failed = |error: &std::io::Error| anyhow!("{}: cannot be written ({})", path.display(), cause(error));
        let png = gei_png(&stride.gei).map_err(|error| failed(&error))?;
        let file = AtomicFile::create(&path, Access::Usual).map_err(|error| failed(&error))?;
        file.as_file().write_all(&png).map_err(|error| failed(&error))?;
        file.commit().map_err(|error| failed(&error))?;
        self.written += 1;
        Ok(Some(name))
    }
}

/// A name without anything that a file system, a shell or a spreadsheet may take for something else.
fn safe_name(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let letter = |letter: char| if letter.is_alphanumeric() || letter == '_' || letter == '-' { letter } else { '_' };
    let name: String = stem.chars().take(LONGEST_NAME).map(letter).collect();
    let name = name.trim_matches(['_', '-']);
    if name.is_empty() { "clip".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, Gei, Measures};

    use super::*;

    fn stride(id: u64) -> Stride {
        let grey: Vec<u8> = (0..GEI_WIDTH * GEI_HEIGHT).map(|place| (place % 251) as u8).collect();
        Stride {
            id,
            face: None,
            start: Duration::ZERO,
            end: Duration::from_secs(1),
            strides: 1,
            frames: 30,
            gei: Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, &grey).unwrap(),
            measures: Measures::default(),
            age: None,
            likeness: 1.0,
        }
    }

    #[test]
    fn names_are_safe_on_every_system() {
        for (path, name) in [
            ("a/my clip (1).mp4", "my_clip__1"),
            ("=cmd.mp4", "cmd"),
            ("größe.mp4", "größe"),
            ("...", "clip"),
            ("-rf.avi", "rf"),
        ] {
            assert_eq!(safe_name(Path::new(path)), name, "{path}");
        }
        assert_eq!(safe_name(Path::new(&"x".repeat(300))).len(), LONGEST_NAME);
    }

    #[test]
    fn images_read_back_and_two_inputs_of_one_name_keep_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let mut images = GeiImages::new(folder.path().join("new/gei")).unwrap();
        let mut names = Vec::new();
        for input in ["a/clip.mp4", "b/Clip.mp4"] {
            images.begin(&SourceSpec::Path(input.into()));
            for id in [3, 3, 4] {
                names.push(images.write(&stride(id)).unwrap().unwrap());
            }
        }
        assert_eq!(
            names,
            [
                "clip-3-001.png",
                "clip-3-002.png",
                "clip-4-001.png",
                "Clip_2-3-001.png",
                "Clip_2-3-002.png",
                "Clip_2-4-001.png"
            ]
        );
        let read = image::open(folder.path().join("new/gei/clip-3-002.png")).unwrap();
        assert_eq!((read.width(), read.height()), (44, 64));
        assert_eq!(read.to_luma8().into_raw(), stride(3).gei.to_grey());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = GeiImages::new(file.path().join("gei")).err().unwrap().to_string();
        assert!(error.contains("cannot be made") && error.contains("--gei"), "{error}");
    }
}
