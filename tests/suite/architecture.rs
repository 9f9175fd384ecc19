//! The shape of the code: who may know whom, how long things may be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

use crate::harness::sandbox::{Sandbox, repository};

/// Files that read better whole although they are longer than the rest, and why.
const LONG: &[(&str, &str)] = &[];
const LONGEST_FILE: usize = 500;

/// What neither calls, nor reads, nor looks at the clock; and what it may know of the rest.
const PURE: &[&str] = &[
    "diagnostic",
    "document",
    "template",
    "playbook",
    "event.rs",
    "redactor.rs",
    "step/spec.rs",
    "step/question.rs",
    "journal/entry.rs",
];
const PURE_NAMES: &[&str] = &[
    "diagnostic",
    "document",
    "template",
    "playbook",
    "event",
    "redactor",
    "step::spec",
    "step::question",
    "step::Question",
    "step::QuestionType",
    "journal::entry",
];
/// What has an effect or a clock in the standard library and the crates.
const EFFECTS: &str = r"\b(std::(fs|net|process|env|thread)\b|std::io\b|tokio::|reqwest::|hyper::|aws_\w+::|SystemTime|Instant\b|Timestamp::now)";

/// A source file, without its tests.
struct Source {
    /// Relative to `src`.
    name: String,
    code: String,
    lines: usize,
}

impl Source {
    fn is_in(&self, module: &str) -> bool {
        let file = format!("{module}.rs");
        self.name == module || self.name == file || self.name.starts_with(&format!("{module}/"))
    }

    /// What it names of this crate: `crate::a::b` with two segments, groups in braces resolved.
    fn names(&self) -> BTreeSet<String> {
        let path = Regex::new(r"\bcrate::(\w+)(?:::(\{[^;]*?\}|\w+))?").unwrap();
        let word = Regex::new(r"\w+").unwrap();
        let mut names = BTreeSet::new();
        for found in path.captures_iter(&self.code) {
            let module = &found[1];
            match found.get(2).map(|rest| rest.as_str()) {
                None => {
                    names.insert(module.to_owned());
                }
                Some(group) if group.starts_with('{') => {
                    names.extend(
                        word.find_iter(group).map(|name| format!("{module}::{}", name.as_str())),
                    );
                }
                Some(name) => {
                    names.insert(format!("{module}::{name}"));
                }
            }
        }
        names
    }
}

fn sources() -> Vec<Source> {
    let root = repository().join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let sources = files.into_iter().map(|path| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let comments = Regex::new(r"(?m)^\s*//.*$").unwrap();
        Source { name, code: comments.replace_all(code, "").into_owned(), lines }
    });
    sources.filter(|source| !source.name.contains("tests")).collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

/// Fails with every name that a file may not know.
#[track_caller]
fn nobody(breaks: impl Fn(&Source, &str) -> bool, rule: &str) {
    let sources = sources();
    assert!(sources.len() > 100, "the sources are found");
    let mut broken = Vec::new();
    for source in &sources {
        let names = source.names();
        broken.extend(
            names
                .iter()
                .filter(|name| breaks(source, name))
                .map(|name| format!("src/{}: crate::{name}", source.name)),
        );
    }
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

fn is_of(name: &str, module: &str) -> bool {
    name == module || name.starts_with(&format!("{module}::"))
}

fn is_pure(source: &Source) -> bool {
    PURE.iter().any(|module| source.is_in(module))
}

#[test]
fn pure_modules_know_only_pure_modules() {
    nobody(
        |source, name| is_pure(source) && !PURE_NAMES.iter().any(|known| is_of(name, known)),
        "a pure module knows an effectful one",
    );
}

#[test]
fn pure_modules_have_no_effects() {
    let effects = Regex::new(EFFECTS).unwrap();
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| is_pure(source)) {
        broken.extend(
            effects
                .find_iter(&source.code)
                .map(|found| format!("src/{}: {}", source.name, found.as_str())),
        );
    }
    assert!(broken.is_empty(), "a pure module reaches for the world:\n{}", broken.join("\n"));
}

#[test]
fn steps_know_the_door_and_the_step_trait() {
    nobody(
        |source, name| {
            source.is_in("steps")
                && !["aws", "step", "steps"].iter().any(|known| is_of(name, known))
        },
        "a step kind knows more than `aws` and `step`",
    );
}

#[test]
fn reports_know_events() {
    nobody(
        |source, name| {
            source.is_in("report") && !["event", "report"].iter().any(|known| is_of(name, known))
        },
        "a reporter knows more than `event`",
    );
}

#[test]
fn the_embedded_aws_is_known_to_the_command_line_and_to_chaos_alone() {
    let may = |source: &Source| ["local", "cli", "chaos"].iter().any(|room| source.is_in(room));
    nobody(
        |source, name| is_of(name, "local") && !may(source),
        "`local` is known outside `cli` and `chaos`",
    );
    nobody(
        |source, name| is_of(name, "chaos") && !source.is_in("chaos") && !source.is_in("cli"),
        "`chaos` is known outside `cli`",
    );
    nobody(
        |source, name| source.is_in("local") && !is_of(name, "local"),
        "`local` knows something of the program that it serves",
    );
}

#[test]
fn nobody_knows_the_command_line() {
    nobody(
        |source, name| is_of(name, "cli") && !source.is_in("cli"),
        "`cli` is known outside itself",
    );
}

#[test]
fn the_way_in_is_short() {
    let main = fs::read_to_string(repository().join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 40, "main.rs is to fit on half a screen");
}

#[test]
fn files_are_short_or_say_why_not() {
    let sources = sources();
    let reason = |source: &Source| LONG.iter().find(|(name, _)| *name == source.name);
    let long: Vec<String> = sources
        .iter()
        .filter(|source| source.lines > LONGEST_FILE && reason(source).is_none())
        .map(|source| format!("src/{}: {} lines", source.name, source.lines))
        .collect();
    assert!(long.is_empty(), "split these, or list them with a reason:\n{}", long.join("\n"));
    for (name, _) in LONG {
        let listed = sources.iter().find(|source| source.name == *name);
        assert!(
            listed.is_some_and(|source| source.lines > LONGEST_FILE),
            "src/{name} need not be listed any more"
        );
    }
}

#[test]
fn no_module_is_called_after_nothing() {
    let vague = Regex::new(r"(^|/)(utils?|helpers?|common|misc|shared|stuff)(\.rs|/)").unwrap();
    let found: Vec<String> = sources()
        .into_iter()
        .map(|source| source.name)
        .filter(|name| vague.is_match(name))
        .collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_step_kind_has_a_registry_line() {
    let registry = fs::read_to_string(repository().join("src/steps/mod.rs")).unwrap();
    let lines: BTreeSet<&str> =
        registry.lines().filter_map(|line| line.trim().split(' ').next()).collect();
    let mut missing = Vec::new();
    for entry in fs::read_dir(repository().join("src/steps")).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_kind = fs::read_to_string(&path).is_ok_and(|text| text.contains(" StepKind for "));
        if is_kind && !lines.contains(module.as_str()) {
            missing.push(module);
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "these files of src/steps are not in the registry");
    let names: Vec<&str> = playbook::steps::KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "two kinds have one name");
}

#[test]
fn nothing_promises_what_is_not_there() {
    let promise = Regex::new(r"\b(todo!|unimplemented!|dbg!|TODO|FIXME|XXX)").unwrap();
    for source in sources() {
        assert!(!promise.is_match(&source.code), "src/{} promises something", source.name);
    }
}

#[test]
fn the_commands_of_the_readme_exist() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let blocks = Regex::new(r"(?s)```(?:sh|bash|console|shell)\n(.*?)```").unwrap();
    let command = Regex::new(
        r"(?:^|&& |\$ )(?:target/\w+/playbook|playbook|cargo run (?:[-\w]+ )*--) ([a-z]+)(.*)",
    )
    .unwrap();
    let flag = Regex::new(r"--[a-z][-a-z]*").unwrap();
    let sandbox = Sandbox::new();
    let mut found = 0;
    for block in blocks.captures_iter(&readme) {
        for line in block[1].lines() {
            let Some(parts) = command.captures(line.trim()) else { continue };
            found += 1;
            let arguments = parts[2].split(" # ").next().unwrap_or_default();
            let help = sandbox.run([&parts[1], "--help"]).exited(0).stdout;
            for used in flag.find_iter(arguments) {
                assert!(
                    help.contains(used.as_str()),
                    "`{line}`: `playbook {}` has no {}",
                    &parts[1],
                    used.as_str()
                );
            }
            let files = arguments
                .split(' ')
                .filter(|word| word.starts_with("playbooks/") && word.contains(".yaml"));
            for file in files.filter(|file| !file.contains('*')) {
                assert!(repository().join(file).exists(), "`{line}`: there is no {file}");
            }
        }
    }
    assert!(found >= 2, "the README shows commands");
}
