//! `facelens cameras`: which cameras there are.

use std::io::{self, Write as _};
use std::process::ExitCode;

use facelens_media::{CameraInfo, list_cameras};
use unicode_width::UnicodeWidthStr as _;

/// How many formats the table shows of each camera.
const SHOWN_FORMATS: usize = 3;

/// Options of `facelens cameras`.
#[derive(Debug, clap::Args)]
pub struct CamerasArgs {
    /// One JSON document instead of a table.
    #[arg(long)]
    pub json: bool,

    /// Every format of each camera, as its driver lists them: for --camera-format.
    #[arg(long)]
    pub all: bool,
}

/// Lists the cameras on standard output. No camera at all is an empty list, with a word on standard error.
pub(super) fn run(args: &CamerasArgs) -> anyhow::Result<ExitCode> {
    let mut cameras = list_cameras()?;
    if args.all {
        // Where the driver's own list is not known, the formats stay as they are.
        for camera in cameras.iter_mut().filter(|camera| !camera.every_format.is_empty()) {
            camera.formats = std::mem::take(&mut camera.every_format);
        }
    }
    if cameras.is_empty() {
        writeln!(io::stderr(), "{}", hint())?;
    }
    let text = match (args.json, args.all) {
        (true, _) => json(&cameras)?,
        (false, true) => all(&cameras),
        (false, false) => table(&cameras),
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        // Whoever reads has enough.
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn json(cameras: &[CameraInfo]) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(cameras)?;
    text.push('\n');
    Ok(text)
}

/// Number, name, device and the best formats, one camera a line, in columns.
fn table(cameras: &[CameraInfo]) -> String {
    let rows: Vec<[String; 4]> = cameras.iter().map(row).collect();
    let widths: [usize; 3] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or(0));
    // As wide as a terminal shows it, where a Chinese letter takes two places.
    let blanks = |column: usize, text: &str| " ".repeat(widths[column] - text.width());
    rows.iter()
        .map(|[index, name, device, formats]| {
            let [a, b, c] = [blanks(0, index), blanks(1, name), blanks(2, device)];
            format!("{a}{index}  {name}{b}  {device}{c}  {formats}").trim_end().to_owned() + "\n"
        })
        .collect()
}

/// Each camera with all its formats, one a line below it.
fn all(cameras: &[CameraInfo]) -> String {
    let mut text = String::new();
    for camera in cameras {
        let device = camera.device.display();
        text += &format!("{}  {}  {device}\n", camera.index, camera.name);
        for format in &camera.formats {
            text += &format!("    {format}\n");
        }
    }
    text
}

fn row(camera: &CameraInfo) -> [String; 4] {
    let mut formats = camera.formats.iter().take(SHOWN_FORMATS).cloned().collect::<Vec<_>>().join(", ");
    if camera.formats.len() > SHOWN_FORMATS {
        formats += ", ...";
    }
    [camera.index.to_string(), camera.name.clone(), camera.device.display().to_string(), formats]
}

fn hint() -> &'static str {
    if cfg!(target_os = "linux") {
        "no camera was found; check that it is plugged in (ls /dev/video*) and that you are in the group `video` (id)"
    } else if cfg!(target_os = "macos") {
        "no camera was found; check that it is plugged in and allowed in System Settings > Privacy & Security > Camera"
    } else {
        "no camera was found; check that it is plugged in and allowed in the privacy settings of the system"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cameras() -> [CameraInfo; 2] {
        let formats = |count: usize| (0..count).map(|n| format!("YUYV {n}x1 at 30 fps")).collect();
        [
            CameraInfo {
                index: 0,
                name: "HD".into(),
                device: "/dev/video0".into(),
                by_path: Some("/dev/v4l/by-path/usb-0:2".into()),
                formats: formats(5),
                every_format: Vec::new(),
                choices: Vec::new(),
            },
            CameraInfo {
                index: 10,
                name: "USB Camera".into(),
                device: "/dev/video10".into(),
                by_path: None,
                formats: formats(0),
                every_format: Vec::new(),
                choices: Vec::new(),
            },
        ]
    }

    #[test]
    fn the_table_is_in_columns_with_the_best_formats() {
        assert_eq!(
            table(&cameras()),
            " 0  HD          /dev/video0   YUYV 0x1 at 30 fps, YUYV 1x1 at 30 fps, YUYV 2x1 at 30 fps, ...\n\
             10  USB Camera  /dev/video10\n"
        );
        assert_eq!(table(&[]), "");
        let [mut first, second] = cameras();
        first.name = "摄像头".into();
        let lines = table(&[first, second]);
        assert!(lines.contains("摄像头      /dev/video0 ") && lines.contains("USB Camera  /dev/video10"), "{lines}");
    }

    #[test]
    fn all_formats_are_listed_one_a_line() {
        let [first, second] = cameras();
        let short = CameraInfo { formats: first.formats[..2].to_vec(), ..first };
        assert_eq!(
            all(&[short, second]),
            "0  HD  /dev/video0\n    YUYV 0x1 at 30 fps\n    YUYV 1x1 at 30 fps\n10  USB Camera  /dev/video10\n"
        );
    }

    #[test]
    fn json_reads_back_with_every_format() {
        let value: serde_json::Value = serde_json::from_str(&json(&cameras()).unwrap()).unwrap();
        assert_eq!(value[1]["name"], "USB Camera");
        assert_eq!((&value[0]["device"], &value[1]["by_path"]), (&"/dev/video0".into(), &serde_json::Value::Null));
        assert_eq!(value[0]["by_path"], "/dev/v4l/by-path/usb-0:2");
        assert_eq!(value[0]["formats"].as_array().unwrap().len(), 5);
        assert_eq!(json(&[]).unwrap(), "[]\n");
    }
}
