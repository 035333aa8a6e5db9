//! The text of a table in whatever encoding its program wrote it.

/// UTF-8, UTF-16 by its mark or its zeros, or else Windows' Latin-1. In a text of which most is UTF-8, what is none is
/// replaced.
pub(super) fn decode(bytes: &[u8]) -> String {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return decode(rest);
    }
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => utf_16(bytes, u16::from_le_bytes),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => utf_16(bytes, u16::from_be_bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) if has_utf_8_letters(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Err(_) => bytes.iter().map(|&byte| latin_1(byte)).collect(),
        },
    }
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    char::decode_utf16(bytes.as_chunks::<2>().0.iter().map(|&pair| unit(pair)))
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Whether there is a letter of several bytes in it that is whole.
fn has_utf_8_letters(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii())
}

/// Windows-1252, which is Latin-1 with letters in place of its control characters.
fn latin_1(byte: u8) -> char {
    const LETTERS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => LETTERS[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_of_excel_is_read() {
        let text = "file,age\nZü…rich.jpg,42\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(text.as_bytes()), text);
        assert_eq!(decode(&[b"\xef\xbb\xbf", text.as_bytes()].concat()), text);
        assert_eq!(decode(&[b"\xff\xfe".as_slice(), &little].concat()), text);
        assert_eq!(decode(&[b"\xfe\xff".as_slice(), &big].concat()), text);
        assert_eq!((decode(&little), decode(&big)), (text.to_owned(), text.to_owned()));
        assert_eq!(decode(b"file,age\nZ\xfc\x85rich.jpg,42\n"), text);
        // Damage in a text of UTF-8 stays where it is.
        assert_eq!(decode(b"Z\xc3\xbcrich,1\n\xff,2\n"), "Zürich,1\n\u{fffd},2\n");
        assert_eq!((decode(b""), decode(b"\xff\xfea")), (String::new(), String::new()));
    }
}
