//! H.264 as MP4 stores it (a length before each NAL unit) into what a decoder reads (start codes, Annex B).

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Appends one NAL unit with its start code.
pub(super) fn push_nal(out: &mut Vec<u8>, nal: &[u8]) {
    out.extend_from_slice(&START_CODE);
    out.extend_from_slice(nal);
}

/// The NAL units of a sample (ISO/IEC 14496-15, 5.2.3). `None` where a length points beyond the sample.
pub(super) fn nals(mut sample: &[u8], length_size: u8) -> Option<Vec<&[u8]>> {
    let mut nals = Vec::new();
    while !sample.is_empty() {
        let (length, rest) = sample.split_at_checked(usize::from(length_size))?;
        let length = length.iter().fold(0_usize, |value, &byte| value << 8 | usize::from(byte));
        let (nal, rest) = rest.split_at_checked(length)?;
        if !nal.is_empty() {
            nals.push(nal);
        }
        sample = rest;
    }
    Some(nals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_part_units_and_become_start_codes() {
        let units = nals(&[0, 2, 9, 8, 0, 0, 0, 1, 7], 2).unwrap();
        assert_eq!(units, [&[9, 8][..], &[7]]);
        let mut out = Vec::new();
        units.iter().for_each(|nal| push_nal(&mut out, nal));
        assert_eq!(out, [0, 0, 0, 1, 9, 8, 0, 0, 0, 1, 7]);
    }

    #[test]
    fn a_length_beyond_the_sample_is_noticed() {
        for sample in [&[0, 0, 0, 5, 1][..], &[0, 0], &[255; 8]] {
            assert_eq!(nals(sample, 4), None);
        }
    }
}
