//! What an exported file is called where nobody gave it a name.

use facelens_session::SessionFolder;
use facelens_session::export::ExportFormat;

/// The name in the session's folder: none of the session's own. Subtitles are called as the video is, because players
/// look for them there.
pub(super) fn default_name(session: &SessionFolder, format: ExportFormat, people: &[u64], overlay: bool) -> String {
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
