//! Steps as lines: those under way, and each once it has ended. Where several run at the same time, the lines of one lane
//! are told from those of another by naming the step around them again.

use super::{TerminalReporter, indent};
use crate::report::words::{duration, padded};
use crate::report::{Paint, safe};
use engine::event::{Failure, ResourceRef, Status, StepRef};

/// Titles end here, and kinds begin.
const TITLE: usize = 44;
/// Kinds end here, and durations begin.
const KIND: usize = 22;

/// A step under way.
pub(super) struct OpenStep {
    pub(super) step: StepRef,
    /// Its line is there already, because steps inside it have lines too.
    headed: bool,
    /// What it said last that it is waiting for.
    pub(super) progress: Option<String>,
    pub(super) created: Vec<ResourceRef>,
    pub(super) removed: Vec<ResourceRef>,
}

impl TerminalReporter {
    pub(super) fn step_started(&mut self, step: &StepRef) {
        self.head_open_steps(step);
        self.open.push(OpenStep {
            step: step.clone(),
            headed: false,
            progress: None,
            created: Vec::new(),
            removed: Vec::new(),
        });
        if let Some(running) = self.running() {
            self.live.show(running, true);
        }
    }

    /// The steps under way in which no other is: several where they run at the same time.
    pub(super) fn running(&self) -> Option<String> {
        let innermost = |open: &&OpenStep| {
            !self.open.iter().any(|inner| is_inside(&inner.step.number, &open.step.number))
        };
        let titles: Vec<_> =
            self.open.iter().filter(innermost).map(|open| safe::line(&open.step.title)).collect();
        match titles.as_slice() {
            [] => None,
            [one] => Some(one.clone().into_owned()),
            several => Some(format!("{} at once: {}", several.len(), several.join(" · "))),
        }
    }

    /// The steps around one that starts have begun to show their contents.
    fn head_open_steps(&mut self, inner: &StepRef) {
        for index in 0..self.open.len() {
            let within = |open: &&mut OpenStep| !open.headed && is_around(&open.step, inner);
            let Some(open) = self.open.get_mut(index).filter(within) else {
                continue;
            };
            open.headed = true;
            self.context = Some(open.step.number.clone());
            let line = step_line(&open.step, "▸", "", self.err.paint());
            self.tell_row(&line);
        }
    }

    /// Where the lines above are those of another lane, the step around this one is named again.
    fn head_again(&mut self, step: &StepRef) {
        let around = self.open.iter().filter(|open| is_around(&open.step, step));
        let Some(around) = around.max_by_key(|open| open.step.depth) else { return };
        let number = &around.step.number;
        let is_known = |context: &String| context == number || is_inside(context, number);
        if self.context.as_ref().is_some_and(is_known) {
            return;
        }
        self.context = Some(number.clone());
        let line = step_line(&around.step, "▸", "", self.err.paint());
        self.tell_row(&line);
    }

    pub(super) fn step_finished(
        &mut self,
        step: &StepRef,
        status: Status,
        millis: u64,
        failure: Option<&Failure>,
    ) {
        let at = self.open.iter().rposition(|open| open.step.number == step.number);
        let open = at.map(|at| self.open.remove(at));
        // What was inside and never ended, as after a time-out, is over too.
        self.open.retain(|open| !is_inside(&open.step.number, &step.number));
        let headed = open.as_ref().is_some_and(|open| open.headed);
        if !headed {
            self.took.step(&step.title, millis);
        }
        let uneventful = headed && matches!(status, Status::Passed | Status::Planned);
        if !uneventful {
            self.head_again(step);
            self.show_finished(step, status, millis, failure);
        }
        let created = open.iter().flat_map(|open| &open.created).map(|resource| ('+', resource));
        let removed = open.iter().flat_map(|open| &open.removed).map(|resource| ('-', resource));
        for (symbol, resource) in created.chain(removed) {
            let what = format!("{} {}", resource.kind, resource.name);
            let what = self.err.paint().dim(&format!("{symbol} {}", safe::line(&what)));
            self.tell_row(&format!("{}  {what}", indent(step.depth)));
        }
        match self.running() {
            Some(running) => self.live.show(running, true),
            None => self.live.hide(),
        }
    }

    fn show_finished(
        &mut self,
        step: &StepRef,
        status: Status,
        millis: u64,
        failure: Option<&Failure>,
    ) {
        let paint = self.err.paint();
        let took = format!("{:>7}", duration(millis));
        let (symbol, after) = match status {
            Status::Passed | Status::Planned => (paint.green("✓"), paint.dim(&took)),
            Status::ExpectedError | Status::AllowedError => {
                let how = if status == Status::ExpectedError { "expected" } else { "allowed" };
                let code = failure
                    .map(|failure| format!(": {}", safe::line(&failure.code)))
                    .unwrap_or_default();
                (paint.green("✓"), paint.dim(&format!("{took}  failed as {how}{code}")))
            }
            Status::Failed => (paint.red("✗"), paint.dim(&took)),
            Status::DoneBefore => (paint.dim("✓"), paint.dim("done before")),
            Status::Skipped => (paint.dim("–"), paint.dim("skipped")),
            Status::Interrupted => (paint.yellow("!"), paint.dim(&format!("{took}  interrupted"))),
        };
        let line = step_line(step, &symbol, &after, paint);
        if status != Status::Failed {
            return self.tell_row(&line);
        }
        let Some(failure) = failure else {
            return self.say_row(&line);
        };
        if self.shown.as_ref() == Some(failure) {
            return self.tell_row(&line);
        }
        self.say_row(&line);
        for line in failure_lines(failure, step.depth, paint) {
            self.say(&line);
        }
        self.shown = Some(failure.clone());
    }

    /// A step has created or removed something.
    pub(super) fn changed(
        &mut self,
        step: &StepRef,
        which: fn(&mut OpenStep) -> &mut Vec<ResourceRef>,
        resource: &ResourceRef,
    ) {
        let mut open = self.open.iter_mut().rev();
        if let Some(open) = open.find(|open| open.step.number == step.number) {
            which(open).push(resource.clone());
        }
    }
}

/// Whether a step holds another.
fn is_around(outer: &StepRef, inner: &StepRef) -> bool {
    is_inside(&inner.number, &outer.number)
}

/// Whether a step of one number stands in that of another.
fn is_inside(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// Symbol, title, kind and what comes after, in columns.
fn step_line(step: &StepRef, symbol: &str, after: &str, paint: Paint) -> String {
    let indent = indent(step.depth);
    let title = safe::line(&step.title);
    let kind = if step.title == step.kind { "" } else { step.kind.as_str() };
    let title = padded(&title, TITLE.saturating_sub(indent.len()));
    let kind = padded(&safe::line(kind), if after.is_empty() { 0 } else { KIND });
    let line = format!("{indent}{symbol} {title}  {}  {after}", paint.dim(&kind));
    line.trim_end().to_owned()
}

/// Excerpt and details, indented under the step's line.
fn failure_lines(failure: &Failure, depth: usize, paint: Paint) -> Vec<String> {
    let indent = indent(depth);
    let mut lines = vec![String::new()];
    lines.extend(safe::lines(&failure.excerpt).map(|line| format!("{indent}  {line}")));
    if failure.excerpt.is_empty() {
        lines.push(format!(
            "{indent}  {}",
            safe::line(&format!("{}: {}", failure.code, failure.message))
        ));
    }
    if !failure.details.is_empty() {
        lines.push(String::new());
        for line in failure.details.iter().flat_map(|detail| safe::lines(detail)) {
            lines.push(format!("{indent}  {}", paint.dim(&format!("│ {line}"))));
        }
    }
    lines.push(String::new());
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}
