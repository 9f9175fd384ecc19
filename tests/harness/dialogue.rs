//! A person at a terminal, played by `dialogue.py` through a pseudo-terminal.

use std::process::Command;

use serde_json::{Value, json};

use super::sandbox::{finish, repository};

/// What a dialogue came to.
#[derive(Debug)]
pub struct Dialogue {
    /// All that the terminal showed, without its control sequences.
    pub shown: String,
    /// The same with them.
    pub raw: String,
    /// As a shell sees it.
    pub exit: i64,
    /// Whether the terminal echoes what is typed next.
    pub echoes: bool,
    /// Whether it reads line by line, and Ctrl-C interrupts.
    pub by_lines: bool,
}

/// Runs a command at a terminal. Whenever the first of a pair appears, after what was awaited before it, the second is
/// typed.
#[track_caller]
pub fn hold(command: &Command, lines: &[(&str, &str)]) -> Dialogue {
    hold_at(command, lines, 120)
}

/// The same at a terminal of so many columns.
#[track_caller]
pub fn hold_at(command: &Command, lines: &[(&str, &str)], columns: u16) -> Dialogue {
    dialogue(&play(command, lines, End::Stays, columns))
}

#[track_caller]
fn dialogue(result: &Value) -> Dialogue {
    let shown = result["shown"].as_str().unwrap().to_owned();
    assert_eq!(result["missing"], Value::Null, "this never appeared; the terminal showed\n{shown}");
    Dialogue {
        raw: result["raw"].as_str().unwrap().to_owned(),
        exit: result["exit"].as_i64().unwrap(),
        echoes: result["echoes"].as_bool().unwrap(),
        by_lines: result["lines"].as_bool().unwrap(),
        shown,
    }
}

/// The same at a terminal of 120 columns, with a signal sent to the program once the last line but one was awaited.
#[track_caller]
pub fn signalled(command: &Command, lines: &[(&str, &str)], signal: u8) -> Dialogue {
    dialogue(&play(command, lines, End::Signalled(signal), 120))
}

/// Runs a command at a terminal that is closed once the last of the lines was awaited; how the command ends.
#[track_caller]
pub fn hang_up(command: &Command, lines: &[(&str, &str)]) -> i64 {
    ended(command, lines, End::HangsUp)
}

/// The same, and no signal tells that it is closed.
#[track_caller]
pub fn vanish(command: &Command, lines: &[(&str, &str)]) -> i64 {
    ended(command, lines, End::Vanishes)
}

/// What becomes of the terminal.
#[derive(PartialEq)]
enum End {
    Stays,
    HangsUp,
    Vanishes,
    Signalled(u8),
}

#[track_caller]
fn ended(command: &Command, lines: &[(&str, &str)], end: End) -> i64 {
    let result = play(command, lines, end, 120);
    assert_eq!(result["missing"], Value::Null, "{result}");
    let took = result["took"].as_f64().unwrap();
    assert!(took < 1.0, "it takes {took} s to end");
    result["exit"].as_i64().unwrap()
}

#[track_caller]
fn play(command: &Command, lines: &[(&str, &str)], end: End, columns: u16) -> Value {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let environment = command.get_envs().filter_map(|(name, value)| {
        Some((
            name.to_string_lossy().into_owned(),
            Value::from(value?.to_string_lossy().into_owned()),
        ))
    });
    let mut environment: serde_json::Map<String, Value> = environment.collect();
    environment.insert("TERM".to_owned(), "xterm".into());
    let task = json!({
        "command": words.map(|word| word.to_string_lossy()).collect::<Vec<_>>(),
        "environment": environment,
        "hang_up": matches!(end, End::HangsUp | End::Vanishes),
        "signal": if let End::Signalled(signal) = end { signal } else { 0 },
        "controls": end != End::Vanishes,
        "columns": columns,
        "directory": command.get_current_dir(),
        "lines": lines.iter().map(|(wanted, typed)| json!({"await": wanted, "type": typed})).collect::<Vec<_>>(),
    });
    let script = repository().join("tests/harness/dialogue.py");
    let played = finish(Command::new("python3").arg(script), &task.to_string()).exited(0);
    serde_json::from_str(&played.stdout).unwrap()
}

impl Dialogue {
    /// Fails the test unless the program ended that way and left a terminal that works.
    #[track_caller]
    pub fn exited(self, code: i64) -> Self {
        assert_eq!(self.exit, code, "the terminal showed\n{}", self.shown);
        assert!(self.echoes, "the terminal does not echo");
        assert!(self.by_lines, "the terminal is raw");
        assert!(!self.hides_cursor(), "the cursor is gone");
        self
    }

    fn hides_cursor(&self) -> bool {
        let last = |sequence| self.raw.rfind(sequence);
        last("\u{1b}[?25l") > last("\u{1b}[?25h")
    }
}
