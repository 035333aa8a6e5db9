//! The container: where the samples of an MP4's video track lie and when they are shown (ISO/IEC 14496-12 and -15).
//!
//! Read here and not by a library: the two at hand hang or take all memory on damaged files (a box of size 0, a table of
//! four thousand million samples), and both refuse a file that is cut off, of which the beginning can be seen.

mod boxes;
mod display;
mod edits;
mod fragments;
mod tables;
mod track;

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use std::time::Duration;

use image::metadata::Orientation;

pub(super) use self::display::PixelAspect;

use self::boxes::Boxes;
use self::track::{AvcConfiguration, VideoTrack, codec_name};
use super::boxes::{Bytes, child};
use super::{NotBuiltIn, unreadable};
use crate::SourceError;

/// More samples than 24 hours at 60 frames a second are taken for a hostile file.
const MAX_SAMPLES: usize = 24 * 3600 * 60;

/// One coded picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VideoSample {
    /// Where it lies in the file, bytes.
    pub offset: u64,
    /// How long it is, bytes.
    pub size: u32,
    /// Its place among the track's pictures, in units of the timescale.
    pub time: i64,
    /// Decoding can begin here.
    pub keyframe: bool,
    /// When it is shown, in units of the timescale: the first picture at 0. `None` where it was cut out, and is only
    /// decoded because others need it.
    pub shown_at: Option<i64>,
}

/// The H.264 track of a file.
#[derive(Debug)]
pub(super) struct Movie {
    /// In the order in which they are decoded.
    pub samples: Vec<VideoSample>,
    /// Time units a second.
    pub timescale: u32,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_size: u8,
    /// Sequence and picture parameter sets, without start codes.
    pub parameter_sets: Vec<Vec<u8>>,
    /// How the picture must be turned for display.
    pub orientation: Orientation,
    /// How long its pixels are, where they are no squares and the container says so.
    pub pixel_aspect: Option<PixelAspect>,
}

impl Movie {
    /// Reads the index of an MP4 file.
    pub(super) fn read(path: &Path) -> Result<Self, NotBuiltIn> {
        let file = File::open(path).map_err(|error| NotBuiltIn::Broken(SourceError::from_io(path, &error)))?;
        Self::of(BufReader::new(file), path)
    }

    /// Reads the index of the MP4 in `reader`; errors call it `path`.
    pub(super) fn of(reader: BufReader<impl Read + Seek>, path: &Path) -> Result<Self, NotBuiltIn> {
        let boxes = Boxes::scan(reader).map_err(|error| NotBuiltIn::Broken(SourceError::from_io(path, &error)))?;
        let damaged = |what: &str| {
            NotBuiltIn::Broken(unreadable(path, format!("the MP4 is damaged: {what}"), "copy the file again"))
        };
        if boxes.too_many {
            return Err(damaged("it has more boxes than any video"));
        }
        let Some(moov) = boxes.moov else {
            let cause = if boxes.cut { "the video is cut off before its index" } else { "the MP4 has no index" };
            return Err(NotBuiltIn::Broken(unreadable(path, cause, "copy the file again, or record it again")));
        };
        let moov = moov.as_slice();
        let Some(track) = VideoTrack::of_movie(moov) else {
            return Err(NotBuiltIn::Broken(unreadable(path, "the file holds no video", "")));
        };
        let avc = match (&track.codec, track.avc_configuration.and_then(AvcConfiguration::read)) {
            (b"avc1" | b"avc3", Some(avc)) => avc,
            (b"avc1" | b"avc3", None) => return Err(damaged("its decoder configuration is missing")),
            (codec, _) => return Err(NotBuiltIn::Codec(codec_name(codec))),
        };
        if track.timescale == 0 {
            return Err(damaged("its timescale is zero"));
        }
        let mut samples = tables::table_samples(track.sample_table).map_err(damaged)?;
        let defaults = fragments::fragment_defaults(moov, track.id);
        for (offset, moof) in &boxes.moofs {
            fragments::fragment_samples(moof, *offset, track.id, defaults, &mut samples).map_err(damaged)?;
        }
        edits::apply(&track.edits, movie_timescale(moov).unwrap_or(0), track.timescale, &mut samples);
        let shown = samples.iter().filter_map(|sample| sample.shown_at);
        let first = shown.min().ok_or_else(|| damaged("it contains no frames"))?;
        for sample in &mut samples {
            sample.shown_at = sample.shown_at.map(|time| time.saturating_sub(first));
        }
        // Whatever the tables say, nothing comes before the first one.
        if let Some(first) = samples.first_mut() {
            first.keyframe = true;
        }
        Ok(Self {
            samples,
            timescale: track.timescale,
            length_size: avc.length_size,
            parameter_sets: avc.parameter_sets,
            orientation: track.orientation(moov),
            pixel_aspect: track.pixel_aspect,
        })
    }

    /// The numbers of the samples that are shown, in the order in which they are shown.
    pub(super) fn shown(&self) -> Vec<usize> {
        let mut shown: Vec<_> = (0..self.samples.len()).filter(|&at| self.samples[at].shown_at.is_some()).collect();
        shown.sort_by_key(|&at| (self.samples[at].shown_at, self.samples[at].time));
        shown
    }

    /// A time in units of the timescale as a duration; 0 for those below.
    pub(super) fn duration(&self, time: i64) -> Duration {
        let nanos = u128::from(time.max(0).cast_unsigned()) * 1_000_000_000 / u128::from(self.timescale);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// From the first picture to the end of the last one, which stands as long as the others on average.
    pub(super) fn length(&self) -> Duration {
        let last = self.samples.iter().filter_map(|sample| sample.shown_at).max().unwrap_or(0);
        let step = self.fps().filter(|fps| *fps > 0.0).map_or(Duration::ZERO, |fps| Duration::from_secs_f32(1.0 / fps));
        self.duration(last).saturating_add(step)
    }

    /// Mean frames a second.
    pub(super) fn fps(&self) -> Option<f32> {
        let shown = || self.samples.iter().filter_map(|sample| sample.shown_at);
        let last = shown().max()?;
        (last > 0).then(|| ((shown().count() - 1) as f64 * f64::from(self.timescale) / last as f64) as f32)
    }
}

/// Time units a second of the movie (`mvhd`).
fn movie_timescale(moov: &[u8]) -> Option<u32> {
    let mut mvhd = Bytes(child(moov, b"mvhd")?);
    let long = mvhd.u32()? >> 24 == 1;
    mvhd.skip(if long { 16 } else { 8 })?;
    mvhd.u32()
}
