//! Structure that was flattened into attribute names: `a.0.b.c = 1` is `[{"b": {"c": 1}}]`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// No vocabulary nests deeper.
const DEEPEST: usize = 16;

enum Node {
    Leaf(Json),
    Branch(BTreeMap<String, Node>),
}

/// The tree of these attributes, and those that found a place in it: of two that claim one place the first has it.
#[must_use]
pub fn unflatten<'a>(
    prefix: &str,
    attributes: impl Iterator<Item = (&'a str, Json)>,
) -> (Option<Json>, Vec<&'a str>) {
    let mut root = BTreeMap::new();
    let mut placed = Vec::new();
    for (key, value) in attributes {
        let Some(path) = key.strip_prefix(prefix) else { continue };
        let path: Vec<&str> = path.split('.').take(DEEPEST + 1).collect();
        if path.len() > DEEPEST {
            continue;
        }
        if place(&mut root, &path, value) {
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
            ("m.10.role", json!("last")),
            ("m.2.role", json!("first")),
            ("m.2.calls.0.name", json!("f")),
            ("m.2.role.deeper", json!("no place")),
        ];
        let (tree, placed) = unflatten("m.", attributes.into_iter());
        assert_eq!(tree, Some(json!([{"role": "first", "calls": [{"name": "f"}]}, {"role": "last"}])));
        assert_eq!(placed, ["m.10.role", "m.2.role", "m.2.calls.0.name"]);
    }
}
