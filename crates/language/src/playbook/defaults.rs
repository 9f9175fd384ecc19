//! `defaults`: what steps do where they do not say otherwise.

use std::time::Duration;

use super::declared::{DEFAULT_POLL, DEFAULTS};
use super::expected::unknown_key;
use super::load::Reader;
use super::model::Retry;
use crate::diagnostic::{Code, Diagnostic};
use crate::document::{Entry, Node};
use crate::spec::Spec;

const EXAMPLE: &str = "defaults: {timeout: 30s, retry: {on: Throttling}, poll: {timeout: 2m}}";

/// What steps do where they do not say otherwise.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    pub(super) retry: Option<Retry>,
    pub(super) timeout: Option<Duration>,
    pub(super) poll_every: Option<Duration>,
    pub(super) poll_timeout: Option<Duration>,
}

impl Defaults {
    /// The retry of a step of this kind: only calls can be worth another try.
    pub(super) fn retry_of(&self, spec: Option<&Spec>, fails_on_purpose: bool) -> Option<Retry> {
        let calls = spec.is_some_and(|spec| !spec.calls.is_empty());
        self.retry.clone().filter(|_| calls && !fails_on_purpose)
    }

    /// The time-out of a step of this kind: nobody is hurried to answer a question.
    pub(super) fn timeout_of(&self, spec: Option<&Spec>) -> Option<Duration> {
        self.timeout.filter(|_| spec.is_some_and(|spec| !spec.calls.is_empty()))
    }
}

impl Reader<'_, '_> {
    pub(super) fn read_defaults(&mut self, node: &Node) {
        for entry in self.map("defaults", node, EXAMPLE).unwrap_or_default() {
            let value = &entry.value;
            match entry.key.name.as_str() {
                "retry" => self.default_retry(entry),
                "timeout" => self.defaults.timeout = self.duration("defaults.timeout", value),
                "poll" => self.default_poll(value),
                _ => self.fault(unknown_key(entry, "`defaults`", &DEFAULTS)),
            }
        }
    }

    fn default_retry(&mut self, entry: &Entry) {
        if let Some(ask) = entry.value.entry("ask") {
            self.fault(
                Diagnostic::new(Code::MisplacedKey, "`ask` means nothing in `defaults`")
                    .at(ask.key.span)
                    .label("which input to ask for depends on the step")
                    .help("write it under `retry` of the step that it is about"),
            );
            return;
        }
        self.defaults.retry = self.retry(&entry.value);
    }

    fn default_poll(&mut self, node: &Node) {
        for entry in self.map("defaults.poll", node, EXAMPLE).unwrap_or_default() {
            let value = &entry.value;
            match entry.key.name.as_str() {
                "every" => {
                    self.defaults.poll_every = self.duration("defaults.poll.every", value);
                }
                "timeout" => {
                    self.defaults.poll_timeout = self.duration("defaults.poll.timeout", value);
                }
                _ => self.fault(unknown_key(entry, "`defaults.poll`", &DEFAULT_POLL)),
            }
        }
    }
}
