//! The timeline: a row a step or undone entry, each with all that is known of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::markup::{Page, escaped};
use crate::report::trace::{Ended, How, Made, Run, Span, between};
use crate::report::words::{counted, duration};
use engine::event::{ResourceRef, SourcePlace};

/// A stretch of time, as a share of the run.
struct Scale {
    start: Timestamp,
    millis: u64,
}

impl Scale {
    #[allow(clippy::cast_precision_loss, reason = "a run does not last for ages")]
    fn share(&self, millis: u64) -> f64 {
        (millis as f64 / self.millis as f64 * 100.0).min(100.0)
    }

    /// A bar from one time to another.
    fn bar(&self, class: &str, from: Timestamp, to: Timestamp, title: &str) -> String {
        format!(
            "<i class=\"{class}\" style=\"left:{:.2}%;width:{:.2}%\" title=\"{}\"></i>",
            self.share(between(self.start, from)),
            self.share(between(from, to)),
            escaped(title)
        )
    }
}

/// Steps first, then the clean-up, on one scale.
pub(super) fn timeline(page: &mut Page, run: &Run) {
    let start = run.spans.iter().map(|span| span.started).min().unwrap_or(run.started);
    let scale = Scale { start, millis: between(start, run.last).max(1) };
    page.text.push_str(
        "<h2>Timeline</h2>\n<p class=\"key soft\"><span><i style=\"background:var(--bar)\"></i>step</span><span><i \
         style=\"background:var(--fore);opacity:.55\"></i>call</span><span><i \
         style=\"background:var(--odd)\"></i>wait, question or retry</span><span><i \
         style=\"background:var(--bad)\"></i>failed</span></p>\n",
    );
    if !run.calls.is_empty() {
        page.text.push_str("<h3>Before the first step</h3>\n");
        calls(page, &run.calls, run.started);
    }
    let mut sources = BTreeMap::new();
    for (span, step) in run.steps() {
        if let (Some(place), Some(source)) = (&span.place, &span.source) {
            sources.insert(key_of(place), source.as_str());
        }
        let kind = if step.title == step.kind { "" } else { &step.kind };
        let head = format!(
            "<span class=\"soft\">{}</span> {} <span class=\"soft\">{}</span>",
            escaped(&step.number),
            escaped(&step.title),
            escaped(kind)
        );
        row(page, run, span, &scale, (&head, step.depth), &sources);
    }
    let undone = run.undos().count();
    if undone > 0 {
        let _ = writeln!(page.text, "<h3>Clean-up of {}</h3>", counted(undone, "resource"));
    }
    for (span, resource) in run.undos() {
        let kind = escaped(&resource.kind);
        let head = format!("{} <span class=\"soft\">{kind}</span>", escaped(&resource.name));
        row(page, run, span, &scale, (&head, 0), &sources);
    }
    for said in &run.said {
        let _ = writeln!(
            page.text,
            "<p class=\"soft\">+{} {} {}</p>",
            duration(between(run.started, said.at)),
            said.how.word(),
            escaped(&said.text)
        );
    }
}

fn key_of(place: &SourcePlace) -> (String, usize, usize) {
    (place.file.clone(), place.line, place.column)
}

fn class(span: &Span) -> &'static str {
    match span.how {
        _ if !span.is_fine() => "bad",
        Some(Ended::Step(engine::event::Status::Skipped)) => "soft",
        _ => "good",
    }
}

fn row(
    page: &mut Page,
    run: &Run,
    span: &Span,
    scale: &Scale,
    (head, depth): (&str, usize),
    sources: &BTreeMap<(String, usize, usize), &str>,
) {
    let open = if span.failure.is_some() && !span.is_fine() { " open" } else { "" };
    let end = span.ended.unwrap_or(run.last);
    let fault = if span.is_fine() { "span" } else { "fault" };
    let mut lane = scale.bar(fault, span.started, end, &span.title());
    for made in &span.calls {
        lane.push_str(&call_bar(scale, made));
    }
    let waits = [How::Waits, How::Retries, How::Asks];
    // One mark a moment is enough, however often it was looked.
    for said in span.said.iter().filter(|said| waits.contains(&said.how)).take(60) {
        let title = format!("{} {}", said.how.word(), said.text);
        lane.push_str(&scale.bar("wait", said.at, said.at, &title));
    }
    let _ = writeln!(
        page.text,
        "<details class=\"row\"{open}><summary><span class=\"title\" style=\"padding-left:{}em\">{head}</span><span \
         class=\"{}\">{}</span><span class=\"took\">{}</span><span class=\"lane\">{lane}</span></summary>\n<div class=\"inside\">",
        depth * 2,
        class(span),
        span.word(),
        duration(span.millis(run.last)),
    );
    inside(page, run, span, sources);
    page.text.push_str("</div></details>\n");
}

fn call_bar(scale: &Scale, made: &Made) -> String {
    let began =
        made.at - jiff::SignedDuration::from_millis(i64::try_from(made.millis()).unwrap_or(0));
    let title =
        format!("{}:{} {}", made.call.service, made.call.operation, duration(made.millis()));
    scale.bar("call", began.max(scale.start), made.at, &title)
}

fn inside(
    page: &mut Page,
    run: &Run,
    span: &Span,
    sources: &BTreeMap<(String, usize, usize), &str>,
) {
    if let Some(failure) = span.failure.as_ref() {
        page.failure(failure);
    }
    if let Some(reason) = &span.reason {
        page.paragraph(reason);
    }
    if let Some(place) = &span.place {
        let _ = writeln!(
            page.text,
            "<p class=\"mono soft\">{}:{}</p>",
            escaped(&place.file),
            place.line
        );
        if let Some(source) = sources.get(&key_of(place)) {
            page.block(source);
        }
    }
    calls(page, &span.calls, run.started);
    if span.outputs.as_object().is_some_and(|outputs| !outputs.is_empty()) {
        page.text.push_str("<h3>Answer</h3>\n");
        page.data(&span.outputs);
    }
    if !span.said.is_empty() {
        page.text.push_str("<h3>Log</h3>\n");
        let lines: Vec<String> = span
            .said
            .iter()
            .map(|said| {
                let after = duration(between(run.started, said.at));
                format!("+{after} {} {}", said.how.word(), said.text.trim_end())
            })
            .collect();
        page.block(&lines.join("\n"));
    }
    let changes = [("made", &span.created), ("took away", &span.removed)];
    for (verb, resources) in changes.iter().filter(|(_, resources)| !resources.is_empty()) {
        for resource in *resources {
            let _ = writeln!(
                page.text,
                "<p>{verb} {} {}: {}</p>",
                escaped(&resource.kind),
                escaped(&resource.name),
                fate(run, resource)
            );
        }
    }
}

fn calls(page: &mut Page, calls: &[Made], start: Timestamp) {
    if calls.is_empty() {
        return;
    }
    page.text.push_str("<h3>Calls</h3>\n");
    for made in calls {
        let call = &made.call;
        let mut facts = vec![format!("+{}", duration(between(start, made.at)))];
        if let Some(outcome) = &call.outcome {
            facts.push(format!("{} ms", outcome.millis));
            if outcome.attempts > 1 {
                facts.push(counted(outcome.attempts as usize, "attempt"));
            }
            if outcome.unanswered {
                facts.push("an attempt got no reply".to_owned());
            }
        }
        let error = call.outcome.as_ref().and_then(|outcome| outcome.error.as_deref());
        let error = error.map(|error| format!(" <span class=\"bad\">{}</span>", escaped(error)));
        let _ = writeln!(
            page.text,
            "<details><summary><code>{}:{}</code>{} <span class=\"soft\">{}</span></summary>",
            escaped(&call.service),
            escaped(&call.operation),
            error.unwrap_or_default(),
            escaped(&facts.join(" · "))
        );
        page.block(&format!("{} {}", call.method, call.path));
        page.data(if call.parameters.is_null() { &call.body } else { &call.parameters });
        page.text.push_str("</details>\n");
    }
}

/// What the run made, by whom, and what became of it.
pub(super) fn resources(page: &mut Page, run: &Run) {
    let made: Vec<(&str, &ResourceRef)> = run
        .steps()
        .flat_map(|(span, step)| span.created.iter().map(|made| (step.number.as_str(), made)))
        .collect();
    if made.is_empty() {
        return;
    }
    page.text.push_str(
        "<h2>Resources</h2>\n<table><tr><th>step</th><th>type</th><th>name</th><th>what became of it</th></tr>\n",
    );
    for (number, resource) in made {
        let _ = writeln!(
            page.text,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(number),
            escaped(&resource.kind),
            escaped(&resource.name),
            fate(run, resource)
        );
    }
    page.text.push_str("</table>\n");
}

fn fate(run: &Run, resource: &ResourceRef) -> String {
    if let Some((span, _)) = run.undos().find(|(_, undone)| undone.seq == resource.seq) {
        let took = duration(span.millis(run.last));
        return format!("<span class=\"{}\">{}</span> in {took}", class(span), span.word());
    }
    let removed = |(span, _): &(&Span, _)| span.removed.iter().any(|it| it.seq == resource.seq);
    if let Some((_, step)) = run.steps().find(removed) {
        return format!("removed by step {}", escaped(&step.number));
    }
    let end = run.end.as_ref();
    if end.is_some_and(|end| end.remaining.iter().any(|left| left.resource.seq == resource.seq)) {
        return "<span class=\"odd\">remains</span>".to_owned();
    }
    "<span class=\"soft\">ended with its account</span>".to_owned()
}
