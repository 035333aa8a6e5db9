//! What a frame costs in memory once everything is running: counted, not timed.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]
#![allow(unsafe_code, reason = "an allocator that counts is written by unsafe functions only")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use facelens_media::{Mode, Next, SourceSpec};

/// Allocations from this size on are counted: the size of a small picture.
const LARGE: usize = 128 * 1024;

static COUNT: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(size: usize) {
    if size >= LARGE {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn frames_take_no_new_memory_for_their_pixels() {
    let mut source = facelens_media::open(&SourceSpec::Demo, Mode::Batch).unwrap();
    let mut frames = || {
        let Next::Frame(frame) = source.next().unwrap() else { panic!("the demo goes on") };
        assert_eq!(frame.rgb().len(), 640 * 480 * 3);
    };
    (0..3).for_each(|_| frames());
    let before = COUNT.load(Ordering::Relaxed);
    (0..20).for_each(|_| frames());
    assert_eq!(COUNT.load(Ordering::Relaxed) - before, 0);
}
