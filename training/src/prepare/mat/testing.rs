//! Writes MAT-files for tests, as MATLAB writes them.

use std::io::Write as _;

use super::element::{DOUBLE, INT8, INT32, MATRIX, UINT16, UINT32};

/// A file of these variables, each a matrix from the functions below.
pub(in crate::prepare) fn file(variables: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
    bytes.resize(124, b' ');
    bytes.extend(b"\x00\x01IM");
    bytes.extend(variables.concat());
    bytes
}

/// A matrix of doubles, column by column.
pub(in crate::prepare) fn numbers(name: &str, rows: usize, numbers: &[f64]) -> Vec<u8> {
    let data: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    matrix(6, &[rows, numbers.len() / rows], name, &[element(DOUBLE, &data)])
}

/// A text of one line.
pub(in crate::prepare) fn text(name: &str, text: &str) -> Vec<u8> {
    let data: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    matrix(4, &[1, data.len() / 2], name, &[element(UINT16, &data)])
}

/// A row of cells.
pub(in crate::prepare) fn cells(name: &str, cells: &[Vec<u8>]) -> Vec<u8> {
    matrix(1, &[1, cells.len()], name, cells)
}

/// A single structure.
pub(in crate::prepare) fn structure(name: &str, fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    const LENGTH: usize = 32;
    let mut names = Vec::new();
    for (index, (name, _)) in fields.iter().enumerate() {
        names.extend(name.as_bytes());
        names.resize((index + 1) * LENGTH, 0);
    }
    // The length of the names is a small element.
    let mut length = (INT32 | 4 << 16).to_le_bytes().to_vec();
    length.extend((LENGTH as u32).to_le_bytes());
    let mut parts = vec![length, element(INT8, &names)];
    parts.extend(fields.iter().map(|(_, field)| field.clone()));
    matrix(2, &[1, 1], name, &parts)
}

/// The same variable, compressed.
pub(in crate::prepare) fn compressed(variable: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(variable).unwrap();
    let data = encoder.finish().unwrap();
    let mut bytes = 15_u32.to_le_bytes().to_vec();
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

fn matrix(class: u32, dimensions: &[usize], name: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let flags = [class.to_le_bytes(), [0; 4]].concat();
    let dimensions: Vec<u8> = dimensions.iter().flat_map(|side| (*side as u32).to_le_bytes()).collect();
    let mut data = [element(UINT32, &flags), element(INT32, &dimensions), element(INT8, name.as_bytes())].concat();
    data.extend(parts.concat());
    element(MATRIX, &data)
}

fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}
