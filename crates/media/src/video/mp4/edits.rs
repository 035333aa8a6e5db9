//! Lists of edits (ISO/IEC 14496-12, 8.6.6): which part of a track is shown, e.g. of a clip that was trimmed on a phone.

use super::super::boxes::Bytes;
use super::VideoSample;

/// More edits than this are passed over.
const MAX_EDITS: usize = 32;

/// A stretch of the movie, shown from the track or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// How long it is, in units of the movie's timescale; 0: to the end.
    length: u64,
    /// Where it begins in the track, in units of the track's timescale; below 0 nothing is shown.
    from: i64,
}

impl Edit {
    /// The `elst` box, as far as it can be read.
    pub(super) fn read_all(elst: &[u8]) -> Vec<Self> {
        let mut bytes = Bytes(elst);
        let Some((version, count)) = bytes.u32().zip(bytes.u32()) else { return Vec::new() };
        let mut next = || {
            let edit = if version >> 24 == 1 {
                Self { length: bytes.u64()?, from: bytes.u64()?.cast_signed() }
            } else {
                Self { length: bytes.u32()?.into(), from: bytes.u32()?.cast_signed().into() }
            };
            // At what speed: pictures that stand still are shown once, too.
            bytes.skip(4)?;
            Some(edit)
        };
        std::iter::from_fn(&mut next).take((count as usize).min(MAX_EDITS)).collect()
    }
}

/// Sets when each sample is shown. Without edits, or with such as would show nothing, all are, at their own times.
pub(super) fn apply(edits: &[Edit], movie_timescale: u32, timescale: u32, samples: &mut [VideoSample]) {
    if !edits.iter().any(|edit| edit.from >= 0) || movie_timescale == 0 {
        return;
    }
    let in_track = |length: u64| {
        let length = u128::from(length) * u128::from(timescale) / u128::from(movie_timescale);
        i64::try_from(length).unwrap_or(i64::MAX)
    };
    let shown_at = |time: i64| {
        let mut begins = 0_i64;
        for edit in edits {
            let length = if edit.length == 0 { i64::MAX } else { in_track(edit.length) };
            if edit.from >= 0 && time >= edit.from && time.saturating_sub(edit.from) < length {
                return Some(begins.saturating_add(time - edit.from));
            }
            begins = begins.saturating_add(length);
        }
        None
    };
    if samples.iter().any(|sample| shown_at(sample.time).is_some()) {
        samples.iter_mut().for_each(|sample| sample.shown_at = shown_at(sample.time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When samples at 0, 100, .. 900 of a track in milliseconds are shown; the movie counts in tenths of a second.
    fn shown(edits: &[(u64, i64)]) -> Vec<(i64, i64)> {
        let sample = |time| VideoSample { offset: 0, size: 0, time, keyframe: true, shown_at: Some(time) };
        let mut samples: Vec<_> = (0..10).map(|number| sample(number * 100)).collect();
        let edits: Vec<_> = edits.iter().map(|&(length, from)| Edit { length, from }).collect();
        apply(&edits, 10, 1000, &mut samples);
        samples.iter().filter_map(|sample| Some((sample.time, sample.shown_at?))).collect()
    }

    #[test]
    fn what_was_trimmed_is_not_shown() {
        assert_eq!(shown(&[(3, 400)]), [(400, 0), (500, 100), (600, 200)]);
        assert_eq!(shown(&[(0, 750)]), [(800, 50), (900, 150)]);
        // A late start, and two parts in another order.
        assert_eq!(shown(&[(5, -1), (2, 0)]), [(0, 500), (100, 600)]);
        assert_eq!(shown(&[(1, 900), (1, 200)]), [(200, 100), (900, 0)]);
    }

    #[test]
    fn edits_that_show_nothing_are_passed_over() {
        for edits in [&[][..], &[(5, -1)], &[(5, 5000)], &[(u64::MAX, i64::MAX)]] {
            assert_eq!(shown(edits).len(), 10, "{edits:?}");
        }
    }

    #[test]
    fn both_versions_are_read_as_far_as_they_go() {
        let short = [0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 9, 255, 255, 255, 255, 0, 1, 0, 0, 0, 0];
        assert_eq!(Edit::read_all(&short), [Edit { length: 9, from: -1 }]);
        let long = [&[1, 0, 0, 0, 0, 0, 0, 1][..], &7_u64.to_be_bytes(), &5_u64.to_be_bytes(), &[0, 1, 0, 0]].concat();
        assert_eq!(Edit::read_all(&long), [Edit { length: 7, from: 5 }]);
        assert_eq!(Edit::read_all(&[0; 5]), []);
    }
}
