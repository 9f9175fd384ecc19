//! `playbook new NAME`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The starter playbook and its handler, with `NAME` and `MODULE` where the names go.
const PLAYBOOK: &str = include_str!("new/playbook.yaml");
const HANDLER: &str = include_str!("new/handler.py");

/// Why no playbook was written.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The name is none.
    #[error("`{name}` cannot be the name of a playbook")]
    Name {
        /// The name.
        name: String,
    },
    /// It would replace something.
    #[error("{} is there already", .path.display())]
    Exists {
        /// What.
        path: PathBuf,
    },
    /// The disk is full, or the directory may not be written to.
    #[error("{} cannot be written: {source}", .path.display())]
    Unwritable {
        /// What.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl NewError {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Name { .. } => {
                "start with a letter, then letters, digits, `-` and `_`, such as `hello`"
            }
            Self::Exists { .. } => "nothing was written; choose another name",
            Self::Unwritable { .. } => {
                "choose another directory, such as `playbook new /tmp/hello`"
            }
        }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starter {
    /// The playbook.
    pub playbook: PathBuf,
    /// The handler of its function.
    pub handler: PathBuf,
    /// The schema by which an editor completes it.
    pub schema: PathBuf,
}

impl Starter {
    /// What to tell the person who asked for it.
    #[must_use]
    pub fn introduction(&self) -> String {
        let (playbook, handler) = (self.playbook.display(), self.handler.display());
        let schema = self.schema.display();
        format!(
            "Wrote {playbook} and {handler}, and {schema} for your editor. Try:\n\n  \
             playbook run {playbook} --local      with no AWS account\n  \
             playbook run {playbook} --dry-run    shows every call, makes none\n  \
             playbook run {playbook}              against your AWS account\n"
        )
    }
}

/// Writes `NAME.yaml` and `handlers/NAME.py` beside it, unless one of them is there; and `playbook.schema.json`, which is
/// this program's own and so is written anew.
///
/// # Errors
/// See [`NewError`]; nothing is written then.
pub fn write(name: &str) -> Result<Starter, NewError> {
    let bad = || NewError::Name { name: name.to_owned() };
    let bare = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")).unwrap_or(name);
    let extension =
        name.strip_prefix(bare).filter(|extension| !extension.is_empty()).unwrap_or(".yaml");
    let path = Path::new(bare);
    let stem = path.file_name().and_then(|stem| stem.to_str()).ok_or_else(bad)?;
    if !is_name(stem) || bare.ends_with(['/', '\\']) {
        return Err(bad());
    }
    let directory = path.parent().unwrap_or(Path::new(""));
    // Lambda imports the handler as a Python module, whose name has no hyphens.
    let module = stem.replace('-', "_");
    let starter = Starter {
        playbook: directory.join(format!("{stem}{extension}")),
        handler: directory.join("handlers").join(format!("{module}.py")),
        schema: directory.join("playbook.schema.json"),
    };
    for path in [&starter.playbook, &starter.handler] {
        if path.symlink_metadata().is_ok() {
            return Err(NewError::Exists { path: path.clone() });
        }
    }
    if let Some(handlers) = starter.handler.parent() {
        let unwritable = |source| NewError::Unwritable { path: handlers.to_owned(), source };
        fs::create_dir_all(handlers).map_err(unwritable)?;
    }
    let filled = |text: &str| text.replace("NAME", stem).replace("MODULE", &module);
    create(&starter.handler, &filled(HANDLER))?;
    if let Err(error) = create(&starter.playbook, &filled(PLAYBOOK)) {
        let _ = fs::remove_file(&starter.handler);
        return Err(error);
    }
    let unwritable = |source| NewError::Unwritable { path: starter.schema.clone(), source };
    fs::write(&starter.schema, super::schema::text()).map_err(unwritable)?;
    Ok(starter)
}

fn is_name(stem: &str) -> bool {
    let mut characters = stem.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && stem.len() <= 40
}

fn create(path: &Path, text: &str) -> Result<(), NewError> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(path).map_err(|source| {
            if source.kind() == io::ErrorKind::AlreadyExists {
                NewError::Exists { path: path.to_owned() }
            } else {
                NewError::Unwritable { path: path.to_owned(), source }
            }
        })?;
    file.write_all(text.as_bytes())
        .map_err(|source| NewError::Unwritable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_in(directory: &Path, name: &str) -> String {
        directory.join(name).display().to_string()
    }

    #[test]
    fn writes_a_playbook_and_its_handler() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let starter = write(&name_in(directory.path(), "my-first")).expect("is written");
        assert_eq!(starter.playbook, directory.path().join("my-first.yaml"));
        assert_eq!(starter.handler, directory.path().join("handlers/my_first.py"));
        let text = fs::read_to_string(&starter.playbook)?;
        assert!(text.contains("\nname: my-first\n"), "{text}");
        assert!(
            text.contains("code: handlers/my_first.py")
                && text.contains("handler: my_first.handler"),
            "{text}"
        );
        assert!(!text.contains("NAME") && !text.contains("MODULE"), "{text}");
        assert!(serde_yaml::from_str::<serde_yaml::Value>(&text).is_ok());
        assert!(fs::read_to_string(&starter.handler)?.contains("def handler(event, context):"));
        assert!(starter.introduction().contains("--local"));
        let schema: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&starter.schema)?)?;
        assert_eq!(schema["title"], "Playbook");
        Ok(())
    }

    #[test]
    fn the_ending_may_be_given() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let starter = write(&name_in(directory.path(), "hello.yaml")).expect("is written");
        assert_eq!(starter.playbook, directory.path().join("hello.yaml"));
        Ok(())
    }

    #[test]
    fn nothing_is_overwritten() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        fs::create_dir(directory.path().join("handlers"))?;
        let handler = directory.path().join("handlers/hello.py");
        fs::write(&handler, "mine")?;
        let refused = write(&name_in(directory.path(), "hello")).expect_err("is refused");
        assert_eq!(refused.to_string(), format!("{} is there already", handler.display()));
        assert_eq!(refused.help(), "nothing was written; choose another name");
        assert_eq!(fs::read_to_string(&handler)?, "mine");
        assert!(!directory.path().join("hello.yaml").exists());
        Ok(())
    }

    #[test]
    fn names_are_names() {
        for name in ["", ".yaml", "..", "a b", "a/", "1a", "a.b", "-x", "ünï"] {
            let refused = write(name).expect_err("is refused");
            assert!(matches!(refused, NewError::Name { .. }), "{name}: {refused}");
        }
    }
}
