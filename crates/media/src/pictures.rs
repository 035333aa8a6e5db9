//! Single pictures and folders of pictures.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::io::Cursor;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use facelens_base::bounded_file::{self, ReadErrorKind};
use facelens_core::frame::Frame;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::foreign::foreign_picture;
use super::guard::no_panic;
use super::jpeg::{self, Data};
use super::{Next, Source, SourceError, SourceErrorKind, SourceInfo, SourceKind};

/// Largest picture file, bytes.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// What a decoder may take besides the picture itself (64 megapixels of RGBA16 are 512 MiB).
const MAX_DECODER_BYTES: u64 = 768 * 1024 * 1024;

/// File names with these endings are meant as pictures, whatever they hold.
const EXTENSIONS: [&str; 13] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "tif", "tiff", "avif", "heic", "heif", "jxl"];

/// How long a picture of a folder stands in a video, and by its time.
pub(super) const SHOWN: Duration = Duration::from_secs(1);
/// The same for eyes.
pub(super) const SHOWN_LIVE: Duration = Duration::from_secs(2);

const READABLE: &str = "JPEG, PNG, WebP, TIFF and BMP images can be read";

/// One picture, or the pictures of a folder in natural order. Sub-folders are not entered.
pub(super) struct PictureFiles {
    info: SourceInfo,
    files: Arc<[PathBuf]>,
    /// A folder goes on after a broken picture, and its frames carry their file's name.
    folder: bool,
    /// Which of the files come next.
    next: Range<usize>,
    /// How long each of them stands.
    each: Duration,
    /// When the next one comes.
    time: Duration,
    /// Those that could not be read.
    broken: HashSet<usize>,
    /// What is wrong with the picture that was given last.
    damage: Option<SourceError>,
}

impl PictureFiles {
    /// One picture; its header is read at once.
    ///
    /// # Errors
    /// Where the file is no picture that is read here, or its header asks for too much.
    pub(super) fn single(path: &Path) -> Result<Self, SourceError> {
        let header = PictureHeader::read(path)?;
        let info = SourceInfo {
            name: path.display().to_string(),
            kind: SourceKind::Pictures,
            size: Some((header.width, header.height)),
            fps: None,
            frame_count: Some(1),
            duration: None,
            format: format!("{} image {}x{}", header.format, header.width, header.height),
        };
        Ok(Self {
            info,
            files: Arc::from([path.to_owned()]),
            folder: false,
            next: 0..1,
            each: SHOWN,
            time: Duration::ZERO,
            broken: HashSet::new(),
            damage: None,
        })
    }

    /// All pictures of a folder, each of which stands for `each`.
    pub(super) fn folder(folder: &PictureFolder, each: Duration) -> Self {
        let mut all = Self::part(folder, 0..folder.files.len(), each);
        all.info.duration = Some(each * folder.files.len() as u32);
        all
    }

    fn part(folder: &PictureFolder, part: Range<usize>, each: Duration) -> Self {
        let info = SourceInfo { frame_count: Some(part.len() as u64), ..folder.info.clone() };
        Self {
            info,
            files: Arc::clone(&folder.files),
            folder: true,
            next: part,
            each,
            time: Duration::ZERO,
            broken: HashSet::new(),
            damage: None,
        }
    }
}

/// A folder of pictures, in natural order, that several threads can read a part of each. Sub-folders are not entered.
pub struct PictureFolder {
    info: SourceInfo,
    files: Arc<[PathBuf]>,
}

impl PictureFolder {
    /// Lists the pictures of a folder. Hidden files and files that are no pictures are passed over.
    ///
    /// # Errors
    /// Where the folder cannot be read or holds no picture.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let subject = path.display().to_string();
        let entries = std::fs::read_dir(path).map_err(|error| SourceError::from_io(path, &error))?;
        let mut files: Vec<PathBuf> =
            entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|file| is_picture_file(file)).collect();
        if files.is_empty() {
            return Err(SourceError::new(
                SourceErrorKind::EmptyFolder,
                subject,
                "the folder holds no images",
                READABLE,
            ));
        }
        files.sort_by(|a, b| natural_order(a, b));
        let info = SourceInfo {
            name: subject,
            kind: SourceKind::Pictures,
            size: None,
            fps: None,
            frame_count: Some(files.len() as u64),
            duration: None,
            format: format!("folder of {} images", files.len()),
        };
        Ok(Self { info, files: files.into() })
    }

    /// What the folder is as a source.
    pub const fn info(&self) -> &SourceInfo {
        &self.info
    }

    /// How many pictures it holds; at least one.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// Where a file stands among the pictures; where it is not there, the first picture that comes after it.
    pub fn position(&self, file: &Path) -> usize {
        self.files.partition_point(|other| natural_order(other, file).is_lt())
    }

    /// Some of the pictures as a source of its own. Frames are numbered as in the whole folder; their times begin at 0,
    /// and each picture stands for a second.
    pub fn part(&self, part: Range<usize>) -> Box<dyn Source> {
        Box::new(PictureFiles::part(self, part, SHOWN))
    }
}

/// As people sort names: `9.png` before `10.png`.
fn natural_order(a: &Path, b: &Path) -> Ordering {
    natord::compare_ignore_case(&file_name(a), &file_name(b)).then_with(|| a.cmp(b))
}

impl Source for PictureFiles {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        if let Some(error) = self.damage.take() {
            return Ok(Next::Damaged(error));
        }
        let Some((number, file)) = self.next.next().and_then(|number| Some((number, self.files.get(number)?))) else {
            return Ok(Next::End);
        };
        let sequence = number as u64;
        match read(file) {
            Ok((frame, damage)) => {
                self.damage = damage;
                let mut frame = frame.at(sequence, self.time);
                self.time += self.each;
                frame.name = self.folder.then(|| Arc::from(file_name(file)));
                Ok(Next::Frame(frame))
            }
            Err(error) if self.folder => {
                self.broken.insert(number);
                Ok(Next::Skipped(error))
            }
            Err(error) => Err(error),
        }
    }

    fn seek(&mut self, time: Duration) -> Result<(), SourceError> {
        if self.info.duration.is_none() {
            return Ok(());
        }
        let place = (time.as_secs_f64() / self.each.as_secs_f64() + 1e-6) as usize;
        let mut next = place.min(self.files.len() - 1);
        // Back over an image that cannot be read, or there would be no way past it.
        while next + 1 < self.next.start && next > 0 && self.broken.contains(&next) {
            next -= 1;
        }
        self.next = next..self.files.len();
        self.time = self.each * next as u32;
        self.damage = None;
        Ok(())
    }
}

/// Whether these first bytes of a file are those of a picture that is read here.
pub(super) fn is_picture(head: &[u8]) -> bool {
    image::guess_format(head).is_ok_and(is_readable)
}

fn is_readable(format: ImageFormat) -> bool {
    use ImageFormat::{Bmp, Jpeg, Png, Tiff, WebP};
    matches!(format, Jpeg | Png | WebP | Bmp | Tiff)
}

/// Whether these first bytes of a file are those of a TIFF.
pub(super) fn is_tiff(head: &[u8]) -> bool {
    head.starts_with(b"II*\0") || head.starts_with(b"MM\0*")
}

/// Whether a file of a folder is read as one of its pictures: by its name's ending or by what it holds.
pub fn is_picture_file(file: &Path) -> bool {
    if file_name(file).starts_with('.') || !file.is_file() {
        return false;
    }
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
        || super::file::head(file).is_ok_and(|head| is_picture(&head) || foreign_picture(&head).is_some())
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What a picture's header says, with its orientation applied.
struct PictureHeader {
    format: String,
    width: u32,
    height: u32,
}

impl PictureHeader {
    fn read(path: &Path) -> Result<Self, SourceError> {
        no_panic(path, || {
            let bytes = read_file(path)?;
            let (format, mut decoder) = decoder(path, &bytes)?;
            let (width, height) = decoder.dimensions();
            let turned = is_turned(orientation(&bytes, &mut decoder));
            let (width, height) = if turned { (height, width) } else { (width, height) };
            Ok(Self { format, width, height })
        })
    }
}

fn is_turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// How the picture is to be turned. One with broken EXIF is still a picture.
fn orientation(bytes: &[u8], decoder: &mut impl ImageDecoder) -> Orientation {
    let told = if is_tiff(bytes) {
        super::exif::orientation(bytes)
    } else {
        decoder.exif_metadata().ok().flatten().and_then(|exif| super::exif::orientation(&exif))
    };
    told.unwrap_or(Orientation::NoTransforms)
}

/// A decoder that has read the header and no pixels; its size is checked.
fn decoder<'a>(path: &Path, bytes: &'a [u8]) -> Result<(String, impl ImageDecoder + 'a), SourceError> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| SourceError::from_io(path, &error))?;
    let Some(format) = reader.format().filter(|&format| is_readable(format)) else {
        return Err(match foreign_picture(bytes) {
            Some((what, remedy)) => unreadable(path, &format!("it is {what}, which is not supported"), remedy),
            None => unreadable(path, "it is not an image", READABLE),
        });
    };
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODER_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| broken(path, &error))?;
    let (width, height) = decoder.dimensions();
    Frame::check_size(width, height).map_err(|error| unreadable(path, &error.to_string(), ""))?;
    let name = match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Tiff => "TIFF",
        _ => "BMP",
    };
    Ok((name.to_owned(), decoder))
}

/// The file in memory: decoders read it whole in any case, however long it is.
fn read_file(path: &Path) -> Result<Vec<u8>, SourceError> {
    bounded_file::read(path, MAX_FILE_BYTES).map_err(|error| match error.kind {
        ReadErrorKind::TooLarge => unreadable(path, &error.cause, &error.remedy),
        _ => SourceError::from_io(path, &error.into()),
    })
}

fn read(path: &Path) -> Result<(Frame, Option<SourceError>), SourceError> {
    read_upright(path, &read_file(path)?)
}

/// Reads a picture (JPEG, PNG, WebP, TIFF or BMP) that is in memory, as a picture file is read; errors call it `name`.
///
/// # Errors
/// Where the bytes are no picture, damaged, cut off, or their header asks for too much.
pub fn decode_picture(name: &str, bytes: &[u8]) -> Result<Frame, SourceError> {
    read_upright(Path::new(name), bytes).map(|(frame, _)| frame)
}

/// Reads one picture upright as RGB8: the EXIF orientation is applied, see-through parts lie on white, 16 bits and grey
/// are converted. Beside it, what is wrong with a picture that can be seen all the same.
fn read_upright(path: &Path, bytes: &[u8]) -> Result<(Frame, Option<SourceError>), SourceError> {
    no_panic(path, || {
        let damage = damage(path, bytes)?;
        match decode(path, bytes) {
            // The last chunk of a PNG holds nothing of the picture.
            Err(error) if error.cause == CUT_OFF && bytes.starts_with(PNG) => {
                let frame = decode(path, &[bytes, PNG_END].concat()).map_err(|_| error)?;
                let cause = "its end is missing, but nothing of the picture";
                Ok((frame, Some(unreadable(path, cause, "copy the file again"))))
            }
            decoded => Ok((decoded?, damage)),
        }
    })
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The last chunk of every PNG.
const PNG_END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";
const CUT_OFF: &str = "the image is cut off";

fn decode(path: &Path, bytes: &[u8]) -> Result<Frame, SourceError> {
    let (_, mut decoder) = decoder(path, bytes)?;
    let orientation = orientation(bytes, &mut decoder);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| broken(path, &error))?;
    picture.apply_orientation(orientation);
    let (width, height) = (picture.width(), picture.height());
    let rgb = if picture.color().has_alpha() { on_white(&picture) } else { picture.into_rgb8().into_raw() };
    Frame::from_rgb(width, height, rgb).map_err(|error| unreadable(path, &error.to_string(), ""))
}

/// What is wrong with a picture's data, of which decoders say nothing, or not this.
///
/// # Errors
/// One that is cut off.
fn damage(path: &Path, bytes: &[u8]) -> Result<Option<SourceError>, SourceError> {
    let cut_off = || unreadable(path, CUT_OFF, "copy the file again");
    // A WebP says how long it is.
    if let [b'R', b'I', b'F', b'F', a, b, c, d, b'W', b'E', b'B', b'P', ..] = *bytes
        && u64::from(u32::from_le_bytes([a, b, c, d])) + 8 > bytes.len() as u64
    {
        return Err(cut_off());
    }
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return Ok(None);
    }
    match jpeg::look(bytes) {
        Data::Whole => Ok(None),
        Data::Cut => Err(cut_off()),
        Data::Damaged => Ok(Some(unreadable(path, "a part of the picture is damaged", "copy the file again"))),
    }
}

fn on_white(picture: &DynamicImage) -> Vec<u8> {
    let blend = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    picture.to_rgba8().pixels().flat_map(|&image::Rgba([r, g, b, a])| [r, g, b].map(|value| blend(value, a))).collect()
}

fn unreadable(path: &Path, cause: &str, remedy: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Unreadable, path.display().to_string(), cause, remedy)
}

fn broken(path: &Path, error: &ImageError) -> SourceError {
    match error {
        ImageError::Limits(_) => unreadable(path, "the image would need too much memory", ""),
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            unreadable(path, CUT_OFF, "copy the file again")
        }
        _ => {
            unreadable(path, &format!("the image is damaged ({error})"), "open it in an image editor and save it again")
        }
    }
}

#[cfg(test)]
#[path = "pictures_tests.rs"]
mod tests;
