//! Structure that was flattened into attribute names: `a.0.b.c = 1` is `[{"b": {"c": 1}}]`.

use std::collections::BTreeMap;

use opentelemetry::KeyValue;
use serde_json::Value as Json;

use crate::attributes::json;

/// No vocabulary nests deeper.
const DEEPEST: usize = 16;

enum Node {
    Leaf(Json),
    Branch(BTreeMap<String, Node>),
}

/// The tree of these attributes, and those that found a place in it: of two that claim one place the first has it.
pub(crate) fn unflatten<'a>(
    prefix: &str,
    attributes: impl Iterator<Item = &'a KeyValue>,
) -> (Option<Json>, Vec<&'a str>) {
    let mut root = BTreeMap::new();
    let mut placed = Vec::new();
    for attribute in attributes {
        let key = attribute.key.as_str();
        let Some(path) = key.strip_prefix(prefix) else { continue };
        let path: Vec<&str> = path.split('.').take(DEEPEST + 1).collect();
        if path.len() > DEEPEST {
            continue;
        }
        if let Some(value) = json(&attribute.value)
            && place(&mut root, &path, value)
        {
            placed.push(key);
        }
    }
    let tree = (!root.is_empty()).then(|| Node::Branch(root).into_json());
    (tree, placed)
}

fn place(branch: &mut BTreeMap<String, Node>, path: &[&str], value: Json) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    if rest.is_empty() {
        if branch.contains_key(*first) {
            return false;
        }
        branch.insert((*first).to_owned(), Node::Leaf(value));
        return true;
    }
    match branch.entry((*first).to_owned()).or_insert_with(|| Node::Branch(BTreeMap::new())) {
        Node::Branch(inner) => place(inner, rest, value),
        Node::Leaf(_) => false,
    }
}

impl Node {
    fn into_json(self) -> Json {
        let branch = match self {
            Node::Leaf(value) => return value,
            Node::Branch(branch) => branch,
        };
        let indices: Option<Vec<u64>> = branch.keys().map(|key| key.parse().ok()).collect();
        match indices.filter(|indices| !indices.is_empty()) {
            // In the order of the numbers, whichever are left out.
            Some(indices) => {
                let mut list: Vec<(u64, Node)> = indices.into_iter().zip(branch.into_values()).collect();
                list.sort_by_key(|(index, _)| *index);
                list.into_iter().map(|(_, node)| node.into_json()).collect()
            }
            None => Json::Object(branch.into_iter().map(|(key, node)| (key, node.into_json())).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn indices_are_numbers_and_the_first_claim_wins() {
        let attributes = [
            KeyValue::new("m.10.role", "last"),
            KeyValue::new("m.2.role", "first"),
            KeyValue::new("m.2.calls.0.name", "f"),
            KeyValue::new("m.2.role.deeper", "no place"),
        ];
        let (tree, placed) = unflatten("m.", attributes.iter());
        assert_eq!(tree, Some(json!([{"role": "first", "calls": [{"name": "f"}]}, {"role": "last"}])));
        assert_eq!(placed, ["m.10.role", "m.2.role", "m.2.calls.0.name"]);
    }
}
