//! What an operation does to what is there.

use crate::service::Operation;

/// What an operation does to what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It makes something that was not there.
    Creates,
    /// It makes something that was there into something else, or takes it away.
    Changes,
    /// It only looks.
    Reads,
    /// Something happens, and nothing stays that could be taken back.
    Acts,
}

const READS: &[&str] = &[
    "Batch",
    "BatchCheck",
    "BatchDescribe",
    "BatchDetect",
    "BatchGet",
    "BatchIs",
    "BatchList",
    "BatchRead",
    "BatchSearch",
    "Calculate",
    "Check",
    "Compare",
    "Contains",
    "Count",
    "Decode",
    "Describe",
    "Detect",
    "Discover",
    "Download",
    "Estimate",
    "Evaluate",
    "Explain",
    "Filter",
    "Find",
    "Forecast",
    "Get",
    "Has",
    "Head",
    "Is",
    "List",
    "Lookup",
    "Predict",
    "Preview",
    "Query",
    "Read",
    "Retrieve",
    "Scan",
    "Search",
    "Select",
    "Show",
    "Simulate",
    "Suggest",
    "Summarize",
    "Test",
    "Validate",
    "Verify",
    "View",
];

const ACTS: &[&str] = &[
    "Abort",
    "Ack",
    "Acknowledge",
    "Admin",
    "Analyze",
    "Answer",
    "Ask",
    "Assume",
    "Authenticate",
    "Chat",
    "Complete",
    "Compose",
    "Compute",
    "Confirm",
    "Converse",
    "Decrypt",
    "Derive",
    "Encrypt",
    "Execute",
    "Extract",
    "Flush",
    "Forgot",
    "Generate",
    "Global",
    "Heartbeat",
    "Initiate",
    "Invalidate",
    "Invoke",
    "Log",
    "Notify",
    "Optimize",
    "Parse",
    "Ping",
    "Poll",
    "Post",
    "Process",
    "Publish",
    "Re",
    "Reboot",
    "Receive",
    "Recognize",
    "Record",
    "Redact",
    "Refresh",
    "Render",
    "Replay",
    "Report",
    "Resend",
    "Respond",
    "Restart",
    "Resync",
    "Retry",
    "Reencrypt",
    "Run",
    "Send",
    "Sign",
    "Signal",
    "Submit",
    "Sync",
    "Synthesize",
    "Transcribe",
    "Translate",
    "Trigger",
    "Verify",
    "Wait",
];

const CREATES: &[&str] = &[
    "Allocate",
    "Build",
    "Clone",
    "Copy",
    "Create",
    "Define",
    "Import",
    "Launch",
    "Provision",
    "Purchase",
    "Register",
    "Request",
    "Restore",
    "Upload",
    "BatchCreate",
    "BatchImport",
];

/// Things that are begun and end by themselves: beginning or stopping one changes nothing that was there.
const RUNS: &[&str] = &[
    "Analysis",
    "Assessment",
    "Audit",
    "Build",
    "Call",
    "Chat",
    "Command",
    "Contact",
    "Crawl",
    "Crawler",
    "Deployment",
    "Detection",
    "Evaluation",
    "Execution",
    "Experiment",
    "Export",
    "Import",
    "Ingestion",
    "Job",
    "Moderation",
    "Pipeline",
    "Query",
    "Recognition",
    "Recommendation",
    "Refresh",
    "Replay",
    "Report",
    "Review",
    "Run",
    "Scan",
    "Search",
    "Segment",
    "Session",
    "Simulation",
    "Stack",
    "Sync",
    "Task",
    "Tracking",
    "Transaction",
    "Transcription",
    "Translation",
    "Upload",
    "Workflow",
    "Invoke",
];

/// Operations whose verbs say something else than what they do.
const EXCEPTIONS: &[(&str, Effect)] = &[
    // Partiql statements, which may be anything.
    ("BatchExecuteStatement", Effect::Changes),
    ("BatchWriteItem", Effect::Changes),
    ("ExecuteStatement", Effect::Changes),
    ("ExecuteTransaction", Effect::Changes),
    ("GenerateDataSet", Effect::Creates),
    ("PutEvents", Effect::Acts),
    ("PutLogEvents", Effect::Acts),
    ("PutMetricData", Effect::Acts),
    ("PutRecord", Effect::Acts),
    ("PutRecordBatch", Effect::Acts),
    ("PutRecords", Effect::Acts),
    ("PutTelemetryRecords", Effect::Acts),
    ("PutTraceSegments", Effect::Acts),
    ("RunInstances", Effect::Creates),
    ("RunJobFlow", Effect::Creates),
    ("TransactGetItems", Effect::Reads),
    ("CreateInvalidation", Effect::Acts),
    ("CreateOAuth2Token", Effect::Acts),
    ("CreateToken", Effect::Acts),
    ("CreateTokenWithIAM", Effect::Acts),
    ("CreateSession", Effect::Acts),
];

/// What an operation does to what is there: as its model says, as its undo says, else as its verb says.
pub fn effect(operation: &Operation) -> Effect {
    if operation.undo.as_ref().is_some_and(|undo| !undo.upsert) {
        return Effect::Creates;
    }
    if let Some((_, effect)) = EXCEPTIONS.iter().find(|(name, _)| *name == operation.name) {
        return *effect;
    }
    if operation.readonly {
        return Effect::Reads;
    }
    let (verb, noun) = split(operation.name);
    // What gives out a link or a token leaves nothing behind.
    let fleeting =
        ["Url", "URL", "Urls", "PresignedUrl", "Token"].iter().any(|end| noun.ends_with(end));
    match verb {
        "Create" if fleeting && operation.undo.is_none() => Effect::Acts,
        "Start" | "Stop" | "Cancel" | "BatchStart" | "BatchStop"
            if RUNS.iter().any(|word| noun.contains(word)) =>
        {
            Effect::Acts
        }
        _ if READS.contains(&verb) => Effect::Reads,
        _ if CREATES.contains(&verb) => Effect::Creates,
        _ if ACTS.contains(&verb) => Effect::Acts,
        _ => Effect::Changes,
    }
}

/// Verb and noun: `BatchGetItem` is `BatchGet` and `Item`.
fn split(name: &str) -> (&str, &str) {
    let words: Vec<usize> = name
        .char_indices()
        .filter(|(_, letter)| letter.is_ascii_uppercase())
        .map(|(place, _)| place)
        .collect();
    let verb_words = if name.starts_with("Batch") { 2 } else { 1 };
    let end = words.get(verb_words).copied().unwrap_or(name.len());
    name.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::{Effect, effect, split};

    #[test]
    fn operations_do_what_their_names_say() {
        let cases = [
            ("sqs:CreateQueue", Effect::Creates),
            ("ec2:RunInstances", Effect::Creates),
            ("lambda:PublishLayerVersion", Effect::Creates),
            ("sqs:DeleteQueue", Effect::Changes),
            ("sqs:SetQueueAttributes", Effect::Changes),
            ("s3:PutObject", Effect::Changes),
            ("dynamodb:PutItem", Effect::Changes),
            ("dynamodb:BatchWriteItem", Effect::Changes),
            ("ec2:StopInstances", Effect::Changes),
            ("dynamodb:BatchGetItem", Effect::Reads),
            ("s3:HeadBucket", Effect::Reads),
            ("sts:GetCallerIdentity", Effect::Reads),
            ("sqs:SendMessage", Effect::Acts),
            ("lambda:Invoke", Effect::Acts),
            ("sts:AssumeRole", Effect::Acts),
            ("stepfunctions:StartExecution", Effect::Acts),
            ("kinesis:PutRecord", Effect::Acts),
            ("sagemaker:CreatePresignedDomainUrl", Effect::Acts),
        ];
        for (name, expected) in cases {
            assert_eq!(
                effect(crate::find(name).expect("it is there").operation),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn a_name_is_a_verb_and_a_noun() {
        assert_eq!(split("BatchGetItem"), ("BatchGet", "Item"));
        assert_eq!(split("CreateDBInstance"), ("Create", "DBInstance"));
        assert_eq!(split("Invoke"), ("Invoke", ""));
    }
}
