//! Keys, read from the terminal one byte at a time: what is typed ahead stays there for the next question.

use std::time::Duration;

use super::NoLine;

/// A key, as far as questions know keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Types a character.
    Char(char),
    /// Pressed with the control key.
    Control(char),
    /// Enters the answer.
    Return,
    /// Leaves the question.
    Escape,
    /// Takes the character before the cursor away.
    Backspace,
    /// Takes the character under the cursor away.
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    /// Means nothing to a question, such as a function key.
    Other,
}

/// What ends the wait for a key from outside.
pub(super) type Stopped<'a> = &'a dyn Fn() -> bool;

/// How soon it is noticed that a run is to stop, or that a terminal is gone.
const TICK: Duration = Duration::from_millis(50);

#[cfg(unix)]
use unix::key;
#[cfg(unix)]
pub(super) use unix::{Input, wait};

#[cfg(not(unix))]
use elsewhere::key;
#[cfg(not(unix))]
pub(super) use elsewhere::{Input, wait};

/// How soon it is noticed that the terminal has another size.
const GLANCE: Duration = Duration::from_millis(250);

/// The next key; none where the terminal has another size than before, so that the question is drawn anew.
pub(super) fn next(stopped: Stopped<'_>) -> Result<Option<Key>, NoLine> {
    let before = super::screen::size();
    loop {
        let key = key(stopped)?;
        if key.is_some() || super::screen::size() != before {
            return Ok(key);
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::time::{Duration, Instant};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::{Key, NoLine, Stopped, TICK};

    /// The rest of a sequence that a key sends comes at once; after a lone escape nothing does.
    const SEQUENCE: Duration = Duration::from_millis(30);

    /// What can be read from the terminal.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(in crate::prompt) enum Input {
        /// A key, or a part of one.
        Some,
        /// Nothing yet.
        None,
        /// There is no terminal any more.
        Gone,
    }

    fn look(limit: Duration) -> io::Result<Input> {
        let stdin = io::stdin();
        let mut files = [PollFd::new(&stdin, PollFlags::IN)];
        let limit = Timespec::try_from(limit).unwrap_or_default();
        match poll(&mut files, Some(&limit)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let seen = files[0].revents();
        Ok(if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            Input::Gone
        } else if seen.contains(PollFlags::IN) {
            Input::Some
        } else {
            Input::None
        })
    }

    /// Waits for input, up to a limit.
    pub(in crate::prompt) fn wait(limit: Duration, stopped: Stopped<'_>) -> Result<Input, NoLine> {
        let started = Instant::now();
        loop {
            if stopped() {
                return Err(NoLine::Stopped);
            }
            let left = limit.saturating_sub(started.elapsed());
            match look(left.min(TICK))? {
                Input::None if !left.is_zero() => {}
                input => return Ok(input),
            }
        }
    }

    /// The next byte; none where there is none in time. A terminal that is gone may be seen as the end of what can be
    /// read, as an error, or by asking.
    fn byte(limit: Duration, stopped: Stopped<'_>) -> Result<Option<u8>, NoLine> {
        match wait(limit, stopped)? {
            Input::Gone => return Err(NoLine::Gone),
            Input::None => return Ok(None),
            Input::Some => {}
        }
        let mut one = [0];
        match rustix::io::read(io::stdin(), &mut one) {
            Ok(0) | Err(rustix::io::Errno::IO) => Err(NoLine::Gone),
            Ok(_) => Ok(Some(one[0])),
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => Ok(None),
            Err(error) => Err(NoLine::Io(error.into())),
        }
    }

    /// The next key; none where a while has passed without one.
    pub(in crate::prompt) fn key(stopped: Stopped<'_>) -> Result<Option<Key>, NoLine> {
        let Some(first) = byte(super::GLANCE, stopped)? else { return Ok(None) };
        super::decode(first, &mut |within| byte(within.unwrap_or(SEQUENCE), stopped)).map(Some)
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::time::{Duration, Instant};

    use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, poll, read};

    use super::{Key, NoLine, Stopped, TICK};

    /// What can be read from the terminal.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(in crate::prompt) enum Input {
        /// A key.
        Some,
        /// Nothing yet.
        None,
    }

    /// Waits for input, up to a limit.
    pub(in crate::prompt) fn wait(limit: Duration, stopped: Stopped<'_>) -> Result<Input, NoLine> {
        let started = Instant::now();
        loop {
            if stopped() {
                return Err(NoLine::Stopped);
            }
            let left = limit.saturating_sub(started.elapsed());
            if poll(left.min(TICK))? {
                return Ok(Input::Some);
            }
            if left.is_zero() {
                return Ok(Input::None);
            }
        }
    }

    /// The next key; none where a while has passed without one.
    pub(in crate::prompt) fn key(stopped: Stopped<'_>) -> Result<Option<Key>, NoLine> {
        if wait(super::GLANCE, stopped)? == Input::None {
            return Ok(None);
        }
        let Event::Key(key) = read()? else { return Ok(None) };
        if key.kind == KeyEventKind::Release {
            return Ok(None);
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        Ok(Some(match key.code {
            KeyCode::Enter => Key::Return,
            KeyCode::Esc => Key::Escape,
            KeyCode::Backspace => Key::Backspace,
            KeyCode::Delete => Key::Delete,
            KeyCode::Left => Key::Left,
            KeyCode::Right => Key::Right,
            KeyCode::Up => Key::Up,
            KeyCode::Down => Key::Down,
            KeyCode::Home => Key::Home,
            KeyCode::End => Key::End,
            KeyCode::Char(typed) if control => Key::Control(typed.to_ascii_lowercase()),
            KeyCode::Char(typed) => Key::Char(typed),
            _ => Key::Other,
        }))
    }
}

/// Hands over the next byte: within a time, or within that in which the rest of a sequence comes.
#[cfg(unix)]
type Rest<'r> = &'r mut dyn FnMut(Option<Duration>) -> Result<Option<u8>, NoLine>;

#[cfg(unix)]
fn decode(first: u8, rest: Rest<'_>) -> Result<Key, NoLine> {
    Ok(match first {
        b'\r' | b'\n' => Key::Return,
        0x7f | 0x08 => Key::Backspace,
        0x1b => return sequence(rest),
        0x01..=0x1a => Key::Control(char::from(first + b'a' - 1)),
        0x00..0x20 => Key::Other,
        0x20..0x7f => Key::Char(char::from(first)),
        _ => character(first, rest)?.map_or(Key::Other, Key::Char),
    })
}

/// A character of several bytes.
#[cfg(unix)]
fn character(first: u8, rest: Rest<'_>) -> Result<Option<char>, NoLine> {
    let more = match first {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => return Ok(None),
    };
    let mut bytes = vec![first];
    for _ in 0..more {
        match rest(None)? {
            Some(byte @ 0x80..=0xbf) => bytes.push(byte),
            _ => return Ok(None),
        }
    }
    let text = std::str::from_utf8(&bytes).ok();
    Ok(text.and_then(|text| text.chars().next()).filter(|typed| !typed.is_control()))
}

/// What follows an escape: nothing where that key was pressed, the sequence of another key otherwise.
#[cfg(unix)]
fn sequence(rest: Rest<'_>) -> Result<Key, NoLine> {
    let key = match rest(None)? {
        None => return Ok(Key::Escape),
        Some(b'[' | b'O') => {
            let mut parameters = Vec::new();
            loop {
                match rest(None)? {
                    Some(byte @ 0x40..=0x7e) => break of_sequence(&parameters, byte),
                    Some(byte) if parameters.len() < 32 => parameters.push(byte),
                    _ => break Key::Other,
                }
            }
        }
        Some(_) => Key::Other,
    };
    Ok(key)
}

#[cfg(unix)]
fn of_sequence(parameters: &[u8], last: u8) -> Key {
    match (last, parameters) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
        (b'F', _) | (b'~', b"4" | b"8") => Key::End,
        (b'~', b"3") => Key::Delete,
        _ => Key::Other,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn keys(typed: &[u8]) -> Vec<Key> {
        let mut bytes = typed.iter().copied();
        let mut keys = Vec::new();
        while let Some(first) = bytes.next() {
            keys.push(decode(first, &mut |_| Ok(bytes.next())).expect("a key"));
        }
        keys
    }

    #[test]
    fn characters_of_any_length_are_keys() {
        let expected = ['a', 'é', '€', '🦀'].map(Key::Char);
        assert_eq!(keys("aé€🦀".as_bytes()), expected);
        // A byte that belongs to no character types none.
        assert_eq!(keys(b"\xffa"), [Key::Other, Key::Char('a')]);
        assert_eq!(keys(b"\xc3"), [Key::Other]);
    }

    #[test]
    fn sequences_are_keys_and_never_text() {
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[3~"), [Key::Up, Key::Down, Key::Delete]);
        assert_eq!(keys(b"\x1b[1;5C\x1b[H\x1b[4~"), [Key::Right, Key::Home, Key::End]);
        assert_eq!(keys(b"\x1b[200~x"), [Key::Other, Key::Char('x')]);
        assert_eq!(keys(b"\x1b"), [Key::Escape]);
        assert_eq!(keys(b"\x1b["), [Key::Other]);
    }

    #[test]
    fn control_characters_are_keys() {
        assert_eq!(
            keys(b"\x03\x15\r\n\x7f\x00"),
            [
                Key::Control('c'),
                Key::Control('u'),
                Key::Return,
                Key::Return,
                Key::Backspace,
                Key::Other
            ]
        );
    }
}
