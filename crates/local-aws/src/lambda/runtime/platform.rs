//! The records that Lambda itself writes around an invocation, as text or as JSON.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::json;

/// How a function's log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines such as `START RequestId: …`.
    #[default]
    Text,
    /// Objects such as `{"type": "platform.start", …}`.
    Json,
}

/// What a REPORT says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report<'a> {
    pub(super) request_id: &'a str,
    pub(super) duration: Duration,
    pub(super) init: Option<Duration>,
    pub(super) memory_mb: u32,
    pub(super) max_memory_mb: u64,
    pub(super) end: End<'a>,
}

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End<'a> {
    /// The handler answered, with a result or with an error of its own.
    Answered { failed: bool },
    /// It ran out of time.
    Timeout,
    /// The runtime broke.
    Broken { error_type: &'a str },
}

impl LogFormat {
    pub(super) fn init_start(self, now: SystemTime, runtime: &str, version_arn: &str) -> String {
        match self {
            Self::Text => {
                format!(
                    "INIT_START Runtime Version: {runtime}\tRuntime Version ARN: {version_arn}\n"
                )
            }
            Self::Json => event(
                now,
                "platform.initStart",
                &json!({
                    "initializationType": "on-demand",
                    "phase": "init",
                    "runtimeVersion": runtime,
                    "runtimeVersionArn": version_arn,
                }),
            ),
        }
    }

    /// What this AWS has to say beside what Lambda says.
    pub(super) fn remark(self, now: SystemTime, text: &str) -> String {
        match self {
            Self::Text => format!("[WARNING] {text}\n"),
            Self::Json => {
                let record =
                    json!({"timestamp": iso_millis(now), "level": "WARN", "message": text});
                format!("{record}\n")
            }
        }
    }

    pub(super) fn init_failed(self, now: SystemTime, duration: Duration, end: End<'_>) -> String {
        let millis = millis(duration);
        match self {
            Self::Text => {
                format!(
                    "INIT_REPORT Init Duration: {millis:.2} ms\tPhase: init{}\n",
                    text_status(end)
                )
            }
            Self::Json => {
                let mut record = json!({
                    "initializationType": "on-demand",
                    "metrics": {"durationMs": millis},
                    "phase": "init",
                });
                json_status(&mut record, end);
                event(now, "platform.initReport", &record)
            }
        }
    }

    pub(super) fn start(self, now: SystemTime, request_id: &str, version: &str) -> String {
        match self {
            Self::Text => format!("START RequestId: {request_id} Version: {version}\n"),
            Self::Json => {
                event(now, "platform.start", &json!({"requestId": request_id, "version": version}))
            }
        }
    }

    pub(super) fn end(self, now: SystemTime, report: &Report<'_>) -> Vec<String> {
        let Report { request_id, init, memory_mb, max_memory_mb, end, .. } = *report;
        let millis = millis(report.duration);
        let billed = billed(report.duration);
        match self {
            Self::Text => {
                let init = init.map_or_else(String::new, |init| {
                    format!("Init Duration: {:.2} ms\t", self::millis(init))
                });
                let status = text_status(end);
                let text = format!(
                    "REPORT RequestId: {request_id}\tDuration: {millis:.2} ms\tBilled Duration: {billed} ms\t\
                     Memory Size: {memory_mb} MB\tMax Memory Used: {max_memory_mb} MB\t{init}{}\n",
                    status.trim_start()
                );
                vec![format!("END RequestId: {request_id}\n"), text]
            }
            Self::Json => {
                let mut record = json!({
                    "requestId": request_id,
                    "metrics": {
                        "durationMs": millis,
                        "billedDurationMs": billed,
                        "memorySizeMB": memory_mb,
                        "maxMemoryUsedMB": max_memory_mb,
                    },
                });
                if let Some(init) = init {
                    record["metrics"]["initDurationMs"] = json!(self::millis(init));
                }
                json_status(&mut record, end);
                vec![event(now, "platform.report", &record)]
            }
        }
    }
}

fn text_status(end: End<'_>) -> String {
    match end {
        End::Answered { .. } => String::new(),
        End::Timeout => "\tStatus: timeout".to_owned(),
        End::Broken { error_type } => format!("\tStatus: error\tError Type: {error_type}"),
    }
}

fn json_status(record: &mut serde_json::Value, end: End<'_>) {
    record["status"] = json!(match end {
        End::Answered { failed: false } => "success",
        End::Answered { failed: true } => "failure",
        End::Timeout => "timeout",
        End::Broken { .. } => "error",
    });
    if let End::Broken { error_type } = end {
        record["errorType"] = json!(error_type);
    }
}

fn event(now: SystemTime, kind: &str, record: &serde_json::Value) -> String {
    let mut text = json!({"time": iso_millis(now), "type": kind, "record": record}).to_string();
    text.push('\n');
    text
}

/// `2026-11-23T05:00:00.000Z`.
pub(super) fn iso_millis(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

fn billed(duration: Duration) -> u128 {
    duration.as_micros().div_ceil(1000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    const REPORT: Report<'static> = Report {
        request_id: "r",
        duration: Duration::from_micros(1_500),
        init: None,
        memory_mb: 128,
        max_memory_mb: 37,
        end: End::Answered { failed: false },
    };

    #[test]
    fn text_is_what_lambda_writes() {
        let now = UNIX_EPOCH;
        assert_eq!(
            LogFormat::Text.start(now, "r", "$LATEST"),
            "START RequestId: r Version: $LATEST\n"
        );
        let report = Report { init: Some(Duration::from_millis(100)), ..REPORT };
        assert_eq!(
            LogFormat::Text.end(now, &report),
            [
                "END RequestId: r\n",
                "REPORT RequestId: r\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\t\
                 Max Memory Used: 37 MB\tInit Duration: 100.00 ms\t\n"
            ]
        );
    }

    #[test]
    fn a_report_says_what_went_wrong() {
        let end = |end| LogFormat::Text.end(UNIX_EPOCH, &Report { end, ..REPORT }).concat();
        assert!(end(End::Timeout).ends_with("37 MB\tStatus: timeout\n"));
        let broken = end(End::Broken { error_type: "Runtime.ExitError" });
        assert!(broken.ends_with("37 MB\tStatus: error\tError Type: Runtime.ExitError\n"));
    }

    #[test]
    fn json_is_one_object_a_line() {
        let lines = LogFormat::Json.end(UNIX_EPOCH, &REPORT);
        let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(value["type"], "platform.report");
        assert_eq!(value["time"], "1970-01-01T00:00:00.000Z");
        assert_eq!(value["record"]["status"], "success");
        assert_eq!(value["record"]["metrics"]["billedDurationMs"], 2);
    }
}
