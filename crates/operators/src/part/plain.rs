//! Steps that are small: what is done number by number, and what only moves numbers.

/// What two numbers become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
}

/// Which number of an operand belongs to a number of the result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OperandIndex {
    Same,
    One,
    Table(Vec<u32>),
}

impl OperandIndex {
    /// The index that a table tells.
    pub fn of(table: Vec<u32>, operand_len: usize) -> Self {
        if operand_len == 1 {
            Self::One
        } else if operand_len == table.len() && table.iter().enumerate().all(|(at, &index)| at == index as usize) {
            Self::Same
        } else {
            Self::Table(table)
        }
    }
}

impl Binary {
    /// Applies it to each number of the result.
    pub fn run(self, [a, b]: [(&[f32], &OperandIndex); 2], output: &mut [f32]) {
        match self {
            Self::Add => each(a, b, output, |a, b| a + b),
            Self::Sub => each(a, b, output, |a, b| a - b),
            Self::Mul => each(a, b, output, |a, b| a * b),
            Self::Div => each(a, b, output, |a, b| a / b),
            Self::Max => each(a, b, output, |a, b| if a > b { a } else { b }),
            Self::Min => each(a, b, output, |a, b| if a < b { a } else { b }),
        }
    }
}

fn each(a: (&[f32], &OperandIndex), b: (&[f32], &OperandIndex), output: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    let at = |(numbers, index): (&[f32], &OperandIndex), at: usize| match index {
        OperandIndex::Same => numbers[at],
        OperandIndex::One => numbers[0],
        OperandIndex::Table(table) => numbers[table[at] as usize],
    };
    match (a, b) {
        ((a, OperandIndex::Same), (b, OperandIndex::Same)) => {
            for ((output, a), b) in output.iter_mut().zip(a).zip(b) {
                *output = f(*a, *b);
            }
        }
        ((a, OperandIndex::Same), (&[b], OperandIndex::One)) => {
            for (output, a) in output.iter_mut().zip(a) {
                *output = f(*a, b);
            }
        }
        _ => {
            for (index, output) in output.iter_mut().enumerate() {
                *output = f(at(a, index), at(b, index));
            }
        }
    }
}

/// Numbers that are neighbours before and after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Piece {
    /// Which of the inputs; none: zeros.
    source: Option<u32>,
    from: u32,
    to: u32,
    len: u32,
}

/// Puts pieces of its inputs behind each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Copying {
    pieces: Vec<Piece>,
}

impl Copying {
    /// From where each number of the result comes: an input and a place in it; none: zero.
    pub fn of(numbers: impl Iterator<Item = Option<(usize, usize)>>) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for (to, number) in numbers.enumerate() {
            let source = number.map(|(source, _)| source as u32);
            let from = number.map_or(0, |(_, from)| from as u32);
            match pieces.last_mut() {
                Some(last) if last.source == source && (source.is_none() || last.from + last.len == from) => {
                    last.len += 1;
                }
                _ => pieces.push(Piece { source, from, to: to as u32, len: 1 }),
            }
        }
        Self { pieces }
    }

    /// Whether the result is the first input as it is.
    pub fn is_nothing(&self, input_len: usize) -> bool {
        matches!(self.pieces.as_slice(), [Piece { source: Some(0), from: 0, len, .. }] if *len as usize == input_len)
    }

    pub fn run<'a>(&self, input: impl Fn(usize) -> &'a [f32], output: &mut [f32]) {
        for piece in &self.pieces {
            let (from, to, len) = (piece.from as usize, piece.to as usize, piece.len as usize);
            match piece.source {
                None => output[to..to + len].fill(0.0),
                Some(source) if len == 1 => output[to] = input(source as usize)[from],
                Some(source) => output[to..to + len].copy_from_slice(&input(source as usize)[from..from + len]),
            }
        }
    }
}

/// Sum or maximum along an axis: `outer` x `count` x `inner` numbers become `outer` x `inner`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reduction {
    pub max: bool,
    pub count: usize,
    pub inner: usize,
}

impl Reduction {
    pub fn run(self, input: &[f32], output: &mut [f32]) {
        let Self { max, count, inner } = self;
        for (input, output) in input.chunks_exact(count * inner).zip(output.chunks_exact_mut(inner)) {
            output.copy_from_slice(&input[..inner]);
            for input in input[inner..].chunks_exact(inner) {
                for (output, number) in output.iter_mut().zip(input) {
                    *output = if max { output.max(*number) } else { *output + *number };
                }
            }
        }
    }
}

/// Makes the channels of a place neighbours, where they lay in planes.
pub(crate) fn from_planes(channels: usize, input: &[f32], output: &mut [f32]) {
    let places = output.len() / channels;
    if channels == 3 {
        // A picture.
        let (red, others) = input.split_at(places);
        let (green, blue) = others.split_at(places);
        for (((output, r), g), b) in output.as_chunks_mut().0.iter_mut().zip(red).zip(green).zip(blue) {
            *output = [*r, *g, *b];
        }
        return;
    }
    for (place, output) in output.chunks_exact_mut(channels).enumerate() {
        for (channel, number) in output.iter_mut().enumerate() {
            *number = input[channel * places + place];
        }
    }
}

/// Puts the channels into planes.
pub(crate) fn to_planes(channels: usize, input: &[f32], output: &mut [f32]) {
    let places = output.len() / channels;
    for (channel, plane) in output.chunks_exact_mut(places).enumerate() {
        for (number, input) in plane.iter_mut().zip(input.chunks_exact(channels)) {
            *number = input[channel];
        }
    }
}
