//! The bindings of `v4l2-sys-mit` 0.3.0, generated once and checked in: see README.md.

#![cfg(target_os = "linux")]
#![allow(clippy::all, non_camel_case_types, non_snake_case, non_upper_case_globals)]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("these bindings hold the 64-bit layouts; remove the patch of v4l2-sys-mit from Cargo.toml and install libclang");

include!("bindings.rs");

/// The sizes that the kernel's ioctl numbers are made of, from Linux's 64-bit ABI.
const _: () = {
    assert!(size_of::<v4l2_capability>() == 104);
    assert!(size_of::<v4l2_fmtdesc>() == 64);
    assert!(size_of::<v4l2_format>() == 208);
    assert!(size_of::<v4l2_requestbuffers>() == 20);
    assert!(size_of::<v4l2_buffer>() == 88);
    assert!(size_of::<v4l2_streamparm>() == 204);
    assert!(size_of::<v4l2_frmsizeenum>() == 44);
    assert!(size_of::<v4l2_frmivalenum>() == 52);
    assert!(size_of::<v4l2_queryctrl>() == 68);
    assert!(size_of::<v4l2_query_ext_ctrl>() == 232);
    assert!(size_of::<v4l2_querymenu>() == 44);
    assert!(size_of::<v4l2_control>() == 8);
    assert!(size_of::<v4l2_ext_controls>() == 32);
};

use std::mem::size_of;
