//! Lists of three numbers in a card, of which one may stand for all.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{F64Deserializer, I64Deserializer};
use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer as _, SeqAccess, Visitor};

/// Reads one number, or a list of one or three.
pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<[T; 3], D::Error>
where
    T: Deserialize<'de> + Copy,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(NumbersVisitor(PhantomData))
}

struct NumbersVisitor<T>(PhantomData<T>);

// Written out, because of the errors: an untagged enum would only say that no variant fits.
impl<'de, T: Deserialize<'de> + Copy> Visitor<'de> for NumbersVisitor<T> {
    type Value = [T; 3];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a list of three numbers")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        let value: I64Deserializer<E> = value.into_deserializer();
        Ok([T::deserialize(value)?; 3])
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        let value: F64Deserializer<E> = value.into_deserializer();
        Ok([T::deserialize(value)?; 3])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut numbers = Vec::with_capacity(3);
        while let Some(number) = list.next_element()? {
            numbers.push(number);
            if numbers.len() > 3 {
                return Err(A::Error::invalid_length(numbers.len(), &self));
            }
        }
        match *numbers.as_slice() {
            [all] => Ok([all; 3]),
            [a, b, c] => Ok([a, b, c]),
            _ => Err(A::Error::invalid_length(numbers.len(), &self)),
        }
    }
}
