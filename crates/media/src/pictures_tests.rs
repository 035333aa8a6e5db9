use image::codecs::jpeg::JpegEncoder;
use image::{ImageBuffer, ImageEncoder as _, Luma, Rgb, RgbImage, Rgba};

use super::*;

/// Left half red, right half blue, 8x4.
fn red_blue() -> RgbImage {
    RgbImage::from_fn(8, 4, |x, _| if x < 4 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) })
}

/// A JPEG with an EXIF orientation (TIFF tag 0x0112).
fn jpeg_with_orientation(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let exif =
        [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation, 0, 0, 0], &[0, 0, 0, 0]].concat();
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, 95);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.encode_image(picture).unwrap();
    file
}

/// A PNG that ends after a header that promises this size.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    chunk.extend([8, 2, 0, 0, 0]);
    let mut crc = u32::MAX;
    for &byte in &chunk {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0d".as_slice(), &chunk, &(!crc).to_be_bytes(), b"\0\0\0\0IDAT"].concat()
}

fn only_frame(path: &Path) -> Frame {
    let mut source = PictureFiles::single(path).unwrap();
    let Next::Frame(frame) = source.next().unwrap() else { panic!("no frame") };
    assert!(matches!(source.next(), Ok(Next::End)));
    assert_eq!(source.info().size, Some((frame.width(), frame.height())));
    frame
}

fn pixel(frame: &Frame, x: usize, y: usize) -> [u8; 3] {
    frame.rgb()[(y * frame.width() as usize + x) * 3..][..3].try_into().unwrap()
}

#[test]
fn jpegs_are_turned_upright() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.jpg");
    // 6: the camera was turned; the picture must be turned by 90 degrees clockwise: left becomes top.
    std::fs::write(&path, jpeg_with_orientation(&red_blue(), 6)).unwrap();
    let frame = only_frame(&path);
    assert_eq!((frame.width(), frame.height()), (4, 8));
    assert!(pixel(&frame, 1, 0)[0] > 200 && pixel(&frame, 1, 7)[2] > 200);
    std::fs::write(&path, jpeg_with_orientation(&red_blue(), 3)).unwrap();
    let frame = only_frame(&path);
    assert!(frame.width() == 8 && pixel(&frame, 0, 1)[2] > 200 && pixel(&frame, 7, 1)[0] > 200);
}

#[test]
fn alpha_grey_and_16_bits_become_rgb8() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    ImageBuffer::from_fn(2, 1, |x, _| Rgba([0_u8, 0, 0, if x == 0 { 0 } else { 255 }])).save(&path).unwrap();
    let frame = only_frame(&path);
    assert_eq!((pixel(&frame, 0, 0), pixel(&frame, 1, 0)), ([255; 3], [0; 3]));
    ImageBuffer::from_pixel(1, 1, Luma([0x8080_u16])).save(&path).unwrap();
    assert_eq!(pixel(&only_frame(&path), 0, 0), [128; 3]);
}

#[test]
fn the_content_decides_and_not_the_ending() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("really_a_png.jpg");
    red_blue().save_with_format(&path, ImageFormat::Png).unwrap();
    assert_eq!(only_frame(&path).width(), 8);
    assert!(PictureFiles::single(&path).unwrap().info().format.starts_with("PNG"));
}

#[test]
fn a_huge_header_is_refused_and_a_cut_picture_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.png");
    std::fs::write(&path, png_header(20_000, 20_000)).unwrap();
    let Err(error) = PictureFiles::single(&path) else { panic!("opened") };
    assert_eq!(error.kind, SourceErrorKind::Unreadable);
    assert!(error.to_string().contains("20000x20000") && error.to_string().contains("huge.png"), "{error}");

    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(red_blue().as_raw(), 8, 4, image::ExtendedColorType::Rgb8)
        .unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = PictureFiles::single(&path).and_then(|mut source| source.next()).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Unreadable);
}

#[test]
fn a_jpeg_that_is_cut_off_is_no_picture_and_a_damaged_one_is_one_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    let noise = RgbImage::from_fn(80, 60, |x, y| Rgb([(x * 7 + y) as u8, (x * y) as u8, (y * 3) as u8]));
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&noise).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let error = PictureFiles::single(&path).and_then(|mut source| source.next()).unwrap_err();
    assert_eq!(error.cause, "the image is cut off");
    assert!(decode_picture("a.jpg", &bytes[..bytes.len() * 2 / 3]).is_err());
    // Without its last marker it is whole; with a hole something of it is to be seen.
    std::fs::write(&path, &bytes[..bytes.len() - 2]).unwrap();
    only_frame(&path);
    let half = bytes.len() / 2;
    std::fs::write(&path, [&bytes[..half], &bytes[half + 300..]].concat()).unwrap();
    let mut source = PictureFiles::single(&path).unwrap();
    assert!(matches!(source.next(), Ok(Next::Frame(_))));
    assert!(matches!(source.next(), Ok(Next::Damaged(error)) if error.cause.contains("damaged")));
    assert!(matches!(source.next(), Ok(Next::End)));
}

#[test]
fn a_png_without_its_last_chunk_is_read_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    red_blue().save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 12]).unwrap();
    let mut source = PictureFiles::single(&path).unwrap();
    let Ok(Next::Frame(frame)) = source.next() else { panic!("no frame") };
    assert_eq!(pixel(&frame, 7, 3), [0, 0, 255]);
    assert!(matches!(source.next(), Ok(Next::Damaged(error)) if error.cause.contains("its end is missing")));
    // Less than that is a part of the picture.
    std::fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
    let error = PictureFiles::single(&path).and_then(|mut source| source.next()).unwrap_err();
    assert_eq!(error.cause, CUT_OFF);
    let path = folder.path().join("a.webp");
    red_blue().save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 10]).unwrap();
    let error = PictureFiles::single(&path).and_then(|mut source| source.next()).unwrap_err();
    assert_eq!(error.cause, CUT_OFF);
}

#[test]
fn tiffs_are_read_upright() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scan.tif");
    red_blue().save_with_format(&path, ImageFormat::Tiff).unwrap();
    assert_eq!((only_frame(&path).width(), pixel(&only_frame(&path), 0, 0)), (8, [255, 0, 0]));
    assert_eq!(PictureFiles::single(&path).unwrap().info().format, "TIFF image 8x4");
    // A directory behind the file that says 6, as a long, in place of one of its entries.
    let mut bytes = std::fs::read(&path).unwrap();
    let little = bytes.starts_with(b"II");
    let u16_at = |bytes: &[u8], at: usize| {
        let pair = [bytes[at], bytes[at + 1]];
        if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    };
    let first: [u8; 4] = bytes[4..8].try_into().unwrap();
    let directory = if little { u32::from_le_bytes(first) } else { u32::from_be_bytes(first) } as usize;
    let count = usize::from(u16_at(&bytes, directory));
    let mut entries: Vec<Vec<u8>> = (0..count).map(|n| bytes[directory + 2 + n * 12..][..12].to_vec()).collect();
    let entry: [u8; 12] =
        if little { [0x12, 1, 4, 0, 1, 0, 0, 0, 6, 0, 0, 0] } else { [1, 0x12, 0, 4, 0, 0, 0, 1, 0, 0, 0, 6] };
    entries.push(entry.to_vec());
    entries.sort_by_key(|entry| u16_at(entry, 0));
    let at = bytes.len() as u32;
    let number = entries.len() as u16;
    bytes[4..8].copy_from_slice(&if little { at.to_le_bytes() } else { at.to_be_bytes() });
    bytes.extend(if little { number.to_le_bytes() } else { number.to_be_bytes() });
    bytes.extend(entries.concat());
    bytes.extend([0; 4]);
    std::fs::write(&path, bytes).unwrap();
    let frame = only_frame(&path);
    assert_eq!((frame.width(), frame.height()), (4, 8));
    assert!(pixel(&frame, 1, 0)[0] > 200 && pixel(&frame, 1, 7)[2] > 200);
}

#[test]
fn pictures_of_phones_in_a_folder_are_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("IMG_1.HEIC"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
    let mut source = PictureFiles::folder(&PictureFolder::open(folder.path()).unwrap(), SHOWN);
    let Ok(Next::Skipped(error)) = source.next() else { panic!("not skipped") };
    assert!(error.to_string().contains("IMG_1.HEIC: it is a HEIC picture"), "{error}");
}

#[test]
fn a_folder_comes_in_natural_order_and_a_broken_picture_is_skipped() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["img10.png", "img2.png", "IMG1.png", "no_ending"] {
        red_blue().save_with_format(folder.path().join(name), ImageFormat::Png).unwrap();
    }
    std::fs::write(folder.path().join("img3.jpg"), "no image").unwrap();
    std::fs::write(folder.path().join("labels.csv"), "file,age\n").unwrap();
    std::fs::write(folder.path().join(".hidden.png"), "").unwrap();
    let mut source = PictureFiles::folder(&PictureFolder::open(folder.path()).unwrap(), Duration::from_secs(2));
    assert_eq!((source.info().frame_count, source.info().kind), (Some(5), SourceKind::Pictures));
    let mut seen = Vec::new();
    loop {
        match source.next().unwrap() {
            Next::Frame(frame) => {
                seen.push(format!("{} {} {:?}", frame.sequence, frame.name.unwrap(), frame.time));
            }
            Next::Skipped(error) => seen.push(format!("skipped {:?}", error.kind)),
            Next::End => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, ["0 IMG1.png 0ns", "1 img2.png 2s", "skipped Unreadable", "3 img10.png 4s", "4 no_ending 6s"]);
}

#[test]
fn a_folder_without_pictures_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "none").unwrap();
    let Err(error) = PictureFolder::open(folder.path()) else { panic!("opened") };
    assert_eq!(error.kind, SourceErrorKind::EmptyFolder);
}

#[test]
fn a_picture_in_memory_is_read_as_a_file_is() {
    let frame = decode_picture("a.tar/phone.jpg", &jpeg_with_orientation(&red_blue(), 6)).unwrap();
    assert_eq!((frame.width(), frame.height(), frame.name.is_none()), (4, 8, true));
    let error = decode_picture("a.tar/huge.png", &png_header(20_000, 20_000)).unwrap_err();
    assert!(error.to_string().starts_with("a.tar/huge.png: the image is too large"), "{error}");
}

#[test]
fn a_folder_goes_on_at_any_of_its_images_and_back_over_a_broken_one() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["1.png", "2.png", "4.png"] {
        red_blue().save(folder.path().join(name)).unwrap();
    }
    std::fs::write(folder.path().join("3.png"), "no image").unwrap();
    let mut source = PictureFiles::folder(&PictureFolder::open(folder.path()).unwrap(), SHOWN_LIVE);
    assert_eq!(source.info().duration, Some(Duration::from_secs(8)));
    let next = |source: &mut PictureFiles| loop {
        match source.next().unwrap() {
            Next::Frame(frame) => {
                return (frame.name.clone().unwrap().to_string(), frame.sequence, frame.time.as_secs());
            }
            Next::Skipped(_) => {}
            other => panic!("{other:?}"),
        }
    };
    for _ in 0..2 {
        next(&mut source);
    }
    assert_eq!(next(&mut source), ("4.png".to_owned(), 3, 4), "the broken one is passed over");
    source.seek(Duration::from_secs(4)).unwrap();
    assert_eq!(next(&mut source), ("2.png".to_owned(), 1, 2), "the third is broken");
    source.seek(Duration::from_secs(99)).unwrap();
    assert_eq!(next(&mut source).0, "4.png");
    source.seek(Duration::ZERO).unwrap();
    assert_eq!(next(&mut source).0, "1.png");
}

#[test]
fn a_part_of_a_folder_keeps_the_numbers_of_its_images() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["1.png", "9.png", "10.png"] {
        RgbImage::new(8, 8).save(folder.path().join(name)).unwrap();
    }
    std::fs::write(folder.path().join("2.png"), "broken").unwrap();
    let pictures = PictureFolder::open(folder.path()).unwrap();
    assert_eq!((pictures.count(), pictures.info().frame_count), (4, Some(4)));
    let position = |name: &str| pictures.position(&folder.path().join(name));
    assert_eq!([position("1.png"), position("9.png"), position("9a.png"), position("a.png")], [0, 2, 3, 4]);
    let mut part = pictures.part(1..3);
    assert_eq!(part.info().frame_count, Some(2));
    assert!(matches!(part.next(), Ok(Next::Skipped(_))));
    let Ok(Next::Frame(frame)) = part.next() else { panic!("no image") };
    assert_eq!((frame.sequence, frame.time, frame.name.as_deref()), (2, Duration::ZERO, Some("9.png")));
    assert!(matches!(part.next(), Ok(Next::End)));
}
