//! Pixel buffers that are used again.
//!
//! A frame of 1280x720 takes 2.8 MB. Taken from the system and given back for each frame, every page of it is cleared and
//! mapped anew, 30 times a second and more. So the buffers of frames that are gone wait here for the next frames of
//! their size.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// As many frames are on their way at once: captured, waiting, analysed, shown, recorded.
const MOST: usize = 6;
/// Above this, buffers go back to the system: nobody shows pictures of this size 30 times a second.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Smaller buffers cost the allocator nothing.
const LEAST_BYTES: usize = 64 * 1024;

static SPARE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A buffer of `length` bytes for the pixels of a frame. What is in it is left from another picture, so every byte is to
/// be written.
pub fn buffer(length: usize) -> Vec<u8> {
    let mut spare = spare();
    match spare.iter().position(|buffer| buffer.len() == length) {
        Some(place) => spare.swap_remove(place),
        None => {
            drop(spare);
            vec![0; length]
        }
    }
}

fn give_back(buffer: Vec<u8>) {
    if !(LEAST_BYTES..=MOST_BYTES).contains(&buffer.len()) {
        return;
    }
    let mut spare = spare();
    spare.push(buffer);
    // The oldest go first: they are of a size that is no longer in use.
    while spare.len() > MOST || spare.iter().map(Vec::len).sum::<usize>() > MOST_BYTES {
        spare.remove(0);
    }
}

/// A list of buffers is whole at any moment, also where its last user panicked.
fn spare() -> MutexGuard<'static, Vec<Vec<u8>>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The pixels of a frame; at their end the buffer waits for another frame.
#[derive(Debug)]
pub(super) struct PixelBuffer(Vec<u8>);

impl PixelBuffer {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The buffer itself, which does not come back by itself then.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

impl Clone for PixelBuffer {
    fn clone(&self) -> Self {
        let mut bytes = buffer(self.0.len());
        bytes.copy_from_slice(&self.0);
        Self(bytes)
    }
}

impl Deref for PixelBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for PixelBuffer {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test, as the buffers are the whole program's.
    #[test]
    fn a_buffer_comes_back_for_the_next_frame_of_its_size_and_memory_is_bounded() {
        // A length that no other test uses.
        const LENGTH: usize = 100_003;
        let first = PixelBuffer::new(buffer(LENGTH));
        let (place, copy) = (first.as_ptr(), first.clone());
        assert_ne!(place, copy.as_ptr());
        drop(first);
        let second = buffer(LENGTH);
        assert_eq!((second.as_ptr(), second.len()), (place, LENGTH));
        let taken = PixelBuffer::new(second).into_bytes();
        assert_eq!(taken.as_ptr(), place);
        for length in 0..40 {
            drop(PixelBuffer::new(vec![0; 200_000 + length]));
            drop(PixelBuffer::new(vec![0; 40_000_000]));
        }
        let spare = spare();
        assert!(spare.len() <= MOST && spare.iter().map(Vec::len).sum::<usize>() <= MOST_BYTES);
    }
}
