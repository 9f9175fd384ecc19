//! Random playbooks over a handful of names, so that steps meet each other's things and other people's.

use std::fmt::Write as _;

use fastrand::Rng;

/// How many names of each sort there are.
pub const NAMES: u64 = 4;

const DEEPEST: usize = 2;

/// A playbook that passes its checks.
pub fn random(chance: &mut Rng) -> String {
    let mut writer = Writer {
        text: "name: random\nsteps:\n".to_owned(),
        ids: Vec::new(),
        count: 0,
        cleans: false,
    };
    writer.steps(chance, 1, 0, 1..7);
    writer.text
}

struct Writer {
    text: String,
    /// Steps at the top that surely have outputs.
    ids: Vec<String>,
    count: usize,
    /// Whether there is a `cleanup` step; a playbook has one at most.
    cleans: bool,
}

impl Writer {
    fn line(&mut self, indent: usize, line: &str) {
        writeln!(self.text, "{}{line}", "  ".repeat(indent)).expect("text grows");
    }

    fn steps(
        &mut self,
        chance: &mut Rng,
        indent: usize,
        depth: usize,
        count: std::ops::Range<usize>,
    ) {
        for _ in 0..chance.usize(count) {
            self.step(chance, indent, depth);
        }
    }

    fn step(&mut self, chance: &mut Rng, indent: usize, depth: usize) {
        match chance.u32(..12) {
            0..=4 => self.plain(chance, indent, depth, |writer, chance| {
                let adopt = if chance.bool() { ", if_exists: adopt" } else { "" };
                format!("make-thing: {{name: {}{adopt}}}", writer.name(chance))
            }),
            5..=7 => self.plain(chance, indent, depth, |writer, chance| {
                format!("set-thing: {{name: {}, value: {}}}", writer.name(chance), chance.u64(..4))
            }),
            8 => self.plain(chance, indent, depth, |_, chance| {
                format!("remove-thing: {{name: own-{}}}", chance.u64(..NAMES))
            }),
            9 => {
                let names = format!("[{}, {}]", plain_name(chance), plain_name(chance));
                self.line(indent, &format!("- for_each: {names}"));
                self.line(indent, "  make-thing: {name: \"{{ item }}\", if_exists: adopt}");
            }
            10 if depth < DEEPEST => self.block(chance, indent, depth),
            11 if depth == 0 && !self.cleans => {
                self.cleans = true;
                self.line(indent, "- cleanup: {}");
            }
            _ => self.plain(chance, indent, depth, |writer, chance| {
                format!("make-thing: {{name: {}}}", writer.name(chance))
            }),
        }
    }

    fn block(&mut self, chance: &mut Rng, indent: usize, depth: usize) {
        self.line(indent, "- block:");
        self.steps(chance, indent + 2, depth + 1, 1..4);
        for part in ["rescue", "always"] {
            if chance.bool() {
                self.line(indent, &format!("  {part}:"));
                self.steps(chance, indent + 2, depth + 1, 1..3);
            }
        }
    }

    fn plain(
        &mut self,
        chance: &mut Rng,
        indent: usize,
        depth: usize,
        kind: impl FnOnce(&Self, &mut Rng) -> String,
    ) {
        self.count += 1;
        let kind = kind(self, chance);
        let id = format!("s{}", self.count);
        self.line(indent, &format!("- id: {id}"));
        self.line(indent, &format!("  {kind}"));
        match chance.u32(..4) {
            0 | 1 => {
                let codes = "[AlreadyExists, NotFound, Throttling, NoAnswer, AccessDenied]";
                self.line(indent, &format!("  allow_error: {codes}"));
            }
            2 => self.line(indent, "  retry: {attempts: 2, every: 1ms}"),
            _ => {}
        }
        let is_sure = !self.text.trim_end().ends_with(']');
        if depth == 0 && is_sure {
            self.ids.push(id);
        }
    }

    /// A name as it is, or taken from an earlier step, so that there is something to depend on.
    fn name(&self, chance: &mut Rng) -> String {
        match chance.choice(&self.ids) {
            Some(id) if chance.bool() => format!("\"{{{{ steps.{id}.name }}}}\""),
            _ => plain_name(chance),
        }
    }
}

fn plain_name(chance: &mut Rng) -> String {
    let sort = if chance.u32(..3) == 0 { "foreign" } else { "own" };
    format!("{sort}-{}", chance.u64(..NAMES))
}
