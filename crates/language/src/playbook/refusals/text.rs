//! Text of which some parts are known before a run.

use crate::document::Node;

/// Stands for `run.id`: eight small letters and digits.
const RUN_ID: &str = "a0a0a0a0";

/// Text as it is written, taken apart.
pub(super) struct Known<'n> {
    /// What is written out, in order; empty where an expression stands at an end.
    pub(super) parts: Vec<&'n str>,
    /// All of it, where nothing but `run.id` is filled in.
    pub(super) whole: Option<String>,
}

impl<'n> Known<'n> {
    /// The text of a scalar; nothing where statements decide what it is.
    pub(super) fn of(node: &'n Node) -> Option<Self> {
        let mut rest = node.as_str()?;
        if rest.contains("{%") || rest.contains("{#") {
            return None;
        }
        let mut parts = Vec::new();
        let mut whole = Some(String::new());
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, behind) = after.split_once("}}")?;
            parts.push(before);
            let is_run_id = inside.trim() == "run.id";
            whole = whole.filter(|_| is_run_id).map(|whole| whole + before + RUN_ID);
            rest = behind;
        }
        parts.push(rest);
        Some(Self { parts, whole: whole.map(|whole| whole + rest) })
    }

    /// Whether there is nothing to fill in.
    pub(super) fn is_literal(&self) -> bool {
        self.parts.len() == 1
    }

    /// What is written out before the first expression.
    pub(super) fn start(&self) -> &'n str {
        self.parts.first().copied().unwrap_or_default()
    }

    /// How long it is at least.
    pub(super) fn least_length(&self) -> usize {
        match &self.whole {
            Some(whole) => whole.chars().count(),
            None => self.parts.iter().map(|part| part.chars().count()).sum(),
        }
    }
}
