//! The shipped playbooks, each with one mistake in it: whatever the mistake, `check` survives it, and what is misspelt is
//! reported where it was misspelt.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ::steps::Registry;
use language::diagnostic::{Diagnostic, Sources, render};
use language::playbook::{FileKind, Files, load};
use language::spec::Kinds;

use crate::harness::sandbox::{Sandbox, finish, repository};

const MUTANTS: u64 = 5_000;
/// Of the misspelt names, how many percent must be reported at their own line.
const LOCATED: usize = 95;
/// What stands beside a kind, at the top of a file, and in the control kinds.
const ENVELOPE: [&str; 28] = [
    "id",
    "name",
    "when",
    "for_each",
    "retry",
    "poll",
    "timeout",
    "expect_error",
    "allow_error",
    "assert",
    "outputs",
    "keep",
    "block",
    "rescue",
    "always",
    "repeat",
    "until",
    "steps",
    "include",
    "cleanup",
    "inputs",
    "vars",
    "description",
    "tags",
    "every",
    "attempts",
    "prompt",
    "default",
];

/// The disk, but for one file.
pub struct Changed<'a> {
    pub path: &'a Path,
    pub text: &'a str,
}

impl Files for Changed<'_> {
    fn read(&self, path: &Path) -> Result<String, String> {
        if path == self.path {
            return Ok(self.text.to_owned());
        }
        fs::read_to_string(path).map_err(|error| error.to_string())
    }

    fn kind(&self, path: &Path) -> Option<FileKind> {
        let metadata = fs::metadata(path).ok()?;
        Some(if metadata.is_dir() { FileKind::Directory } else { FileKind::File })
    }

    fn root_of(&self, _: &Path) -> PathBuf {
        repository().to_owned()
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        path.canonicalize().ok()
    }
}

/// What `check` says of a text that stands where the file is.
pub fn faults(path: &Path, text: &str) -> (Vec<Diagnostic>, Sources) {
    let mut sources = Sources::new();
    let loaded = load(path, &Changed { path, text }, &Registry, &mut sources);
    (loaded.err().unwrap_or_default(), sources)
}

/// Every playbook of the repository.
pub fn shipped() -> Vec<PathBuf> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("templates") {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&repository().join("playbooks"), &mut found);
    found.sort();
    found
}

/// A mistake, and the line of the name that it misspells, if it does.
struct Mutant {
    text: String,
    misspelt: Option<usize>,
}

fn mutate(text: &str, names: &BTreeSet<String>, chance: &mut fastrand::Rng) -> Mutant {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let one = chance.usize(..lines.len());
    let mut misspelt = None;
    match chance.u8(..10) {
        0 | 1 => {
            lines.remove(one);
        }
        2 | 3 => {
            let other = chance.usize(..lines.len());
            lines.swap(one, other);
        }
        4 | 5 => {
            let line = &mut lines[one];
            let indentation = line.len() - line.trim_start().len();
            let wanted = chance.usize(..indentation + 4);
            *line = format!("{}{}", " ".repeat(wanted), line.trim_start());
        }
        _ => misspelt = misspell(&mut lines, names, chance),
    }
    Mutant { text: lines.join("\n") + "\n", misspelt }
}

/// Misspells a name that the language, a kind or the playbook itself defines.
fn misspell(
    lines: &mut [String],
    names: &BTreeSet<String>,
    chance: &mut fastrand::Rng,
) -> Option<usize> {
    let mut places = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        places.extend(names_of(line, names).into_iter().map(|range| (number, range)));
    }
    let (number, range) = places.get(chance.usize(..places.len().max(1)))?.clone();
    let line = &mut lines[number];
    let wrong = misspelling(&line[range.clone()], names, chance)?;
    line.replace_range(range, &wrong);
    Some(number + 1)
}

/// Where in a line there are keys that mean something, and references.
fn names_of(line: &str, names: &BTreeSet<String>) -> Vec<std::ops::Range<usize>> {
    if line.trim_start().starts_with('#') {
        return Vec::new();
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(at) = line[start..].find(is_name).map(|at| at + start) {
        let end = line[at..].find(|c| !is_name(c)).map_or(line.len(), |length| at + length);
        let (before, after) = (&line[..at], &line[end..]);
        let begins = before.trim_end().is_empty()
            || before.trim_end().ends_with(['{', ',', '-']) && before.ends_with([' ', '{', ',']);
        let is_key = begins && (after.starts_with(": ") || after == ":");
        let is_reference =
            ["steps.", "inputs.", "vars.", "run."].iter().any(|it| before.ends_with(it));
        let word = &line[at..end];
        if word.len() > 2 && (is_reference || is_key && names.contains(word)) {
            found.push(at..end);
        }
        start = end;
    }
    found
}

fn misspelling(word: &str, names: &BTreeSet<String>, chance: &mut fastrand::Rng) -> Option<String> {
    (0..20).find_map(|_| {
        let mut letters: Vec<char> = word.chars().collect();
        let at = chance.usize(..letters.len() - 1);
        match chance.u8(..4) {
            0 => letters.swap(at, at + 1),
            1 => drop(letters.remove(at)),
            2 => letters.insert(at, letters[at]),
            _ => letters[at] = chance.lowercase(),
        }
        let wrong: String = letters.into_iter().collect();
        (wrong != word && !names.contains(&wrong) && !wrong.starts_with('-')).then_some(wrong)
    })
}

/// The names of kinds, their fields, and the language's own.
fn vocabulary() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = ENVELOPE.iter().map(ToString::to_string).collect();
    for kind in Registry.names() {
        names.insert(kind.to_owned());
        let spec = Registry.spec(kind).unwrap();
        let fields = spec.input.get("properties").and_then(serde_json::Value::as_object);
        names.extend(fields.into_iter().flat_map(|fields| fields.keys().cloned()));
    }
    names
}

#[test]
fn a_mistake_is_survived_and_a_misspelt_name_is_reported_at_its_line() {
    let names = vocabulary();
    let files = shipped();
    let texts: Vec<_> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let (mut misspelt, mut located) = (0, 0);
    let mut missed = Vec::new();
    for seed in 0..MUTANTS {
        let mut chance = fastrand::Rng::with_seed(seed);
        let which = chance.usize(..files.len());
        let mutant = mutate(&texts[which], &names, &mut chance);
        let (found, sources) = faults(&files[which], &mutant.text);
        // Drawing it must survive as well.
        let shown = render(&found, &sources, false);
        let Some(line) = mutant.misspelt else { continue };
        misspelt += 1;
        let own = found.iter().filter_map(|fault| fault.span).any(|span| {
            Path::new(sources.name(span.source)) == files[which]
                && sources.line_column(span).0 == line
        });
        if own {
            located += 1;
        } else {
            let text = mutant.text.lines().nth(line - 1).unwrap_or_default();
            let name = files[which].file_name().unwrap_or_default().display();
            missed.push(format!("seed {seed}, {name}:{line}: {text}\n{shown}"));
        }
    }
    assert!(misspelt > 1_000, "{misspelt} names were misspelt");
    println!("{located} of {misspelt} misspelt names are reported at their own line");
    assert!(
        located * 100 >= misspelt * LOCATED,
        "only {located} of {misspelt} misspelt names are reported at their own line:\n{}",
        missed.join("\n")
    );
}

#[test]
fn a_mistake_calls_nothing() {
    let names = vocabulary();
    let files = shipped();
    let sandbox = Sandbox::new();
    let mut refused = 0;
    for seed in 0..30 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let which = chance.usize(..files.len());
        let text = fs::read_to_string(&files[which]).unwrap();
        let mutant = mutate(&text, &names, &mut chance);
        sandbox.write("mutant.yaml", &mutant.text);
        let checked = sandbox.run(["check", "mutant.yaml"]);
        assert!([0, 2].contains(&checked.exit), "seed {seed}: {}", checked.stderr);
        if checked.exit == 0 {
            continue;
        }
        refused += 1;
        let mut run = sandbox.playbook(["run", "mutant.yaml", "--no-input"]);
        run.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
        let outcome = finish(run.env("AWS_REGION", "us-east-1"), "");
        assert_eq!(outcome.exit, 2, "seed {seed}: {}", outcome.stderr);
    }
    assert!(refused > 10, "{refused} were refused");
    sandbox.nothing_left();
}
