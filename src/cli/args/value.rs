//! Values of options that are more than text.

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use language::playbook::is_library_name;

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// `JUnit` XML.
    Junit,
    /// One JSON document.
    Json,
    /// One page for a browser.
    Html,
    /// A summary.
    Markdown,
    /// The Test Anything Protocol.
    Tap,
    /// Spans of OpenTelemetry.
    Otlp,
}

/// `--report FORMAT=PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// What.
    pub format: ReportFormat,
    /// Where.
    pub path: PathBuf,
}

pub(super) fn report(text: &str) -> Result<ReportFile, String> {
    let wanted = || {
        "write html=PATH, markdown=PATH, junit=PATH, tap=PATH, json=PATH or otlp=PATH".to_owned()
    };
    let (format, path) = text.split_once('=').ok_or_else(wanted)?;
    let format = match format {
        "junit" => ReportFormat::Junit,
        "json" => ReportFormat::Json,
        "html" => ReportFormat::Html,
        "markdown" => ReportFormat::Markdown,
        "tap" => ReportFormat::Tap,
        "otlp" => ReportFormat::Otlp,
        _ => return Err(wanted()),
    };
    if path.is_empty() {
        return Err(wanted());
    }
    Ok(ReportFile { format, path: PathBuf::from(path) })
}

/// `--library NAME=DIR`.
pub(super) fn library(text: &str) -> Result<(String, PathBuf), String> {
    let (name, directory) = text
        .split_once('=')
        .ok_or_else(|| "write NAME=DIR, such as shared=../shared".to_owned())?;
    if !is_library_name(name) {
        return Err("names are made of a–z, 0–9, _ and -, and start with a letter".to_owned());
    }
    let directory = PathBuf::from(directory);
    if directory.is_dir() {
        Ok((name.to_owned(), directory))
    } else {
        Err("there is no such directory".to_owned())
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed =
        text.parse::<SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    parsed
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "write a duration such as 90s or 10m".to_owned())
}

pub(super) fn endpoint_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() => Ok(text.to_owned()),
        _ => Err("write a URL such as http://127.0.0.1:4566".to_owned()),
    }
}

/// Whether this is the number of an account.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn account(text: &str) -> Result<String, String> {
    if is_account(text) {
        Ok(text.to_owned())
    } else {
        Err("write the account's 12 digits".to_owned())
    }
}

pub(super) fn filled(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
}
