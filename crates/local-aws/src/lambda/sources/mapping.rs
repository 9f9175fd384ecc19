//! A mapping: what it was told, how it is shown, which state it is in.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::super::errors::invalid;
use super::super::names::Target;
use crate::event_pattern::EventPattern;
use crate::protocol::AwsError;

/// What kind of source events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SourceKind {
    Queue { is_fifo: bool },
    Kinesis,
    Table,
}

impl SourceKind {
    /// By its ARN.
    pub(super) fn of(arn: &str) -> Result<Self, AwsError> {
        match arn.split(':').nth(2) {
            Some("sqs") => Ok(Self::Queue { is_fifo: crate::sqs::deliver::is_fifo(arn) }),
            Some("kinesis") => Ok(Self::Kinesis),
            Some("dynamodb") if arn.contains("/stream/") => Ok(Self::Table),
            Some("dynamodb") => {
                Err(invalid("Unrecognized event source, must be kinesis, dynamodb stream or sqs."))
            }
            _ => Err(super::super::errors::unsupported(
                "event sources other than queues, Kinesis streams and streams of tables",
            )),
        }
    }

    pub(super) fn is_stream(self) -> bool {
        !matches!(self, Self::Queue { .. })
    }
}

/// What `Create…` and `Update…` can say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Request {
    #[serde(rename = "UUID")]
    pub(super) uuid: Option<String>,
    pub(super) event_source_arn: Option<String>,
    pub(super) function_name: Option<String>,
    pub(super) enabled: Option<bool>,
    batch_size: Option<u32>,
    maximum_batching_window_in_seconds: Option<u32>,
    parallelization_factor: Option<u32>,
    starting_position: Option<String>,
    starting_position_timestamp: Option<Value>,
    filter_criteria: Option<Filters>,
    destination_config: Option<Value>,
    maximum_record_age_in_seconds: Option<i64>,
    bisect_batch_on_function_error: Option<bool>,
    maximum_retry_attempts: Option<i64>,
    tumbling_window_in_seconds: Option<u32>,
    function_response_types: Option<Vec<String>>,
    scaling_config: Option<Value>,
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filters {
    filters: Vec<Filter>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Filter {
    pattern: String,
}

/// Where the reading of a stream begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Start {
    Oldest,
    Latest,
    At(SystemTime),
}

/// How a mapping polls.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Configuration {
    pub(super) source_arn: String,
    pub(super) kind: SourceKind,
    pub(super) function: Target,
    pub(super) batch_size: usize,
    pub(super) window: Duration,
    pub(super) parallelization: usize,
    pub(super) start: Start,
    start_shown: Option<(String, Option<Value>)>,
    pub(super) patterns: Vec<(String, EventPattern)>,
    pub(super) on_failure: Option<String>,
    /// Nothing for ever.
    pub(super) most_age: Option<Duration>,
    pub(super) bisects: bool,
    /// Nothing for ever.
    pub(super) most_retries: Option<u32>,
    pub(super) reports_failures: bool,
    pub(super) most_concurrent: Option<usize>,
}

/// A mapping.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) uuid: String,
    pub(super) configuration: Configuration,
    pub(super) is_enabled: bool,
    pub(super) phase: Phase,
    /// When it is through with its phase.
    pub(super) settles: SystemTime,
    pub(super) modified: SystemTime,
    pub(super) last_result: String,
    pub(super) tags: BTreeMap<String, String>,
    /// Tells its task that something has changed; its task ends with it.
    pub(super) changes: watch::Sender<u64>,
}

/// What is being done with a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Creating,
    Updating,
    Enabling,
    Disabling,
    Deleting,
}

impl Configuration {
    /// What a new mapping is told.
    pub(super) fn new(
        request: &Request,
        source_arn: &str,
        function: Target,
    ) -> Result<Self, AwsError> {
        let kind = SourceKind::of(source_arn)?;
        let mut configuration = Self {
            source_arn: source_arn.to_owned(),
            kind,
            function,
            batch_size: if kind.is_stream() { 100 } else { 10 },
            window: Duration::ZERO,
            parallelization: 1,
            start: Start::Oldest,
            start_shown: None,
            patterns: Vec::new(),
            on_failure: None,
            most_age: None,
            bisects: false,
            most_retries: None,
            reports_failures: false,
            most_concurrent: None,
        };
        configuration.begin(request)?;
        configuration.change(request)?;
        Ok(configuration)
    }

    fn begin(&mut self, request: &Request) -> Result<(), AwsError> {
        let position = request.starting_position.as_deref();
        if !self.kind.is_stream() {
            return match position {
                Some(_) => Err(invalid("StartingPosition is not valid for SQS event sources.")),
                None => Ok(()),
            };
        }
        let position = position.ok_or_else(|| {
            invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
        })?;
        let timestamp = &request.starting_position_timestamp;
        self.start = match (position, timestamp) {
            ("TRIM_HORIZON", None) => Start::Oldest,
            ("LATEST", None) => Start::Latest,
            ("AT_TIMESTAMP", Some(at)) if self.kind == SourceKind::Kinesis => {
                Start::At(moment(at)?)
            }
            ("AT_TIMESTAMP", None) => {
                return Err(invalid("StartingPositionTimestamp is required for AT_TIMESTAMP."));
            }
            ("AT_TIMESTAMP", _) => {
                return Err(invalid("Unsupported starting position for stream type: AT_TIMESTAMP"));
            }
            _ => return Err(invalid("StartingPositionTimestamp is only valid for AT_TIMESTAMP.")),
        };
        self.start_shown = Some((position.to_owned(), timestamp.clone()));
        Ok(())
    }

    /// Takes in what a request says.
    pub(super) fn change(&mut self, request: &Request) -> Result<(), AwsError> {
        if let Some(size) = request.batch_size {
            self.batch_size = size as usize;
        }
        if let Some(seconds) = request.maximum_batching_window_in_seconds {
            self.window = Duration::from_secs(seconds.into());
        }
        if let Some(filters) = &request.filter_criteria {
            self.patterns = patterns(filters)?;
        }
        if let Some(types) = &request.function_response_types {
            self.reports_failures = types.iter().any(|one| one == "ReportBatchItemFailures");
        }
        if let Some(scaling) = &request.scaling_config {
            let most = scaling["MaximumConcurrency"].as_u64();
            self.most_concurrent = most.and_then(|most| usize::try_from(most).ok());
        }
        self.change_stream(request)?;
        self.check()
    }

    fn change_stream(&mut self, request: &Request) -> Result<(), AwsError> {
        let given = [
            ("ParallelizationFactor", request.parallelization_factor.is_some()),
            ("MaximumRecordAgeInSeconds", request.maximum_record_age_in_seconds.is_some()),
            ("BisectBatchOnFunctionError", request.bisect_batch_on_function_error.is_some()),
            ("MaximumRetryAttempts", request.maximum_retry_attempts.is_some()),
        ];
        if !self.kind.is_stream()
            && let Some((name, _)) = given.iter().find(|(_, is_given)| *is_given)
        {
            return Err(invalid(format!(
                "Unsupported {name} parameter for given event source mapping type."
            )));
        }
        if request.tumbling_window_in_seconds.is_some_and(|seconds| seconds > 0) {
            return Err(super::super::errors::unsupported("tumbling windows"));
        }
        if let Some(factor) = request.parallelization_factor {
            self.parallelization = factor as usize;
        }
        if let Some(age) = request.maximum_record_age_in_seconds {
            self.most_age = match age {
                -1 => None,
                60..=604_800 => u64::try_from(age).ok().map(Duration::from_secs),
                _ => {
                    return Err(invalid(
                        "MaximumRecordAgeInSeconds must be -1, or from 60 to 604800.",
                    ));
                }
            };
        }
        if let Some(retries) = request.maximum_retry_attempts {
            self.most_retries = u32::try_from(retries).ok();
        }
        if let Some(bisects) = request.bisect_batch_on_function_error {
            self.bisects = bisects;
        }
        if let Some(destinations) = &request.destination_config {
            let target = destinations["OnFailure"]["Destination"].as_str();
            self.on_failure = target.filter(|arn| !arn.is_empty()).map(str::to_owned);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), AwsError> {
        if let SourceKind::Queue { is_fifo } = self.kind {
            if is_fifo && self.batch_size > 10 {
                return Err(invalid("Batch size for FIFO queues must be at most 10."));
            }
            if is_fifo && !self.window.is_zero() {
                return Err(invalid("Batching window is not supported for FIFO queues."));
            }
            if self.batch_size > 10 && self.window.is_zero() {
                return Err(invalid(
                    "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
                ));
            }
        } else if self.most_concurrent.is_some() {
            return Err(invalid("ScalingConfig is not supported for this event source type."));
        }
        Ok(())
    }

    /// Whether a function is to see a record.
    pub(super) fn wants(&self, record: &Value) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|(_, pattern)| pattern.matches(record))
    }

    fn shown(&self) -> Map<String, Value> {
        let mut shown = Map::from_iter([
            ("BatchSize".to_owned(), json!(self.batch_size)),
            ("MaximumBatchingWindowInSeconds".to_owned(), json!(self.window.as_secs())),
            ("EventSourceArn".to_owned(), json!(self.source_arn)),
            (
                "FunctionResponseTypes".to_owned(),
                json!(if self.reports_failures { vec!["ReportBatchItemFailures"] } else { vec![] }),
            ),
        ]);
        if !self.patterns.is_empty() {
            let filters: Vec<Value> =
                self.patterns.iter().map(|(text, _)| json!({"Pattern": text})).collect();
            shown.insert("FilterCriteria".to_owned(), json!({"Filters": filters}));
        }
        if let Some(most) = self.most_concurrent {
            shown.insert("ScalingConfig".to_owned(), json!({"MaximumConcurrency": most}));
        }
        if !self.kind.is_stream() {
            return shown;
        }
        let on_failure = self.on_failure.as_ref().map(|arn| json!({"Destination": arn}));
        let age = self.most_age.map_or(json!(-1), |age| json!(age.as_secs()));
        let retries = self.most_retries.map_or(json!(-1), |retries| json!(retries));
        shown.extend([
            ("ParallelizationFactor".to_owned(), json!(self.parallelization)),
            ("MaximumRecordAgeInSeconds".to_owned(), age),
            ("MaximumRetryAttempts".to_owned(), retries),
            ("BisectBatchOnFunctionError".to_owned(), json!(self.bisects)),
            ("TumblingWindowInSeconds".to_owned(), json!(0)),
            (
                "DestinationConfig".to_owned(),
                json!({"OnFailure": on_failure.unwrap_or_else(|| json!({}))}),
            ),
        ]);
        if let Some((position, timestamp)) = &self.start_shown {
            shown.insert("StartingPosition".to_owned(), json!(position));
            if let Some(timestamp) = timestamp {
                shown.insert("StartingPositionTimestamp".to_owned(), timestamp.clone());
            }
        }
        shown
    }
}

fn patterns(filters: &Filters) -> Result<Vec<(String, EventPattern)>, AwsError> {
    if filters.filters.len() > 5 {
        return Err(invalid("Filters cannot be more than 5."));
    }
    let read = |filter: &Filter| {
        let pattern = EventPattern::parse(&filter.pattern)
            .map_err(|_| invalid("Invalid filter pattern definition."))?;
        Ok((filter.pattern.clone(), pattern))
    };
    filters.filters.iter().map(read).collect()
}

fn moment(at: &Value) -> Result<SystemTime, AwsError> {
    let seconds = at.as_f64().or_else(|| {
        let text: jiff::Timestamp = at.as_str()?.parse().ok()?;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds are few enough")]
        Some(text.as_millisecond() as f64 / 1000.0)
    });
    let since = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    since
        .map(|since| UNIX_EPOCH + since)
        .ok_or_else(|| invalid("StartingPositionTimestamp is no timestamp."))
}

impl Mapping {
    /// The state that it is in, as it is called.
    pub(super) fn state(&self, now: SystemTime) -> &'static str {
        if now < self.settles {
            return match self.phase {
                Phase::Creating => "Creating",
                Phase::Updating => "Updating",
                Phase::Enabling => "Enabling",
                Phase::Disabling => "Disabling",
                Phase::Deleting => "Deleting",
            };
        }
        match (self.phase, self.is_enabled) {
            (Phase::Deleting, _) => "Deleting",
            (_, true) => "Enabled",
            (_, false) => "Disabled",
        }
    }

    /// Whether it is gone by now.
    pub(super) fn is_gone(&self, now: SystemTime) -> bool {
        self.phase == Phase::Deleting && now >= self.settles
    }

    /// As the operations answer with it.
    pub(super) fn shown(&self, function_arn: &str, own_arn: &str, now: SystemTime) -> Value {
        let mut shown = self.configuration.shown();
        let modified = self.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        shown.extend([
            ("UUID".to_owned(), json!(self.uuid)),
            ("FunctionArn".to_owned(), json!(function_arn)),
            ("EventSourceMappingArn".to_owned(), json!(own_arn)),
            ("State".to_owned(), json!(self.state(now))),
            ("StateTransitionReason".to_owned(), json!("USER_INITIATED")),
            ("LastModified".to_owned(), json!(modified.as_secs())),
        ]);
        if self.configuration.kind.is_stream() {
            shown.insert("LastProcessingResult".to_owned(), json!(self.last_result));
        }
        Value::Object(shown)
    }

    pub(super) fn snapshot(&self) -> Value {
        let mut shown = self.configuration.shown();
        shown.insert("Function".to_owned(), json!(self.configuration.function.name));
        shown.insert("Qualifier".to_owned(), json!(self.configuration.function.qualifier));
        shown.insert("Enabled".to_owned(), json!(self.is_enabled));
        shown.insert("Tags".to_owned(), json!(self.tags));
        Value::Object(shown)
    }
}
