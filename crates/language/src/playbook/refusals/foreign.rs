//! `${name}`, by which other tools read a variable and which is text here.

use crate::diagnostic::{Code, Diagnostic};
use crate::document::{Node, NodeKind};
use crate::playbook::load::Reader;

/// What is looked at of one value.
const MOST: usize = 20;

impl Reader<'_, '_> {
    /// Texts that were to read an input, a variable or a step in the way of other tools.
    pub(super) fn foreign_variables(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Sequence(items) => items.iter().for_each(|item| self.foreign_variables(item)),
            NodeKind::Mapping(entries) => {
                for entry in entries {
                    self.foreign_variables(&entry.value);
                }
            }
            NodeKind::String(text) => {
                for (start, name) in variables(&text.value).take(MOST) {
                    let Some(meant) = self.meant_by(name) else { continue };
                    let span = node.locate(start..start + name.len() + 3);
                    self.fault(
                        Diagnostic::new(
                            Code::ForeignVariable,
                            format!("`${{{name}}}` reads nothing here"),
                        )
                        .at(span)
                        .label("this is text")
                        .help(format!("write `{{{{ {meant} }}}}`")),
                    );
                }
            }
            _ => {}
        }
    }

    /// What a word between `${` and `}` was to read; nothing for what may well be meant as text.
    fn meant_by(&self, name: &str) -> Option<String> {
        let root = name.split('.').next().unwrap_or_default();
        let rooted = name.contains('.')
            && matches!(root, "inputs" | "vars" | "steps" | "env" | "run" | "item" | "loop");
        if rooted {
            return Some(name.to_owned());
        }
        let last =
            name.strip_prefix("var.").or_else(|| name.strip_prefix("local.")).unwrap_or(name);
        if self.scope.inputs.has(last) {
            return Some(format!("inputs.{last}"));
        }
        self.scope.vars.has(last).then(|| format!("vars.{last}"))
    }
}

/// The words between `${` and `}` outside of expressions, and where each begins.
fn variables(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(from..)?;
            let dollar = rest.find("${")?;
            // What stands in an expression is the expression's.
            if let Some(open) = rest.find("{{").filter(|open| open + 1 < dollar) {
                let close = rest.get(open..)?.find("}}")?;
                from += open + close + 2;
                continue;
            }
            let start = from + dollar;
            from = start + 2;
            let name = text.get(from..)?.split('}').next().unwrap_or_default();
            let closed = text.get(from + name.len()..)?.starts_with('}');
            let is_name = !name.is_empty()
                && name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '.'));
            if closed && is_name {
                from += name.len() + 1;
                return Some((start, name));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::variables;

    #[test]
    fn variables_are_found_outside_of_expressions() {
        let found: Vec<_> =
            variables("a ${b} {{ 'x' | regex_replace('(x)', '${1}') }} ${c.d} $e ${aws:f} ${g")
                .collect();
        assert_eq!(found, [(2, "b"), (48, "c.d")]);
        assert_eq!(variables("${{ github.sha }}").count(), 0);
    }
}
