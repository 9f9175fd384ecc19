use super::place::to_usize;
use super::{Key, Node, NodeKind};
use crate::diagnostic::{Code, Diagnostic, Span};

/// Whether a key is `<<` without quotes.
pub(super) fn is_merge(key: &Key, text: &str) -> bool {
    key.name == "<<" && text.get(to_usize(key.span.start)..to_usize(key.span.end)) == Some("<<")
}

pub(super) fn duplicate(key: &Key, earlier: Span, in_list: bool) -> Diagnostic {
    let help = if in_list {
        "leave one of the two out, or start a new item with `- ` before the second"
    } else {
        "leave one of the two out"
    };
    Diagnostic::new(Code::DuplicateKey, format!("`{}` stands twice in the same map", key.name))
        .at(key.span)
        .label("stands here again")
        .also(earlier, "first written here")
        .help(help)
}

/// A key must be plain text. `Err(None)` where that has been said already.
pub(super) fn as_key(node: Node, text: &str) -> Result<Key, Option<Diagnostic>> {
    let span = node.span;
    let written = text.get(to_usize(span.start)..to_usize(span.end)).unwrap_or_default();
    let name = match node.kind {
        NodeKind::String(key) => key.value,
        NodeKind::Null | NodeKind::Bool(_) | NodeKind::Integer(_) | NodeKind::Float(_) => {
            written.to_owned()
        }
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
            // The inner braces of an unquoted `{{`, reported where they open.
            let inside_template = matches!(node.kind, NodeKind::Mapping(_))
                && text.get(..to_usize(span.start)).is_some_and(|before| before.ends_with('{'));
            let fault = Diagnostic::new(Code::ComplexKey, "a list or map cannot be a key")
                .at(span)
                .help("a key is text; put a value that holds brackets in quotes");
            return Err((!inside_template).then_some(fault));
        }
    };
    Ok(Key { name, span })
}
