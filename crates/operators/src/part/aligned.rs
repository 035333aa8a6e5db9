//! Numbers that begin where a line of the cache begins.

/// Bytes of a line of the cache, and of the widest vector: a vector that lies across two lines takes twice the time.
const LINE: usize = 64;
/// Numbers of a line.
const NUMBERS: usize = LINE / size_of::<f32>();

/// A list of numbers of fixed length whose first lies at the begin of a line.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    numbers: Vec<f32>,
    from: usize,
    len: usize,
}

impl Aligned {
    /// So many zeros.
    pub fn zeros(len: usize) -> Self {
        let numbers = vec![0.0; len + NUMBERS];
        // The numbers never move from where they are: nothing is added to the list.
        let from = numbers.as_ptr().align_offset(LINE).min(NUMBERS);
        Self { numbers, from, len }
    }

    /// A copy of these.
    pub fn of(numbers: &[f32]) -> Self {
        let mut copy = Self::zeros(numbers.len());
        copy.copy_from_slice(numbers);
        copy
    }
}

impl std::ops::Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.numbers[self.from..self.from + self.len]
    }
}

impl std::ops::DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[self.from..self.from + self.len]
    }
}
