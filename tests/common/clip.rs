//! Small videos for tests: H.264 in MP4 with the index at the end, as cameras and phones write them.

use std::num::{NonZeroU16, NonZeroU32};

use image::RgbImage;
use openh264::encoder::Encoder;
use openh264::formats::{RgbSliceU8, YUVBuffer};
use openh264::nal_units;
use shiguredo_mp4::boxes::{Avc1Box, AvccBox, SampleEntry, VisualSampleEntryFields};
use shiguredo_mp4::mux::{Mp4FileMuxer, Sample};
use shiguredo_mp4::{TrackKind, Uint};

/// An MP4 with these pictures (all of one size with even sides), each with its duration in milliseconds.
pub fn mp4(frames: &[(RgbImage, u32)]) -> Vec<u8> {
    let mut encoder = Encoder::new().unwrap();
    let mut muxer = Mp4FileMuxer::new().unwrap();
    let mut file = muxer.initial_boxes_bytes().to_vec();
    for (index, (picture, duration)) in frames.iter().enumerate() {
        let size = (picture.width() as usize, picture.height() as usize);
        let yuv = YUVBuffer::from_rgb8_source(RgbSliceU8::new(picture.as_raw(), size));
        let stream = encoder.encode(&yuv).unwrap().to_vec();
        let (mut sps, mut pps, mut data) = (Vec::new(), Vec::new(), Vec::new());
        for nal in nal_units(&stream) {
            // Behind the start code 00 00 (00) 01; the low five bits of the first byte are the unit's type.
            let nal = &nal[nal.iter().position(|&byte| byte == 1).unwrap() + 1..];
            match nal[0] & 31 {
                7 => sps.push(nal.to_vec()),
                8 => pps.push(nal.to_vec()),
                _ => {
                    data.extend((nal.len() as u32).to_be_bytes());
                    data.extend_from_slice(nal);
                }
            }
        }
        let sample = Sample {
            track_kind: TrackKind::Video,
            keyframe: !sps.is_empty(),
            sample_entry: (index == 0).then(|| SampleEntry::Avc1(avc1(size, sps, pps))),
            timescale: NonZeroU32::new(1000).unwrap(),
            duration: *duration,
            composition_time_offset: None,
            data_offset: file.len() as u64,
            data_size: data.len(),
        };
        file.extend(data);
        muxer.append_sample(&sample).unwrap();
    }
    for (offset, bytes) in muxer.finalize().unwrap().offset_and_bytes_pairs() {
        let offset = offset as usize;
        file.resize(file.len().max(offset + bytes.len()), 0);
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
    file
}

fn avc1((width, height): (usize, usize), sps_list: Vec<Vec<u8>>, pps_list: Vec<Vec<u8>>) -> Avc1Box {
    Avc1Box {
        visual: VisualSampleEntryFields {
            data_reference_index: NonZeroU16::MIN,
            width: width as u16,
            height: height as u16,
            horizresolution: VisualSampleEntryFields::DEFAULT_HORIZRESOLUTION,
            vertresolution: VisualSampleEntryFields::DEFAULT_VERTRESOLUTION,
            frame_count: 1,
            compressorname: [0; 32],
            depth: 24,
        },
        avcc_box: AvccBox {
            avc_profile_indication: sps_list[0][1],
            profile_compatibility: sps_list[0][2],
            avc_level_indication: sps_list[0][3],
            length_size_minus_one: Uint::new(3),
            sps_list,
            pps_list,
            chroma_format: None,
            bit_depth_luma_minus8: None,
            bit_depth_chroma_minus8: None,
            sps_ext_list: Vec::new(),
        },
        unknown_boxes: Vec::new(),
    }
}
