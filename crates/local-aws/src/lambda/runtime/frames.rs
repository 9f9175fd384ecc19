//! What a handler writes → log records: lines, and the frames of Lambda's logging contract.
//!
//! A runtime that wants a record of several lines to stay one writes a frame: type `0xa55a00xx`, length, microseconds
//! since 1970, message, all big-endian (documented in awslambdaric's `FramedTelemetryLogSink`). Here frames share the
//! pipe with stdout and stderr, which keeps everything in order; `0xa5` begins no UTF-8 character, so text cannot be
//! mistaken for a frame.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MAGIC: [u8; 3] = [0xa5, 0x5a, 0x00];
const HEADER: usize = 16;
const LONGEST_FRAME: usize = 1024 * 1024;
/// The longest message of a log event, less what CloudWatch counts for itself.
const LONGEST_RECORD: usize = 256 * 1024 - 26;

/// One log record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) text: String,
    /// When it was written, where the writer said so.
    pub(super) time: Option<SystemTime>,
}

/// Cuts a stream of bytes into records.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    buffer: Vec<u8>,
}

enum Piece {
    Text { length: usize },
    Frame { length: usize, time: Option<SystemTime> },
    Incomplete,
}

impl Decoder {
    /// Takes more bytes, returns the records that are complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Record> {
        self.buffer.extend_from_slice(bytes);
        let mut records = Vec::new();
        let mut rest = self.buffer.as_slice();
        loop {
            let (skip, length, time) = match next_piece(rest) {
                Piece::Text { length } => (0, length, None),
                Piece::Frame { length, time } => (HEADER, length, time),
                Piece::Incomplete => break,
            };
            let (piece, behind) = rest.split_at((skip + length).min(rest.len()));
            push_record(&mut records, piece.get(skip..).unwrap_or_default(), time);
            rest = behind;
        }
        let consumed = self.buffer.len() - rest.len();
        self.buffer.drain(..consumed);
        records
    }

    /// What has been written of a line that is not complete; half a frame stays.
    pub(super) fn flush_text(&mut self) -> Vec<Record> {
        if self.buffer.starts_with(&MAGIC) { Vec::new() } else { self.flush() }
    }

    /// What has been written of a record that is not complete.
    pub(super) fn flush(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        push_record(&mut records, &self.buffer, None);
        self.buffer.clear();
        records
    }
}

fn next_piece(bytes: &[u8]) -> Piece {
    if bytes.starts_with(&MAGIC) {
        let Some(header) = bytes.first_chunk::<HEADER>() else {
            return Piece::Incomplete;
        };
        let [_, _, _, _, length @ .., t0, t1, t2, t3, t4, t5, t6, t7] = *header;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length <= LONGEST_FRAME {
            let micros = u64::from_be_bytes([t0, t1, t2, t3, t4, t5, t6, t7]);
            let time = UNIX_EPOCH.checked_add(Duration::from_micros(micros));
            let complete = bytes.len() >= HEADER + length;
            return if complete { Piece::Frame { length, time } } else { Piece::Incomplete };
        }
    }
    text_piece(bytes)
}

fn text_piece(bytes: &[u8]) -> Piece {
    for (index, byte) in bytes.iter().enumerate() {
        if *byte == b'\n' {
            return Piece::Text { length: index + 1 };
        }
        let rest = bytes.get(index..).unwrap_or_default();
        if index > 0 && *byte == MAGIC[0] && rest.starts_with(&MAGIC) {
            return Piece::Text { length: index };
        }
        if index >= LONGEST_RECORD {
            return Piece::Text { length: index };
        }
    }
    Piece::Incomplete
}

fn push_record(records: &mut Vec<Record>, bytes: &[u8], time: Option<SystemTime>) {
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.as_ref();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(LONGEST_RECORD));
        records.push(Record { text: piece.to_owned(), time });
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(records: &[Record]) -> Vec<&str> {
        records.iter().map(|record| record.text.as_str()).collect()
    }

    fn frame(message: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xa5, 0x5a, 0x00, 0x03];
        bytes.extend(u32::try_from(message.len()).expect("short").to_be_bytes());
        bytes.extend(1_500_000_u64.to_be_bytes());
        bytes.extend(message);
        bytes
    }

    #[test]
    fn lines_are_records() {
        let mut decoder = Decoder::default();
        assert_eq!(texts(&decoder.push(b"one\ntwo\nthr")), ["one\n", "two\n"]);
        assert_eq!(texts(&decoder.push(b"ee\n")), ["three\n"]);
        assert!(decoder.flush().is_empty());
    }

    #[test]
    fn an_unfinished_line_comes_out_when_asked_for() {
        let mut decoder = Decoder::default();
        assert!(decoder.push(b"no newline").is_empty());
        assert_eq!(texts(&decoder.flush()), ["no newline"]);
        assert!(decoder.flush().is_empty());
    }

    #[test]
    fn a_frame_is_one_record_with_its_time() {
        let mut decoder = Decoder::default();
        let records = decoder.push(&frame(b"a\nb"));
        let time = UNIX_EPOCH + Duration::from_millis(1_500);
        assert_eq!(records, [Record { text: "a\nb".to_owned(), time: Some(time) }]);
    }

    #[test]
    fn frames_and_lines_keep_their_order_however_the_pipe_cuts_them() {
        let mut stream = b"begin\nhalf ".to_vec();
        stream.extend(frame("größer\nlines".as_bytes()));
        stream.extend(b"end\n");
        for step in 1..stream.len() {
            let mut decoder = Decoder::default();
            let records: Vec<_> = stream.chunks(step).flat_map(|part| decoder.push(part)).collect();
            let expected = ["begin\n", "half ", "größer\nlines", "end\n"];
            assert_eq!(texts(&records), expected, "in steps of {step}");
        }
    }

    #[test]
    fn hostile_bytes_are_text() {
        let mut decoder = Decoder::default();
        let records = decoder.push(b"\xa5\x5a\x00\x03\xff\xff\xff\xff12345678\n");
        assert_eq!(records.len(), 1);
        assert!(decoder.push(b"\xa5\x5a").is_empty());
        assert_eq!(decoder.flush().len(), 1);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut decoder = Decoder::default();
        let records = decoder.push(&vec![b'x'; LONGEST_RECORD + 10]);
        assert_eq!(
            texts(&records).iter().map(|text| text.len()).collect::<Vec<_>>(),
            [LONGEST_RECORD]
        );
        assert_eq!(decoder.flush().len(), 1);
    }
}
