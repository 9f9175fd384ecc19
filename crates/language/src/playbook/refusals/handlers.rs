//! A handler that is not in the code.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic};
use crate::document::Node;
use crate::playbook::fields::{is_templated, quoted};
use crate::playbook::files::{FileKind, Files, locate};
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

/// Why a module is not in the code, and what the code is called instead.
type Elsewhere<'c> = (String, Option<&'c str>);

impl Language {
    /// The file and the function that a handler names.
    fn parts<'h>(&self, handler: &'h str) -> Option<(&'h str, &'h str)> {
        let parts = if self.is_python() {
            handler.rsplit_once('.')
        } else {
            // `a/b.c.d` is `c.d` in the file `a/b`.
            let name = handler.rfind('/').map_or(0, |slash| slash + 1);
            let dot = name + handler.get(name..)?.find('.')?;
            Some((handler.get(..dot)?, handler.get(dot + 1..)?))
        };
        parts.filter(|(module, function)| !module.is_empty() && !function.is_empty())
    }

    fn is_python(&self) -> bool {
        self.endings == PYTHON.endings
    }

    /// Where a module is in the code, and what to call it; nothing where nobody can tell. Where it is not there, why, and
    /// what the code is called instead.
    fn file<'c>(
        &self,
        files: &dyn Files,
        path: PathBuf,
        code: &'c str,
        module: &str,
    ) -> Result<Option<(PathBuf, String)>, Elsewhere<'c>> {
        let module = if self.is_python() { module.replace('.', "/") } else { module.to_owned() };
        let named = |ending: &&str| format!("{module}{ending}");
        let first = self.endings.first().map(named).unwrap_or_default();
        if files.kind(&path) == Some(FileKind::Directory) {
            let package = format!("{module}/__init__.py");
            let mut candidates = self.endings.iter().map(named).chain([package]);
            return candidates
                .find(|name| files.kind(&path.join(name)) == Some(FileKind::File))
                .map(|found| {
                    Some((path.join(&found), format!("{}/{found}", code.trim_end_matches('/'))))
                })
                .ok_or_else(|| (format!("there is no `{first}` in `{code}`"), None));
        }
        let name = code.rsplit('/').next().unwrap_or(code);
        let own = self.endings.iter().find_map(|ending| name.strip_suffix(*ending));
        match own {
            Some(own) if own != module => {
                Err((format!("the handler is in `{first}`, the code is `{name}`"), Some(own)))
            }
            Some(_) => Ok(Some((path, code.to_owned()))),
            None => Ok(None),
        }
    }

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
        let Some((module, function)) = language.parts(handler) else {
            return Some(
                missing(format!("`{handler}` names no function"))
                    .label("a handler is FILE.FUNCTION")
                    .help(format!("write it with the file's name: `{}.{handler}`", stem(code))),
            );
        };
        let (file, shown) = match language.file(files, path, code, module) {
            Ok(found) => found?,
            Err((message, own)) => {
                let help = match own {
                    Some(own) => format!("write `{own}.{function}`"),
                    None => "name a file that is there".to_owned(),
                };
                return Some(missing(message).label("leads to no file of the code").help(help));
            }
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
