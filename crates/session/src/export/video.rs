//! A session's video, with the overlay drawn anew from the data, or without one.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use facelens_base::atomic_file::{Access, AtomicFile};
use facelens_core::frame::Frame;
use facelens_media::{Mode, Next, Source, SourceError, SourceInfo, SourceSpec};

use crate::file_error::WriteError;
use crate::folder::SessionFolder;
use crate::info::SessionVideo;
use crate::overlay::{Scene, SceneOptions, SteadyLabels, paint_on_picture};
use crate::video::{VideoFile, VideoOptions, VideoSummary, VideoWriter};

/// How a video comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VideoPlan {
    /// This file of the session already is what is asked for: it is copied, picture by picture the same.
    Copy(SessionVideo),
    /// The overlay is drawn over this one, which has none.
    Draw(SessionVideo),
}

/// Why there is no such video.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VideoExportError {
    /// No video was recorded, or it is gone.
    #[error("{}: the session has no video; export its data instead, e.g. with --to srt", .0.display())]
    NoVideo(PathBuf),
    /// The overlay cannot be taken out of a picture.
    #[error(
        "{}: the session has only a video with the overlay painted into it, which cannot be taken out or drawn for some \
         people alone; leave out --overlay off and --person", .0.display()
    )]
    OnlyAnnotated(PathBuf),
    /// The video cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The new video cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// How to get the video with or without the overlay, of these people alone where `people` names some.
///
/// # Errors
/// [`VideoExportError::NoVideo`] and [`VideoExportError::OnlyAnnotated`].
pub fn plan_video(session: &SessionFolder, overlay: bool, people: &[u64]) -> Result<VideoPlan, VideoExportError> {
    match (session.clean_video(), session.annotated_video()) {
        (Some(clean), _) if overlay => Ok(VideoPlan::Draw(clean.clone())),
        (Some(clean), _) => Ok(VideoPlan::Copy(clean.clone())),
        (None, Some(annotated)) if overlay && people.is_empty() => Ok(VideoPlan::Copy(annotated.clone())),
        (None, Some(_)) => Err(VideoExportError::OnlyAnnotated(session.path.clone())),
        (None, None) => Err(VideoExportError::NoVideo(session.path.clone())),
    }
}

/// Copies a video of the session to `to`, replacing what is there.
///
/// # Errors
/// [`VideoExportError::Write`] where the system refuses.
pub fn copy_video(session: &SessionFolder, video: &SessionVideo, to: &Path) -> Result<(), VideoExportError> {
    let copy = || -> io::Result<()> {
        let mut from = File::open(session.path.join(&video.file))?;
        let mut new = AtomicFile::create(to, Access::Usual)?;
        io::copy(&mut from, &mut new)?;
        new.commit()
    };
    copy().map_err(|error| WriteError::io(to, &error).into())
}

/// Draws a session's overlay over its clean video, picture by picture. Dropping it finishes the file up to there.
pub struct VideoExport<'a> {
    session: &'a SessionFolder,
    people: Vec<u64>,
    mirrored: bool,
    source: Box<dyn Source>,
    to: PathBuf,
    writer: Option<VideoWriter>,
    rgb: Vec<u8>,
    labels: SteadyLabels,
}

impl<'a> VideoExport<'a> {
    /// Opens the clean `video` of the session; the file `to` is there, or replaced, once it is finished.
    ///
    /// # Errors
    /// [`VideoExportError::Source`] where the video cannot be read.
    pub fn new(
        session: &'a SessionFolder,
        video: &SessionVideo,
        people: &[u64],
        to: &Path,
    ) -> Result<Self, VideoExportError> {
        let source = facelens_media::open(&SourceSpec::Path(session.path.join(&video.file)), Mode::Batch)?;
        Ok(Self {
            session,
            people: people.to_vec(),
            mirrored: video.mirrored,
            source,
            to: to.to_owned(),
            writer: None,
            rgb: Vec::new(),
            labels: SteadyLabels::default(),
        })
    }

    /// What the video is that is read.
    pub fn info(&self) -> &SourceInfo {
        self.source.info()
    }

    /// Writes one more picture; `false` at the end.
    ///
    /// # Errors
    /// [`VideoExportError`] where the next picture cannot be read or written; what is written so far plays.
    pub fn step(&mut self) -> Result<bool, VideoExportError> {
        match self.source.next()? {
            Next::Frame(frame) => self.write(&frame).map(|()| true),
            Next::End => Ok(false),
            _ => Ok(true),
        }
    }

    fn write(&mut self, frame: &Frame) -> Result<(), VideoExportError> {
        let (width, height) = (frame.width(), frame.height());
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let options = VideoOptions { file: VideoFile::Whole, ..VideoOptions::default() };
                self.writer.insert(VideoWriter::create(&self.to, width, height, options)?)
            }
        };
        self.rgb.clear();
        self.rgb.extend_from_slice(frame.rgb());
        let row = self.session.row_of_picture(frame.time.as_secs_f64()).and_then(|row| self.session.rows.get(row));
        if let Some(row) = row {
            let options = SceneOptions { mirrored: self.mirrored, ..SceneOptions::default() }.for_saving(height);
            let faces = row.faces_of(&self.people, self.session.info.gender_number());
            let faces = self.labels.update_at(frame.time, &faces);
            paint_on_picture(&Scene::of(&faces, width, height, &options), &mut self.rgb, width, height);
        }
        Ok(writer.write(&self.rgb, frame.time)?)
    }

    /// Finishes the file and says what it holds; `None` where no picture came.
    ///
    /// # Errors
    /// [`VideoExportError::Write`] where the disk is full or gone.
    pub fn finish(self) -> Result<Option<VideoSummary>, VideoExportError> {
        Ok(self.writer.map(VideoWriter::finish).transpose()?)
    }

    /// Gives the export up: there is no new file, and one that was there before is as it was.
    pub fn abandon(self) {
        if let Some(writer) = self.writer {
            writer.abandon();
        }
    }
}
