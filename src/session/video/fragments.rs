//! Encoded pictures to the bytes of a fragmented MP4: one fragment at a time, whole or not at all.

use std::num::NonZeroU32;

use shiguredo_mp4::TrackKind;
use shiguredo_mp4::bitstream::h264;
use shiguredo_mp4::boxes::SampleEntry;
use shiguredo_mp4::mux::{Fmp4SegmentMuxer, Sample};

use super::encoder::Encoded;

/// Ticks a second of the video's clock: the usual one for video, 11 microseconds a tick.
pub(super) const TIMESCALE: NonZeroU32 = NonZeroU32::new(90_000).unwrap();

/// Ticks a second of the film's own clock, in which its whole length is said.
const MOVIE_TIMESCALE: u64 = 1_000;

/// Collects pictures into fragments, each of which begins with a keyframe.
pub(super) struct Fragments {
    muxer: Fmp4SegmentMuxer,
    /// How the first picture says that the stream is to be decoded.
    entry: Option<SampleEntry>,
    /// The fragment's pictures: time in ticks, whether it is a keyframe, bytes.
    pictures: Vec<(u64, bool, usize)>,
    /// Their bytes, one after the other, as `mdat` holds them.
    payload: Vec<u8>,
}

impl Fragments {
    /// An empty file.
    pub(super) fn new() -> Result<Self, String> {
        let muxer = Fmp4SegmentMuxer::new().map_err(words)?;
        Ok(Self { muxer, entry: None, pictures: Vec::new(), payload: Vec::new() })
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
        muxer.init_segment_bytes().map(Some).map_err(words)
    }

    /// Closes the open fragment at `end` ticks and gives its bytes; nothing where it is empty.
    pub(super) fn close(&mut self, end: u64) -> Result<Vec<u8>, String> {
        if self.pictures.is_empty() {
            return Ok(Vec::new());
        }
        let samples = self.samples(end);
        let mut bytes = self.muxer.create_media_segment_metadata(&samples).map_err(words)?;
        bytes.append(&mut self.payload);
        self.pictures.clear();
        Ok(bytes)
    }

    /// The index of all fragments, which stands at the end of a finished file.
    pub(super) fn index(&self) -> Result<Vec<u8>, String> {
        self.muxer.mfra_bytes().map_err(words)
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

/// Where the length of a finished film stands in the file's first bytes, and what to write there. Until then it says 0:
/// unknown.
pub(super) fn length_patches(header: &[u8], ticks: u64) -> Vec<(u64, [u8; 4])> {
    let movie = u32::try_from(ticks * MOVIE_TIMESCALE / u64::from(TIMESCALE.get())).unwrap_or(u32::MAX).to_be_bytes();
    let media = u32::try_from(ticks).unwrap_or(u32::MAX).to_be_bytes();
    // Offsets from the box's name to its length field, for version 0 of each box (ISO/IEC 14496-12: 8.2.2, 8.3.2, 8.4.2,
    // 8.8.2).
    [(b"mvhd", 20, movie), (b"tkhd", 24, movie), (b"mdhd", 20, media), (b"mehd", 8, movie)]
        .into_iter()
        .filter_map(|(name, offset, length)| {
            let at = header.windows(4).position(|window| window == name)?;
            let version_0_and_unknown =
                header.get(at + 4) == Some(&0) && header.get(at + offset..at + offset + 4) == Some(&[0; 4]);
            version_0_and_unknown.then_some(((at + offset) as u64, length))
        })
        .collect()
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
