//! Labels, settings, and archives of pictures.

use std::io::Read as _;

use facelens::fuzzing;
use facelens::settings::{Settings, SettingsFile};
use facelens_media::archive::TarFiles;

use crate::harness::{InputFile, Target, fuzz};

#[test]
fn labels() {
    let labels = [
        "file,age,gender,yaw,pitch,roll\na.jpg,31.5,female,1,-2.5,3\n\"b,c.jpg\",,male,,,\n",
        "file,age_min,age_max,gender\nx/1.png,0,2,m\nx/2.png,70,,f\n",
    ];
    let corpus = labels.map(|text| text.as_bytes().to_vec()).to_vec();
    let words: [&[u8]; 9] = [b"file", b"age", b"age_min", b"gender", b"yaw", b";", b"\"", b"\xff\xfe", b"\xef\xbb\xbf"];
    let file = InputFile::new("labels.csv");
    fuzz(&Target { name: "labels", corpus, words: &words, repair: None, cost: 1 }, |input| {
        fuzzing::labels(&file.holding(input))
    });
}

#[test]
fn settings() {
    let folder = tempfile::tempdir().unwrap();
    let file = SettingsFile::in_folder(folder.path());
    file.save(&Settings::default()).unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap() + "\n[other]\nkey = 1979-05-27T07:32:00Z # a word\n";
    let words: [&[u8]; 6] = [b"[[", b"\"\"\"", b"'''", b"\\u", b"nan", b"= {"];
    let target = Target { name: "settings", corpus: vec![text.into()], words: &words, repair: None, cost: 1 };
    fuzz(&target, |input| {
        std::fs::write(file.path(), input).unwrap();
        let (settings, warnings) = file.load();
        // What was read can be written, and is read again as it was; as text, because no NaN equals itself.
        if file.save(&settings).is_ok() {
            assert_eq!(format!("{:?}", file.load().0), format!("{settings:?}"));
        }
        // A key that cannot be used costs only itself.
        !warnings.iter().any(|warning| warning.contains("not valid TOML"))
    });
}

fn repair_tar(bytes: &mut [u8]) {
    for header in bytes.chunks_exact_mut(512) {
        let sum: u32 =
            header.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { byte.into() }).sum();
        // Contents are blocks, too: only what looks like a header gets a checksum.
        if header[257..262] == *b"ustar" {
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
}

#[test]
fn tar() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    for name in ["a.jpg", &format!("{}/b.jpg", "folder".repeat(30))] {
        builder.append_data(&mut header, name, b"abc".as_slice()).unwrap();
    }
    builder.append_pax_extensions([("path", b"c.jpg".as_slice())]).unwrap();
    builder.append_data(&mut header, "d.jpg", b"abc".as_slice()).unwrap();
    let corpus = vec![builder.into_inner().unwrap()];
    let words: [&[u8]; 6] = [b"ustar\0", b"ustar  \0", b"path=", b"size=", b"77777777777\0", b"\x80\0\0\0\0\0\0\x7f"];
    fuzz(&Target { name: "tar", corpus, words: &words, repair: Some(repair_tar), cost: 1 }, |input| {
        let mut archive = tar::Archive::new(input);
        let Ok(entries) = archive.entries() else { return false };
        TarFiles::new(entries).all(|file| {
            file.is_ok_and(|mut file| file.entry.by_ref().take(1 << 20).read_to_end(&mut Vec::new()).is_ok())
        })
    });
}
