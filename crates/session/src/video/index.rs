//! What is added to a file when no more fragments come: the index at its end, and its length in its first bytes. Writing
//! and repairing share it.

use shiguredo_mp4::Encode as _;
use shiguredo_mp4::boxes::{MfraBox, MfroBox, TfraBox, TfraEntry};

/// Where a fragment begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FragmentStart {
    /// Time of its first picture, ticks.
    pub time: u64,
    /// Place of its first byte in the file.
    pub offset: u64,
}

/// The index (`mfra`, ISO/IEC 14496-12, 8.8.9 to 8.8.11) of these fragments, each with one run of pictures that begins
/// with a keyframe.
pub(super) fn index(track_id: u32, fragments: &[FragmentStart]) -> Result<Vec<u8>, String> {
    let entry = |start: &FragmentStart| TfraEntry {
        time: start.time,
        moof_offset: start.offset,
        traf_number: 1,
        trun_number: 1,
        sample_number: 1,
    };
    let fits = |start: &FragmentStart| u32::try_from(start.time.max(start.offset)).is_ok();
    let tfra = TfraBox {
        version: u8::from(!fragments.iter().all(fits)),
        track_id,
        length_size_of_traf_num: 0,
        length_size_of_trun_num: 0,
        length_size_of_sample_num: 0,
        entries: fragments.iter().map(entry).collect(),
    };
    let mut index = MfraBox { tfra_boxes: vec![tfra], mfro_box: MfroBox { size: 0 } };
    let words = |error: shiguredo_mp4::Error| error.to_string();
    // Its last four bytes say how long it is; they do not change its length.
    let length = index.encode_to_vec().map_err(words)?.len();
    index.mfro_box.size = u32::try_from(length).map_err(|error| error.to_string())?;
    index.encode_to_vec().map_err(words)
}

/// Where the length of a finished film stands in the file's first bytes, and what to write there. Until then it says 0:
/// unknown. `ticks` are those of the pictures' own clock.
pub(super) fn length_patches(header: &[u8], ticks: u64) -> Vec<(u64, [u8; 4])> {
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let named = |name: &[u8; 4]| {
        let at = header.windows(4).position(|window| window == name)?;
        // Version 0 of each box has lengths of four bytes.
        (header.get(at + 4) == Some(&0)).then_some(at)
    };
    let timescale = |name| number(named(name)? + 16);
    let (Some(film), Some(media)) = (timescale(b"mvhd"), timescale(b"mdhd")) else { return Vec::new() };
    let film_length = u128::from(ticks) * u128::from(film) / u128::from(media.max(1));
    let film_length = u32::try_from(film_length).unwrap_or(u32::MAX).to_be_bytes();
    let media_length = u32::try_from(ticks).unwrap_or(u32::MAX).to_be_bytes();
    // Offsets from the box's name to its length field, for version 0 of each box (ISO/IEC 14496-12: 8.2.2, 8.3.2, 8.4.2,
    // 8.8.2).
    [(b"mvhd", 20, film_length), (b"tkhd", 24, film_length), (b"mdhd", 20, media_length), (b"mehd", 8, film_length)]
        .into_iter()
        .filter_map(|(name, offset, length)| {
            let at = named(name)? + offset;
            (at + 4 <= header.len()).then_some((at as u64, length))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use shiguredo_mp4::Decode as _;

    use super::*;

    #[test]
    fn the_index_names_every_fragment_and_its_own_length() {
        let fragments = [FragmentStart { time: 0, offset: 700 }, FragmentStart { time: 90_000, offset: 5_000 }];
        let bytes = index(1, &fragments).unwrap();
        let (read, used) = MfraBox::decode(&bytes).unwrap();
        assert_eq!((used, read.mfro_box.size as usize), (bytes.len(), bytes.len()));
        let entries: Vec<_> = read.tfra_boxes[0].entries.iter().map(|entry| (entry.time, entry.moof_offset)).collect();
        assert_eq!(entries, [(0, 700), (90_000, 5_000)]);
        let far = [FragmentStart { time: 0, offset: 6_000_000_000 }];
        let (read, _) = MfraBox::decode(&index(1, &far).unwrap()).unwrap();
        assert_eq!((read.tfra_boxes[0].version, read.tfra_boxes[0].entries[0].moof_offset), (1, 6_000_000_000));
    }

    #[test]
    fn a_header_without_the_boxes_is_left_alone() {
        assert_eq!(length_patches(b"", 9), []);
        assert_eq!(length_patches(b"....mvhd", 9), []);
        assert_eq!(length_patches(&[b"mvhdmdhd".as_slice(), &[1; 40]].concat(), 9), []);
    }
}
