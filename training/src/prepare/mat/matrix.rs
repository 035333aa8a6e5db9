//! Matrices: everything in a MAT-file is one.

use super::MatError;
use super::element::{
    DOUBLE, Element, Elements, INT8, INT16, INT32, INT64, MATRIX, MatOrder, SINGLE, UINT8, UINT16, UINT32, UINT64,
    UTF8, UTF16, UTF32,
};

const CELL: u8 = 1;
const STRUCTURE: u8 = 2;
const TEXT: u8 = 4;
const FIRST_NUMERIC: u8 = 6;
const LAST_NUMERIC: u8 = 15;

/// A matrix of numbers, characters, cells, or structures.
#[derive(Clone, Debug)]
pub(in crate::prepare) struct Matrix<'a> {
    class: u8,
    /// Rows, columns, ...; all values of the first column come first.
    dimensions: Vec<usize>,
    name: String,
    /// What follows the name: data or further elements.
    content: &'a [u8],
    order: MatOrder,
}

impl<'a> Matrix<'a> {
    pub(super) fn parse(data: &'a [u8], order: MatOrder) -> Result<Self, MatError> {
        if data.is_empty() {
            // `[]`
            return Ok(Self { class: FIRST_NUMERIC, dimensions: vec![0, 0], name: String::new(), content: &[], order });
        }
        let mut elements = Elements::new(data, order);
        let flags = elements.expect()?;
        let (UINT32, Some(flags)) = (flags.kind, flags.data.first_chunk::<4>()) else {
            return Err(MatError::Damaged("a matrix without flags"));
        };
        // The class is in the lowest byte.
        let class = order.u32(*flags) as u8;
        let dimensions = elements.expect()?;
        let name = elements.expect()?;
        if dimensions.kind != INT32 || name.kind != INT8 {
            return Err(MatError::Damaged("a matrix without dimensions or name"));
        }
        let (words, []) = dimensions.data.as_chunks::<4>() else {
            return Err(MatError::Damaged("odd dimensions"));
        };
        let matrix = Self {
            class,
            dimensions: words.iter().map(|word| order.u32(*word) as usize).collect(),
            name: String::from_utf8_lossy(name.data).into_owned(),
            content: elements.rest(),
            order,
        };
        matrix.count()?;
        Ok(matrix)
    }

    /// The variable's name; that of a cell or field is empty.
    pub(in crate::prepare) fn name(&self) -> &str {
        &self.name
    }

    /// Rows, columns, ...
    pub(in crate::prepare) fn dimensions(&self) -> &[usize] {
        &self.dimensions
    }

    /// How many values, characters, cells or structures.
    fn count(&self) -> Result<usize, MatError> {
        let product = self.dimensions.iter().try_fold(1_usize, |product, side| product.checked_mul(*side));
        product.ok_or(MatError::Damaged("impossible dimensions"))
    }

    fn elements(&self) -> Elements<'a> {
        Elements::new(self.content, self.order)
    }

    fn kind(&self, expected: &'static str) -> MatError {
        let name = if self.name.is_empty() { "a part" } else { &self.name };
        MatError::Kind { name: name.to_owned(), expected }
    }

    /// All numbers, column by column. Of complex ones the real part.
    ///
    /// # Errors
    /// Where it is not numeric, or damaged.
    pub(in crate::prepare) fn numbers(&self) -> Result<Vec<f64>, MatError> {
        if !(FIRST_NUMERIC..=LAST_NUMERIC).contains(&self.class) {
            return Err(self.kind("numeric"));
        }
        let count = self.count()?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let numbers = numbers(self.elements().expect()?, self.order)?;
        if numbers.len() == count { Ok(numbers) } else { Err(MatError::Damaged("fewer numbers than announced")) }
    }

    /// A text of one line; none is the empty one.
    ///
    /// # Errors
    /// Where it is no text, has several lines, or is damaged.
    pub(in crate::prepare) fn text(&self) -> Result<String, MatError> {
        let count = self.count()?;
        if count == 0 {
            return Ok(String::new());
        }
        if self.class != TEXT || self.dimensions.first() != Some(&1) {
            return Err(self.kind("a text of one line"));
        }
        let Element { kind, data } = self.elements().expect()?;
        let order = self.order;
        match kind {
            // MATLAB keeps even characters of one byte as UINT16; other programs write bytes.
            INT8 | UINT8 | UTF8 => Ok(String::from_utf8_lossy(data).into_owned()),
            UINT16 | UTF16 => {
                let units: Vec<_> = data.as_chunks().0.iter().map(|unit| order.u16(*unit)).collect();
                Ok(String::from_utf16_lossy(&units))
            }
            UTF32 => {
                let unit = |unit: &[u8; 4]| char::from_u32(order.u32(*unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
                Ok(data.as_chunks().0.iter().map(unit).collect())
            }
            _ => Err(self.kind("a text")),
        }
    }

    /// All cells, column by column.
    ///
    /// # Errors
    /// Where it is no cell array, or damaged.
    pub(in crate::prepare) fn cells(&self) -> Result<Vec<Matrix<'a>>, MatError> {
        if self.class != CELL {
            return Err(self.kind("a cell array"));
        }
        let cells: Vec<_> = self.elements().map(|cell| self.part(cell?)).collect::<Result<_, _>>()?;
        if cells.len() == self.count()? { Ok(cells) } else { Err(MatError::Damaged("fewer cells than announced")) }
    }

    /// A field of a single structure.
    ///
    /// # Errors
    /// Where it is no single structure, has no such field, or is damaged.
    pub(in crate::prepare) fn field(&self, name: &str) -> Result<Matrix<'a>, MatError> {
        if self.class != STRUCTURE || self.count()? != 1 {
            return Err(self.kind("one structure"));
        }
        let mut elements = self.elements();
        let length = elements.expect()?;
        let length = length.data.first_chunk::<4>().map_or(0, |length| self.order.u32(*length) as usize);
        if length == 0 {
            return Err(MatError::Damaged("a structure without names"));
        }
        let names = elements.expect()?.data;
        let own = |name: &[u8]| name.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        let index = names.chunks_exact(length).position(|other| own(other) == name.as_bytes());
        let index = index.ok_or_else(|| MatError::Missing(format!("{}.{name}", self.name)))?;
        let mut field = self.part(elements.nth(index).ok_or(MatError::Damaged("fewer fields than announced"))??)?;
        field.name = name.to_owned();
        Ok(field)
    }

    fn part(&self, element: Element<'a>) -> Result<Matrix<'a>, MatError> {
        if element.kind != MATRIX {
            return Err(MatError::Damaged("a part that is not a matrix"));
        }
        Self::parse(element.data, self.order)
    }
}

/// Numbers are kept in the smallest type that holds them, whatever the matrix's class is.
fn numbers(Element { kind, data }: Element, order: MatOrder) -> Result<Vec<f64>, MatError> {
    fn all<const N: usize>(data: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        data.as_chunks().0.iter().map(|bytes| number(*bytes)).collect()
    }
    Ok(match kind {
        INT8 => all(data, |[byte]| f64::from(byte.cast_signed())),
        UINT8 => all(data, |[byte]| f64::from(byte)),
        INT16 => all(data, |bytes| f64::from(order.u16(bytes).cast_signed())),
        UINT16 => all(data, |bytes| f64::from(order.u16(bytes))),
        INT32 => all(data, |bytes| f64::from(order.u32(bytes).cast_signed())),
        UINT32 => all(data, |bytes| f64::from(order.u32(bytes))),
        SINGLE => all(data, |bytes| f64::from(f32::from_bits(order.u32(bytes)))),
        DOUBLE => all(data, |bytes| f64::from_bits(order.u64(bytes))),
        INT64 => all(data, |bytes| order.u64(bytes).cast_signed() as f64),
        UINT64 => all(data, |bytes| order.u64(bytes) as f64),
        _ => return Err(MatError::Damaged("numbers of an unknown type")),
    })
}
