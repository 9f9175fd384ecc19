//! What is said of a path that leads nowhere, or too far.

use std::path::Path;

use super::files::{Files, PathFault, common, directory_of, locate, near_file, near_path};
use super::project::PROJECT_FILE;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Span};

/// Where a playbook's paths lead from, and how far.
pub(super) struct PathChecks<'p> {
    pub(super) files: &'p dyn Files,
    /// What paths are relative to.
    pub(super) directory: &'p Path,
    /// What they must lie under.
    pub(super) top: &'p Path,
    /// The library that they are in, if any.
    pub(super) library: Option<&'p str>,
}

impl PathChecks<'_> {
    /// What is wrong with a path, and what was probably meant.
    pub(super) fn fault(
        &self,
        why: PathFault,
        span: Span,
        written: &str,
        scope: &Scope,
    ) -> Diagnostic {
        let shown = match self.library {
            Some(library) => format!("{library}:{written}"),
            None => written.to_owned(),
        };
        let (code, message, label, help) = match why {
            PathFault::Missing if written.starts_with('~') => (
                Code::MissingFile,
                format!("there is no `{written}`"),
                "`~` is a name like any other here",
                "paths are relative to the playbook's directory: move the file there".to_owned(),
            ),
            PathFault::Missing => (
                Code::MissingFile,
                format!("there is no `{shown}`"),
                "leads to no file",
                match self.library {
                    Some(library) => {
                        format!("the library `{library}` is `{}`", self.directory.display())
                    }
                    None => format!(
                        "paths are relative to the playbook's directory, `{}`",
                        self.directory.display()
                    ),
                },
            ),
            PathFault::Outside if self.library.is_some() => (
                Code::OutsideRoot,
                format!("`{shown}` lies outside the library"),
                "not read from here",
                format!("move the file under `{}`", self.top.display()),
            ),
            PathFault::Outside => (
                Code::OutsideRoot,
                format!("`{written}` lies outside the project"),
                "not read from here",
                self.marking_help(written),
            ),
        };
        let fault = Diagnostic::new(code, message).at(span).label(label);
        let elsewhere = near_path(self.files, self.directory, self.top, written);
        match elsewhere.or_else(|| self.near(why, written, scope)) {
            Some(near) if let Some(library) = self.library => {
                fault.help(format!("did you mean `{library}:{near}`?"))
            }
            Some(near) => {
                fault.help(format!("did you mean `{near}`? Paths are relative to the playbook"))
            }
            None => fault.help(help),
        }
    }

    /// How to have what lies outside belong to the project.
    fn marking_help(&self, written: &str) -> String {
        let top = self.top.display();
        match common(self.files, self.directory, self.top, written) {
            Some(common) => format!(
                "the project is `{top}`: to have it be `{}`, put an empty `{PROJECT_FILE}` there",
                common.display()
            ),
            None => format!("move the file under `{top}`"),
        }
    }

    /// A file beside the one that is missing. What lies outside the project is not looked at.
    fn near(&self, why: PathFault, written: &str, scope: &Scope) -> Option<String> {
        if why != PathFault::Missing {
            return None;
        }
        let names = self.files.names(&directory_of(&self.directory.join(written)));
        let near = near_file(&names, Path::new(written), |word, names| scope.guess(word, names))?;
        let near = near.to_str()?.to_owned();
        locate(self.files, self.directory, self.top, &near).is_ok().then_some(near)
    }
}
