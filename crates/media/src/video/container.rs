//! Which container a file is, by its first bytes.

/// A container that is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Container {
    /// As it is called in messages.
    pub name: &'static str,
    /// As ffmpeg calls what reads it. None of these opens other files: playlists and patterns of names are not among
    /// them.
    pub demuxer: &'static str,
}

/// MP4 and its relatives, of which H.264 is built in.
pub(super) const MP4: Container = Container { name: "MP4", demuxer: "mov" };

/// Beginnings of files. What a container has further on is looked at in [`container`].
const BEGINNINGS: [(&[u8], &str, &str); 16] = [
    (&[0x1a, 0x45, 0xdf, 0xa3], "WebM or Matroska", "matroska"),
    (b"FLV", "FLV", "flv"),
    (b"OggS", "Ogg", "ogg"),
    (&[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11], "Windows Media", "asf"),
    (&[0, 0, 1, 0xba], "MPEG", "mpeg"),
    (&[0, 0, 1, 0xb3], "MPEG", "mpegvideo"),
    (&[0, 0, 1, 0xb0], "MPEG-4 Visual", "m4v"),
    (b"GIF8", "GIF", "gif"),
    // Not `image2`, which takes `%03d` in a name for a number.
    (b"II*\0", "TIFF", "tiff_pipe"),
    (b"MM\0*", "TIFF", "tiff_pipe"),
    (b".RMF", "RealMedia", "rm"),
    (b"DKIF", "IVF", "ivf"),
    (b"YUV4MPEG2 ", "YUV4MPEG2", "yuv4mpegpipe"),
    (b"nut/multimedia container\0", "NUT", "nut"),
    (&[0x06, 0x0e, 0x2b, 0x34, 0x02, 0x05, 0x01, 0x01], "MXF", "mxf"),
    (&[0x1f, 0x07, 0x00], "DV", "dv"),
];

/// Names of the first box of an MP4 or QuickTime file.
const FIRST_BOXES: [&[u8; 4]; 8] = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"];

/// Packets of a transport stream begin with this byte.
const TRANSPORT_SYNC: u8 = 0x47;

/// The container of a file that begins with `head`.
pub(super) fn container(head: &[u8]) -> Option<Container> {
    if head.get(4..8).is_some_and(|name| FIRST_BOXES.iter().any(|known| name == *known)) {
        return Some(MP4);
    }
    if head.starts_with(b"RIFF") && head.get(8..11) == Some(b"AVI") {
        return Some(Container { name: "AVI", demuxer: "avi" });
    }
    if let Some(&(_, name, demuxer)) = BEGINNINGS.iter().find(|(beginning, ..)| head.starts_with(beginning)) {
        return Some(Container { name, demuxer });
    }
    // Packets of 188 bytes, on discs with 4 bytes before each, from receivers with 16 behind each.
    let is_transport =
        |first: usize, length: usize| (0..4).all(|packet| head.get(first + packet * length) == Some(&TRANSPORT_SYNC));
    if is_transport(0, 188) || is_transport(4, 192) || is_transport(0, 204) {
        return Some(Container { name: "MPEG transport stream", demuxer: "mpegts" });
    }
    // Bare streams begin with a start code and a unit that says how the rest is decoded.
    let unit = head.strip_prefix(&[0, 0, 0, 1]).or_else(|| head.strip_prefix(&[0, 0, 1]))?;
    match *unit.first()? {
        0x67 | 0x27 | 0x09 => Some(Container { name: "a bare H.264 stream", demuxer: "h264" }),
        0x40 | 0x42 | 0x46 => Some(Container { name: "a bare HEVC stream", demuxer: "hevc" }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demuxer(head: &[u8]) -> Option<&'static str> {
        container(head).map(|container| container.demuxer)
    }

    #[test]
    fn containers_are_known_by_their_first_bytes() {
        assert_eq!(demuxer(b"\0\0\0\x20ftypisom"), Some("mov"));
        assert_eq!(demuxer(b"RIFF\x10\0\0\0AVI LIST"), Some("avi"));
        assert_eq!(demuxer(&[0x1a, 0x45, 0xdf, 0xa3, 0x9f]), Some("matroska"));
        assert_eq!(demuxer(b"II*\0\x08\0\0\0"), Some("tiff_pipe"));
        assert_eq!(demuxer(b"YUV4MPEG2 W2 H2\n"), Some("yuv4mpegpipe"));
        assert_eq!(demuxer(&[0, 0, 0, 1, 0x67, 0x64]), Some("h264"));
        assert_eq!(demuxer(&[0, 0, 1, 0xba, 0x44]), Some("mpeg"));
        let packets = |before: usize, length: usize| {
            let mut head = vec![0; before];
            (0..5).for_each(|_| {
                head.push(0x47);
                head.resize(head.len() + length - 1, 0);
            });
            head
        };
        for (before, length) in [(0, 188), (4, 192), (0, 204)] {
            assert_eq!(demuxer(&packets(before, length)), Some("mpegts"), "{length}");
        }
    }

    /// Whatever makes ffmpeg open other files is none of them.
    #[test]
    fn playlists_scripts_and_noise_are_no_containers() {
        let playlists: [&[u8]; 6] = [
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\x01\n#EXTINF:1,\n/etc/hostname\n",
            b"ffconcat version 1.0\x01\nfile /etc/hostname\n",
            b"<?xml version=\"1.0\"?>\x01<MPD>",
            b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\x01",
            b"RIFF\x10\0\0\0WAVEfmt ",
            b"",
        ];
        for head in playlists {
            assert_eq!(container(head), None, "{:?}", String::from_utf8_lossy(head));
        }
    }
}
