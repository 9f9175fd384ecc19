//! The shape of the code: who may know whom, how long things may be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

use crate::harness::sandbox::{Sandbox, repository};

/// Files that read better whole although they are longer than the rest, and why.
const LONG: &[(&str, &str)] = &[];
const LONGEST_FILE: usize = 500;

/// Who may know whom: the crates of the workspace, and the command at its root.
const ARROWS: &[(&str, &[&str])] = &[
    ("language", &[]),
    ("aws-model", &[]),
    ("aws", &["aws-model"]),
    ("engine", &["aws", "language"]),
    ("steps", &["engine"]),
    ("local-aws", &["aws-model"]),
    (".", &["aws", "aws-model", "engine", "language", "local-aws", "steps"]),
];

/// What neither calls, nor reads, nor looks at the clock.
const PURE: &[&str] = &[
    "crates/language/src",
    "crates/aws-model/src",
    "crates/engine/src/event",
    "crates/engine/src/redactor",
    "crates/engine/src/journal/entry",
];
/// What has an effect or a clock in the standard library and the crates.
const EFFECTS: &str = r"\b(std::(fs|process|env|thread)\b|std::net::(Tcp|Udp|ToSocket)|std::io::(stdin|stdout|stderr)|tokio::|reqwest::|hyper::|aws_\w+::|SystemTime|Instant\b|Timestamp::now)";

/// A source file, without its tests.
struct Source {
    /// Relative to the repository.
    name: String,
    code: String,
    lines: usize,
}

impl Source {
    fn is_in(&self, place: &str) -> bool {
        self.name == format!("{place}.rs") || self.name.starts_with(&format!("{place}/"))
    }

    fn breaks(&self, rule: &Regex) -> Vec<String> {
        let found = rule.find_iter(&self.code);
        found.map(|found| format!("{}: {}", self.name, found.as_str())).collect()
    }
}

fn sources() -> Vec<Source> {
    let root = repository();
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    collect(&root.join("crates"), &mut files);
    files.sort();
    let comments = Regex::new(r"(?m)^\s*//.*$").unwrap();
    let sources = files.into_iter().map(|path| {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        Source { name, code: comments.replace_all(code, "").into_owned(), lines }
    });
    let sources: Vec<_> = sources.filter(|source| !source.name.contains("tests")).collect();
    assert!(sources.len() > 100, "the sources are found");
    sources
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

/// Fails with every place in `room` that says what the rule forbids.
#[track_caller]
fn nowhere(room: impl Fn(&Source) -> bool, forbidden: &str, rule: &str) {
    let forbidden = Regex::new(forbidden).unwrap();
    let rooms: Vec<Source> = sources().into_iter().filter(room).collect();
    assert!(!rooms.is_empty(), "there are sources to look at: {rule}");
    let broken: Vec<String> = rooms.iter().flat_map(|source| source.breaks(&forbidden)).collect();
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

/// The compiler lets a crate use what its manifest names; this holds the manifests against the picture.
#[test]
fn the_crates_know_whom_they_may() {
    let names: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for (name, known) in ARROWS {
        let manifest = match *name {
            "." => repository().join("Cargo.toml"),
            name => repository().join("crates").join(name).join("Cargo.toml"),
        };
        let text = fs::read_to_string(manifest).unwrap();
        let section = text.split("\n[dependencies]\n").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        let arrows: Vec<&str> = section
            .lines()
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .filter(|it| names.contains(it))
            .collect();
        let strange: Vec<_> = arrows.iter().filter(|it| !known.contains(it)).collect();
        assert!(strange.is_empty(), "{name} knows {strange:?}");
    }
    for entry in fs::read_dir(repository().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(names.contains(&name.as_str()), "crates/{name} stands nowhere in the picture");
    }
}

#[test]
fn what_is_pure_has_no_effects() {
    nowhere(
        |source| PURE.iter().any(|place| source.is_in(place)),
        EFFECTS,
        "a pure module reaches for the world",
    );
}

#[test]
fn reports_know_events() {
    nowhere(
        |source| source.is_in("src/report"),
        r"\b(language|aws|aws_model|steps|local_aws|crate::(cli|chaos|prompt))::|engine::(cleanup|journal|redactor|run|sink|step)\b",
        "a reporter knows more than events",
    );
}

#[test]
fn the_embedded_aws_is_known_to_the_command_line_and_to_chaos_alone() {
    nowhere(
        |source| source.is_in("src/report") || source.is_in("src/prompt"),
        r"\blocal_aws::",
        "`local-aws` is known outside `cli` and `chaos`",
    );
    nowhere(
        |source| source.is_in("src") && !source.is_in("src/chaos") && !source.is_in("src/cli"),
        r"\bcrate::chaos\b",
        "`chaos` is known outside `cli`",
    );
}

#[test]
fn nobody_knows_the_command_line() {
    nowhere(
        |source| source.is_in("src") && !source.is_in("src/cli"),
        r"\bcrate::cli\b",
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
        .map(|source| format!("{}: {} lines", source.name, source.lines))
        .collect();
    assert!(long.is_empty(), "split these, or list them with a reason:\n{}", long.join("\n"));
    for (name, _) in LONG {
        let listed = sources.iter().find(|source| source.name == *name);
        assert!(
            listed.is_some_and(|source| source.lines > LONGEST_FILE),
            "{name} need not be listed any more"
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
    let registry = fs::read_to_string(repository().join("crates/steps/src/steps/mod.rs")).unwrap();
    let lines: BTreeSet<&str> =
        registry.lines().filter_map(|line| line.trim().split(' ').next()).collect();
    let mut missing = Vec::new();
    for entry in fs::read_dir(repository().join("crates/steps/src/steps")).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_kind = fs::read_to_string(&path).is_ok_and(|text| text.contains(" StepKind for "));
        if is_kind && !lines.contains(module.as_str()) {
            missing.push(module);
        }
    }
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "these files of crates/steps are not in the registry"
    );
    let names: Vec<&str> = ::steps::KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "two kinds have one name");
}

/// The modules of the verbs, such as `create_role`.
fn verbs() -> BTreeSet<String> {
    let verbs = fs::read_dir(repository().join("crates/steps/src/steps")).unwrap();
    let names = verbs.map(|entry| entry.unwrap().path());
    let names = names.filter(|path| path.extension().is_some_and(|it| it == "rs"));
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    names.map(stem).filter(|name| !matches!(name.as_str(), "mod" | "tests")).collect()
}

/// What two verbs have in common is a noun's, and stands in `resources`.
#[test]
fn no_verb_knows_another() {
    let verbs = verbs();
    let named = Regex::new(r"\b(?:super|steps)::(?:\{[^}]*\}|\w+)").unwrap();
    let word = Regex::new(r"\w+").unwrap();
    let mut broken = Vec::new();
    let mut seen = 0;
    for source in sources().iter().filter(|source| source.name.starts_with("crates/steps/src/")) {
        let own = source.name.trim_start_matches("crates/steps/src/");
        let own = own.strip_prefix("steps/").map(|it| it.split(['/', '.']).next().unwrap());
        seen += usize::from(own.is_some());
        for path in named.find_iter(&source.code) {
            let words = word.find_iter(path.as_str()).skip(1).map(|it| it.as_str());
            let others = words.filter(|it| verbs.contains(*it) && Some(*it) != own);
            broken.extend(others.map(|other| format!("{} names {other}", source.name)));
        }
    }
    assert!(seen > 40 && verbs.len() > 40, "the verbs are found");
    assert_eq!(broken, Vec::<String>::new(), "a verb, or a noun, names a verb");
}

/// A noun is one file: whoever undoes, lists or explains asks it.
#[test]
fn the_journal_knows_no_resource_type() {
    nowhere(
        |source| source.is_in("crates/engine/src/journal"),
        r#""AWS::|\b(?i:iam|lambda|dynamodb|cognito|cloudformation|s3)\b"#,
        "the journal knows a resource type",
    );
}

#[test]
fn no_step_asks_whether_calls_are_planned() {
    nowhere(
        |source| source.is_in("crates/steps/src"),
        r"\bis_dry_run\b",
        "a step asks what only the client and the engine are to know",
    );
}

#[test]
fn nothing_promises_what_is_not_there() {
    let promise = Regex::new(r"\b(todo!|unimplemented!|dbg!|TODO|FIXME|XXX)").unwrap();
    for source in sources() {
        assert!(!promise.is_match(&source.code), "{} promises something", source.name);
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
