//! A journal as text: one record a line, with a checksum.

use super::entry::{Illegal, JournalState, Record};

/// A journal that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It does not begin as a journal does.
    #[error("it is no journal: its first line is not the whole head of one")]
    NoHead,
    /// The head is that of another run.
    #[error("it is the journal of run {run}")]
    OtherRun {
        /// That run.
        run: String,
    },
    /// A whole line that does not carry its own checksum.
    #[error("line {line} is damaged: its checksum does not match")]
    Damaged {
        /// Counts from 1.
        line: usize,
    },
    /// A line that this version does not know.
    #[error("line {line} is not understood: {reason}")]
    Unreadable {
        /// Counts from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// A record that may not come where it does.
    #[error("line {line} may not come here: {illegal}")]
    OutOfPlace {
        /// Counts from 1.
        line: usize,
        /// Why.
        illegal: Illegal,
    },
}

const HEAD: &str = "{\"crc\":\"";
const MIDDLE: &str = "\",\"entry\":";

/// A record as a line, checksum and newline included.
#[must_use]
pub fn encode(record: &Record) -> String {
    line_of(&serde_json::to_string(record).unwrap_or_default())
}

/// Text as a line, checksum and newline included.
pub(super) fn line_of(body: &str) -> String {
    format!("{HEAD}{:08x}{MIDDLE}{body}}}\n", crc32fast::hash(body.as_bytes()))
}

/// Reads a journal back. A last line that is not whole, or of which the disk took only some pages, is what a power cut
/// leaves: it was never synced, so nothing had been called for it, and it is passed over.
///
/// Returns the state, and how many bytes of the text it covers.
///
/// # Errors
/// [`Broken`], which names the line. A journal that is broken in the middle proves nothing, so nothing may be deleted by
/// it.
pub fn decode(text: &[u8]) -> Result<(JournalState, usize), Broken> {
    let mut state = JournalState::default();
    let mut covered = 0;
    for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        let Some(whole) = line.strip_suffix(b"\n") else {
            break;
        };
        let Some(body) = text_of(whole) else {
            if covered + line.len() == text.len() {
                break;
            }
            return Err(Broken::Damaged { line: number });
        };
        let record: Record = serde_json::from_str(body)
            .map_err(|error| Broken::Unreadable { line: number, reason: error.to_string() })?;
        state.apply(&record).map_err(|illegal| Broken::OutOfPlace { line: number, illegal })?;
        covered += line.len();
    }
    if state.opened.is_none() && !is_torn_head(text) {
        return Err(Broken::NoHead);
    }
    Ok((state, covered))
}

/// Whether a file that holds no whole record is what a power cut leaves of a journal's first moment. Anything else is not
/// a journal, and none of this program's business.
fn is_torn_head(text: &[u8]) -> bool {
    let begins = HEAD.as_bytes();
    let common = text.len().min(begins.len());
    text.get(..common) == begins.get(..common) && !text.contains(&b'\n')
}

/// The text of a line that carries its own checksum.
pub(super) fn text_of(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?;
    let (crc, rest) = line.strip_prefix(HEAD)?.split_once(MIDDLE)?;
    let body = rest.strip_suffix('}')?;
    let sum = u32::from_str_radix(crc, 16).ok().filter(|_| crc.len() == 8)?;
    (sum == crc32fast::hash(body.as_bytes())).then_some(body)
}
