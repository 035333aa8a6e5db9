/// A name as a driver wrote it: up to its first zero. What is no UTF-8 is taken for Latin-1, so that it keeps its letters;
/// a letter of UTF-8 that was cut off at the end is left out.
pub(crate) fn of(bytes: &[u8]) -> String {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    match std::str::from_utf8(bytes) {
        Ok(name) => name.to_owned(),
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}
