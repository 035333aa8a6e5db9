//! The tracks of a movie: which one is shown, how it is coded, and how its pictures stand.

use image::metadata::Orientation;

use super::super::boxes::{Bytes, child, children};
use super::display::{DisplayMatrix, PixelAspect};
use super::edits::Edit;

/// What a `trak` box says of its video.
pub(super) struct VideoTrack<'a> {
    pub id: u32,
    pub timescale: u32,
    pub matrix: DisplayMatrix,
    /// Meant to be shown; others are there to choose from, or for thumbnails.
    enabled: bool,
    pub codec: [u8; 4],
    pub avc_configuration: Option<&'a [u8]>,
    pub pixel_aspect: Option<PixelAspect>,
    pub sample_table: &'a [u8],
    /// The list of edits as it is stored.
    pub edits: Vec<Edit>,
}

impl<'a> VideoTrack<'a> {
    /// The video track that a player shows: the first that is enabled, or else the first.
    pub(super) fn of_movie(moov: &'a [u8]) -> Option<Self> {
        let videos = || children(moov).filter(|(name, _)| name == b"trak").filter_map(|(_, trak)| Self::read(trak));
        videos().find(|track| track.enabled).or_else(|| videos().next())
    }

    /// `None` where the track is no video or lacks what a track must have.
    fn read(trak: &'a [u8]) -> Option<Self> {
        let mdia = child(trak, b"mdia")?;
        let mut hdlr = Bytes(child(mdia, b"hdlr")?);
        hdlr.skip(8)?;
        if hdlr.take(4)? != b"vide" {
            return None;
        }
        let mut mdhd = Bytes(child(mdia, b"mdhd")?);
        let long = mdhd.u32()? >> 24 == 1;
        mdhd.skip(if long { 16 } else { 8 })?;
        let timescale = mdhd.u32()?;
        let mut tkhd = Bytes(child(trak, b"tkhd")?);
        let version_and_flags = tkhd.u32()?;
        let long = version_and_flags >> 24 == 1;
        tkhd.skip(if long { 16 } else { 8 })?;
        let id = tkhd.u32()?;
        tkhd.skip(if long { 12 } else { 8 } + 16)?;
        let matrix = DisplayMatrix::read(&mut tkhd)?;
        let sample_table = child(child(mdia, b"minf")?, b"stbl")?;
        let stsd = child(sample_table, b"stsd")?;
        let (codec, entry) = children(stsd.get(8..)?).next()?;
        // A visual sample entry has 78 bytes before its boxes.
        let entry_box = |name: &[u8; 4]| entry.get(78..).and_then(|boxes| child(boxes, name));
        let elst = child(trak, b"edts").and_then(|edts| child(edts, b"elst"));
        Some(Self {
            id,
            timescale,
            matrix,
            enabled: version_and_flags & 1 == 1,
            codec,
            avc_configuration: entry_box(b"avcC"),
            pixel_aspect: entry_box(b"pasp").and_then(PixelAspect::read),
            sample_table,
            edits: elst.map(Edit::read_all).unwrap_or_default(),
        })
    }

    /// How the pictures must be turned for display, after the matrix of the movie's header.
    pub(super) fn orientation(&self, moov: &[u8]) -> Orientation {
        let movie = child(moov, b"mvhd").and_then(|mvhd| {
            let mut mvhd = Bytes(mvhd);
            let long = mvhd.u32()? >> 24 == 1;
            mvhd.skip(if long { 28 } else { 16 } + 16)?;
            DisplayMatrix::read(&mut mvhd)
        });
        movie.map_or(self.matrix, |movie| self.matrix.then(movie)).orientation()
    }
}

/// The `avcC` box (ISO/IEC 14496-15, 5.3.3.1).
pub(super) struct AvcConfiguration {
    pub length_size: u8,
    pub parameter_sets: Vec<Vec<u8>>,
}

impl AvcConfiguration {
    pub(super) fn read(avcc: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(avcc);
        bytes.skip(4)?;
        let length_size = (bytes.u8()? & 3) + 1;
        let mut parameter_sets = Vec::new();
        for mask in [31, 255] {
            for _ in 0..bytes.u8()? & mask {
                let length = bytes.u16()?;
                parameter_sets.push(bytes.take(usize::from(length))?.to_vec());
            }
        }
        Some(Self { length_size, parameter_sets })
    }
}

pub(super) fn codec_name(code: &[u8; 4]) -> String {
    match code {
        b"av01" => "AV1".to_owned(),
        b"hev1" | b"hvc1" | b"dvh1" | b"dvhe" => "HEVC (H.265)".to_owned(),
        b"vp08" => "VP8".to_owned(),
        b"vp09" => "VP9".to_owned(),
        b"mp4v" => "MPEG-4 Visual".to_owned(),
        _ => format!("the codec {}", code.escape_ascii()),
    }
}
