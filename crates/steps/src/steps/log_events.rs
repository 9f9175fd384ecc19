//! `log-events`: what a function, or anything else, has logged.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::function::log_group_of;
use crate::resources::log_events::{Event, Wanted, latest};
use engine::step::{Context, Nothing, StepError, StepKind};

/// `log-events`.
pub struct LogEvents;

/// Reads the latest events of a log group, oldest first.
///
/// A log group that is not there yet has no events. What a function logs arrives some seconds later, so that this step
/// is best polled.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The name or ARN of the function whose log to read.
    function_name: Option<String>,
    /// The name of the log group, instead of `function_name`.
    log_group: Option<String>,
    /// From when on, such as `2026-11-23T08:00:00Z`; from the start of the run when absent.
    start_time: Option<Moment>,
    /// How many events at most: the latest ones.
    #[serde(default = "one_hundred")]
    limit: usize,
    /// Which events, as a filter pattern of CloudWatch Logs, such as `ERROR` or `{ $.level = "ERROR" }`.
    filter_pattern: Option<String>,
}

fn one_hundred() -> usize {
    100
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Moment(Timestamp);

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let moment = text.parse().map(Self);
        moment.map_err(|_| {
            format!("`{text}` is no point in time; write one such as 2026-11-23T08:00:00Z")
        })
    }
}

/// What was logged.
#[derive(Serialize, JsonSchema)]
pub struct Output {
    /// The events, oldest first.
    events: Vec<Event>,
    /// Their messages alone.
    messages: Vec<String>,
}

impl StepKind for LogEvents {
    const NAME: &'static str = "log-events";
    const CALLS: &'static [&'static str] = &["logs:FilterLogEvents"];
    const PERMISSIONS: &'static [&'static str] = Self::CALLS;
    const EXAMPLE: &'static str = "\
- id: logs
  log-events: {function_name: \"{{ steps.function.function_name }}\", limit: 10}
  poll: {until: result.events | length > 0, every: 1s, timeout: 60s}
";

    type Input = Input;
    type Output = Output;
    type Created = Nothing;

    async fn run(cx: Context, input: Input) -> Result<Output, StepError> {
        let log_group = log_group(&input)?;
        let start = match input.start_time {
            Some(moment) => moment.0.as_millisecond(),
            None => cx.run.started.parse::<Timestamp>().map_or(0, Timestamp::as_millisecond),
        };
        let wanted = Wanted {
            log_group: &log_group,
            start,
            filter_pattern: input.filter_pattern.as_deref(),
            limit: input.limit,
        };
        let found = latest(&cx, &wanted).await?;
        Ok(Output {
            messages: found.iter().map(|event| event.message.clone()).collect(),
            events: found,
        })
    }
}

fn log_group(input: &Input) -> Result<String, StepError> {
    match (&input.function_name, &input.log_group) {
        (Some(function_name), None) => Ok(log_group_of(function_name)),
        (None, Some(log_group)) => Ok(log_group.clone()),
        _ => Err(StepError::input(
            "function_name",
            "log-events needs either `function_name` or `log_group`",
            "write `function_name: \"{{ steps.<id>.function_name }}\"`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(function_name: Option<&str>, log_group: Option<&str>) -> Input {
        Input {
            function_name: function_name.map(str::to_owned),
            log_group: log_group.map(str::to_owned),
            start_time: None,
            limit: 10,
            filter_pattern: None,
        }
    }

    #[test]
    fn the_log_group_is_named_once() {
        let name = |function, group| log_group(&input(function, group)).ok();
        assert_eq!(name(Some("adder"), None).as_deref(), Some("/aws/lambda/adder"));
        assert_eq!(name(None, Some("/mine")).as_deref(), Some("/mine"));
        assert_eq!(name(Some("adder"), Some("/mine")), None);
        assert_eq!(name(None, None), None);
    }

    #[test]
    fn moments_are_read_strictly() {
        let read =
            |text: &str| Moment::try_from(text.to_owned()).map(|moment| moment.0.as_millisecond());
        assert_eq!(read("2026-11-23T08:00:00Z"), Ok(1_795_420_800_000));
        assert!(read("yesterday").is_err());
    }
}
