//! Frames into the videos: copied, blurred, mirrored, painted, encoded.

use std::path::Path;
use std::time::{Duration, Instant};

use super::super::file_error::WriteError;
use super::super::info::SessionVideo;
use super::super::mirror::mirror_rows;
use super::super::video::{VideoOptions, VideoWriter};
use super::blur::pixelate;
use crate::geometry::Rect;
use crate::overlay::{Scene, SceneOptions, paint_on_picture};
use crate::pipeline::Analysis;

/// The videos of a session. The one with the overlay is the last.
pub(super) struct Videos {
    videos: Vec<(SessionVideo, VideoWriter)>,
    rgb: Vec<u8>,
    /// How many fragments were closed when, last time one was.
    closed: (usize, Instant),
}

impl Videos {
    /// Makes the files for pictures of this size.
    pub(super) fn create(folder: &Path, videos: &[SessionVideo], width: u32, height: u32) -> Result<Self, WriteError> {
        let create = |video: &SessionVideo| {
            let writer = VideoWriter::create(&folder.join(&video.file), width, height, VideoOptions::default())?;
            Ok((video.clone(), writer))
        };
        let videos = videos.iter().map(create).collect::<Result<_, WriteError>>()?;
        Ok(Self { videos, rgb: Vec::new(), closed: (0, Instant::now()) })
    }

    /// Adds a frame to each video. `hidden`: what is made unrecognisable where the video is blurred.
    pub(super) fn write(
        &mut self,
        analysis: &Analysis,
        time: Duration,
        scene: &SceneOptions,
        hidden: &[Rect],
    ) -> Result<(), WriteError> {
        let frame = &analysis.frame;
        let (width, height) = (frame.width(), frame.height());
        // A file that is analysed slower than it plays has a second of pictures in several seconds.
        let overdue = self.closed.1.elapsed() >= VideoOptions::default().fragment;
        let mut prepared = false;
        for (video, writer) in &mut self.videos {
            if overdue {
                writer.begin_fragment();
            }
            if !(video.overlay || video.blurred || video.mirrored) {
                writer.write(frame.rgb(), time)?;
                continue;
            }
            if !std::mem::replace(&mut prepared, true) {
                self.rgb.clear();
                self.rgb.extend_from_slice(frame.rgb());
                for rect in hidden.iter().filter(|_| video.blurred) {
                    pixelate(&mut self.rgb, width, rect);
                }
                if video.mirrored {
                    mirror_rows(&mut self.rgb, width);
                }
            }
            if video.overlay {
                let options = SceneOptions { mirrored: video.mirrored, ..*scene }.for_saving(height);
                let scene = Scene::of(&analysis.faces, width, height, &options);
                paint_on_picture(&scene, &mut self.rgb, width, height);
            }
            writer.write(&self.rgb, time)?;
        }
        if self.fragments() > self.closed.0 {
            self.closed = (self.fragments(), Instant::now());
        }
        Ok(())
    }

    /// Fragments that are written in every video: what a kill would leave.
    pub(super) fn fragments(&self) -> usize {
        self.videos.iter().map(|(_, writer)| writer.fragments()).min().unwrap_or(0)
    }

    /// Bytes of all videos.
    pub(super) fn bytes(&self) -> u64 {
        self.videos.iter().map(|(_, writer)| writer.bytes()).sum()
    }

    /// Handles of the files, to be synced elsewhere.
    pub(super) fn handles(&self) -> std::io::Result<Vec<std::fs::File>> {
        self.videos.iter().map(|(_, writer)| writer.handle()).collect()
    }

    /// Finishes every file. After an error, the rest is left as a kill would leave it.
    pub(super) fn finish(self) -> Result<(), WriteError> {
        let mut finished = Ok(());
        for (_, writer) in self.videos {
            match finished {
                Ok(()) => finished = writer.finish().map(drop),
                Err(_) => writer.abandon(),
            }
        }
        finished
    }

    /// Leaves every file as a kill would leave it.
    pub(super) fn abandon(self) {
        for (_, writer) in self.videos {
            writer.abandon();
        }
    }
}
