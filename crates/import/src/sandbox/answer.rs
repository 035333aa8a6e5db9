//! What the child tells its parent: one line of JSON, then the graphs' bytes one behind the other.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use facelens_core::model::{Graphs, ModelCard, ModelError, ModelErrorKind, is_card};
use serde::{Deserialize, Serialize};

use crate::opened::Opened;

/// The first line.
#[derive(Serialize, Deserialize)]
enum AnswerHeader {
    Opened {
        /// The card as TOML.
        card: String,
        /// Size of each graph, bytes.
        graphs: Vec<usize>,
        self_check: Option<f32>,
    },
    Refused {
        kind: ModelErrorKind,
        /// Lossy where it is no text; it is only shown.
        file: String,
        cause: String,
        remedy: String,
    },
    /// An allocation was refused where that did not end the process.
    OutOfMemory,
}

/// What the child found.
pub(super) enum Verdict {
    Opened(Box<Opened>),
    Refused(ModelError),
    OutOfMemory,
}

pub(super) fn write(verdict: &Verdict, output: &mut impl Write) -> io::Result<()> {
    let header = match verdict {
        Verdict::Opened(opened) => AnswerHeader::Opened {
            card: opened.card.to_toml().map_err(io::Error::other)?,
            graphs: opened.graphs.iter().map(|(_, graph)| graph.len()).collect(),
            self_check: opened.self_check,
        },
        Verdict::Refused(error) => AnswerHeader::Refused {
            kind: error.kind,
            file: error.file.display().to_string(),
            cause: error.cause.clone(),
            remedy: error.remedy.clone(),
        },
        Verdict::OutOfMemory => AnswerHeader::OutOfMemory,
    };
    writeln!(output, "{}", serde_json::to_string(&header)?)?;
    if let Verdict::Opened(opened) = verdict {
        for (_, graph) in &opened.graphs {
            output.write_all(graph)?;
        }
    }
    output.flush()
}

/// Reads an answer about `file`; `None` where it is none.
pub(super) fn read(answer: &[u8], file: &Path) -> Option<Verdict> {
    let end = answer.iter().position(|&byte| byte == b'\n')?;
    let (header, mut rest) = (&answer[..end], &answer[end + 1..]);
    match serde_json::from_slice(header).ok()? {
        AnswerHeader::Opened { card, graphs: sizes, self_check } => {
            let card = ModelCard::parse(&card, file).ok()?;
            let paths = if is_card(file) { card.paths(file) } else { vec![file.to_owned()] };
            let mut graphs = Graphs::with_capacity(paths.len());
            if sizes.len() != paths.len() || paths.len() != card.files.len() {
                return None;
            }
            for (index, (path, size)) in paths.into_iter().zip(sizes).enumerate() {
                let (graph, others) = rest.split_at_checked(size)?;
                card.verify(index, graph, &path).ok()?;
                graphs.push((path, Cow::Owned(graph.to_vec())));
                rest = others;
            }
            rest.is_empty().then_some(Verdict::Opened(Box::new(Opened { card, graphs, self_check })))
        }
        AnswerHeader::Refused { kind, file, cause, remedy } => {
            Some(Verdict::Refused(ModelError::new(kind, file, cause, remedy)))
        }
        AnswerHeader::OutOfMemory => Some(Verdict::OutOfMemory),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use facelens_core::model::graphs::{small, small_card};

    use super::*;

    fn opened() -> Opened {
        let graphs = vec![(PathBuf::from("dir/small.onnx"), small(&[1, 3, 8, 8]).bytes().into())];
        Opened { card: small_card("small"), graphs, self_check: Some(1e-4) }
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut bytes = Vec::new();
        write(&Verdict::Opened(Box::new(opened())), &mut bytes).unwrap();
        let Some(Verdict::Opened(read_back)) = read(&bytes, Path::new("dir/small.onnx")) else { panic!("no model") };
        assert_eq!((&read_back.card, &read_back.graphs), (&opened().card, &opened().graphs));
        assert_eq!(read_back.self_check, Some(1e-4));

        let error = ModelError::new(ModelErrorKind::Corrupt, "a/b.onnx", "a cause", "a remedy");
        let mut bytes = Vec::new();
        write(&Verdict::Refused(error.clone()), &mut bytes).unwrap();
        let Some(Verdict::Refused(read_back)) = read(&bytes, Path::new("x")) else { panic!("no error") };
        assert_eq!(read_back, error);
    }

    #[test]
    fn other_bytes_than_the_cards_are_no_answer() {
        let file = Path::new("dir/small.onnx");
        let mut bytes = Vec::new();
        write(&Verdict::Opened(Box::new(opened())), &mut bytes).unwrap();
        assert!(read(&bytes[..bytes.len() - 1], file).is_none());
        assert!(read(&[&bytes[..], b"x"].concat(), file).is_none());
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        assert!(read(&bytes, file).is_none());
        for bytes in [&b""[..], b"\n", b"{}\n", b"Segmentation fault\n"] {
            assert!(read(bytes, file).is_none());
        }
    }
}
