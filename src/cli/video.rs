//! `--video`: the inputs with their overlay as one MP4.

use std::path::PathBuf;
use std::time::Duration;

use facelens_core::frame::Frame;
use facelens_media::{SourceInfo, SourceKind};
use facelens_session::WriteError;
use facelens_session::video::{VideoOptions, VideoWriter};

/// How long a single picture stands in the video.
const PICTURE: Duration = Duration::from_secs(1);

/// The video; its file is made with the first picture, whose size is the video's.
pub(super) struct Video {
    path: PathBuf,
    writer: Option<VideoWriter>,
    rgb: Vec<u8>,
    /// Of the input that is analysed now.
    is_pictures: bool,
    single_frame: Duration,
    /// Single pictures so far: each has its second.
    pictures: u32,
}

impl Video {
    /// A video that will be written to `path`.
    pub(super) fn new(path: PathBuf) -> Self {
        let single_frame = VideoOptions::default().single_frame;
        Self { path, writer: None, rgb: Vec::new(), is_pictures: false, single_frame, pictures: 0 }
    }

    /// The next frames come from this source.
    pub(super) fn begin(&mut self, info: &SourceInfo) {
        self.is_pictures = info.kind == SourceKind::Pictures;
        self.single_frame = match info.fps {
            _ if self.is_pictures => PICTURE,
            Some(fps) if fps >= 1.0 => Duration::from_secs_f32(1.0 / fps),
            _ => VideoOptions::default().single_frame,
        };
    }

    /// Adds a frame with its overlay, which `paint` puts on its rows, unmirrored.
    ///
    /// # Errors
    /// The file cannot be written, or the frame has another size than the first.
    pub(super) fn write(&mut self, frame: &Frame, paint: impl FnOnce(&mut [u8])) -> Result<(), WriteError> {
        let (width, height) = (frame.width(), frame.height());
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let options = VideoOptions { single_frame: self.single_frame, ..VideoOptions::default() };
                self.writer.insert(VideoWriter::create(&self.path, width, height, options)?)
            }
        };
        let time = if self.is_pictures {
            self.pictures += 1;
            PICTURE * (self.pictures - 1)
        } else {
            frame.time
        };
        self.rgb.clear();
        self.rgb.extend_from_slice(frame.rgb());
        paint(&mut self.rgb);
        writer.write(&self.rgb, time)
    }

    /// Finishes the file, where there is one.
    ///
    /// # Errors
    /// The disk is full or gone.
    pub(super) fn finish(self) -> Result<(), WriteError> {
        self.writer.map_or(Ok(()), |writer| writer.finish().map(drop))
    }
}
