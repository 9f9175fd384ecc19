//! A handler that is not in the code.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic};
use crate::document::Node;
use crate::playbook::fields::{is_templated, quoted};
use crate::playbook::files::{FileKind, locate};
use crate::playbook::load::{Reader, read};

/// No more functions of a file are told.
const MOST_FUNCTIONS: usize = 20;

/// A language that handlers are looked for in.
struct Language {
    /// How its files end, the usual first.
    endings: &'static [&'static str],
    /// What stands before the name of a function.
    before: &'static [&'static str],
    /// What brings in names that nobody sees.
    hides: &'static [&'static str],
}

const PYTHON: Language = Language {
    endings: &[".py"],
    before: &["def ", "async def "],
    hides: &["import *", "globals()", "setattr("],
};

const NODE: Language = Language {
    endings: &[".mjs", ".js", ".cjs"],
    before: &[
        "export function ",
        "export async function ",
        "export const ",
        "export let ",
        "exports.",
        "module.exports.",
    ],
    hides: &[
        "export *",
        "module.exports =",
        "module.exports=",
        "Object.assign(exports",
        "exports[",
    ],
};

fn language(runtime: &str) -> Option<&'static Language> {
    if runtime.starts_with("python") {
        return Some(&PYTHON);
    }
    runtime.starts_with("nodejs").then_some(&NODE)
}

impl Language {
    /// The functions of a text that a handler can be.
    fn functions<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let name = |line: &'t str| {
            let name = self.before.iter().find_map(|before| line.strip_prefix(before))?;
            let end = name.find(|it: char| !it.is_alphanumeric() && it != '_' && it != '$');
            name.get(..end?).filter(|name| !name.is_empty())
        };
        text.lines().filter_map(name).take(MOST_FUNCTIONS).collect()
    }
}

impl Reader<'_, '_> {
    /// Looks for a handler, `FILE.FUNCTION`, in the code that the step names.
    pub(super) fn handler(&mut self, node: &Node, runtime: Option<&Node>, code: Option<&Node>) {
        let plain =
            |node: &Node| node.as_str().filter(|text| !is_templated(text)).map(str::to_owned);
        let (Some(handler), Some(runtime), Some(code)) =
            (plain(node), runtime.and_then(plain), code.and_then(plain))
        else {
            return;
        };
        let Some(language) = language(&runtime) else { return };
        let fault = self.missing_handler(&handler, language, &code);
        self.faults.extend(fault.map(|fault| fault.at(node.span)));
    }

    fn missing_handler(
        &self,
        handler: &str,
        language: &Language,
        code: &str,
    ) -> Option<Diagnostic> {
        let files = self.loader.files;
        let path = locate(files, &self.directory, &self.root, code).ok()?;
        let python = language.endings == PYTHON.endings;
        let split = if python {
            handler.rsplit_once('.')
        } else {
            // `a/b.c.d` is `c.d` in the file `a/b`.
            let name = handler.rfind('/').map_or(0, |slash| slash + 1);
            let dot = handler.get(name..)?.find('.').map(|dot| name + dot);
            dot.and_then(|dot| Some((handler.get(..dot)?, handler.get(dot + 1..)?)))
        };
        let Some((module, function)) =
            split.filter(|(module, function)| !module.is_empty() && !function.is_empty())
        else {
            return Some(
                missing(format!("`{handler}` names no function"))
                    .label("a handler is FILE.FUNCTION")
                    .help(format!("write it with the file's name: `{}.{handler}`", stem(code))),
            );
        };
        let module = if python { module.replace('.', "/") } else { module.to_owned() };
        let (file, shown) = if files.kind(&path) == Some(FileKind::Directory) {
            let mut candidates = language
                .endings
                .iter()
                .map(|ending| format!("{module}{ending}"))
                .collect::<Vec<_>>();
            candidates.push(format!("{module}/__init__.py"));
            let found =
                candidates.iter().find(|name| files.kind(&path.join(name)) == Some(FileKind::File));
            let Some(found) = found else {
                return Some(
                    missing(format!("there is no `{}` in `{code}`", candidates.first()?))
                        .label("a handler is FILE.FUNCTION")
                        .help("name a file that is there"),
                );
            };
            (path.join(found), format!("{}/{found}", code.trim_end_matches('/')))
        } else {
            let ending = language.endings.iter().find(|ending| code.ends_with(*ending))?;
            let name = Path::new(code).file_name()?.to_str()?;
            let own = name.strip_suffix(ending)?;
            if module != own {
                return Some(
                    missing(format!("`{handler}` is in `{module}{ending}`, the code is `{name}`"))
                        .label("names another file")
                        .help(format!("write `{own}.{function}`")),
                );
            }
            (path, code.to_owned())
        };
        let text = read(&file, files).ok()?;
        let name = function.split('.').next().unwrap_or(function);
        if has_word(&text, name) || language.hides.iter().any(|hides| text.contains(hides)) {
            return None;
        }
        let known = language.functions(&text);
        let near = self.scope.guess(name, known.iter().copied());
        let module = handler.strip_suffix(function).unwrap_or_default();
        let fault =
            missing(format!("there is no `{name}` in `{shown}`")).label("names no function");
        Some(match (near, known.as_slice()) {
            (Some(near), _) => fault.help(format!("did you mean `{module}{near}`?")),
            (None, [only]) => fault.help(format!("write `{module}{only}`")),
            (None, []) => fault.help("name a function that is there"),
            (None, _) => fault.help(format!("its functions are {}", quoted(known.iter().copied()))),
        })
    }
}

fn missing(message: String) -> Diagnostic {
    Diagnostic::new(Code::MissingHandler, message)
}

fn stem(code: &str) -> &str {
    Path::new(code).file_stem().and_then(|stem| stem.to_str()).unwrap_or("index")
}

/// Whether a word stands anywhere in a text, in whatever role.
fn has_word(text: &str, word: &str) -> bool {
    let part = |it: char| it.is_alphanumeric() || it == '_' || it == '$';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}
