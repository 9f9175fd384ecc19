//! Where a reporter writes to, and with which colours.

use std::io::{self, Write};

use super::safe;

/// A place to write lines to. A failure, such as a reader that went away, is remembered; from then on nothing is
/// written, and the run goes on.
pub struct Stream {
    writer: Box<dyn Write + Send>,
    paint: Paint,
    planning: bool,
    disarms: bool,
    fault: Option<io::Error>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream")
            .field("paint", &self.paint)
            .field("planning", &self.planning)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

impl Stream {
    /// Writes to `writer`, in colour if told so.
    pub fn new(writer: impl Write + Send + 'static, colour: bool) -> Self {
        Self {
            writer: Box::new(writer),
            paint: Paint { colour },
            planning: false,
            disarms: false,
            fault: None,
        }
    }

    /// The same for a dry run, if it is one: what is not known yet stands in guillemets, see [`safe::guillemets`].
    #[must_use]
    pub fn planning(self, planning: bool) -> Self {
        Self { planning, ..self }
    }

    /// The same where GitHub's runner reads along, if it does: no line is a command to it, see [`safe::disarmed`].
    #[must_use]
    pub fn disarming(self, disarms: bool) -> Self {
        Self { disarms, ..self }
    }

    /// The colours.
    #[must_use]
    pub fn paint(&self) -> Paint {
        self.paint
    }

    /// Writes a line.
    pub fn line(&mut self, line: &str) {
        if self.fault.is_some() {
            return;
        }
        let line = safe::guillemets(line, self.planning);
        let line = if self.disarms { safe::disarmed(&line) } else { line };
        // One write: what others write to the same terminal does not end up inside the line.
        let written = self.writer.write_all(format!("{line}\n").as_bytes());
        if let Err(fault) = written.and_then(|()| self.writer.flush()) {
            self.fault = Some(fault);
        }
    }

    /// The first failure, once.
    pub fn finish(&mut self) -> io::Result<()> {
        self.fault.take().map_or(Ok(()), Err)
    }
}

/// Colours, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Paint {
    /// Whether there are any.
    pub colour: bool,
}

impl Paint {
    pub(super) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Values that do not exist yet, `⟨…⟩`, stand back.
    pub(super) fn markers(self, text: &str) -> String {
        if !self.colour || !text.contains('⟨') {
            return text.to_owned();
        }
        let mut painted = String::with_capacity(text.len() + 16);
        let mut rest = text;
        while let Some((before, from)) = rest.split_once('⟨') {
            painted.push_str(before);
            let Some((marker, after)) = from.split_once('⟩') else {
                painted.push('⟨');
                rest = from;
                continue;
            };
            painted.push_str(&self.with("2;3", &format!("⟨{marker}⟩")));
            rest = after;
        }
        painted.push_str(rest);
        painted
    }

    fn with(self, codes: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{codes}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_remembered() {
        let mut stream = Stream::new(Closed, false);
        stream.line("one");
        stream.line("two");
        assert_eq!(stream.finish().map_err(|error| error.kind()), Err(io::ErrorKind::BrokenPipe));
        assert!(stream.finish().is_ok());
    }

    #[test]
    fn markers_stand_back_in_colour_only() {
        let text = "a ⟨b⟩ ⟨c";
        assert_eq!(Paint { colour: false }.markers(text), text);
        assert_eq!(Paint { colour: true }.markers(text), "a \u{1b}[2;3m⟨b⟩\u{1b}[0m ⟨c");
    }
}
