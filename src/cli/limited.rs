//! A source that ends after some seconds.

use std::time::{Duration, Instant};

use facelens_media::{Next, Source, SourceError, SourceInfo, SourceKind};

/// Ends a source after `limit`: a camera by the clock, so that one that gives no picture ends too; everything else by
/// the frames' own time. A picture of a folder stands for a second.
pub(super) struct Limited {
    source: Box<dyn Source>,
    limit: Duration,
    started_at: Option<Instant>,
}

impl Limited {
    /// `source`, until `limit` after its first frame (a camera: after the first question).
    pub fn new(source: Box<dyn Source>, limit: Duration) -> Self {
        Self { source, limit, started_at: None }
    }
}

impl Source for Limited {
    fn damaged(&self) -> u64 {
        self.source.damaged()
    }

    fn info(&self) -> &SourceInfo {
        self.source.info()
    }

    fn seek(&mut self, time: Duration) -> Result<(), SourceError> {
        self.source.seek(time)
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        if self.source.info().kind == SourceKind::Camera {
            let started_at = *self.started_at.get_or_insert_with(Instant::now);
            return if started_at.elapsed() >= self.limit { Ok(Next::End) } else { self.source.next() };
        }
        match self.source.next()? {
            Next::Frame(frame) if frame.time >= self.limit => Ok(Next::End),
            next => Ok(next),
        }
    }
}

#[cfg(test)]
mod tests {
    use facelens_core::frame::Frame;

    use super::*;

    /// Ten frames a second, without an end; a camera never gives one.
    struct Endless(SourceInfo, u64);

    impl Source for Endless {
        fn info(&self) -> &SourceInfo {
            &self.0
        }

        fn next(&mut self) -> Result<Next, SourceError> {
            if self.0.kind == SourceKind::Camera {
                return Ok(Next::Waiting);
            }
            let frame = Frame::from_rgb(1, 1, vec![0; 3]).unwrap().at(self.1, Duration::from_millis(100 * self.1));
            self.1 += 1;
            Ok(Next::Frame(frame))
        }
    }

    fn endless(kind: SourceKind) -> Box<dyn Source> {
        let info = SourceInfo {
            name: "endless".into(),
            kind,
            size: None,
            fps: None,
            frame_count: None,
            duration: None,
            format: String::new(),
        };
        Box::new(Endless(info, 0))
    }

    #[test]
    fn a_video_ends_by_its_own_time() {
        let mut source = Limited::new(endless(SourceKind::Video), Duration::from_millis(500));
        let frames = std::iter::from_fn(|| match source.next().unwrap() {
            Next::Frame(frame) => Some(frame.sequence),
            _ => None,
        });
        assert_eq!(frames.collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_camera_without_pictures_ends_by_the_clock() {
        let mut source = Limited::new(endless(SourceKind::Camera), Duration::from_millis(20));
        assert!(matches!(source.next(), Ok(Next::Waiting)));
        std::thread::sleep(Duration::from_millis(21));
        assert!(matches!(source.next(), Ok(Next::End)));
    }
}
