//! The samples of movie fragments (ISO/IEC 14496-12, 8.8).

use super::super::boxes::{Bytes, child, children};
use super::{MAX_SAMPLES, VideoSample};

/// Duration, size and flags of samples that fragments say nothing of.
#[derive(Clone, Copy, Default)]
pub(super) struct Defaults {
    duration: u32,
    size: u32,
    flags: u32,
}

/// In a sample's flags: it needs others to be decoded (ISO/IEC 14496-12, 8.8.3.1).
const NO_KEYFRAME: u32 = 0x0001_0000;

/// The `trex` box of a track.
pub(super) fn fragment_defaults(moov: &[u8], track: u32) -> Defaults {
    let of_track = |trex: &[u8]| {
        let mut bytes = Bytes(trex);
        bytes.skip(4)?;
        let id = bytes.u32()?;
        bytes.skip(4)?;
        let defaults = Defaults { duration: bytes.u32()?, size: bytes.u32()?, flags: bytes.u32()? };
        (id == track).then_some(defaults)
    };
    let mvex = child(moov, b"mvex").unwrap_or_default();
    children(mvex).filter(|(name, _)| name == b"trex").find_map(|(_, trex)| of_track(trex)).unwrap_or_default()
}

/// Adds the samples of one movie fragment (ISO/IEC 14496-12, 8.8).
pub(super) fn fragment_samples(
    moof: &[u8],
    moof_offset: u64,
    track: u32,
    defaults: Defaults,
    samples: &mut Vec<VideoSample>,
) -> Result<(), &'static str> {
    for (_, traf) in children(moof).filter(|(name, _)| name == b"traf") {
        let short = "a fragment is too short";
        let mut tfhd = Bytes(child(traf, b"tfhd").ok_or(short)?);
        let flags = tfhd.u32().ok_or(short)?;
        if tfhd.u32().ok_or(short)? != track {
            continue;
        }
        let has = |bit: u32| flags & bit != 0;
        let base = if has(0x1) { tfhd.u64().ok_or(short)? } else { moof_offset };
        if has(0x2) {
            tfhd.skip(4).ok_or(short)?;
        }
        let duration = if has(0x8) { tfhd.u32().ok_or(short)? } else { defaults.duration };
        let size = if has(0x10) { tfhd.u32().ok_or(short)? } else { defaults.size };
        let sample_flags = if has(0x20) { tfhd.u32().ok_or(short)? } else { defaults.flags };
        let mut decode_time = child(traf, b"tfdt").map_or(Some(0), |tfdt| {
            let mut tfdt = Bytes(tfdt);
            if tfdt.u32()? >> 24 == 1 { tfdt.u64() } else { tfdt.u32().map(u64::from) }
        });
        let decode_time = decode_time.as_mut().ok_or(short)?;
        let mut offset = base;
        for (_, trun) in children(traf).filter(|(name, _)| name == b"trun") {
            let mut trun = Bytes(trun);
            let flags = trun.u32().ok_or(short)?;
            let has = |bit: u32| flags & bit != 0;
            let count = trun.u32().ok_or(short)?;
            if has(0x1) {
                offset = base.saturating_add_signed(i64::from(trun.u32().ok_or(short)?.cast_signed()));
            }
            let mut first_flags = if has(0x4) { Some(trun.u32().ok_or(short)?) } else { None };
            if samples.len().saturating_add(count as usize) > MAX_SAMPLES {
                return Err("its fragments are implausible");
            }
            for _ in 0..count {
                let duration = if has(0x100) { trun.u32().ok_or(short)? } else { duration };
                let size = if has(0x200) { trun.u32().ok_or(short)? } else { size };
                let own_flags = if has(0x400) { Some(trun.u32().ok_or(short)?) } else { None };
                let sample_flags = first_flags.take().or(own_flags).unwrap_or(sample_flags);
                let shift = if has(0x800) { trun.u32().ok_or(short)?.cast_signed() } else { 0 };
                let time = i64::try_from(*decode_time).unwrap_or(i64::MAX).saturating_add(i64::from(shift));
                samples.push(VideoSample {
                    offset,
                    size,
                    time,
                    keyframe: sample_flags & NO_KEYFRAME == 0,
                    shown_at: Some(time),
                });
                offset = offset.saturating_add(u64::from(size));
                *decode_time = decode_time.saturating_add(u64::from(duration));
            }
        }
    }
    Ok(())
}
