//! The files of one session while it is recorded.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::super::csv::CsvWriter;
use super::super::file_error::WriteError;
use super::super::info::{SessionEnd, SessionInfo, SessionSource};
use super::super::recovery::mend;
use super::super::rows::{FaceRow, FrameRow};
use super::super::video::VideoOptions;
use super::super::video::clock::{Clock, duration};
use super::blur::{Found, REACH, hidden};
use super::folder::{self, FolderLock, save_info};
use super::options::RecorderOptions;
use super::pictures::Videos;
use super::queue::{Handed, Job};
use super::sync::Syncer;
use crate::geometry::Rect;

/// How often the data of a session without video are brought to the disk.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Why no more frames can be written.
#[derive(Debug)]
pub(super) enum Broken {
    /// The frames have another size now.
    SizeChanged,
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
        match self {
            Self::SizeChanged => SessionEnd::SourceEnded,
            Self::File(error) => SessionEnd::Failed { error: error.to_string() },
        }
    }
}

/// The open files.
pub(super) struct SessionFiles {
    folder: PathBuf,
    lock: FolderLock,
    info: SessionInfo,
    blur: bool,
    rows: CsvWriter<Counted>,
    /// Made with the first frame, whose size is theirs.
    videos: Option<Videos>,
    syncer: Option<Syncer>,
    synced: (usize, Instant),
    clock: Clock,
    /// Blurred frames wait until it is known whom the next ones show.
    waiting: VecDeque<(Job, Found)>,
    /// Frames that were written, for those that follow.
    before: VecDeque<Found>,
}

impl SessionFiles {
    /// Makes the folder with its lock, `session.json` and the data's first line.
    pub(super) fn create(options: &RecorderOptions) -> Result<Self, WriteError> {
        let now = jiff::Zoned::now();
        let folder = folder::make(&options.folder, &now)?;
        let lock = FolderLock::take(&folder)?;
        let mut info = options.info.clone();
        info.started = now.strftime("%Y-%m-%dT%H:%M:%S%:z[%Q]").to_string();
        info.videos = options.videos();
        let files = save_info(&folder, &info).and_then(|()| {
            let path = folder.join(&info.data);
            let file = File::create(&path).map_err(|error| WriteError::io(&path, &error))?;
            let mut rows = CsvWriter::new(Counted { file, bytes: 0 });
            rows.flush().map_err(|error| WriteError::io(&path, &error))?;
            Ok(rows)
        });
        let rows = match files {
            Ok(rows) => rows,
            Err(error) => {
                lock.release();
                folder::remove_empty(&folder, &info);
                return Err(error);
            }
        };
        Ok(Self {
            folder,
            lock,
            info,
            blur: options.blur,
            rows,
            videos: None,
            syncer: None,
            synced: (0, Instant::now()),
            clock: Clock::new(VideoOptions::default().single_frame),
            waiting: VecDeque::new(),
            before: VecDeque::new(),
        })
    }

    /// What the source is.
    pub(super) fn set_source(&mut self, source: &SessionSource) {
        (self.info.source.name, self.info.source.format) = (source.name.clone(), source.format.clone());
    }

    /// Takes a frame; writes it, or those that have waited long enough where faces are blurred.
    pub(super) fn take(&mut self, job: Job) -> Result<(), Broken> {
        if !self.blur {
            return self.write(&job, &[]);
        }
        let found = Found {
            time: job.analysis.frame.time,
            faces: job.analysis.faces.iter().map(|face| (face.id, face.rect)).collect(),
        };
        let now = found.time;
        self.waiting.push_back((job, found));
        while self.waiting.front().is_some_and(|(_, first)| now.abs_diff(first.time) >= REACH) {
            self.write_first()?;
        }
        Ok(())
    }

    /// Writes the frame that has waited longest, with the faces hidden that are near it in time.
    fn write_first(&mut self) -> Result<(), Broken> {
        let Some((job, found)) = self.waiting.pop_front() else { return Ok(()) };
        let around = self.before.iter().chain(self.waiting.iter().map(|(_, found)| found));
        let hidden = hidden(&found, around);
        while self.before.front().is_some_and(|first| first.time.abs_diff(found.time) > REACH) {
            self.before.pop_front();
        }
        self.before.push_back(found);
        self.write(&job, &hidden)
    }

    fn write(&mut self, job: &Job, hidden: &[Rect]) -> Result<(), Broken> {
        let frame = &job.analysis.frame;
        let size = (frame.width(), frame.height());
        if self.videos.is_none() {
            (self.info.source.width, self.info.source.height) = size;
            let videos = Videos::create(&self.folder, &self.info.videos, size.0, size.1)?;
            self.syncer = self.syncer(&videos);
            self.videos = Some(videos);
        } else if size != (self.info.source.width, self.info.source.height) {
            return Err(Broken::SizeChanged);
        }
        let ticks = self.clock.place(frame.time);
        let time = duration(ticks);
        // The row before the picture: what a kill leaves of the data is never less than the videos.
        let row = FrameRow {
            input: self.info.source.name.clone(),
            frame: frame.sequence,
            time_s: (time.as_secs_f64() * 1000.0).round() / 1000.0,
            width: size.0,
            height: size.1,
            faces: job.analysis.faces.iter().filter_map(FaceRow::new).collect(),
        };
        self.rows
            .write(&row)
            .and_then(|()| self.rows.flush())
            .map_err(|error| WriteError::io(&self.folder.join(&self.info.data), &error))?;
        if let Some(videos) = &mut self.videos {
            videos.write(&job.analysis, time, &job.scene, hidden)?;
        }
        self.info.counts.written += 1;
        self.info.duration_s = duration(self.clock.end()).as_secs_f64();
        self.sync();
        Ok(())
    }

    fn syncer(&self, videos: &Videos) -> Option<Syncer> {
        let handles = self.rows.get_ref().file.try_clone().and_then(|rows| {
            let mut files = vec![rows];
            files.extend(videos.handles()?);
            Ok(files)
        });
        handles
            .map_err(|error| tracing::warn!("a recording is not brought to the disk at once: {error}"))
            .ok()
            .map(Syncer::new)
    }

    /// After each fragment; without video, each second.
    fn sync(&mut self) {
        let (Some(syncer), Some(videos)) = (&self.syncer, &self.videos) else { return };
        let due = if self.info.videos.is_empty() {
            self.synced.1.elapsed() >= SYNC_EVERY
        } else {
            videos.fragments() > self.synced.0
        };
        if due {
            self.synced = (videos.fragments(), Instant::now());
            syncer.sync();
        }
    }

    /// Writes `session.json` anew, and says what went wrong with the files meanwhile.
    pub(super) fn save(&mut self, handed: Handed) -> Result<(), Broken> {
        if let Some(error) = self.syncer.as_ref().and_then(Syncer::error) {
            return Err(WriteError::io(&self.folder, &error).into());
        }
        self.count(handed);
        Ok(save_info(&self.folder, &self.info)?)
    }

    fn count(&mut self, handed: Handed) {
        let counts = &mut self.info.counts;
        (counts.captured, counts.analysed, counts.dropped) = (handed.captured(), handed.analysed, handed.dropped);
    }

    /// Writes what still waits, finishes all files and says how the session ended. Without any frame nothing is left of
    /// it.
    pub(super) fn finish(mut self, mut end: SessionEnd, handed: Handed) -> (SessionEnd, SessionInfo) {
        let failed = matches!(end, SessionEnd::Failed { .. });
        let mut whole = if failed { Err(None) } else { Ok(()) };
        while whole.is_ok() && !self.waiting.is_empty() {
            match self.write_first() {
                // Frames of another size that waited are no failure, but nobody wrote them.
                Ok(()) | Err(Broken::SizeChanged) => {}
                Err(Broken::File(error)) => whole = Err(Some(error)),
            }
        }
        self.count(handed);
        self.info.counts.dropped = self.info.counts.analysed.saturating_sub(self.info.counts.written);
        drop(self.syncer.take());
        match (self.videos.take(), &whole) {
            (Some(videos), Ok(())) if self.info.counts.written > 0 => whole = videos.finish().map_err(Some),
            (Some(videos), _) => videos.abandon(),
            (None, _) => {}
        }
        let synced = self.rows.get_ref().file.sync_all();
        let Self { folder, lock, mut info, rows, .. } = self;
        drop(rows);
        if let (Ok(()), Err(error)) = (&whole, synced) {
            whole = Err(Some(WriteError::io(&folder.join(&info.data), &error)));
        }
        let mut unclear = false;
        if let Err(error) = whole {
            if let Some(error) = error {
                end = SessionEnd::Failed { error: error.to_string() };
            }
            // What the files hold now decides what is whole, as after a kill.
            let mended = mend(&folder, &mut info);
            info.counts.dropped = info.counts.analysed.saturating_sub(info.counts.written);
            unclear = !mended.troubles.is_empty();
            tracing::info!("{}: {mended}", folder.display());
        }
        if info.counts.written == 0 && !unclear {
            lock.release();
            folder::remove_empty(&folder, &info);
            return (end, info);
        }
        info.end = Some(end.clone());
        if let Err(error) = save_info(&folder, &info) {
            tracing::warn!("{error}");
            if end == SessionEnd::Stopped || end == SessionEnd::SourceEnded {
                end = SessionEnd::Failed { error: error.to_string() };
            }
        }
        lock.release();
        (end, info)
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
        self.rows.get_ref().bytes + self.videos.as_ref().map_or(0, Videos::bytes)
    }
}

/// A file that counts its bytes.
struct Counted {
    file: File,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
