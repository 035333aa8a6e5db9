//! What an exported file is called where nobody gave it a name, and which names are taken.

use std::path::Path;

use facelens_base::atomic_file::is_same_file;

use super::ExportFormat;
use crate::folder::SessionFolder;
use crate::info::INFO_FILE;

/// The name in the session's folder: none of the session's own. Subtitles are called as the video is, because players
/// look for them there.
pub fn default_name(session: &SessionFolder, format: ExportFormat, people: &[u64], overlay: bool) -> String {
    let video = || session.annotated_video().or_else(|| session.clean_video());
    let stem = match format {
        ExportFormat::Csv => "export",
        ExportFormat::Jsonl | ExportFormat::Parquet => "faces",
        ExportFormat::OpenFace => "openface",
        ExportFormat::Srt => video().and_then(|video| video.file.strip_suffix(".mp4")).unwrap_or("subtitles"),
        ExportFormat::Mp4 if overlay => "overlay",
        ExportFormat::Mp4 => "no-overlay",
    };
    let people: String = people.iter().map(|id| format!("-{id}")).collect();
    let people = if people.is_empty() { people } else { format!("-person{people}") };
    format!("{stem}{people}.{}", format.extension())
}

/// Whether `file` is one of the session's own files, which an export never replaces.
pub fn is_own_file(session: &SessionFolder, file: &Path) -> bool {
    let videos = session.info.videos.iter().map(|video| video.file.as_str());
    let own = [INFO_FILE, &session.info.data].into_iter().chain(session.info.gait.as_deref()).chain(videos);
    own.into_iter().any(|own| is_same_file(file, &session.path.join(own)))
}
