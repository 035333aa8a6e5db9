//! Which source a path is: its content decides, not its name.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::foreign::foreign_picture;
use super::pace::Paced;
use super::pictures::{self, PictureFiles, PictureFolder};
use super::rising::Rising;
use super::{Mode, Source, SourceError, SourceErrorKind, video};

/// How many bytes of a file decide what it is.
const HEAD_BYTES: u64 = 4096;

/// Opens a video, a picture, or a folder of pictures.
pub(super) fn open(path: &Path, mode: Mode) -> Result<Box<dyn Source>, SourceError> {
    let subject = || path.display().to_string();
    let metadata = std::fs::metadata(path).map_err(|error| SourceError::from_io(path, &error))?;
    if metadata.is_dir() {
        let each = if mode == Mode::Live { pictures::SHOWN_LIVE } else { pictures::SHOWN };
        return Ok(given(Box::new(PictureFiles::folder(&PictureFolder::open(path)?, each)), mode));
    }
    if !metadata.is_file() {
        return Err(SourceError::new(SourceErrorKind::Unreadable, subject(), "it is neither a file nor a folder", ""));
    }
    if metadata.len() == 0 {
        return Err(SourceError::new(SourceErrorKind::Unreadable, subject(), "the file is empty", ""));
    }
    let head = head(path).map_err(|error| SourceError::from_io(path, &error))?;
    if pictures::is_picture(&head) {
        return match PictureFiles::single(path) {
            Ok(pictures) => Ok(Box::new(pictures)),
            // There are more kinds of TIFF than are built in.
            Err(error) if pictures::is_tiff(&head) => video::open(path, &head).map_err(|_| error),
            Err(error) => Err(error),
        };
    }
    if let Some((what, remedy)) = foreign_picture(&head) {
        let cause = format!("it is {what}, which is not supported");
        return Err(SourceError::new(SourceErrorKind::Unsupported, subject(), cause, remedy));
    }
    if is_text(&head) {
        // No decoder is asked: some would follow the addresses in a playlist.
        return Err(SourceError::new(
            SourceErrorKind::Unreadable,
            subject(),
            "it is a text file, neither an image nor a video",
            "",
        ));
    }
    Ok(given(video::open(path, &head)?, mode))
}

/// A source with times that rise, at its own pace where it is for eyes.
fn given(source: Box<dyn Source>, mode: Mode) -> Box<dyn Source> {
    let source = Box::new(Rising::new(source));
    match mode {
        Mode::Live => Box::new(Paced::new(source)),
        Mode::Batch => source,
    }
}

/// The first bytes of a file.
pub(super) fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

/// Valid UTF-8 (but for a character that the end of `head` cuts) without control characters.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => match std::str::from_utf8(&head[..error.valid_up_to()]) {
            Ok(text) => text,
            Err(_) => return false,
        },
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\x0c'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(name: &str, content: &[u8]) -> SourceError {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        match open(&path, Mode::Batch) {
            Ok(_) => panic!("{name} was opened"),
            Err(error) => error,
        }
    }

    #[test]
    fn a_text_file_is_named_as_such_whatever_its_ending() {
        for name in ["clip.mp4", "face.jpg", "notes.txt"] {
            let error = error_of(name, "Grüße, this is no picture.\n".as_bytes());
            assert_eq!(error.kind, SourceErrorKind::Unreadable);
            assert!(error.to_string().contains(name) && error.to_string().contains("text file"), "{error}");
        }
    }

    #[test]
    fn text_is_told_from_bytes_also_where_the_head_cuts_a_character() {
        assert!(is_text("aä".as_bytes()) && is_text(&"aä".as_bytes()[..2]));
        assert!(!is_text(b"a\0b") && !is_text(b"\xff\xfe") && !is_text(b""));
    }

    #[test]
    fn pictures_that_are_not_read_are_named() {
        let error = error_of("phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08mdat");
        assert_eq!(error.kind, SourceErrorKind::Unsupported);
        assert!(error.to_string().contains("HEIC") && error.to_string().contains("JPEG or PNG"), "{error}");
    }

    #[test]
    fn missing_and_empty_files_are_told_apart() {
        let Err(error) = open(Path::new("/nowhere/clip.mp4"), Mode::Batch) else { panic!("opened") };
        assert_eq!(error.kind, SourceErrorKind::NotFound);
        assert!(error.to_string().contains("/nowhere/clip.mp4"), "{error}");
        let error = error_of("empty.png", b"");
        assert!(error.kind == SourceErrorKind::Unreadable && error.cause.contains("empty"), "{error}");
    }
}
