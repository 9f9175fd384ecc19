//! `playbook new NAME`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

/// What a starter shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum StarterName {
    /// A Lambda function that is made, invoked and removed.
    #[default]
    GetStarted,
    /// A Cognito user pool whose trigger confirms those who sign up.
    Cognito,
    /// A function that is handed messages, and reports which have failed.
    Events,
    /// A SAM application that is deployed as a stack, tried and removed.
    Sam,
}

/// A file of a starter; `NAME` and `MODULE` stand where the names go, in its path too.
struct Template {
    path: &'static str,
    text: &'static str,
}

macro_rules! templates {
    ($from:literal: $($path:literal from $file:literal),+) => {
        &[$(Template { path: $path, text: include_str!(concat!("new/", $from, "/", $file)) }),+]
    };
}

impl StarterName {
    /// The playbook comes first.
    fn templates(self) -> &'static [Template] {
        match self {
            Self::GetStarted => templates!(
                "get-started": "NAME.yaml" from "playbook.yaml", "handlers/MODULE.py" from "handler.py"
            ),
            Self::Cognito => templates!(
                "cognito": "NAME.yaml" from "playbook.yaml", "handlers/MODULE.py" from "handler.py"
            ),
            Self::Events => templates!(
                "events": "NAME.yaml" from "playbook.yaml", "handlers/MODULE.py" from "handler.py"
            ),
            Self::Sam => templates!(
                "sam": "NAME.yaml" from "playbook.yaml", "templates/NAME.yaml" from "template.yaml"
            ),
        }
    }
}

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
    /// What stands beside it, such as the handler of its function.
    pub others: Vec<PathBuf>,
    /// The schema by which an editor completes it.
    pub schema: PathBuf,
}

impl Starter {
    /// What to tell the person who asked for it.
    #[must_use]
    pub fn introduction(&self) -> String {
        let playbook = self.playbook.display();
        let others: Vec<String> = self.others.iter().map(|it| it.display().to_string()).collect();
        let (others, schema) = (others.join(", "), self.schema.display());
        format!(
            "Wrote {playbook} and {others}, and {schema} for your editor. Try:\n\n  \
             playbook run {playbook} --local      with no AWS account\n  \
             playbook run {playbook} --dry-run    shows every call, makes none\n  \
             playbook run {playbook}              against your AWS account\n"
        )
    }
}

/// Writes `NAME.yaml` and what it needs beside it, such as `handlers/NAME.py`, unless one of them is there; and
/// `playbook.schema.json`, which is this program's own and so is written anew.
///
/// # Errors
/// See [`NewError`]; nothing is written then.
pub fn write(name: &str, from: StarterName) -> Result<Starter, NewError> {
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
    let filled = |text: &str| text.replace("NAME", stem).replace("MODULE", &module);
    let files: Vec<(PathBuf, String)> = from
        .templates()
        .iter()
        .map(|template| {
            let path = match template.path {
                "NAME.yaml" => format!("{stem}{extension}"),
                other => filled(other),
            };
            (directory.join(path), filled(template.text))
        })
        .collect();
    if let Some((path, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
        return Err(NewError::Exists { path: path.clone() });
    }
    create_all(&files)?;
    let schema = directory.join("playbook.schema.json");
    let unwritable = |source| NewError::Unwritable { path: schema.clone(), source };
    fs::write(&schema, super::schema::text()).map_err(unwritable)?;
    let mut paths = files.into_iter().map(|(path, _)| path);
    let playbook = paths.next().unwrap_or_default();
    Ok(Starter { playbook, others: paths.collect(), schema })
}

/// All of them or none: somebody else may be writing here too.
fn create_all(files: &[(PathBuf, String)]) -> Result<(), NewError> {
    for (at, (path, text)) in files.iter().enumerate() {
        let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
        let made = directory.map_or(Ok(()), |directory| {
            fs::create_dir_all(directory)
                .map_err(|source| NewError::Unwritable { path: directory.to_owned(), source })
        });
        if let Err(error) = made.and_then(|()| create(path, text)) {
            for (written, _) in &files[..at] {
                let _ = fs::remove_file(written);
            }
            return Err(error);
        }
    }
    Ok(())
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
        let starter = write(&name_in(directory.path(), "my-first"), StarterName::default())
            .expect("is written");
        assert_eq!(starter.playbook, directory.path().join("my-first.yaml"));
        assert_eq!(starter.others, [directory.path().join("handlers/my_first.py")]);
        let text = fs::read_to_string(&starter.playbook)?;
        assert!(text.contains("\nname: my-first\n"), "{text}");
        assert!(
            text.contains("code: handlers/my_first.py")
                && text.contains("handler: my_first.handler"),
            "{text}"
        );
        assert!(!text.contains("NAME") && !text.contains("MODULE"), "{text}");
        assert!(serde_yaml::from_str::<serde_yaml::Value>(&text).is_ok());
        assert!(fs::read_to_string(&starter.others[0])?.contains("def handler(event, context):"));
        assert!(starter.introduction().contains("--local"));
        let schema: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&starter.schema)?)?;
        assert_eq!(schema["title"], "Playbook");
        Ok(())
    }

    #[test]
    fn no_starter_keeps_a_placeholder() -> io::Result<()> {
        for from in StarterName::value_variants() {
            let directory = tempfile::tempdir()?;
            let starter = write(&name_in(directory.path(), "my-own"), *from).expect("is written");
            for path in starter.others.iter().chain([&starter.playbook]) {
                let text = fs::read_to_string(path)?;
                assert!(!text.contains("NAME") && !text.contains("MODULE"), "{text}");
            }
        }
        Ok(())
    }

    #[test]
    fn the_ending_may_be_given() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let starter = write(&name_in(directory.path(), "hello.yaml"), StarterName::default())
            .expect("is written");
        assert_eq!(starter.playbook, directory.path().join("hello.yaml"));
        Ok(())
    }

    #[test]
    fn nothing_is_overwritten() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        fs::create_dir(directory.path().join("handlers"))?;
        let handler = directory.path().join("handlers/hello.py");
        fs::write(&handler, "mine")?;
        let refused = write(&name_in(directory.path(), "hello"), StarterName::default())
            .expect_err("is refused");
        assert_eq!(refused.to_string(), format!("{} is there already", handler.display()));
        assert_eq!(refused.help(), "nothing was written; choose another name");
        assert_eq!(fs::read_to_string(&handler)?, "mine");
        assert!(!directory.path().join("hello.yaml").exists());
        Ok(())
    }

    #[test]
    fn names_are_names() {
        for name in ["", ".yaml", "..", "a b", "a/", "1a", "a.b", "-x", "ünï"] {
            let refused = write(name, StarterName::default()).expect_err("is refused");
            assert!(matches!(refused, NewError::Name { .. }), "{name}: {refused}");
        }
    }
}
