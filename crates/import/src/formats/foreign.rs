//! Files that are no models which are read here, named as what they are.

use std::path::Path;

use facelens_core::model::{ModelError, ModelErrorKind};

const TO_ONNX: &str = "export the network to ONNX (torch.onnx.export, tf2onnx) and give that with a card";
const UNPACK: &str = "unpack it and give the file that is in it";

/// What a file of another kind is, and what to do about it.
pub(super) fn foreign(file: &Path, bytes: &[u8]) -> Option<ModelError> {
    let (what, remedy) = told_by_beginning(bytes).or_else(|| told_by_text(bytes))?;
    Some(ModelError::new(
        ModelErrorKind::UnknownFormat,
        file,
        format!("{what}, which is no model that facelens reads"),
        remedy,
    ))
}

fn told_by_beginning(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if bytes.is_empty() {
        return Some(("an empty file", "fetch the file again"));
    }
    if bytes.get(4..8) == Some(b"TFL3") {
        return Some((
            "a TensorFlow Lite model",
            "convert it to ONNX (python -m tf2onnx.convert --tflite FILE --output model.onnx) and give that with a card",
        ));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", UNPACK));
    }
    if let Some((length, b'{')) =
        bytes.split_first_chunk::<8>().and_then(|(length, rest)| Some((length, *rest.first()?)))
        && u64::from_le_bytes(*length) <= bytes.len() as u64
    {
        return Some(("a safetensors file: weights without their network", TO_ONNX));
    }
    let beginnings: [(&[u8], &str, &str); 12] = [
        (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer in place of the file", LFS),
        (b"\x1f\x8b", "a gzip", UNPACK),
        (b"7z\xbc\xaf", "a 7z archive", UNPACK),
        (b"Rar!", "a rar archive", UNPACK),
        (b"\xfd7zXZ", "an xz file", UNPACK),
        (b"BZh", "a bzip2 file", UNPACK),
        (b"\x28\xb5\x2f\xfd", "a zstd file", UNPACK),
        (b"\x93NUMPY", "an array of NumPy", TO_ONNX),
        (b"MATLAB 5.0", "a MATLAB file", TO_ONNX),
        (b"GGUF", "a GGUF file", TO_ONNX),
        (b"7767517", "a network of ncnn", "give the ONNX file that it was made from, with a card"),
        (b"%PDF-", "a PDF document", "fetch the file itself"),
    ];
    if let Some(&(_, what, remedy)) = beginnings.iter().find(|(beginning, ..)| bytes.starts_with(beginning)) {
        return Some((what, remedy));
    }
    match bytes {
        // A pickle of protocol 2 to 5, which always ends with a full stop.
        [0x80, 2..=5, .., b'.'] => Some(("a pickle, as PyTorch's .pth and .pt were", TO_ONNX)),
        [b'P', b'K', 3, 4, ..] if holds(bytes, b"data.pkl") => Some(("a PyTorch checkpoint (.pth, .pt)", TO_ONNX)),
        [b'P', b'K', 3, 4, ..] if holds(bytes, b".npy") => Some(("arrays of NumPy (.npz)", TO_ONNX)),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => Some(("a zip archive", UNPACK)),
        _ => None,
    }
}

const LFS: &str = "run `git lfs pull` where it was cloned, or download the file itself";

/// Whether these bytes are among the first of a file.
fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes[..bytes.len().min(1 << 16)].windows(part.len()).any(|found| found == part)
}

fn told_by_text(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let head = &bytes[..bytes.len().min(1024)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The end may cut a letter.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let begins = |tag: &str| text.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag));
    let page = "download the file itself (on GitHub by Raw or Download), not the page about it";
    if ["<!doctype html", "<html", "<head", "<!-- "].into_iter().any(begins) {
        return Some(("a web page saved in place of the file", page));
    }
    if begins("<?xml") {
        return Some(("an XML file, as OpenVINO's are", "give the ONNX file that it was made from, with a card"));
    }
    let is_text = !text.is_empty() && !text.chars().any(|letter| letter.is_control() && !letter.is_whitespace());
    if is_text && !begins("{") {
        return Some(("a text file", "fetch the file itself"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_named_with_what_to_do() {
        let checkpoint = [b"PK\x03\x04\0\0\0\0".as_slice(), &[0; 22], b"archive/data.pkl\x80\x02"].concat();
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let table: [(&[u8], &str, &str); 12] = [
            (b"", "an empty file", "fetch"),
            (&checkpoint, "PyTorch", "torch.onnx.export"),
            (b"\x80\x02}q\0.", "pickle", "torch.onnx.export"),
            (b"\x1c\0\0\0TFL3\x14\0", "TensorFlow Lite", "tf2onnx"),
            (b"\x1f\x8b\x08\0", "gzip", "unpack"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "Git LFS pointer", "git lfs pull"),
            (b"\n\n<!DOCTYPE html>\n<html lang=\"en\">", "web page", "download the file itself"),
            (b"<HTML><body>404</body>", "web page", "Raw"),
            (b"\x10\0\0\0\0\0\0\0{\"a\":{\"b\":[1]}}  ", "safetensors", "ONNX"),
            (b"PK\x05\x06\0\0", "zip", "unpack"),
            (&tar, "tar", "unpack"),
            (b"404: Not Found", "a text file", "fetch"),
        ];
        for (bytes, what, remedy) in table {
            let error = foreign(Path::new("m.onnx"), bytes).unwrap().to_string();
            assert!(error.contains(what) && error.contains(remedy) && error.contains("m.onnx"), "{error}");
        }
        for bytes in [b"\x08\x07\x12\x07pytorch:".as_slice(), b"{\"modelTopology\": {}}", b"\x89HDF\r\n\x1a\n"] {
            assert!(foreign(Path::new("m"), bytes).is_none(), "{bytes:?}");
        }
    }
}
