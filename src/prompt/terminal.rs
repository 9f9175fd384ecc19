//! Questions at the terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossterm::{cursor, event, execute, terminal};
use inquire::ui::{Color, RenderConfig, Styled};
use inquire::{InquireError, Select};
use serde_json::Value;

use super::line::{self, Asked, NoLine, Raw};
use super::tty::{self, Input};
use super::unattended::no_answer;
use crate::report::safe;
use engine::step::{Answer, Prompter, Question, QuestionType, StepError};

/// Something to do at the right moment.
pub type Hook = Arc<dyn Fn() + Send + Sync>;

/// Asks the person at the terminal.
pub struct TerminalPrompter {
    before: Hook,
    on_interrupt: Hook,
    on_hang_up: Hook,
    colour: bool,
    /// One question at a time.
    turn: Mutex<()>,
}

impl TerminalPrompter {
    /// Calls `before` each time it needs the terminal, `on_interrupt` when Ctrl-C is pressed, since at a question it is a
    /// key like others and sends no signal, and `on_hang_up` when the terminal is gone, which need not send one either.
    #[must_use]
    pub fn new(before: Hook, on_interrupt: Hook, on_hang_up: Hook, colour: bool) -> Self {
        Self { before, on_interrupt, on_hang_up, colour, turn: Mutex::new(()) }
    }

    fn put(&self, question: &Question) -> Result<Answer, StepError> {
        let prompt = safe::line(&question.prompt).into_owned();
        let answer = match question.answer {
            QuestionType::Choice => {
                let gone = Arc::clone(&self.on_hang_up);
                return tty::watched(gone, || choose(question, &prompt, &look(self.colour)))
                    .map_err(|error| self.not_chosen(question, error));
            }
            QuestionType::Boolean => confirm(question, &prompt, self.colour),
            QuestionType::Secret => secret(question, &prompt, self.colour),
            QuestionType::String
            | QuestionType::Integer
            | QuestionType::Number
            | QuestionType::List
            | QuestionType::Map => text(question, &prompt, self.colour),
        };
        answer.map_err(|error| match error {
            NoLine::Cancelled => StepError::Interrupted,
            NoLine::Interrupted => {
                (self.on_interrupt)();
                StepError::Interrupted
            }
            NoLine::Gone => {
                (self.on_hang_up)();
                StepError::Interrupted
            }
            NoLine::Io(error) => unusable(&error),
        })
    }

    fn not_chosen(&self, question: &Question, error: InquireError) -> StepError {
        match error {
            InquireError::OperationCanceled => StepError::Interrupted,
            InquireError::OperationInterrupted => {
                // Inquire leaves the cursor behind what was typed.
                let _ = writeln!(io::stderr());
                (self.on_interrupt)();
                StepError::Interrupted
            }
            InquireError::IO(error) => unusable(&error),
            error => StepError::failed(
                "NoAnswer",
                format!("`{}` cannot be asked: {error}", question.name),
            ),
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
        (self.before)();
        if let Some(backoff) = question.backoff {
            let backoff = Duration::try_from(backoff).unwrap_or_default();
            if !somebody_types(question, backoff).map_err(|error| unusable(&error))? {
                return match &question.default {
                    Some(default) => Ok(Answer::Default(default.clone())),
                    None => Err(no_answer(question)),
                };
            }
        }
        self.put(question)
    }
}

/// Gives the terminal back as it was found: echoing, line by line, with a cursor. For exits that cannot wait for a
/// question; does nothing where there is no terminal.
pub fn restore_terminal() {
    let _ = terminal::disable_raw_mode();
    if io::stderr().is_terminal() {
        let _ = execute!(io::stderr(), event::DisableBracketedPaste, cursor::Show);
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

/// Prompts look like the lines that a run without a terminal shows for answers.
fn look(colour: bool) -> RenderConfig<'static> {
    let (mut look, prefix) = if colour {
        (RenderConfig::default_colored(), Styled::new("?").with_fg(Color::DarkGreen))
    } else {
        (RenderConfig::empty(), Styled::new("?"))
    };
    look.prompt_prefix = prefix;
    look.answered_prompt_prefix = prefix;
    look
}

/// Whether a key is pressed in time. It is left for the question that follows.
fn somebody_types(question: &Question, backoff: Duration) -> io::Result<bool> {
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
    let typed = tty::wait(backoff)? != Input::None;
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
    Ok(typed)
}

fn confirm(question: &Question, prompt: &str, colour: bool) -> Result<Answer, NoLine> {
    let default = question.default.as_ref().and_then(Value::as_bool);
    let choices = match default {
        Some(true) => "Y/n",
        Some(false) => "y/N",
        None => "y/n",
    };
    let asked = Asked { prompt, default: Some(choices), help: None, hidden: false, colour };
    let answer = line::ask(&asked, None, |text| {
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

fn choose(
    question: &Question,
    prompt: &str,
    look: &RenderConfig<'static>,
) -> Result<Answer, InquireError> {
    let default = question.default.as_ref().and_then(Value::as_str);
    let start =
        question.choices.iter().position(|choice| Some(choice.as_str()) == default).unwrap_or(0);
    let shown = question.choices.iter().map(|choice| safe::line(choice).into_owned()).collect();
    let chosen = Select::new(prompt, shown)
        .with_starting_cursor(start)
        .with_render_config(*look)
        .raw_prompt()?
        .index;
    let Some(choice) = question.choices.get(chosen) else {
        return Err(InquireError::InvalidConfiguration(
            "there is nothing to choose from".to_owned(),
        ));
    };
    let value = Value::from(choice.as_str());
    Ok(if default == Some(choice) { Answer::Default(value) } else { Answer::Given(value) })
}

fn secret(question: &Question, prompt: &str, colour: bool) -> Result<Answer, NoLine> {
    let default = question.default.as_ref();
    let help = default.map(|_| "press return to leave it as it is");
    let asked = Asked { prompt, default: None, help, hidden: true, colour };
    let shown = || engine::redactor::MASK.to_owned();
    let mut why = None;
    loop {
        let (text, answer) = line::ask(&asked, why, |text| {
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
        let same = line::ask(&again, None, |second| Ok((second == text, shown())))?;
        if same {
            return Ok(answer);
        }
        why = Some("the two are not the same".to_owned());
    }
}

fn text(question: &Question, prompt: &str, colour: bool) -> Result<Answer, NoLine> {
    let default = question.default.as_ref().map(|default| {
        let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        (default, safe::line(&text).into_owned())
    });
    let shown = default.as_ref().map(|(_, shown)| shown.as_str());
    let help = allowed(question);
    let asked = Asked { prompt, default: shown, help: help.as_deref(), hidden: false, colour };
    line::ask(&asked, None, |text| match &default {
        Some((default, shown)) if text.is_empty() || text == shown => {
            Ok((Answer::Default((*default).clone()), shown.clone()))
        }
        _ => Ok((Answer::Given(question.parse(text)?), safe::line(text).into_owned())),
    })
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
