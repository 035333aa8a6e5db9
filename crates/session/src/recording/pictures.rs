//! Frames into the videos: copied, blurred, mirrored, painted, encoded.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use facelens_core::Analysis;
use facelens_core::geometry::Rect;

use super::super::file_error::WriteError;
use super::super::info::SessionVideo;
use super::super::mirror::mirror_rows;
use super::super::video::{VideoFile, VideoOptions, VideoSummary, VideoWriter};
use super::blur::pixelate;
use crate::overlay::{Scene, SceneOptions, SteadyLabels, paint_on_picture};

/// The videos of a session. The one with the overlay is the last.
pub(super) struct Videos {
    videos: Vec<(SessionVideo, VideoWriter)>,
    rgb: Vec<u8>,
    labels: SteadyLabels,
    /// How many fragments were closed when, last time one was.
    closed: (usize, Instant),
}

impl Videos {
    /// Makes the files for pictures of this size, all or none.
    pub(super) fn create(folder: &Path, videos: &[SessionVideo], width: u32, height: u32) -> Result<Self, WriteError> {
        let options = VideoOptions { file: VideoFile::Private, ..VideoOptions::default() };
        let mut made: Vec<(SessionVideo, VideoWriter)> = Vec::new();
        for video in videos {
            match VideoWriter::create(&folder.join(&video.file), width, height, options) {
                Ok(writer) => made.push((video.clone(), writer)),
                Err(error) => {
                    // The error to tell is this one, not that there is no picture in the others.
                    made.into_iter().for_each(|(_, mut writer)| drop(writer.seal(0)));
                    return Err(error);
                }
            }
        }
        Ok(Self { videos: made, rgb: Vec::new(), labels: SteadyLabels::default(), closed: (0, Instant::now()) })
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
        let labelled = self.labels.update(analysis);
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
                let scene = Scene::of(&labelled, width, height, &options);
                paint_on_picture(&scene, &mut self.rgb, width, height);
            }
            writer.write(&self.rgb, time)?;
        }
        if self.fragments() > self.closed.0 {
            self.closed = (self.fragments(), Instant::now());
        }
        Ok(())
    }

    /// Fragments that are written in every video.
    pub(super) fn fragments(&self) -> usize {
        self.videos.iter().map(|(_, writer)| writer.fragments()).min().unwrap_or(0)
    }

    /// What is in every video: what a kill would leave. `None` without a video.
    pub(super) fn in_files(&self) -> Option<VideoSummary> {
        self.videos.iter().map(|(_, writer)| writer.in_file()).min_by_key(|summary| summary.frames)
    }

    /// Bytes of all videos.
    pub(super) fn bytes(&self) -> u64 {
        self.videos.iter().map(|(_, writer)| writer.bytes()).sum()
    }

    /// Handles of the files, to be synced elsewhere.
    pub(super) fn handles(&self) -> std::io::Result<Vec<(PathBuf, File)>> {
        self.videos.iter().map(|(_, writer)| Ok((writer.path().to_owned(), writer.handle()?))).collect()
    }

    /// Finishes every file, all with the same pictures. After an error those are what all of them have; a file without
    /// any picture is removed.
    pub(super) fn finish(mut self) -> FinishedVideos {
        let mut finished = Ok(());
        for (_, writer) in &mut self.videos {
            finished = finished.and(writer.write_down());
        }
        let frames = || self.videos.iter().map(|(_, writer)| writer.in_file().frames).filter(|&frames| frames > 0);
        let most = frames().min().unwrap_or(0);
        let mut left = FinishedVideos { videos: Vec::new(), summary: None, result: Ok(()) };
        for (video, mut writer) in self.videos {
            let (summary, sealed) = writer.seal(most);
            if summary.frames == 0 {
                continue;
            }
            finished = finished.and(sealed);
            left.summary = Some(summary);
            left.videos.push(video);
        }
        left.result = finished;
        left
    }
}

/// What finishing the videos came to.
pub(super) struct FinishedVideos {
    /// Those with pictures.
    pub videos: Vec<SessionVideo>,
    /// What each of them holds; `None` without any.
    pub summary: Option<VideoSummary>,
    /// The first thing that went wrong.
    pub result: Result<(), WriteError>,
}
