//! Encoded pictures to the bytes of a fragmented MP4: one fragment at a time, whole or not at all.

use shiguredo_mp4::TrackKind;
use shiguredo_mp4::bitstream::h264;
use shiguredo_mp4::boxes::SampleEntry;
use shiguredo_mp4::mux::{Fmp4SegmentMuxer, Sample};

use super::clock::TIMESCALE;
use super::encoder::Encoded;
use super::index::{FragmentStart, index};

/// The only track.
const TRACK_ID: u32 = 1;

/// Collects pictures into fragments, each of which begins with a keyframe.
pub(super) struct Fragments {
    muxer: Fmp4SegmentMuxer,
    /// How the first picture says that the stream is to be decoded.
    entry: Option<SampleEntry>,
    /// The fragment's pictures: time in ticks, whether it is a keyframe, bytes.
    pictures: Vec<(u64, bool, usize)>,
    /// Their bytes, one after the other, as `mdat` holds them.
    payload: Vec<u8>,
    /// The fragments in the file.
    closed: Vec<Closed>,
}

/// A fragment that is in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closed {
    pub start: FragmentStart,
    /// Pictures of the file up to its end.
    pub frames: u64,
    /// End of its last picture, ticks.
    pub end_ticks: u64,
    /// Place of the first byte behind it.
    pub end: u64,
}

impl Fragments {
    /// An empty file.
    pub(super) fn new() -> Result<Self, String> {
        let muxer = Fmp4SegmentMuxer::new().map_err(words)?;
        Ok(Self { muxer, entry: None, pictures: Vec::new(), payload: Vec::new(), closed: Vec::new() })
    }

    /// Time of the open fragment's first picture, ticks.
    pub(super) fn start(&self) -> Option<u64> {
        self.pictures.first().map(|&(time, ..)| time)
    }

    /// Adds a picture to the open fragment. The first picture of all gives the bytes that the file begins with.
    pub(super) fn push(&mut self, time: u64, picture: &Encoded) -> Result<Option<Vec<u8>>, String> {
        let before = self.payload.len();
        for unit in h264::parse_annexb_nal_units(&picture.annex_b).map_err(words)? {
            // How to decode the stream stands in the file's header, not in each keyframe.
            if matches!(unit.nal_unit_type, h264::H264NalUnitType::Sps | h264::H264NalUnitType::Pps) {
                continue;
            }
            let length = u32::try_from(unit.data.len()).map_err(words)?;
            self.payload.extend_from_slice(&length.to_be_bytes());
            self.payload.extend_from_slice(unit.data);
        }
        self.pictures.push((time, picture.keyframe, self.payload.len() - before));
        if self.entry.is_some() {
            return Ok(None);
        }
        let config = h264::H264SampleEntryConfig { length_size: h264::LengthSize::FourBytes };
        let entry = h264::build_avc1_box_from_annexb(&picture.annex_b, &config).map_err(words)?;
        self.entry = Some(SampleEntry::Avc1(entry));
        // The header needs to have seen a picture, but its place is before all fragments: a copy sees this one.
        let mut muxer = self.muxer.clone();
        muxer.create_media_segment_metadata(&self.samples(time + 1)).map_err(words)?;
        let header = muxer.init_segment_bytes().map_err(words)?;
        Ok(Some(header))
    }

    /// Closes the open fragment at `end` ticks and gives its bytes, which are to stand at `offset` of the file; nothing
    /// where it is empty. Once they do, it is to be [kept](Self::keep).
    pub(super) fn close(&mut self, end: u64, offset: u64) -> Result<Option<(Vec<u8>, Closed)>, String> {
        let Some(time) = self.start() else { return Ok(None) };
        let samples = self.samples(end);
        let mut bytes = self.muxer.create_media_segment_metadata(&samples).map_err(words)?;
        bytes.append(&mut self.payload);
        let frames = self.closed().map_or(0, |closed| closed.frames) + self.pictures.len() as u64;
        self.pictures.clear();
        let start = FragmentStart { time, offset };
        let closed = Closed { start, frames, end_ticks: end, end: offset + bytes.len() as u64 };
        Ok(Some((bytes, closed)))
    }

    /// A closed fragment is in the file.
    pub(super) fn keep(&mut self, closed: Closed) {
        self.closed.push(closed);
    }

    /// Forgets the fragments that reach beyond the first `most_frames` pictures, and gives the last one that is left.
    pub(super) fn cut(&mut self, most_frames: u64) -> Option<Closed> {
        self.closed.truncate(self.closed.partition_point(|closed| closed.frames <= most_frames));
        self.closed()
    }

    /// The index of all fragments, which stands at the end of a finished file.
    pub(super) fn index(&self) -> Result<Vec<u8>, String> {
        let starts: Vec<_> = self.closed.iter().map(|closed| closed.start).collect();
        index(TRACK_ID, &starts)
    }

    /// The last fragment in the file.
    pub(super) fn closed(&self) -> Option<Closed> {
        self.closed.last().copied()
    }

    /// How many fragments are in the file.
    pub(super) fn count(&self) -> usize {
        self.closed.len()
    }

    /// The open fragment's pictures; each lasts until the next one, the last one until `end`.
    fn samples(&self, end: u64) -> Vec<Sample> {
        let ends = self.pictures.iter().skip(1).map(|&(time, ..)| time).chain([end]);
        let mut offset = 0;
        let sample = |(&(time, keyframe, size), end): (&(u64, bool, usize), u64)| {
            let data_offset = offset;
            offset += size as u64;
            Sample {
                track_kind: TrackKind::Video,
                timescale: TIMESCALE,
                sample_entry: self.entry.clone(),
                // A picture that stands for half a day and more is cut to what the format can say.
                duration: u32::try_from(end.saturating_sub(time)).unwrap_or(u32::MAX),
                keyframe,
                composition_time_offset: None,
                data_offset,
                data_size: size,
            }
        };
        self.pictures.iter().zip(ends).map(sample).collect()
    }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
