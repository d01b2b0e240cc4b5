//! YAML to a tree that knows its places, of bounded depth and size.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::substitute::NoReference;
use super::{Fault, Mark};

/// The schema needs a dozen.
const DEEPEST: usize = 64;
/// In bytes of text and nodes, each alias counted as what it stands for: a few lines of aliases of aliases stand for
/// gigabytes.
const HEAVIEST: usize = 4 * 1024 * 1024;

/// A value and where it stands; behind an alias, where it was written.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: Mark,
    pub(super) value: Value,
    weight: usize,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    /// Anything else that has no parts: what reads it decides whether it is a number.
    Text(String),
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) node: Rc<Node>,
}

/// The one document of a text, each of its values passed through `substitute`.
pub(super) fn parse(
    text: &str,
    substitute: &dyn Fn(&str) -> Result<String, NoReference>,
) -> Result<Rc<Node>, Fault> {
    let mut tree = Tree { open: Vec::new(), anchors: HashMap::new(), root: None, weight: 0 };
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let (event, span) =
            next.map_err(|error| Fault::at(mark(*error.marker()), format!("is no YAML: {}", error.info())))?;
        let at = mark(span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if tree.awaits_key() {
                    let is_plain = style == ScalarStyle::Plain;
                    tree.key(text.into_owned(), is_plain, anchor, at)?;
                    continue;
                }
                let text = substitute(&text).map_err(|NoReference| {
                    Fault::at(at, "holds ${...} other than ${NAME} and ${NAME:-default}")
                })?;
                let is_null = style == ScalarStyle::Plain
                    && tag.is_none()
                    && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
                let weight = 1 + text.len();
                let value = if is_null { Value::Null } else { Value::Text(text) };
                tree.add(Rc::new(Node { at, value, weight }), anchor)?;
            }
            Event::Alias(anchor) => {
                let node = tree.anchors.get(&anchor).map(Rc::clone);
                let node = node.ok_or_else(|| Fault::at(at, "is an alias of what it stands in"))?;
                match &node.value {
                    Value::Text(text) if tree.awaits_key() => tree.key(text.clone(), false, 0, at)?,
                    _ => tree.add(node, 0)?,
                }
            }
            Event::SequenceStart(anchor, _) => tree.begin(Part::List(Vec::new()), anchor, at)?,
            Event::MappingStart(anchor, _) => tree.begin(Part::map(), anchor, at)?,
            Event::SequenceEnd | Event::MappingEnd => tree.end()?,
            Event::DocumentStart(_) if tree.root.is_some() => {
                return Err(Fault::at(at, "begins a second document"));
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
    }
    tree.root.ok_or_else(|| Fault::of_file("is empty"))
}

fn mark(marker: Marker) -> Mark {
    Mark { line: marker.line(), column: marker.col() + 1 }
}

struct Tree {
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    /// Of all that was added.
    weight: usize,
}

/// A list or map whose end is still to come.
struct Open {
    part: Part,
    anchor: usize,
    at: Mark,
    weight: usize,
}

enum Part {
    List(Vec<Rc<Node>>),
    Map {
        entries: Vec<Entry>,
        keys: HashSet<String>,
        key: Option<Key>,
        /// The maps of `<<`, whose entries count where the map has none of its own.
        merged: Vec<Rc<Node>>,
    },
}

impl Part {
    fn map() -> Self {
        Self::Map { entries: Vec::new(), keys: HashSet::new(), key: None, merged: Vec::new() }
    }
}

struct Key {
    text: String,
    is_merge: bool,
}

impl Tree {
    fn awaits_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { part: Part::Map { key: None, .. }, .. }))
    }

    fn key(&mut self, text: String, is_plain: bool, anchor: usize, at: Mark) -> Result<(), Fault> {
        let weight = 1 + text.len();
        self.weigh(weight, at)?;
        if anchor != 0 {
            let node = Node { at, value: Value::Text(text.clone()), weight };
            self.anchors.insert(anchor, Rc::new(node));
        }
        if let Some(Open { part: Part::Map { keys, key, .. }, weight: all, .. }) = self.open.last_mut() {
            *all += weight;
            let is_merge = is_plain && text == "<<";
            if !is_merge && !keys.insert(text.clone()) {
                let text = crate::console::plain(&text);
                return Err(Fault::at(at, format!("says {text:.60} twice")));
            }
            *key = Some(Key { text, is_merge });
        }
        Ok(())
    }

    fn begin(&mut self, part: Part, anchor: usize, at: Mark) -> Result<(), Fault> {
        if self.awaits_key() {
            return Err(Fault::at(at, "has a list or map as a name"));
        }
        if self.open.len() >= DEEPEST {
            return Err(Fault::at(at, format!("is nested more than {DEEPEST} deep")));
        }
        self.open.push(Open { part, anchor, at, weight: 1 });
        self.weigh(1, at)
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(Open { part, anchor, at, weight }) = self.open.pop() else {
            return Ok(());
        };
        let value = match part {
            Part::List(nodes) => Value::List(nodes),
            Part::Map { mut entries, mut keys, merged, .. } => {
                for entry in merged.iter().flat_map(|node| entries_of(node)) {
                    if keys.insert(entry.key.clone()) {
                        entries.push(entry.clone());
                    }
                }
                Value::Map(entries)
            }
        };
        // Its parts were weighed as they came.
        self.place(Rc::new(Node { at, value, weight }), anchor)
    }

    /// A node that is complete by itself.
    fn add(&mut self, node: Rc<Node>, anchor: usize) -> Result<(), Fault> {
        self.weigh(node.weight, node.at)?;
        self.place(node, anchor)
    }

    fn place(&mut self, node: Rc<Node>, anchor: usize) -> Result<(), Fault> {
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        let Some(Open { part, weight, .. }) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        *weight = weight.saturating_add(node.weight);
        match part {
            Part::List(nodes) => nodes.push(node),
            Part::Map { entries, key, merged, .. } => match key.take() {
                Some(Key { is_merge: true, .. }) => match &node.value {
                    Value::Map(_) => merged.push(node),
                    Value::List(nodes) => merged.extend(nodes.iter().map(Rc::clone)),
                    Value::Null | Value::Text(_) => return Err(Fault::at(node.at, "merges what is no map")),
                },
                Some(Key { text, .. }) => entries.push(Entry { key: text, node }),
                None => return Err(Fault::at(node.at, "has a list or map as a name")),
            },
        }
        Ok(())
    }

    fn weigh(&mut self, weight: usize, at: Mark) -> Result<(), Fault> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > HEAVIEST {
            return Err(Fault::at(at, "stands for more than 4 MiB, its aliases counted"));
        }
        Ok(())
    }
}

fn entries_of(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::{Node, Value, parse};
    use crate::file::Fault;

    fn told(text: &str) -> String {
        match parse(text, &|text| Ok(text.to_owned())) {
            Ok(node) => shown(&node),
            Err(Fault { at, why }) => format!("{}: {why}", at.map(|at| at.to_string()).unwrap_or_default()),
        }
    }

    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Null => "null".to_owned(),
            Value::Text(text) => format!("{text:?}"),
            Value::List(nodes) => format!("{:?}", nodes.iter().map(|node| shown(node)).collect::<Vec<_>>()),
            Value::Map(entries) => entries.iter().fold(String::new(), |mut all, entry| {
                let _ = write!(all, "{}={};", entry.key, shown(&entry.node));
                all
            }),
        }
    }

    #[test]
    fn values_aliases_and_merges() {
        for (text, expected) in [
            ("a: 1\nb: '1'\nc: ~\nd:\ne: ''\nf: !!str\n", r#"a="1";b="1";c=null;d=null;e="";f="";"#),
            ("{\"a\": {\n\t\"b\": null}, \"c\": true}", "a=b=null;;c=\"true\";"),
            ("a: &x {b: 1}\nc: *x\n", r#"a=b="1";;c=b="1";;"#),
            ("x: &x {b: 1, c: 2}\ny:\n  c: 3\n  <<: *x\n", r#"x=b="1";c="2";;y=c="3";b="1";;"#),
            ("x: &x {b: 1}\ny: {<<: [*x, {b: 2, c: 2}]}\n", r#"x=b="1";;y=b="1";c="2";;"#),
            ("--- \na: |\n  one\n  two\n...\n", r#"a="one\ntwo\n";"#),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_used_says_where() {
        for (text, expected) in [
            ("", ": is empty"),
            ("# nothing\n", ": is empty"),
            ("a: 1\nb: 2\na: 3\n", "3:1: says a twice"),
            ("a: 1\n---\nb: 2\n", "2:1: begins a second document"),
            ("? [a]\n: b\n", "1:3: has a list or map as a name"),
            ("a: &a\n  - *a\n", "2:5: is an alias of what it stands in"),
            ("a: 1\n<<: 2\n", "2:5: merges what is no map"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
        for text in ["a: [1\nb: 2\n", "a: 'x\n", "a:\n\t- b\n", "a: *x\n", "a: b: c\n", "a\0b", "%YAML 1.2\n"]
        {
            let told = told(text);
            assert!(told.contains(": is no YAML: ") && told.starts_with(['1', '2', '3']), "{text:?}: {told}");
        }
    }

    #[test]
    fn depth_and_size_are_bounded() {
        for text in ["[".repeat(200), "- ".repeat(200), "{a: ".repeat(200)] {
            let told = told(&text);
            assert!(told.ends_with("is nested more than 64 deep"), "{told}");
        }
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..30 {
            let _ = writeln!(
                bomb,
                "a{level}: &a{level} [{}*a{}]",
                format!("*a{}, ", level - 1).repeat(9),
                level - 1
            );
        }
        assert!(told(&bomb).ends_with("stands for more than 4 MiB, its aliases counted"), "{}", told(&bomb));
    }
}
