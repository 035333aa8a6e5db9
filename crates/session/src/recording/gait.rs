//! The strides of a session while it is recorded: `gait.csv`, and their gait energy images in `gei/`.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use facelens_base::atomic_file::{create_private, create_private_folder};
use facelens_gait::Stride;

use super::super::file_error::WriteError;
use super::super::gait_rows::{GaitRow, GaitWriter, gei_png};
use super::super::info::{GAIT_FILE, GEI_FOLDER};
use super::super::writer::RowFormat;

/// Most images of a session: a folder with more is hard to open.
const MOST_IMAGES: usize = 20_000;

/// The files of the strides; made with the first one.
pub(super) struct GaitFiles {
    folder: PathBuf,
    writer: GaitWriter<File>,
    /// How many images each walker has.
    counts: HashMap<u64, u32>,
    images: usize,
}

impl GaitFiles {
    /// Makes the table with its first line, and the folder of the images.
    ///
    /// # Errors
    /// Where the disk is full or gone.
    pub(super) fn create(folder: &Path) -> Result<Self, WriteError> {
        let path = folder.join(GAIT_FILE);
        let create = || -> io::Result<_> {
            let mut writer = GaitWriter::new(RowFormat::Csv, create_private(&path)?);
            writer.flush()?;
            Ok(writer)
        };
        let writer = create().map_err(|error| WriteError::io(&path, &error))?;
        let images = folder.join(GEI_FOLDER);
        match create_private_folder(&images) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(WriteError::io(&images, &error)),
            _ => {}
        }
        Ok(Self { folder: folder.to_owned(), writer, counts: HashMap::new(), images: 0 })
    }

    /// Another handle of the table, to be synced on another thread.
    pub(super) fn handle(&self) -> io::Result<File> {
        self.writer.get_ref().try_clone()
    }

    /// Writes a stride, whose times are those of the recording. A stride without a finite time is left out.
    ///
    /// # Errors
    /// Where the disk is full or gone.
    pub(super) fn write(&mut self, input: &str, stride: &Stride) -> Result<(), WriteError> {
        let image = self.image(stride)?;
        let Some(row) = GaitRow::new(input, stride, image) else { return Ok(()) };
        self.writer.write(&row).map_err(|error| WriteError::io(&self.folder.join(GAIT_FILE), &error))
    }

    /// Writes the image and gives its name in the session's folder.
    fn image(&mut self, stride: &Stride) -> Result<Option<String>, WriteError> {
        if self.images >= MOST_IMAGES {
            return Ok(None);
        }
        let count = self.counts.entry(stride.id).or_default();
        *count += 1;
        let name = format!("{GEI_FOLDER}/{}-{count:04}.png", stride.id);
        let path = self.folder.join(&name);
        let write = || create_private(&path)?.write_all(&gei_png(&stride.gei)?);
        write().map_err(|error| WriteError::io(&path, &error))?;
        self.images += 1;
        Ok(Some(name))
    }
}

/// Removes what there is of the files.
pub(super) fn remove(folder: &Path) {
    let _ = fs::remove_file(folder.join(GAIT_FILE));
    let _ = fs::remove_dir_all(folder.join(GEI_FOLDER));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, Gei, Measures};

    use super::*;
    use crate::read_gait_csv;

    fn stride(id: u64, start_ms: u64, end_ms: u64) -> Stride {
        Stride {
            id,
            face: None,
            start: Duration::from_millis(start_ms),
            end: Duration::from_millis(end_ms),
            strides: 1,
            frames: 30,
            gei: Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, &[77; GEI_WIDTH * GEI_HEIGHT]).unwrap(),
            measures: Measures { stride_s: Some((end_ms - start_ms) as f32 / 1000.0), ..Measures::default() },
            age: None,
            likeness: 1.0,
        }
    }

    #[test]
    fn strides_and_their_images_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = GaitFiles::create(folder.path()).unwrap();
        for (id, start_ms, end_ms) in [(3, 1000, 2100), (3, 2100, 3150), (7, 1500, 2700)] {
            files.write("HD Webcam", &stride(id, start_ms, end_ms)).unwrap();
        }
        let rows: Vec<GaitRow> =
            read_gait_csv(File::open(folder.path().join(GAIT_FILE)).unwrap()).map(Result::unwrap).collect();
        let told: Vec<_> =
            rows.iter().map(|row| (row.id, row.start_s, row.end_s, row.gei.as_deref().unwrap())).collect();
        assert_eq!(
            told,
            [(3, 1.0, 2.1, "gei/3-0001.png"), (3, 2.1, 3.15, "gei/3-0002.png"), (7, 1.5, 2.7, "gei/7-0001.png")]
        );
        let image = image::open(folder.path().join("gei/7-0001.png")).unwrap().to_luma8();
        assert_eq!((image.width(), image.height(), image.get_pixel(9, 9).0), (44, 64, [77]));
        remove(folder.path());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(GAIT_FILE)).unwrap();
        let error = GaitFiles::create(folder.path()).err().unwrap().to_string();
        assert!(error.contains("gait.csv"), "{error}");
    }
}
