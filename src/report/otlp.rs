//! Spans as OpenTelemetry's JSON has them: the run, in it steps, in them calls; then what is undone, with its calls.

use std::io;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::trace::{Ended, Made, Run, Span, Trace};
use super::{Reporter, file, safe};
use engine::event::{Event, Status};

/// Writes a trace a run at the end.
#[derive(Debug)]
pub struct OtlpReporter {
    path: PathBuf,
    trace: Trace,
}

impl OtlpReporter {
    /// Will write to `path`.
    ///
    /// # Errors
    /// The directory does not exist, or the path is one.
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        file::check(&path)?;
        Ok(Self { path, trace: Trace::default() })
    }
}

impl Reporter for OtlpReporter {
    fn event(&mut self, event: &Event) {
        self.trace.event(event);
    }

    fn finish(&mut self) -> io::Result<()> {
        let text = format!("{}\n", document(&std::mem::take(&mut self.trace)));
        file::write(&self.path, safe::json(&text).as_bytes())
    }
}

fn document(trace: &Trace) -> Value {
    let spans: Vec<Value> = trace.runs.iter().flat_map(|run| Spans::of(run).all).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": [text("service.name", "playbook")]},
        "scopeSpans": [{
            "scope": {"name": "playbook", "version": env!("CARGO_PKG_VERSION")},
            "spans": spans,
        }],
    }]})
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn number(key: &str, value: u64) -> Value {
    // 64-bit numbers are text in the JSON of Protocol Buffers.
    json!({"key": key, "value": {"intValue": value.to_string()}})
}

fn nanos(at: Timestamp) -> String {
    at.as_nanosecond().max(0).to_string()
}

/// The spans of a run.
struct Spans {
    trace_id: String,
    all: Vec<Value>,
}

/// What a span is, beside its place in the trace.
struct Told<'a> {
    name: String,
    kind: u8,
    time: (Timestamp, Timestamp),
    attributes: Vec<Value>,
    events: Vec<Value>,
    /// Why it failed, if it did; nothing where nobody knows how it ended.
    status: Option<Result<(), &'a str>>,
}

/// An identifier that is the same whenever the report is drawn: FNV-1a over the run's id.
fn hashed(text: &str, salt: u64) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ salt, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Spans {
    fn of(run: &Run) -> Self {
        let seed = format!("{} {}", run.id, run.started);
        // All zeros are no identifier.
        let trace_id = format!("{:016x}{:016x}", hashed(&seed, 1) | 1, hashed(&seed, 2));
        let mut spans = Self { trace_id, all: Vec::new() };
        let root = spans.add(None, of_run(run));
        for made in &run.calls {
            spans.add(Some(&root), of_call(made));
        }
        let mut steps: Vec<(String, String)> = Vec::new();
        for span in &run.spans {
            let around = span.step().and_then(|step| {
                let around = |(number, _): &&(String, String)| {
                    step.number
                        .strip_prefix(number.as_str())
                        .is_some_and(|rest| rest.starts_with(['.', '[']))
                };
                steps.iter().rev().find(around).map(|(_, id)| id.clone())
            });
            let id = spans.add(Some(around.as_ref().unwrap_or(&root)), of_span(span, run));
            for made in &span.calls {
                spans.add(Some(&id), of_call(made));
            }
            if let Some(step) = span.step() {
                steps.push((step.number.clone(), id));
            }
        }
        spans
    }

    /// Adds a span; its identifier.
    fn add(&mut self, parent: Option<&String>, told: Told<'_>) -> String {
        let id = format!("{:016x}", hashed(&self.trace_id, self.all.len() as u64 + 3) | 1);
        let status = match told.status {
            None => json!({}),
            Some(Ok(())) => json!({"code": 1}),
            Some(Err(message)) => json!({"code": 2, "message": message}),
        };
        let mut span = json!({
            "traceId": self.trace_id,
            "spanId": id,
            "name": told.name,
            "kind": told.kind,
            "startTimeUnixNano": nanos(told.time.0),
            "endTimeUnixNano": nanos(told.time.1.max(told.time.0)),
            "attributes": told.attributes,
            "events": told.events,
            "status": status,
        });
        if let (Some(parent), Value::Object(fields)) = (parent, &mut span) {
            fields.insert("parentSpanId".to_owned(), parent.as_str().into());
        }
        self.all.push(span);
        id
    }
}

/// Something that happens inside the process; a call goes out of it.
const INTERNAL: u8 = 1;
const CLIENT: u8 = 3;

fn of_run(run: &Run) -> Told<'_> {
    let mut attributes = vec![
        text("playbook.run", &run.id),
        text("playbook.file", &run.file),
        text("cloud.provider", "aws"),
        text("cloud.region", &run.region),
    ];
    attributes.extend(run.account.as_ref().map(|account| text("cloud.account.id", account)));
    attributes
        .extend(run.end.as_ref().map(|end| number("playbook.exit_code", end.exit_code.into())));
    Told {
        name: run.playbook.clone(),
        kind: INTERNAL,
        time: (run.started, run.last),
        attributes,
        events: Vec::new(),
        status: run.end.as_ref().map(|_| if run.is_fine() { Ok(()) } else { Err(run.verdict()) }),
    }
}

fn of_span<'a>(span: &'a Span, run: &Run) -> Told<'a> {
    let mut attributes = vec![text("playbook.end", span.word())];
    if let Some(step) = span.step() {
        attributes.extend([
            text("playbook.step", &step.path),
            text("playbook.step.number", &step.number),
            text("playbook.step.kind", &step.kind),
        ]);
    }
    if let Some(resource) = span.owner.undone() {
        attributes.extend([
            text("playbook.resource.type", &resource.kind),
            text("playbook.resource.name", &resource.name),
        ]);
    }
    if let Some(place) = &span.place {
        attributes.push(text("code.file.path", &place.file));
        attributes.push(number("code.line.number", place.line as u64));
    }
    let name = match span.owner.undone() {
        Some(_) => format!("remove {}", span.title()),
        None => span.title(),
    };
    let events = span.said.iter().map(|said| {
        json!({
            "timeUnixNano": nanos(said.at),
            "name": said.how.word(),
            "attributes": [text("message", &said.text)],
        })
    });
    let why = span.failure.as_ref().map(|failure| failure.message.as_str());
    Told {
        name,
        kind: INTERNAL,
        time: (span.started, span.ended.unwrap_or(run.last)),
        attributes,
        events: events.collect(),
        status: match span.how {
            None | Some(Ended::Step(Status::Skipped)) => None,
            Some(_) if span.is_fine() => Some(Ok(())),
            Some(_) => Some(Err(why.or(span.reason.as_deref()).unwrap_or(span.word()))),
        },
    }
}

fn of_call(made: &Made) -> Told<'_> {
    let call = &made.call;
    let took = SignedDuration::from_millis(i64::try_from(made.millis()).unwrap_or(0));
    let mut attributes = vec![
        text("rpc.system", "aws-api"),
        text("rpc.service", &call.service),
        text("rpc.method", &call.operation),
        text("http.request.method", &call.method),
    ];
    let outcome = call.outcome.as_ref();
    if let Some(outcome) = outcome {
        attributes.push(number("aws.attempts", outcome.attempts.into()));
        attributes.extend(outcome.error.as_ref().map(|error| text("error.type", error)));
    }
    Told {
        name: format!("{}:{}", call.service, call.operation),
        kind: CLIENT,
        time: (made.at - took, made.at),
        attributes,
        events: Vec::new(),
        status: outcome.map(|outcome| outcome.error.as_deref().map_or(Ok(()), Err)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use std::collections::BTreeSet;

    #[test]
    fn calls_stand_in_steps_and_steps_in_the_run() {
        let mut trace = Trace::default();
        for event in &sample::passing() {
            trace.event(event);
        }
        let document = document(&trace);
        let spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let named = |name: &str| {
            spans.iter().find(|span| span["name"] == name).cloned().unwrap_or_default()
        };
        assert_eq!(named("iam:CreateRole")["parentSpanId"], named("Create a role")["spanId"]);
        assert_eq!(named("Create a role")["parentSpanId"], named("get-started")["spanId"]);
        assert_eq!(named("sign-in")["parentSpanId"], named("Sign in")["spanId"]);
        assert!(named("get-started").get("parentSpanId").is_none());
        assert_eq!(named("remove AWS::IAM::Role playbook-k3x9")["status"]["code"], 1);
        let ids: BTreeSet<&str> = spans.iter().filter_map(|span| span["spanId"].as_str()).collect();
        assert_eq!(ids.len(), spans.len());
        assert!(ids.iter().all(|id| id.len() == 16));
    }
}
