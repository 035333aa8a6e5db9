//! MATLAB's MAT-files of level 5 (versions 5 to 7.2), as far as published labels use them: numbers, texts, cells and
//! structures, compressed or not (MathWorks, "MAT-File Format", 2019).
//!
//! A crate would be better, but none fits: `matfile` and `mat5` know neither cells nor structures, and `matrw` takes a file
//! that was cut off for a whole one, panics on others and inflates without a limit. Here nothing is trusted: every length
//! is held against the bytes that are there, and what is asked for is looked up in them without being copied.

mod element;
mod matrix;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

use std::io::Read as _;

use element::{COMPRESSED, Element, Elements, MATRIX, MatOrder};
pub(super) use matrix::Matrix;

/// Inflated content beyond this is refused. The largest file that is read here (imdb.mat, 460,723 pictures) has a quarter
/// of it.
const MAX_INFLATED: u64 = 1 << 30;

const HEADER_BYTES: usize = 128;

/// Why a MAT-file, or something in it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MatError {
    #[error("it is not a MAT-file of version 5 to 7.2")]
    Foreign,
    #[error("it is a MAT-file of version 7.3 (HDF5); save it in MATLAB again with `save(file, '-v7')`")]
    Hdf5,
    #[error("the MAT-file is damaged or cut off ({0})")]
    Damaged(&'static str),
    #[error("there is no `{0}` in the MAT-file")]
    Missing(String),
    #[error("`{name}` in the MAT-file is not {expected}")]
    Kind { name: String, expected: &'static str },
}

/// A MAT-file in memory.
pub(super) struct MatFile {
    order: MatOrder,
    /// Each top-level variable's element, inflated.
    variables: Vec<Vec<u8>>,
}

impl MatFile {
    /// Reads the variables of a file.
    ///
    /// # Errors
    /// Bytes that are no such file, or only a part of one.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, MatError> {
        let (header, content) = bytes.split_at_checked(HEADER_BYTES).ok_or(MatError::Foreign)?;
        let order = match &header[126..] {
            b"IM" => MatOrder::Little,
            b"MI" => MatOrder::Big,
            _ => return Err(MatError::Foreign),
        };
        match order.u16([header[124], header[125]]) {
            0x0100 => {}
            0x0200 => return Err(MatError::Hdf5),
            _ => return Err(MatError::Foreign),
        }
        let (mut variables, mut left) = (Vec::new(), MAX_INFLATED);
        let mut elements = Elements::new(content, order);
        loop {
            let before = elements.rest();
            let Some(element) = elements.next() else { break };
            match element? {
                Element { kind: MATRIX, .. } => {
                    let length = before.len() - elements.rest().len();
                    variables.push(before[..length].to_vec());
                }
                Element { kind: COMPRESSED, data } => {
                    let inflated = inflate(data, left)?;
                    left -= inflated.len() as u64;
                    variables.push(inflated);
                }
                _ => {}
            }
        }
        Ok(Self { order, variables })
    }

    /// The variable of this name.
    ///
    /// # Errors
    /// Where there is none, or one that is damaged.
    pub(super) fn variable(&self, name: &str) -> Result<Matrix<'_>, MatError> {
        for variable in &self.variables {
            let element = Elements::new(variable, self.order).expect()?;
            // Anything but a matrix has no name.
            if element.kind != MATRIX {
                continue;
            }
            let matrix = Matrix::parse(element.data, self.order)?;
            if matrix.name() == name {
                return Ok(matrix);
            }
        }
        Err(MatError::Missing(name.to_owned()))
    }
}

fn inflate(deflated: &[u8], limit: u64) -> Result<Vec<u8>, MatError> {
    let mut inflated = Vec::new();
    let mut decoder = flate2::read::ZlibDecoder::new(deflated).take(limit + 1);
    decoder.read_to_end(&mut inflated).map_err(|_| MatError::Damaged("the compressed part cannot be inflated"))?;
    if inflated.len() as u64 > limit {
        return Err(MatError::Damaged("it would inflate to more than 1 GiB"));
    }
    Ok(inflated)
}
