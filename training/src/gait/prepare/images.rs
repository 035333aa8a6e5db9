//! Reads gait energy images from pictures.

use std::io::Cursor;
use std::path::Path;

use facelens_base::bounded_file::{self, ReadErrorKind};
use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, Gei};
use image::{ImageReader, Limits};

/// Largest file of an image, bytes.
const MAX_BYTES: u64 = 4 << 20;
/// Largest side of an image, pixels.
const MAX_SIDE: u32 = 1024;

/// Why an image cannot be used.
pub(super) enum Unusable {
    /// It is not there.
    Missing,
    /// It cannot be read, or is no such image; the reason in words.
    Bad(String),
}

/// Reads a gait energy image of 44 x 64 pixels or of a whole multiple of both.
///
/// # Errors
/// What is wrong with the file, in words.
pub fn gei_of(file: &Path) -> Result<Gei, String> {
    read_gei(file).map_err(|unusable| match unusable {
        Unusable::Missing => "it is not there".to_owned(),
        Unusable::Bad(cause) => cause,
    })
}

/// The same, telling what is missing from what is bad.
pub(super) fn read_gei(file: &Path) -> Result<Gei, Unusable> {
    let (width, height, grey) = read_grey(file)?;
    Gei::from_grey(width, height, &grey).ok_or_else(|| {
        Unusable::Bad(format!("it has {width} x {height} pixels, not a whole multiple of {GEI_WIDTH} x {GEI_HEIGHT}"))
    })
}

/// Reads a picture as grey bytes: width, height, rows from the top.
pub(super) fn read_grey(file: &Path) -> Result<(usize, usize, Vec<u8>), Unusable> {
    let bytes = bounded_file::read(file, MAX_BYTES).map_err(|error| match error.kind {
        ReadErrorKind::NotFound => Unusable::Missing,
        _ => Unusable::Bad(error.cause),
    })?;
    let mut reader = ImageReader::new(Cursor::new(bytes));
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    reader.limits(limits);
    let picture = reader
        .with_guessed_format()
        .map_err(|error| Unusable::Bad(error.to_string()))?
        .decode()
        .map_err(|error| Unusable::Bad(error.to_string()))?
        .into_luma8();
    let (width, height) = picture.dimensions();
    Ok((width as usize, height as usize, picture.into_raw()))
}
