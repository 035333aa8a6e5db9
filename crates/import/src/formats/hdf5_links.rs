//! Soft links in HDF5 files of the usual, old form: the reader refuses groups that have one, so each is made a hard link to
//! what it leads to before the file is read, or left out where that is nothing.

use std::collections::HashMap;

/// Groups may link to one another in rings.
const MOST_GROUPS: usize = 4000;
const MOST_ENTRIES: usize = 20_000;
/// Links that lead to links.
const LONGEST_CHAIN: usize = 8;

const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
/// Bytes of an entry of a group.
const ENTRY: usize = 40;
/// The kind of entry that is a soft link.
const SOFT: u32 = 2;

/// The file with its soft links resolved; `None` where it has none, or is not of the old form.
pub(super) fn without_soft_links(bytes: &[u8]) -> Option<Vec<u8>> {
    // Version 0, addresses and lengths of 8 bytes, which begin at the file's own begin.
    let is_old = bytes.starts_with(SIGNATURE) && bytes.get(8) == Some(&0) && bytes.get(13..15) == Some(&[8, 8]);
    if !is_old || address(bytes, 24)? != 0 {
        return None;
    }
    let mut scan = Scan { bytes, objects: HashMap::new(), links: Vec::new(), groups: 0, entries: 0 };
    scan.group(address(bytes, 56 + 8)?, "");
    if scan.links.is_empty() {
        return None;
    }
    let targets: Vec<(usize, Option<usize>)> =
        scan.links.iter().map(|link| (link.entry, scan.resolve(&link.path, LONGEST_CHAIN))).collect();
    let mut whole = bytes.to_vec();
    for &(entry, target) in &targets {
        if let Some(target) = target {
            whole.get_mut(entry + 8..entry + 16)?.copy_from_slice(&(target as u64).to_le_bytes());
            // Nothing is cached of it.
            whole.get_mut(entry + 16..entry + ENTRY)?.fill(0);
        }
    }
    // From the last to the first, so that the places of those before stay right.
    let mut dangling: Vec<(usize, usize)> = scan
        .links
        .iter()
        .zip(&targets)
        .filter(|(_, (_, target))| target.is_none())
        .map(|(link, _)| (link.node, link.entry))
        .collect();
    dangling.sort_unstable();
    for (node, entry) in dangling.into_iter().rev() {
        let count = usize::from(u16::from_le_bytes([*whole.get(node + 6)?, *whole.get(node + 7)?]));
        whole.get(..node + 8 + count * ENTRY)?;
        whole.copy_within(entry + ENTRY..node + 8 + count * ENTRY, entry);
        whole[node + 6..node + 8].copy_from_slice(&((count - 1) as u16).to_le_bytes());
    }
    Some(whole)
}

/// A soft link.
struct Link {
    /// Where the node of its group and its entry lie.
    node: usize,
    entry: usize,
    /// Its own path.
    path: String,
}

struct Scan<'a> {
    bytes: &'a [u8],
    /// The headers of groups and tensors, or where a link leads, by path.
    objects: HashMap<String, Result<usize, String>>,
    links: Vec<Link>,
    groups: usize,
    entries: usize,
}

impl Scan<'_> {
    /// Collects what is in a group. What is damaged is left to the reader.
    fn group(&mut self, header: usize, path: &str) -> Option<()> {
        self.groups += 1;
        if self.groups > MOST_GROUPS {
            return None;
        }
        let (tree, heap) = symbol_table(self.bytes, header)?;
        let names = address(self.bytes, heap + 24).filter(|_| self.bytes.get(heap..heap + 4) == Some(b"HEAP"))?;
        self.tree(tree, names, path, 0)
    }

    fn tree(&mut self, node: usize, names: usize, path: &str, depth: usize) -> Option<()> {
        match self.bytes.get(node..node + 4)? {
            b"TREE" if depth < 16 => {
                let count = usize::from(u16_at(self.bytes, node + 6)?);
                for child in 0..count {
                    let child = address(self.bytes, node + 24 + 8 + child * 16)?;
                    self.tree(child, names, path, depth + 1)?;
                }
                Some(())
            }
            b"SNOD" => {
                for entry in 0..usize::from(u16_at(self.bytes, node + 6)?) {
                    self.entry(node, node + 8 + entry * ENTRY, names, path)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn entry(&mut self, node: usize, entry: usize, names: usize, path: &str) -> Option<()> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            return None;
        }
        let name = text(self.bytes, names.checked_add(address(self.bytes, entry)?)?)?;
        let own = format!("{path}/{name}");
        if u32_at(self.bytes, entry + 16)? == SOFT {
            let value = text(self.bytes, names.checked_add(u32_at(self.bytes, entry + 24)? as usize)?)?;
            let target = if value.starts_with('/') { value.to_owned() } else { format!("{path}/{value}") };
            self.objects.insert(own.clone(), Err(target));
            self.links.push(Link { node, entry, path: own });
            return Some(());
        }
        let header = address(self.bytes, entry + 8)?;
        self.objects.insert(own.clone(), Ok(header));
        // A tensor has no symbol table.
        self.group(header, &own);
        Some(())
    }

    /// The header that a path leads to.
    fn resolve(&self, path: &str, chain: usize) -> Option<usize> {
        let path = tidy(path);
        match self.objects.get(&path) {
            Some(Ok(header)) => Some(*header),
            Some(Err(target)) => self.resolve(target, chain.checked_sub(1)?),
            // A part of it may be a link.
            None => {
                let (at, target) =
                    path.match_indices('/').skip(1).find_map(|(at, _)| match self.objects.get(&path[..at]) {
                        Some(Err(target)) => Some((at, target)),
                        _ => None,
                    })?;
                self.resolve(&format!("{target}{}", &path[at..]), chain.checked_sub(1)?)
            }
        }
    }
}

/// A path without empty parts and `.`.
fn tidy(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").map(|part| format!("/{part}")).collect()
}

/// The B-tree and the heap of a group's header of version 1.
fn symbol_table(bytes: &[u8], header: usize) -> Option<(usize, usize)> {
    if bytes.get(header) != Some(&1) {
        return None;
    }
    let (mut at, end) = (header + 16, header + 16 + u32_at(bytes, header + 8)? as usize);
    while at + 8 <= end {
        let (kind, size) = (u16_at(bytes, at)?, usize::from(u16_at(bytes, at + 2)?));
        if kind == 0x11 {
            return Some((address(bytes, at + 8)?, address(bytes, at + 16)?));
        }
        at += 8 + size;
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// An address in the file; `None` for one beyond it.
fn address(bytes: &[u8], at: usize) -> Option<usize> {
    let value = u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
    usize::try_from(value).ok().filter(|&value| value < bytes.len())
}

fn text(bytes: &[u8], at: usize) -> Option<&str> {
    let rest = bytes.get(at..)?;
    std::str::from_utf8(&rest[..rest.iter().position(|&byte| byte == 0)?]).ok()
}
