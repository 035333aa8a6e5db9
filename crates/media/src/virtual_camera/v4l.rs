//! The devices of Video4Linux, asked by the crate `v4l`.

use std::io::{self, Write as _};
use std::path::Path;

use v4l::capability::Flags;
use v4l::video::Output as _;
use v4l::{Device, Format, FourCC};

use super::driver::{OutputCard, OutputDevice, OutputNode, OutputSystem, SetOutput};
use crate::camera::linux::{nodes, printable, sysfs, sysfs_name};

/// The kernel's devices.
pub(super) struct Video4Linux;

impl OutputSystem for Video4Linux {
    fn nodes(&self) -> io::Result<Vec<OutputNode>> {
        let node = |(index, path)| {
            let device = std::fs::canonicalize(sysfs(index, ""));
            let is_virtual = device.is_ok_and(|device| device.starts_with("/sys/devices/virtual"));
            OutputNode { index, path, name: sysfs_name(index), is_virtual }
        };
        Ok(nodes()?.into_iter().map(node).collect())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn OutputDevice>> {
        Ok(Box::new(OutputHandle(Device::with_path(path)?)))
    }
}

struct OutputHandle(Device);

impl OutputDevice for OutputHandle {
    fn card(&self) -> io::Result<OutputCard> {
        let capabilities = self.0.query_caps()?;
        let flags = capabilities.capabilities;
        // Encoders and decoders take pictures, too, and give them back.
        let takes = flags.contains(Flags::VIDEO_OUTPUT | Flags::READ_WRITE) && !flags.contains(Flags::VIDEO_M2M);
        Ok(OutputCard { name: printable(&capabilities.card), driver: capabilities.driver, takes })
    }

    fn set(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<SetOutput> {
        let set = self.0.set_format(&Format::new(width, height, FourCC::new(&fourcc)))?;
        Ok(SetOutput { fourcc: set.fourcc.repr, width: set.width, height: set.height, stride: set.stride })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
}
