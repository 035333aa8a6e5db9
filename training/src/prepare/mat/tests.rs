use super::testing::{cells, compressed, file, numbers, structure, text};
use super::*;

/// An `imdb`-like structure with a row of numbers and two texts.
fn nested() -> Vec<u8> {
    let paths = cells("", &[text("", "01/a.jpg"), text("", "")]);
    structure("imdb", &[("dob", numbers("", 1, &[693_726.0, f64::NAN])), ("full_path", paths)])
}

#[test]
fn numbers_texts_cells_and_fields_are_read_compressed_or_not() {
    let plain = numbers("Pose_Para", 1, &[0.5, -0.25, 1e-3]);
    for variables in [[plain.clone(), nested()], [compressed(&plain), compressed(&nested())]] {
        let file = MatFile::read(&file(&variables)).unwrap();
        let pose = file.variable("Pose_Para").unwrap();
        assert_eq!((pose.dimensions(), pose.numbers().unwrap()), ([1, 3].as_slice(), vec![0.5, -0.25, 1e-3]));
        let imdb = file.variable("imdb").unwrap();
        let dob = imdb.field("dob").unwrap().numbers().unwrap();
        assert!(dob[0] == 693_726.0 && dob[1].is_nan());
        let paths = imdb.field("full_path").unwrap().cells().unwrap();
        let paths: Vec<_> = paths.iter().map(|path| path.text().unwrap()).collect();
        assert_eq!(paths, ["01/a.jpg", ""]);
    }
}

#[test]
fn small_numbers_and_the_other_byte_order_are_read() {
    // As MATLAB keeps `x = int8([-1 2])` on a big-endian machine: the name and the data are small elements.
    let mut bytes = vec![b' '; 124];
    bytes.extend(b"\x01\x00MI");
    bytes.extend([0, 0, 0, 14, 0, 0, 0, 48, 0, 0, 0, 6, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 0]);
    bytes.extend([0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 1, b'x', 0, 0, 0]);
    bytes.extend([0, 2, 0, 1, 0xff, 2, 0, 0]);
    let file = MatFile::read(&bytes).unwrap();
    assert_eq!(file.variable("x").unwrap().numbers().unwrap(), [-1.0, 2.0]);
}

#[test]
fn what_is_not_there_or_something_else_is_told_by_name() {
    let mat = MatFile::read(&file(&[nested(), text("note", "hello")])).unwrap();
    let words = |result: Result<Vec<f64>, MatError>| result.unwrap_err().to_string();
    assert_eq!(words(mat.variable("wiki").and_then(|wiki| wiki.numbers())), "there is no `wiki` in the MAT-file");
    let imdb = mat.variable("imdb").unwrap();
    assert_eq!(words(imdb.field("age").and_then(|age| age.numbers())), "there is no `imdb.age` in the MAT-file");
    assert!(words(imdb.numbers()).contains("`imdb` in the MAT-file is not numeric"));
    assert!(words(mat.variable("note").and_then(|note| note.numbers())).contains("`note`"));
    assert!(imdb.field("dob").unwrap().cells().is_err() && imdb.field("dob").unwrap().text().is_err());
    assert!(mat.variable("note").unwrap().field("dob").is_err());
}

#[test]
fn other_files_are_refused_with_what_to_do() {
    for bytes in [b"".as_slice(), b"file,age\n", &[b'x'; 4000]] {
        assert_eq!(MatFile::read(bytes).err(), Some(MatError::Foreign));
    }
    let mut hdf5 = file(&[]);
    hdf5[124..126].copy_from_slice(&[0, 2]);
    assert!(MatFile::read(&hdf5).err().unwrap().to_string().contains("save(file, '-v7')"));
}

/// Reads everything that a file of [`nested`] and a text holds.
fn read_all(bytes: &[u8]) -> Result<(), MatError> {
    let file = MatFile::read(bytes)?;
    let imdb = file.variable("imdb")?;
    imdb.field("dob")?.numbers()?;
    for path in imdb.field("full_path")?.cells()? {
        path.text()?;
    }
    file.variable("note")?.text()?;
    Ok(())
}

#[test]
fn a_damaged_file_is_an_error_or_another_file_and_never_a_panic() {
    for variables in [[nested(), text("note", "hello")], [compressed(&nested()), compressed(&text("note", "hello"))]] {
        let whole = file(&variables);
        read_all(&whole).unwrap();
        for length in 0..whole.len() - 8 {
            assert!(read_all(&whole[..length]).is_err(), "cut off at {length}");
        }
        for place in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[place] = value;
                // Whatever comes out: no panic, and no memory that the bytes do not account for.
                let _ = read_all(&damaged);
            }
        }
    }
}
