//! A tree of a file that is broken: what is wrong in one step does not hide what is wrong in the others.

use super::place::to_usize;
use super::{Node, parse};
use crate::diagnostic::{Diagnostic, SourceId};

/// A file with more broken steps is looked at no further.
const MOST_BROKEN: usize = 20;

/// What of a document can be read, and what is wrong with the rest. Steps that are broken are left out.
#[must_use]
pub fn parse_around(source: SourceId, text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    let first = match parse(source, text) {
        Ok(node) => return (Some(node), Vec::new()),
        Err(faults) => faults,
    };
    let mut rest = text.to_owned();
    let mut found = first.clone();
    let mut faults = first;
    for _ in 0..MOST_BROKEN {
        let Some(steps) = steps_with(&rest, &faults) else { break };
        for step in steps {
            blank(&mut rest, step);
        }
        faults = match parse(source, &rest) {
            Ok(node) => {
                let any = node.get("steps").and_then(Node::as_sequence).is_some();
                return (any.then_some(node), found);
            }
            Err(faults) => faults,
        };
        let is_new = |fault: &&Diagnostic| found.iter().all(|known| known.span != fault.span);
        let new: Vec<Diagnostic> = faults.iter().filter(is_new).cloned().collect();
        found.extend(new);
    }
    (None, found)
}

/// The steps in which these faults stand; nothing where one stands elsewhere.
fn steps_with(text: &str, faults: &[Diagnostic]) -> Option<Vec<std::ops::Range<usize>>> {
    faults.iter().map(|fault| step_at(text, to_usize(fault.span?.start))).collect()
}

/// The item of the top-level list of steps that an offset lies in.
fn step_at(text: &str, offset: usize) -> Option<std::ops::Range<usize>> {
    let mut start = 0;
    let mut in_steps = false;
    let mut indent = None;
    let mut item: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let here = start;
        start += line.len();
        let content = line.trim_start_matches(' ');
        let column = line.len() - content.len();
        let content = content.trim_end();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let dash = content == "-" || content.starts_with("- ");
        if !in_steps {
            in_steps = column == 0 && content == "steps:";
            continue;
        }
        let own = *indent.get_or_insert(column);
        if (dash && column == own) || column < own || (column == 0 && !dash) {
            if let Some(begun) = item.filter(|begun| *begun <= offset && offset < here) {
                return Some(begun..here);
            }
            if !dash || column != own {
                return None;
            }
            item = Some(here);
        }
    }
    item.filter(|begun| *begun <= offset).map(|begun| begun..text.len())
}

/// Writes spaces over a part, so that everything else keeps its place.
fn blank(text: &mut String, part: std::ops::Range<usize>) {
    let Some(old) = text.get(part.clone()) else { return };
    let spaces: String = old.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(part, &spaces);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(text: &str) -> (Option<usize>, Vec<String>) {
        let (node, found) = parse_around(SourceId::default(), text);
        let steps = node.and_then(|node| Some(node.get("steps")?.as_sequence()?.len()));
        (steps, found.into_iter().map(|fault| fault.code.to_string()).collect())
    }

    #[test]
    fn a_broken_step_is_left_out() {
        let text = "name: a\nsteps:\n  - print: \"a\n  - print: b\n  - set: {a: {{ b }}}\n  - print: c\noutputs: {}\n";
        let (steps, found) = around(text);
        assert_eq!(found.first().map(String::as_str), Some("unclosed-quote"));
        assert!(steps.is_none_or(|steps| steps >= 1), "{steps:?} {found:?}");
        let (steps, found) =
            around("name: a\nsteps:\n- set: {a: 1, a: 2}\n- print: b\n- print: [c\n- print: d\n");
        assert_eq!(steps, Some(2), "{found:?}");
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn what_is_broken_elsewhere_is_told_alone() {
        assert_eq!(around("name: [a\nsteps:\n  - print: b\n").0, None);
        assert_eq!(around("name: a\nsteps:\n  - print: \"b\n").0, None);
        assert_eq!(around("name: a\nsteps:\n  - print: b\n"), (Some(1), Vec::new()));
    }
}
