use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::data::{CONTEXT, FaceSet, LabelledFace, SIDE};
use crate::prepare::testing::{astronaut, plain, tar};

const USUAL: UsualBox = UsualBox { x: 0.5, y: 0.25, side: 0.5 };

fn method(threads: usize, undetected: Undetected) -> Method {
    let threads = NonZero::new(threads).unwrap();
    Method { detector: DetectorKind::BlazeBack, undetected, context: CONTEXT, threads }
}

/// A tar with two faces, one picture without a face and one that is damaged, and labels of these and a missing one.
fn set(folder: &TempDir) -> (Listing, PictureStore) {
    let large = astronaut(200);
    let files = [("large", &*large), ("plain", &plain(80, 60)), ("broken", &large[..900]), ("small", &astronaut(150))];
    let pictures = PictureStore::open(&[tar(folder.path(), "set.tar", &files)]).unwrap();
    let mut listing = Listing::default();
    // The labels' order is not that of the archive.
    for name in ["broken", "small", "missing", "large", "plain"] {
        listing.push(LabelledFace { name: name.to_owned(), male: Some(false), ..LabelledFace::default() });
    }
    listing.leave_out(Reason::BadAge, "odd", "`old`");
    (listing, pictures)
}

fn run(
    listing: &Listing,
    pictures: &PictureStore,
    method: &Method,
    target: &Path,
) -> Result<Option<Report>, PrepareError> {
    prepare(listing, pictures, method, target, &AtomicBool::new(false), |_| {})
}

#[test]
fn faces_come_in_the_labels_order_and_the_rest_is_counted_whatever_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let (listing, pictures) = set(&folder);
    let write = |threads| {
        let target = folder.path().join(format!("{threads}.faces"));
        let report = run(&listing, &pictures, &method(threads, Undetected::Skip), &target).unwrap().unwrap();
        (report, std::fs::read(target).unwrap())
    };
    let (report, bytes) = write(1);
    assert!(write(3).1 == bytes, "three threads write another set");

    assert_eq!((report.written, report.placed, report.left_out()), (2, 0, 4));
    let reasons: Vec<_> = report.reasons().collect();
    let expected = [Reason::NoFace, Reason::Unreadable, Reason::NoPicture, Reason::BadAge];
    assert_eq!(reasons, expected.map(|reason| (reason, 1)));
    let named: Vec<_> = report.named().map(|left_out| left_out.name.as_str()).collect();
    assert_eq!(named, ["plain", "broken", "missing", "odd"]);
    // The astronaut's box is 103 of the 256 pixels that were cut out, around (128, 122).
    let usual = report.usual_box().unwrap();
    assert!(
        (usual.x - 0.5).abs() < 0.03 && (usual.y - 0.48).abs() < 0.03 && (usual.side - 0.4).abs() < 0.03,
        "{usual:?}"
    );

    let set = FaceSet::read(&folder.path().join("1.faces")).unwrap();
    assert_eq!([&*set.faces[0].name, &*set.faces[1].name], ["small", "large"]);
    assert_eq!(set.left_out[Reason::NoFace.words()], 1);
    // Both are the same head: at the stored size they look alike, whatever the size of the source.
    let difference = set.picture(0).iter().zip(set.picture(1)).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
    assert!(difference < 6 * (SIDE * SIDE * 3) as u64, "{difference}");
}

#[test]
fn the_usual_box_is_taken_where_no_face_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (listing, pictures) = set(&folder);
    let target = folder.path().join("x.faces");
    let report = run(&listing, &pictures, &method(2, Undetected::Centre(USUAL)), &target).unwrap().unwrap();
    assert_eq!((report.written, report.placed), (3, 1));
    // The picture `plain` has its column in red and its row in green: 80 x 60, so the box is 30 pixels around (40, 15).
    let set = FaceSet::read(&target).unwrap();
    let pixel = |x: usize, y: usize| set.picture(2)[(y * SIDE + x) * 3..][..3].to_vec();
    assert_eq!(pixel(SIDE / 2, SIDE / 2)[..2], [40, 15]);
    assert_eq!((pixel(0, 0)[0], pixel(SIDE - 1, 0)[0]), (10, 69));
    // Its square begins 15 pixels above the picture.
    assert_eq!((pixel(0, 0)[1], pixel(0, SIDE - 1)[1]), (0, 44));
}

#[test]
fn a_set_that_tells_the_place_is_believed_unless_the_detector_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let (mut listing, pictures) = set(&folder);
    listing.left_out.clear();
    listing.samples.retain(|sample| ["large", "plain"].contains(&&*sample.face.name));
    for (near, placed) in [(true, 1), (false, 2)] {
        for sample in &mut listing.samples {
            // The face of `large` is at 60 to 140 of its 200 pixels.
            sample.region =
                Some(if near { Rect::new(50.0, 50.0, 85.0, 85.0) } else { Rect::new(0.0, 0.0, 30.0, 30.0) });
        }
        let target = folder.path().join("x.faces");
        let report = run(&listing, &pictures, &method(1, Undetected::Skip), &target).unwrap().unwrap();
        assert_eq!((report.written, report.placed), (2, placed));
    }
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (listing, pictures) = set(&folder);
    let target = folder.path().join("x.faces");
    let stop = AtomicBool::new(false);
    let report = prepare(&listing, &pictures, &method(2, Undetected::Skip), &target, &stop, |report| {
        stop.store(report.written == 1, Ordering::SeqCst);
    });
    assert!(report.unwrap().is_none());
    let left: Vec<PathBuf> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [folder.path().join("set.tar")]);
}

#[test]
fn where_nothing_can_be_used_the_reason_is_told_and_no_set_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (mut listing, pictures) = set(&folder);
    let target = folder.path().join("x.faces");
    let mut words = |keep: &[&str]| {
        listing.samples.retain(|sample| keep.contains(&&*sample.face.name));
        run(&listing, &pictures, &method(2, Undetected::Skip), &target).unwrap_err().to_string()
    };
    assert!(words(&["missing", "plain"]).contains("no face was found"));
    assert!(words(&[]).contains("odd because the age is missing or impossible: `old`"));
    listing.left_out.clear();
    listing.push(LabelledFace { name: "missing".to_owned(), ..LabelledFace::default() });
    let error = run(&listing, &pictures, &method(2, Undetected::Skip), &target).unwrap_err().to_string();
    assert!(error.contains("none of the given folders and archives has `missing`"), "{error}");
    assert!(!target.exists());
}
