use super::{Node, NodeKind};

/// What copying a value costs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weight {
    pub(super) nodes: usize,
    pub(super) bytes: usize,
    pub(super) levels: usize,
}

impl Weight {
    pub(super) fn of(node: &Node) -> Self {
        match &node.kind {
            NodeKind::String(text) => Self { nodes: 1, bytes: text.value.len(), levels: 0 },
            NodeKind::Sequence(items) => Self::around(items.iter().map(Self::of)),
            NodeKind::Mapping(entries) => Self::around(entries.iter().map(|entry| {
                let value = Self::of(&entry.value);
                Self { bytes: value.bytes + entry.key.name.len(), ..value }
            })),
            _ => Self { nodes: 1, ..Self::default() },
        }
    }

    fn around(parts: impl Iterator<Item = Self>) -> Self {
        let sum = parts.fold(Self::default(), |sum, part| Self {
            nodes: sum.nodes + part.nodes,
            bytes: sum.bytes + part.bytes,
            levels: sum.levels.max(part.levels),
        });
        Self { nodes: sum.nodes + 1, levels: sum.levels + 1, ..sum }
    }
}
