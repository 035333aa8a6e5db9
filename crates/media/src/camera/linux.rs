//! The cameras in `/dev`, asked directly: `nokhwa` lists metadata nodes too and hides why a node does not open.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::driver::Driver as _;
use super::format::ranked;
use super::list::FoundCamera;
use super::offers::offers;
use super::v4l::Node;
use crate::CameraInfo;
use crate::virtual_camera::is_fed;

/// The nodes for video in `/dev`, by number: cameras, and whatever else has such a node.
pub(crate) fn nodes() -> io::Result<BTreeMap<u32, PathBuf>> {
    let mut nodes = BTreeMap::new();
    for entry in std::fs::read_dir("/dev")? {
        let Ok(entry) = entry else { continue };
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("video")).and_then(|number| number.parse().ok());
        if let Some(number) = number {
            nodes.insert(number, entry.path());
        }
    }
    Ok(nodes)
}

/// Lists the capture nodes in `/dev`, by number.
pub(super) fn list() -> io::Result<Vec<FoundCamera>> {
    let ports = ports(Path::new("/dev/v4l/by-path"));
    // A virtual camera that this program feeds is none of its sources.
    let nodes = nodes()?.into_iter().filter(|(_, node)| !is_fed(node));
    let found = nodes.filter_map(|(index, node)| {
        let by_path = ports.get(&node).cloned();
        found(index, node, by_path)
    });
    Ok(found.collect())
}

/// The links in `folder`, by the devices that they lead to. Of several links to one device, the first by name.
fn ports(folder: &Path) -> BTreeMap<PathBuf, PathBuf> {
    let mut ports = BTreeMap::new();
    // Without udev there is no such folder.
    let mut links: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|link| link.path()).collect();
    links.sort();
    for link in links {
        if let Ok(device) = std::fs::canonicalize(&link) {
            ports.entry(device).or_insert(link);
        }
    }
    ports
}

fn found(index: u32, node: PathBuf, by_path: Option<PathBuf>) -> Option<FoundCamera> {
    // The last resort against a driver that says something which the crate does not expect.
    let asked = std::panic::catch_unwind(|| {
        let device = Node::open(&node)?;
        let card = device.card()?;
        let offers = if card.captures { offers(&device) } else { Vec::new() };
        Ok::<_, io::Error>((card, offers))
    });
    let name = |of_driver: Option<&str>| {
        // Where the kernel's name of it is no UTF-8, the crate knows better what it may mean.
        let names = [sysfs_name(index), of_driver.map(printable)].into_iter().flatten();
        names.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| node.display().to_string())
    };
    let (name, bus, offers) = match asked {
        Ok(Ok((card, _))) if !card.captures => return None,
        Ok(Ok((card, offers))) => (name(Some(&card.name)), card.bus, offers),
        // It cannot be asked (no permission, in use): the first node of a device is the one that captures.
        _ if first_of_its_device(index) => (name(None), String::new(), Vec::new()),
        _ => return None,
    };
    let formats = ranked(offers.iter().flat_map(super::format::Offer::formats));
    let words = formats.iter().map(ToString::to_string).collect();
    let every_format = offers.iter().map(ToString::to_string).collect();
    let choices = offers.iter().flat_map(super::wish::choices).collect();
    let info = CameraInfo { index, name, device: node, by_path, formats: words, every_format, choices };
    Some(FoundCamera { info, bus, formats, offers })
}

/// The kernel's name of a node; `None` where there is none, or it is no UTF-8.
pub(crate) fn sysfs_name(index: u32) -> Option<String> {
    std::fs::read_to_string(sysfs(index, "name")).ok().map(|name| printable(&name))
}

/// A name without what a terminal would take for a command.
pub(crate) fn printable(name: &str) -> String {
    name.trim().replace(char::is_control, "?")
}

/// What the kernel tells of a node.
pub(crate) fn sysfs(index: u32, file: &str) -> PathBuf {
    Path::new("/sys/class/video4linux").join(format!("video{index}")).join(file)
}

fn first_of_its_device(index: u32) -> bool {
    std::fs::read_to_string(sysfs(index, "index")).is_ok_and(|number| number.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_utf_8_keeps_its_letters() {
        fn padded<const N: usize>(name: &[u8]) -> [u8; N] {
            std::array::from_fn(|place| name.get(place).copied().unwrap_or(0))
        }
        let said = |card: &[u8]| {
            let said = v4l::v4l_sys::v4l2_capability {
                driver: padded(b"uvcvideo"),
                card: padded(card),
                bus_info: padded(b"usb-0000:00:14.0-2"),
                version: 0x0006_0100,
                capabilities: 0,
                device_caps: 0,
                reserved: [0; 3],
            };
            printable(&v4l::capability::Capabilities::from(said).card)
        };
        assert_eq!(said(b"Kam\xe9ra HD"), "Kam\u{e9}ra HD");
        assert_eq!(said("Kaméra HD".as_bytes()), "Kaméra HD");
        assert_eq!(said(b"HD\x1b[2J\0rest of an older name"), "HD?[2J");
        // The kernel cuts names at 31 bytes, also in the middle of a letter.
        assert_eq!(said(&"é".repeat(16).as_bytes()[..31]), "é".repeat(15));
    }

    #[test]
    fn a_device_has_the_first_of_its_ports() {
        let folder = tempfile::tempdir().unwrap();
        let (device, links) = (folder.path().join("video0"), folder.path().join("by-path"));
        std::fs::write(&device, "").unwrap();
        std::fs::create_dir(&links).unwrap();
        for link in ["usbv2-0:2", "usb-0:2"] {
            std::os::unix::fs::symlink("../video0", links.join(link)).unwrap();
        }
        std::os::unix::fs::symlink("../video9", links.join("usb-0:1")).unwrap();
        let device = std::fs::canonicalize(device).unwrap();
        assert_eq!(ports(&links), BTreeMap::from([(device, links.join("usb-0:2"))]));
        assert_eq!(ports(&folder.path().join("none")), BTreeMap::new());
    }
}
