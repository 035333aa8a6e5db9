//! The files of one session while it is recorded.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use facelens_core::geometry::Rect;
use facelens_gait::Stride;

use super::super::file_error::WriteError;
use super::super::info::{GAIT_FILE, SessionEnd, SessionInfo, SessionSource};
use super::super::rows::{FaceRow, FrameRow};
use super::super::video::clock::{VideoClock, duration};
use super::super::video::{VideoOptions, VideoSummary};
use super::blur_queue::BlurQueue;
use super::data::DataFile;
use super::folder::{self, FolderLock, save_info_patiently};
use super::gait::GaitFiles;
use super::options::RecorderOptions;
use super::pictures::Videos;
use super::queue::{Handed, RecorderJob};
use super::sync::{SyncOutcome, Syncer};

/// How often the files are brought to the disk where no fragment is finished meanwhile.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Why no more frames can be written.
#[derive(Debug)]
pub(super) enum Broken {
    /// The frames have another size now, width and height in pixels.
    SizeChanged { was: (u32, u32), is: (u32, u32) },
    /// A file cannot be written.
    File(WriteError),
}

impl From<WriteError> for Broken {
    fn from(error: WriteError) -> Self {
        Self::File(error)
    }
}

impl Broken {
    /// How a session ends by this.
    pub(super) fn end(self) -> SessionEnd {
        let error = match self {
            Self::SizeChanged { was, is } => format!(
                "the images changed from {}x{} to {}x{}, and a session has one size; record the rest in a new session",
                was.0, was.1, is.0, is.1
            ),
            Self::File(error) => error.to_string(),
        };
        SessionEnd::Failed { error }
    }
}

/// The open files.
pub(super) struct SessionFiles {
    folder: PathBuf,
    lock: FolderLock,
    info: SessionInfo,
    blur: Option<BlurQueue>,
    data: DataFile,
    /// Made with the first stride.
    gait: Option<GaitFiles>,
    /// Made with the first frame, whose size is theirs.
    videos: Option<Videos>,
    syncer: Syncer,
    /// How many fragments there were when a sync was last asked for, and when that was.
    synced: (usize, Instant),
    clock: VideoClock,
}

/// How a session ended.
pub(super) struct Finished {
    pub end: SessionEnd,
    pub info: SessionInfo,
    /// What went wrong and was made good.
    pub warning: Option<String>,
}

impl SessionFiles {
    /// Makes the folder with its lock, `session.json` and the data's first line.
    pub(super) fn create(options: &RecorderOptions) -> Result<Self, WriteError> {
        let now = jiff::Zoned::now();
        let folder = folder::make(&options.folder, &now)?;
        let lock = FolderLock::take(&folder)?;
        let mut info = options.info.clone();
        info.started = now.strftime("%Y-%m-%dT%H:%M:%S%:z[%:Q]").to_string();
        info.videos = options.videos();
        let data = save_info_patiently(&folder, &info).and_then(|()| DataFile::create(&folder.join(&info.data)));
        let data = match data {
            Ok(data) => data,
            Err(error) => {
                lock.release();
                folder::remove_empty(&folder, &info);
                return Err(error);
            }
        };
        let files = Self {
            syncer: Syncer::new(&folder),
            folder,
            lock,
            info,
            blur: options.blur.then(BlurQueue::default),
            data,
            gait: None,
            videos: None,
            synced: (0, Instant::now()),
            clock: VideoClock::new(VideoOptions::default().single_frame),
        };
        files.add_to_syncer(files.data.handle().map(|file| vec![(files.folder.join(&files.info.data), file)]));
        Ok(files)
    }

    fn add_to_syncer(&self, handles: std::io::Result<Vec<(PathBuf, std::fs::File)>>) {
        match handles {
            Ok(handles) => handles.into_iter().for_each(|(path, file)| self.syncer.add(path, file)),
            Err(error) => tracing::warn!("a recording is not synced to disk at once: {error}"),
        }
    }

    /// What the source is.
    pub(super) fn set_source(&mut self, source: &SessionSource) {
        (self.info.source.name, self.info.source.format) = (source.name.clone(), source.format.clone());
    }

    /// Takes a frame; writes it, or those that have waited long enough where faces are blurred.
    pub(super) fn take(&mut self, job: RecorderJob) -> Result<(), Broken> {
        let Some(queue) = &mut self.blur else { return self.write(&job, &[]) };
        queue.push(job);
        while let Some((job, hidden)) = self.blur.as_mut().and_then(BlurQueue::pop_due) {
            self.write(&job, &hidden)?;
        }
        Ok(())
    }

    fn write(&mut self, job: &RecorderJob, hidden: &[Rect]) -> Result<(), Broken> {
        let frame = &job.analysis.frame;
        let size = (frame.width(), frame.height());
        if self.videos.is_none() {
            (self.info.source.width, self.info.source.height) = size;
            let videos = Videos::create(&self.folder, &self.info.videos, size.0, size.1)?;
            self.add_to_syncer(videos.handles());
            self.videos = Some(videos);
        } else if size != (self.info.source.width, self.info.source.height) {
            let was = (self.info.source.width, self.info.source.height);
            return Err(Broken::SizeChanged { was, is: size });
        }
        let time = duration(self.clock.place(job.time));
        // The row before the picture: what a kill leaves of the data is never less than the videos.
        self.data.write(&FrameRow {
            input: self.info.source.name.clone(),
            frame: frame.sequence,
            time_s: (time.as_secs_f64() * 1000.0).round() / 1000.0,
            width: size.0,
            height: size.1,
            faces: job.analysis.faces.iter().filter_map(FaceRow::new).collect(),
        })?;
        if let Some(videos) = &mut self.videos {
            videos.write(&job.analysis, time, &job.scene, hidden)?;
        }
        self.data.settle(self.in_files().frames);
        self.info.counts.written += 1;
        self.info.duration_s = duration(self.clock.end()).as_secs_f64();
        Ok(())
    }

    /// Writes strides, whose times are those of the recording.
    pub(super) fn take_strides(&mut self, strides: &[Stride]) -> Result<(), Broken> {
        if strides.is_empty() {
            return Ok(());
        }
        if self.gait.is_none() {
            let files = GaitFiles::create(&self.folder)?;
            self.add_to_syncer(files.handle().map(|file| vec![(self.folder.join(GAIT_FILE), file)]));
            self.info.gait = Some(GAIT_FILE.to_owned());
            self.gait = Some(files);
        }
        if let Some(files) = &mut self.gait {
            for stride in strides {
                files.write(&self.info.source.name, stride)?;
            }
        }
        Ok(())
    }

    /// The frames that are in all files: what a kill would leave.
    fn in_files(&self) -> VideoSummary {
        let all = || VideoSummary { frames: self.data.frames(), duration: duration(self.clock.end()) };
        self.videos.as_ref().and_then(Videos::in_files).unwrap_or_else(all)
    }

    /// Has the files brought to the disk and `session.json` written anew, after each fragment and once a second, and says
    /// what went wrong with that before. That `session.json` could not be written is no reason to stop.
    pub(super) fn keep(&mut self, handed: Handed) -> Result<(), Broken> {
        if let Some(error) = self.syncer.outcome().failure {
            return Err(error.into());
        }
        let fragments = self.videos.as_ref().map_or(0, Videos::fragments);
        if fragments > self.synced.0 || self.synced.1.elapsed() >= SYNC_EVERY {
            self.synced = (fragments, Instant::now());
            self.count(handed);
            let in_files = self.in_files();
            let mut info = self.info.clone();
            (info.counts.written, info.duration_s) = (in_files.frames, in_files.duration.as_secs_f64());
            self.syncer.sync(&info);
        }
        Ok(())
    }

    fn count(&mut self, handed: Handed) {
        let counts = &mut self.info.counts;
        (counts.captured, counts.analysed, counts.dropped) = (handed.captured(), handed.analysed, handed.dropped);
    }

    /// Writes what still waits, finishes all files with the same frames and says how the session ended. Without any frame
    /// nothing is left of it. Where the files cannot be made equal, the session is left to the next start, as after a kill.
    pub(super) fn finish(mut self, mut end: SessionEnd, handed: Handed) -> Finished {
        while !matches!(end, SessionEnd::Failed { .. })
            && let Some((job, hidden)) = self.blur.as_mut().and_then(BlurQueue::pop)
        {
            if let Err(broken) = self.write(&job, &hidden) {
                end = broken.end();
            }
        }
        self.count(handed);
        let in_memory = VideoSummary { frames: self.data.frames(), duration: duration(self.clock.end()) };
        let Self { folder, lock, mut info, data, videos, syncer, .. } = self;
        let SyncOutcome { failure: not_synced, unsaved, unsaved_cause } = syncer.finish();
        let mut left = in_memory;
        let videos_finished = match videos.map(Videos::finish) {
            Some(finished) => {
                info.videos = finished.videos;
                left = finished.summary.unwrap_or(in_memory);
                finished.result
            }
            None => Ok(()),
        };
        let data_finished = data.finish(left.frames);
        let is_equal = data_finished.is_ok();
        info.counts.written = left.frames;
        info.counts.dropped = info.counts.analysed.saturating_sub(left.frames);
        info.duration_s = if left.frames > 0 { left.duration.as_secs_f64() } else { 0.0 };
        let failure = not_synced.or(videos_finished.err()).or(data_finished.err());
        if let (Some(error), false) = (failure, matches!(end, SessionEnd::Failed { .. })) {
            end = SessionEnd::Failed { error: error.to_string() };
        }
        if left.frames == 0 && is_equal {
            lock.release();
            folder::remove_empty(&folder, &info);
            return Finished { end, info, warning: None };
        }
        info.end = is_equal.then(|| end.clone());
        let mut warning = unsaved_cause.map(|cause| {
            let times = if unsaved == 1 { "once".to_owned() } else { format!("{unsaved} times") };
            format!("{cause}; this happened {times} during the recording, and no data were lost")
        });
        if let Err(error) = save_info_patiently(&folder, &info) {
            warning = None;
            if matches!(end, SessionEnd::Failed { .. }) {
                // The first failure is the one to tell.
                tracing::warn!("{error}");
            } else {
                end = SessionEnd::Failed { error: error.to_string() };
            }
        }
        lock.release();
        Finished { end, info, warning }
    }

    /// The session's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is known of the session.
    pub(super) fn info(&self) -> &SessionInfo {
        &self.info
    }

    /// Bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        self.data.bytes() + self.videos.as_ref().map_or(0, Videos::bytes)
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
