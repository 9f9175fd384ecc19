//! Questions at the terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossterm::{cursor, execute, terminal};
use serde_json::Value;

use super::NoLine;
use super::choice;
use super::keys::{self, Input, Stopped};
use super::line::{self, Asked};
use super::screen::Raw;
use super::unattended::no_answer;
use crate::report::safe;
use engine::step::{Answer, Prompter, Question, QuestionType, StepError};

/// Something to do at the right moment.
pub type Hook = Arc<dyn Fn() + Send + Sync>;

/// What a question at the terminal has to do with the run around it.
#[derive(Clone)]
pub struct Hooks {
    /// The terminal is needed.
    pub before: Hook,
    /// Ctrl-C was pressed: at a question it is a key like others, and sends no signal.
    pub interrupted: Hook,
    /// The terminal is gone, which need not send a signal either.
    pub hung_up: Hook,
    /// Whether the run is to stop, so that nobody waits for the answer any more.
    pub stopped: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// Asks the person at the terminal.
pub struct TerminalPrompter {
    hooks: Hooks,
    colour: bool,
    /// One question at a time.
    turn: Mutex<()>,
}

impl TerminalPrompter {
    /// Asks in colour, if told so.
    #[must_use]
    pub fn new(hooks: Hooks, colour: bool) -> Self {
        Self { hooks, colour, turn: Mutex::new(()) }
    }

    fn put(&self, question: &Question) -> Result<Answer, NoLine> {
        let stopped: Stopped<'_> = &*self.hooks.stopped;
        if let Some(backoff) = question.backoff {
            let backoff = Duration::try_from(backoff).unwrap_or_default();
            if !somebody_types(question, backoff, stopped)? {
                return match &question.default {
                    Some(default) => Ok(Answer::Default(default.clone())),
                    None => Err(NoLine::Refused(no_answer(question))),
                };
            }
        }
        let prompt = safe::line(&question.prompt).into_owned();
        let asks = Asks { question, prompt: &prompt, colour: self.colour, stopped };
        match question.answer {
            QuestionType::Choice => asks.choose(),
            QuestionType::Boolean => asks.confirm(),
            QuestionType::Secret => asks.secret(),
            QuestionType::String
            | QuestionType::Integer
            | QuestionType::Number
            | QuestionType::List
            | QuestionType::Map => asks.text(),
        }
    }
}

impl std::fmt::Debug for TerminalPrompter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TerminalPrompter").field("colour", &self.colour).finish_non_exhaustive()
    }
}

impl Prompter for TerminalPrompter {
    fn ask(&self, question: &Question) -> Result<Answer, StepError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if (self.hooks.stopped)() {
            return Err(StepError::Interrupted);
        }
        (self.hooks.before)();
        self.put(question).map_err(|error| match error {
            NoLine::Cancelled | NoLine::Stopped => StepError::Interrupted,
            NoLine::Interrupted => {
                (self.hooks.interrupted)();
                StepError::Interrupted
            }
            NoLine::Gone => {
                (self.hooks.hung_up)();
                StepError::Interrupted
            }
            NoLine::Refused(error) => error,
            NoLine::Io(error) => unusable(&error),
        })
    }
}

/// Gives the terminal back as it was found: echoing, line by line, with a cursor. For exits that cannot wait for a
/// question; does nothing where there is no terminal.
pub fn restore_terminal() {
    let _ = terminal::disable_raw_mode();
    if io::stderr().is_terminal() {
        let _ = execute!(io::stderr(), cursor::Show);
    }
}

fn unusable(error: &io::Error) -> StepError {
    StepError::Failed {
        code: "NoAnswer".to_owned(),
        message: format!("the terminal cannot be read: {error}"),
        help: Some(
            "give every input with `--input` or `--inputs`, and run with `--no-input`".to_owned(),
        ),
        details: Vec::new(),
    }
}

/// Whether a key is pressed in time. It is left for the question that follows.
fn somebody_types(
    question: &Question,
    backoff: Duration,
    stopped: Stopped<'_>,
) -> Result<bool, NoLine> {
    let mut stderr = io::stderr();
    let raw = Raw::enable()?;
    write!(
        stderr,
        "? {} (answer within {} s) ",
        safe::line(&question.prompt),
        backoff.as_millis().div_ceil(1000)
    )?;
    stderr.flush()?;
    // A terminal that is gone is found out by the question that follows.
    let waited = keys::wait(backoff, stopped);
    let typed = matches!(waited, Ok(input) if input != Input::None);
    if typed {
        execute!(
            stderr,
            terminal::Clear(terminal::ClearType::CurrentLine),
            cursor::MoveToColumn(0)
        )?;
    }
    drop(raw);
    if !typed {
        writeln!(stderr)?;
    }
    waited.map(|_| typed)
}

/// A question that is put.
#[derive(Clone, Copy)]
struct Asks<'a> {
    question: &'a Question,
    /// In which nothing moves the cursor.
    prompt: &'a str,
    colour: bool,
    stopped: Stopped<'a>,
}

impl Asks<'_> {
    fn confirm(self) -> Result<Answer, NoLine> {
        let Self { question, prompt, colour, stopped } = self;
        let default = question.default.as_ref().and_then(Value::as_bool);
        let choices = match default {
            Some(true) => "Y/n",
            Some(false) => "y/N",
            None => "y/n",
        };
        let asked = Asked { prompt, default: Some(choices), help: None, hidden: false, colour };
        let answer = line::ask(&asked, None, stopped, |text| {
            let given = || question.parse(text).ok().and_then(|value| value.as_bool());
            let by_default = default.filter(|_| text.trim().is_empty());
            let answer = by_default.or_else(given).ok_or("must be yes or no")?;
            Ok((answer, if answer { "Yes" } else { "No" }.to_owned()))
        })?;
        Ok(if default == Some(answer) {
            Answer::Default(answer.into())
        } else {
            Answer::Given(answer.into())
        })
    }

    fn choose(self) -> Result<Answer, NoLine> {
        let Self { question, prompt, colour, stopped } = self;
        let default = question.default.as_ref().and_then(Value::as_str);
        let is_default = |choice: &str| Some(choice) == default;
        let start = question.choices.iter().position(|choice| is_default(choice)).unwrap_or(0);
        let shown: Vec<String> =
            question.choices.iter().map(|choice| safe::line(choice).into_owned()).collect();
        let nothing = || {
            let message = format!("`{}` has nothing to choose from", question.name);
            NoLine::Refused(StepError::failed("NoAnswer", message))
        };
        if shown.is_empty() {
            return Err(nothing());
        }
        let chosen = choice::choose(prompt, &shown, start, colour, stopped)?;
        let choice = question.choices.get(chosen).ok_or_else(nothing)?;
        let value = Value::from(choice.as_str());
        Ok(if is_default(choice) { Answer::Default(value) } else { Answer::Given(value) })
    }

    fn secret(self) -> Result<Answer, NoLine> {
        let Self { question, prompt, colour, stopped } = self;
        let default = question.default.as_ref();
        let help = default.map(|_| "press return to leave it as it is");
        let asked = Asked { prompt, default: None, help, hidden: true, colour };
        let shown = || engine::redactor::MASK.to_owned();
        let mut why = None;
        loop {
            let (text, answer) = line::ask(&asked, why, stopped, |text| {
                let answer = match default {
                    Some(default) if text.is_empty() => Answer::Default(default.clone()),
                    _ => Answer::Given(question.parse(text)?),
                };
                Ok(((text.to_owned(), answer), shown()))
            })?;
            if !question.twice || matches!(answer, Answer::Default(_)) {
                return Ok(answer);
            }
            let again = Asked { prompt: "Once more:", help: None, ..asked };
            let same = line::ask(&again, None, stopped, |second| Ok((second == text, shown())))?;
            if same {
                return Ok(answer);
            }
            why = Some("the two are not the same".to_owned());
        }
    }

    fn text(self) -> Result<Answer, NoLine> {
        let Self { question, prompt, colour, stopped } = self;
        let default = question.default.as_ref().map(|default| {
            let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            (default, safe::line(&text).into_owned())
        });
        let shown = default.as_ref().map(|(_, shown)| shown.as_str());
        let help = allowed(question);
        let asked = Asked { prompt, default: shown, help: help.as_deref(), hidden: false, colour };
        line::ask(&asked, None, stopped, |text| match &default {
            Some((default, shown)) if text.is_empty() || text == shown => {
                Ok((Answer::Default((*default).clone()), shown.clone()))
            }
            _ => Ok((Answer::Given(question.parse(text)?), safe::line(text).into_owned())),
        })
    }
}

/// What the answer must be, where that is more than its type.
fn allowed(question: &Question) -> Option<String> {
    match (question.min, question.max, question.min_length) {
        (Some(min), Some(max), _) => Some(format!("from {min} to {max}")),
        (Some(min), None, _) => Some(format!("at least {min}")),
        (None, Some(max), _) => Some(format!("at most {max}")),
        // That something must be answered goes without saying.
        (None, None, Some(least)) if least > 1 => Some(format!("at least {least} characters")),
        (None, None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_says_what_is_allowed() {
        let question =
            |min, max, min_length| Question { min, max, min_length, ..Question::default() };
        assert_eq!(
            allowed(&question(Some(1.0), Some(50.0), None)).as_deref(),
            Some("from 1 to 50")
        );
        assert_eq!(allowed(&question(None, Some(2.5), None)).as_deref(), Some("at most 2.5"));
        assert_eq!(
            allowed(&question(None, None, Some(8))).as_deref(),
            Some("at least 8 characters")
        );
        assert_eq!(allowed(&question(None, None, None)), None);
    }
}
