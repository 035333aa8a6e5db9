//! The sample table of a track that is no fragmented one (ISO/IEC 14496-12, 8.6 and 8.7).

use super::super::boxes::{Bytes, child};
use super::{MAX_SAMPLES, VideoSample};

/// A run-length coded table (`stts`, `ctts`), one value per sample. Where it is too short, its last value goes on.
struct Runs<'a> {
    entries: Bytes<'a>,
    left: u32,
    value: u32,
}

impl<'a> Runs<'a> {
    fn new(table: Option<&'a [u8]>) -> Self {
        Self { entries: Bytes(table.and_then(|table| table.get(8..)).unwrap_or_default()), left: 0, value: 0 }
    }

    fn next(&mut self) -> u32 {
        while self.left == 0 {
            match (self.entries.u32(), self.entries.u32()) {
                (Some(count), Some(value)) => (self.left, self.value) = (count, value),
                _ => self.left = u32::MAX,
            }
        }
        self.left -= 1;
        self.value
    }
}

/// The table of the samples that can be decoded alone (`stss`), counted from 1 and rising; without it, all can.
struct Keyframes<'a> {
    numbers: Option<Bytes<'a>>,
}

impl<'a> Keyframes<'a> {
    fn new(table: Option<&'a [u8]>) -> Self {
        Self { numbers: table.map(|table| Bytes(table.get(8..).unwrap_or_default())) }
    }

    /// Whether this sample is one; asked for one sample after the other.
    fn is_next(&mut self, number: u32) -> bool {
        let Some(numbers) = &mut self.numbers else { return true };
        while let Some(next) = Bytes(numbers.0).u32().filter(|next| *next <= number) {
            // It was there a moment ago.
            let _ = numbers.skip(4);
            if next == number {
                return true;
            }
        }
        false
    }
}

/// The samples that the sample table (`stbl`) itself lists; none in a fragmented file.
pub(super) fn table_samples(stbl: &[u8]) -> Result<Vec<VideoSample>, &'static str> {
    let short = "a table in its index is too short";
    let mut stsz = Bytes(child(stbl, b"stsz").ok_or("its sizes are missing")?);
    stsz.skip(4).ok_or(short)?;
    let common_size = stsz.u32().ok_or(short)?;
    let count = stsz.u32().ok_or(short)? as usize;
    if count > MAX_SAMPLES || (common_size == 0 && stsz.0.len() / 4 < count) {
        return Err("its sizes are implausible");
    }
    let (mut chunks, wide) = match (child(stbl, b"stco"), child(stbl, b"co64")) {
        (Some(stco), _) => (Bytes(stco), false),
        (None, Some(co64)) => (Bytes(co64), true),
        (None, None) => return Err("its chunks are missing"),
    };
    let mut stsc = Bytes(child(stbl, b"stsc").ok_or("its chunks are missing")?);
    if chunks.skip(8).is_none() || stsc.skip(8).is_none() {
        return Err(short);
    }
    let (mut durations, mut shifts) = (Runs::new(child(stbl, b"stts")), Runs::new(child(stbl, b"ctts")));
    let mut keyframes = Keyframes::new(child(stbl, b"stss"));
    let (mut samples, mut decode_time) = (Vec::new(), 0_i64);
    let (mut chunk, mut per_chunk) = (1_u32, 0);
    while samples.len() < count {
        while Bytes(stsc.0).u32().is_some_and(|first_chunk| first_chunk <= chunk) {
            stsc.skip(4).ok_or(short)?;
            per_chunk = stsc.u32().ok_or(short)? as usize;
            stsc.skip(4).ok_or(short)?;
        }
        let mut offset = if wide { chunks.u64() } else { chunks.u32().map(u64::from) }.ok_or(short)?;
        for _ in 0..per_chunk.min(count - samples.len()) {
            let size = if common_size == 0 { stsz.u32().ok_or(short)? } else { common_size };
            // Offsets are unsigned in version 0, but written signed by many, and never beyond 2^31.
            let time = decode_time.saturating_add(i64::from(shifts.next().cast_signed()));
            let keyframe = keyframes.is_next(samples.len() as u32 + 1);
            samples.push(VideoSample { offset, size, time, keyframe, shown_at: Some(time) });
            offset = offset.saturating_add(u64::from(size));
            decode_time = decode_time.saturating_add(i64::from(durations.next()));
        }
        chunk = chunk.saturating_add(1);
    }
    Ok(samples)
}
