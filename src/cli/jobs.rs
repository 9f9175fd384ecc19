//! Which runs a command line asks for: playbooks and directories of them, chosen by tags, each in every cell of a matrix.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::args::RunArgs;
use super::exit::Exit;
use super::output::Output;
use language::playbook::{Action, Matrix, Playbook};

/// More cells than these are a mistake.
const MOST_CELLS: usize = 10_000;

/// A run that is asked for.
pub(super) struct Job {
    pub(super) playbook: Arc<Playbook>,
    /// Those of the command line, with the values of its cell.
    pub(super) args: RunArgs,
    /// The values of its cell, for people; nothing without a matrix.
    pub(super) cell: Option<String>,
}

/// The files that are named, and those in the directories that are named, in order.
pub(super) fn files(args: &RunArgs, output: Output) -> Result<Vec<PathBuf>, Exit> {
    let mut files = Vec::new();
    for named in &args.files {
        if !named.is_dir() {
            files.push(named.clone());
            continue;
        }
        let mut found = Vec::new();
        playbooks_in(named, &mut found).map_err(|error| {
            let message = format!("{}: {error}", named.display());
            output.fail(&message, Some("name a directory that can be read"))
        })?;
        if found.is_empty() {
            let message = format!("there is no playbook in {}", named.display());
            return Err(
                output.fail(&message, Some("name a directory with files that end in .yaml"))
            );
        }
        files.extend(found);
    }
    Ok(files)
}

/// The playbooks in a directory and in those inside it, by name. Other YAML, such as a template, has no steps.
fn playbooks_in(directory: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let entries = std::fs::read_dir(directory)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            playbooks_in(&path, found)?;
        } else if path.extension().is_some_and(|it| it == "yaml" || it == "yml") {
            let text = engine::regular_file::read_to_string(&path, super::disk::LONGEST);
            let has_steps = |text: String| text.lines().any(|line| line.starts_with("steps:"));
            if text.is_ok_and(has_steps) {
                found.push(path);
            }
        }
    }
    Ok(())
}

/// Of playbooks that lie in directories, those that others include are parts, and not run by themselves. Of what is left,
/// those with one of the tags, where tags are asked for.
pub(super) fn chosen(
    args: &RunArgs,
    playbooks: Vec<Arc<Playbook>>,
    output: Output,
) -> Result<Vec<Arc<Playbook>>, Exit> {
    let mut parts = Vec::new();
    for playbook in &playbooks {
        playbook.walk(&mut |step| {
            if let Action::Include { playbook, .. } = &step.action {
                parts.extend(playbook.file.canonicalize());
            }
        });
    }
    let is_named = |playbook: &Playbook| args.files.contains(&playbook.file);
    let is_part =
        |playbook: &Playbook| playbook.file.canonicalize().is_ok_and(|file| parts.contains(&file));
    let has_tag = |playbook: &Playbook| {
        args.tags.is_empty() || playbook.tags.iter().any(|tag| args.tags.contains(tag))
    };
    let chosen: Vec<_> = playbooks
        .iter()
        .filter(|playbook| (is_named(playbook) || !is_part(playbook)) && has_tag(playbook))
        .cloned()
        .collect();
    if chosen.is_empty() && !args.tags.is_empty() {
        let mut known: Vec<&str> =
            playbooks.iter().flat_map(|playbook| &playbook.tags).map(String::as_str).collect();
        known.sort_unstable();
        known.dedup();
        let help = match known.as_slice() {
            [] => "none of them has `tags`".to_owned(),
            known => format!("their tags are {}", known.join(", ")),
        };
        let message = format!("no playbook has the tag {}", args.tags.join(" or "));
        return Err(output.fail(&message, Some(&help)));
    }
    Ok(chosen)
}

/// `--matrix FILE`: each of its lists is one direction of the matrix.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    /// The values of inputs, by name.
    inputs: BTreeMap<String, Vec<Value>>,
    /// Regions.
    regions: Vec<String>,
    /// Profiles of the AWS configuration, and so accounts and roles.
    profiles: Vec<String>,
}

/// One value of each direction.
#[derive(Debug, Clone, Default, PartialEq)]
struct Cell {
    inputs: Vec<(String, Value)>,
    region: Option<String>,
    profile: Option<String>,
}

impl From<File> for Matrix {
    fn from(File { inputs, regions, profiles }: File) -> Self {
        Self { inputs: inputs.into_iter().collect(), regions, profiles }
    }
}

/// Every combination of what the lists of a matrix have.
trait Cells {
    fn cells(&self) -> Vec<Cell>;
}

impl Cells for Matrix {
    fn cells(&self) -> Vec<Cell> {
        let mut cells = vec![Cell::default()];
        let mut multiply = |choices: usize, set: &dyn Fn(&mut Cell, usize)| {
            let one_more = |cell: &Cell| {
                let cell = cell.clone();
                (0..choices).map(move |choice| {
                    let mut cell = cell.clone();
                    set(&mut cell, choice);
                    cell
                })
            };
            cells = cells.iter().flat_map(one_more).take(MOST_CELLS + 1).collect();
        };
        for (name, values) in &self.inputs {
            multiply(values.len(), &|cell, choice| {
                let value = values.get(choice).cloned().unwrap_or_default();
                cell.inputs.push((name.clone(), value));
            });
        }
        if !self.regions.is_empty() {
            let regions = &self.regions;
            multiply(regions.len(), &|cell, choice| cell.region = regions.get(choice).cloned());
        }
        if !self.profiles.is_empty() {
            let profiles = &self.profiles;
            multiply(profiles.len(), &|cell, choice| cell.profile = profiles.get(choice).cloned());
        }
        cells
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Cell {
    /// The arguments of the command line, with these values instead of theirs.
    fn args(&self, args: &RunArgs) -> RunArgs {
        let mut args = args.clone();
        for (name, value) in &self.inputs {
            let is_it = |given: &String| {
                given.split_once('=').is_some_and(|(given, _)| given.trim() == name)
            };
            args.input.retain(|given| !is_it(given));
            args.input.push(format!("{name}={}", as_text(value)));
        }
        args.region = self.region.clone().or(args.region);
        args.profile = self.profile.clone().or(args.profile);
        args
    }

    /// Such as `runtime=python3.13, eu-west-1`.
    fn label(&self) -> Option<String> {
        let inputs = self.inputs.iter().map(|(name, value)| format!("{name}={}", as_text(value)));
        let label: Vec<String> =
            inputs.chain(self.region.clone()).chain(self.profile.clone()).collect();
        (!label.is_empty()).then(|| label.join(", "))
    }
}

/// The runs: every playbook in every cell, of the matrix that the command line names, or else of its own.
pub(super) fn all(
    args: &RunArgs,
    playbooks: &[Arc<Playbook>],
    output: Output,
) -> Result<Vec<Job>, Exit> {
    let named = args.matrix.as_deref().map(|path| read(path, output)).transpose()?;
    if let Some(matrix) = &named {
        let clash = [
            (args.region.is_some() && !matrix.regions.is_empty(), "regions", "--region"),
            (args.profile.is_some() && !matrix.profiles.is_empty(), "profiles", "--profile"),
        ];
        if let Some((_, list, option)) = clash.iter().find(|(clashes, ..)| *clashes) {
            let message = format!("the matrix has `{list}`, and `{option}` names one");
            return Err(output.fail(&message, Some("leave one of the two out")));
        }
    }
    let mut jobs = Vec::new();
    for playbook in playbooks {
        let own = || of_its_own(&playbook.matrix, args);
        let cells = named.clone().unwrap_or_else(own).cells();
        if cells.is_empty() || cells.len() > MOST_CELLS {
            let message = match cells.len() {
                0 => "the matrix has an empty list, and so no cell".to_owned(),
                _ => format!("the matrix has more than {MOST_CELLS} cells"),
            };
            return Err(
                output.fail(&message, Some("write fewer values, and at least one in each list"))
            );
        }
        jobs.extend(cells.iter().map(|cell| Job {
            playbook: Arc::clone(playbook),
            args: cell.args(args),
            cell: cell.label(),
        }));
    }
    Ok(jobs)
}

/// A playbook's own matrix. What the command line gives stands for the whole list, so that one cell can be run by itself; profiles
/// mean nothing to the embedded AWS.
fn of_its_own(matrix: &Matrix, args: &RunArgs) -> Matrix {
    let mut matrix = matrix.clone();
    let is_given = |name: &str| {
        args.input
            .iter()
            .any(|given| given.split_once('=').is_some_and(|(it, _)| it.trim() == name))
    };
    matrix.inputs.retain(|(name, _)| !is_given(name));
    if args.region.is_some() {
        matrix.regions.clear();
    }
    if args.profile.is_some() || args.local {
        matrix.profiles.clear();
    }
    matrix
}

fn read(path: &Path, output: Output) -> Result<Matrix, Exit> {
    let help = "write lists under `inputs`, `regions` and `profiles`: `inputs: {runtime: [python3.12, python3.13]}`";
    let text =
        engine::regular_file::read_to_string(path, super::disk::LONGEST).map_err(|error| {
            let message = format!("{}: {}", path.display(), super::disk::reason(&error));
            output.fail(&message, Some(help))
        })?;
    serde_yaml::from_str::<File>(&text)
        .map(Matrix::from)
        .map_err(|error| output.fail(&format!("{}: {error}", path.display()), Some(help)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_value_meets_every_other() {
        let matrix = Matrix {
            inputs: vec![
                ("a".to_owned(), vec![json!(1), json!(2)]),
                ("b".to_owned(), vec![json!("x")]),
            ],
            regions: vec!["r".to_owned(), "s".to_owned()],
            profiles: Vec::new(),
        };
        let labels: Vec<_> = matrix.cells().iter().filter_map(Cell::label).collect();
        assert_eq!(labels, ["a=1, b=x, r", "a=1, b=x, s", "a=2, b=x, r", "a=2, b=x, s"]);
        assert_eq!(Matrix::default().cells(), [Cell::default()]);
    }

    #[test]
    fn an_empty_list_leaves_no_cell() {
        let matrix = Matrix { inputs: vec![("a".to_owned(), Vec::new())], ..Matrix::default() };
        assert_eq!(matrix.cells(), []);
    }
}
