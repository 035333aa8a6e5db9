//! Kinds of pictures that are known and not read, to be named with what to do.

/// What a file is that begins with `head`, and what to do about it; `None` where it is none of these.
pub(super) fn foreign_picture(head: &[u8]) -> Option<(&'static str, &'static str)> {
    const SAVE: &str = "save it as JPEG or PNG";
    const IPHONE: &str =
        "save it as JPEG or PNG (on an iPhone: Settings > Camera > Formats > Most Compatible takes JPEGs)";
    if head.get(4..8) == Some(b"ftyp") {
        let brands = brands(head);
        let is_one_of = |known: &[&[u8; 4]]| brands.iter().any(|brand| known.contains(brand));
        // Films have brands of their own beside these.
        let is_film = is_one_of(&[b"isom", b"mp41", b"mp42", b"qt  ", b"avc1"]);
        return match *brands.first()? {
            b"avif" | b"avis" => Some(("an AVIF picture", SAVE)),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" => Some(("a HEIC picture", IPHONE)),
            b"mif1" | b"msf1" | b"miaf" if is_one_of(&[b"avif", b"avis"]) => Some(("an AVIF picture", SAVE)),
            b"mif1" | b"msf1" | b"miaf" if !is_film => Some(("a HEIC picture", IPHONE)),
            b"crx " => Some(("a raw picture of a Canon camera", SAVE)),
            _ => None,
        };
    }
    let beginnings: [(&[u8], &str); 7] = [
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
        (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
        (b"8BPS", "a Photoshop picture"),
        (b"%PDF-", "a PDF document"),
        (b"gimp xcf", "a GIMP picture"),
    ];
    beginnings.iter().find(|(beginning, _)| head.starts_with(beginning)).map(|(_, name)| (*name, SAVE))
}

/// The brands of a file of ISO's media format: its own, then those that it fits.
fn brands(head: &[u8]) -> Vec<&[u8; 4]> {
    let length = head.first_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length) as usize);
    let fits = head.get(8..length.clamp(8, head.len().max(8)).min(head.len())).unwrap_or_default().as_chunks::<4>().0;
    // The second is a version.
    fits.iter().enumerate().filter(|(place, _)| *place != 1).map(|(_, brand)| brand).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(head: &[u8]) -> Option<&'static str> {
        foreign_picture(head).map(|(name, _)| name)
    }

    #[test]
    fn pictures_of_phones_are_told_from_films() {
        assert_eq!(named(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"), Some("an AVIF picture"));
        assert_eq!(named(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), Some("a HEIC picture"));
        assert_eq!(named(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic"), Some("a HEIC picture"));
        assert_eq!(named(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif"), Some("an AVIF picture"));
        assert_eq!(named(b"\0\0\0\x18ftypisom\0\0\0\0isommp42"), None);
        assert_eq!(named(b"\0\0\0\x14ftypqt  \0\0\0\0qt  "), None);
        assert_eq!(named(b"\0\0\0\x0cJXL \r\n\x87\n\0"), Some("a JPEG XL picture"));
        for head in [&b""[..], b"\0\0\0\x08ftyp", b"\xff\xff\xff\xffftypavif", b"\0\0\0\0ftypheic"] {
            let _ = named(head);
        }
        assert_eq!(named(b"\xff\xd8\xff\xe0"), None);
    }
}
