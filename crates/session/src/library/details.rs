//! What only the data and the video of a session tell.

use std::path::Path;

use facelens_core::frame::Frame;
use facelens_media::VideoReader;
use image::imageops::thumbnail;

use crate::folder::{SessionError, SessionFolder};

/// Largest width and height of a thumbnail, pixels.
const THUMBNAIL: (u32, u32) = (256, 144);

/// What is read of a session for a list.
#[derive(Clone, Debug)]
pub struct SessionDetails {
    /// How many people appear; `None` where the data cannot be read.
    pub people: Option<usize>,
    /// Seconds from the first frame to the end of the last one.
    pub duration_s: f64,
    /// What is missing or damaged, one sentence each without a full stop.
    pub notices: Vec<String>,
    /// The first frame with the most people, small; `None` without a video that can be read.
    pub thumbnail: Option<Frame>,
}

/// Reads the data of the session in the folder `path` and decodes one frame of its video.
///
/// # Errors
/// [`SessionError`] where the folder cannot be read or is no session any more.
pub fn details(path: &Path) -> Result<SessionDetails, SessionError> {
    let session = SessionFolder::open(path)?;
    let readable = !session.rows.is_empty() || session.unread().is_none();
    Ok(SessionDetails {
        people: readable.then(|| session.people().len()),
        duration_s: session.duration_secs(),
        notices: session.notices.iter().map(ToString::to_string).collect(),
        thumbnail: picture(&session),
    })
}

/// The frame that shows the most people, small.
fn picture(session: &SessionFolder) -> Option<Frame> {
    let video = session.clean_video().or_else(|| session.annotated_video())?;
    let most = session.rows.iter().map(|row| row.faces.len()).max().unwrap_or(0);
    let time_s = session.rows.iter().find(|row| row.faces.len() == most).map_or(0.0, |row| row.time_s);
    let mut reader = VideoReader::open(&session.path.join(&video.file)).ok()?;
    // A time of the data may be a millisecond before its frame's.
    let after = reader.times().partition_point(|time| time.as_secs_f64() <= time_s + 0.0015);
    let number = after.saturating_sub(1);
    // Where the video is damaged there, its beginning may be whole.
    let frame = match reader.picture(number) {
        Ok(Some(frame)) => frame,
        _ => reader.picture(0).ok().flatten()?,
    };
    scaled(&frame)
}

/// The frame, scaled down to fit into [`THUMBNAIL`].
pub(super) fn scaled(frame: &Frame) -> Option<Frame> {
    let (width, height) = (frame.width(), frame.height());
    let scale = (THUMBNAIL.0 as f32 / width as f32).min(THUMBNAIL.1 as f32 / height as f32).min(1.0);
    let side = |pixels: u32| ((pixels as f32 * scale).round() as u32).max(1);
    let picture = image::RgbImage::from_raw(width, height, frame.rgb().to_vec())?;
    let small = thumbnail(&picture, side(width), side(height));
    Frame::from_rgb(small.width(), small.height(), small.into_raw()).ok()
}
