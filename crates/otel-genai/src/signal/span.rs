//! The attributes of an operation in a convention, as spans take them.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::{Key, KeyValue, StringValue, Value};

use crate::content::Pipeline;
use crate::convention::{At, Row, Source, Telling, Told, Unless, as_json};
use crate::operation::Fact;

/// Room for as many attributes as operations mostly have, and small enough for an allocator's quickest way.
pub(crate) const ATTRIBUTES: usize = 16;

/// The attributes known at the start: what samplers see.
pub(crate) fn identity(telling: Telling, told: &Told<'_>) -> Vec<KeyValue> {
    let mut identity = Vec::with_capacity(8);
    for row in &telling.start {
        // What is empty now may be filled in later, and the SDK would export both.
        let fact = told.row(row).filter(|fact| row.unless != Unless::Never || !fact.is_empty());
        if let Some(value) = fact.as_ref().and_then(value) {
            identity.push(KeyValue::new(row.name, value));
        }
    }
    identity
}

/// What an ended operation has beside its identity, without content. `bool`: whether there is something among it that
/// samplers would have seen, had it been known.
///
/// What was said at the start stays, because OpenTelemetry's API for Rust can neither replace nor remove an attribute.
pub(crate) fn ended(telling: Telling, told: &Told<'_>, identity: &[KeyValue]) -> (Vec<KeyValue>, bool) {
    let mut attributes = Vec::with_capacity(ATTRIBUTES);
    let mut late = false;
    for row in telling.start.iter().filter(|row| known(identity, row.name).is_none()) {
        late |= push(&mut attributes, row, told, &[]);
    }
    let rows = &telling.end.rows;
    told.op.facts(&telling.end.fields, &mut |position, fact| {
        if let Some(row) = rows.get(position).filter(|row| row.tells(&fact))
            && let Some(value) = value(&fact)
        {
            attributes.push(KeyValue::new(row.name, value));
        }
    });
    for row in &telling.end_beside {
        push(&mut attributes, row, told, &[]);
    }
    (attributes, late)
}

/// The attributes of a metric, or of an event that has its own list.
pub(crate) fn listed(rows: &[&'static Row], told: &Told<'_>, identity: &[KeyValue]) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(identity.len() + 4);
    for row in rows {
        push(&mut attributes, row, told, identity);
    }
    attributes
}

/// Content, borrowed, or what is said in its place.
pub(crate) fn content<'a>(
    rows: &[&'static Row],
    told: &Told<'a>,
    pipeline: &Pipeline,
) -> Vec<(Key, Fact<'a>)> {
    let mut out = Vec::new();
    for row in rows {
        match told.row(row) {
            Some(Fact::Variables(variables)) => {
                for (name, value) in variables {
                    let key = Key::from(format!("{}.{name}", row.name));
                    // Of two values of one name the first counts.
                    if out.iter().all(|(known, _)| *known != key) {
                        out.push((key, pipeline.fit(Fact::Text(value))));
                    }
                }
            }
            Some(fact) => {
                let fact = pipeline.fit(fact);
                let fact = if matches!(row.source, Source::Json(_)) { as_json(fact) } else { Some(fact) };
                out.extend(fact.map(|fact| (Key::from_static_str(row.name), fact)));
            }
            None => {}
        }
    }
    out
}

fn push(out: &mut Vec<KeyValue>, row: &Row, told: &Told<'_>, identity: &[KeyValue]) -> bool {
    if row.at == At::Start
        && let Some(known) = known(identity, row.name)
    {
        out.push(known.clone());
        return true;
    }
    let Some(value) = told.row(row).and_then(|fact| value(&fact)) else { return false };
    out.push(KeyValue::new(row.name, value));
    true
}

fn known<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a KeyValue> {
    attributes.iter().find(|known| known.key.as_str() == name)
}

/// A fact as the value of a span's attribute. Content is JSON in a string, because spans carry no structure.
pub(crate) fn value(fact: &Fact<'_>) -> Option<Value> {
    Some(match fact {
        Fact::Text(text) => Value::String(shared(text)),
        Fact::Word(Cow::Borrowed(word)) => Value::String(StringValue::from(*word)),
        Fact::Word(Cow::Owned(word)) => Value::String(shared(word)),
        Fact::Int(number) => Value::I64(*number),
        Fact::Float(number) => Value::F64(*number),
        Fact::Bool(value) => Value::Bool(*value),
        Fact::Texts(texts) => {
            let texts: Vec<StringValue> = texts.iter().map(|text| shared(text)).collect();
            Value::Array(texts.into())
        }
        Fact::Messages(messages) => serde_json::to_string(messages).ok()?.into(),
        Fact::Parts(parts) => serde_json::to_string(parts).ok()?.into(),
        Fact::OwnedParts(parts) => serde_json::to_string(parts).ok()?.into(),
        Fact::Tools(tools) => serde_json::to_string(tools).ok()?.into(),
        Fact::List(list) => serde_json::to_string(list).ok()?.into(),
        // A text stays as it is.
        Fact::Json(json) => match &**json {
            serde_json::Value::String(text) => text.clone().into(),
            json => serde_json::to_string(json).ok()?.into(),
        },
        Fact::Variables(_) => return None,
    })
}

/// Counted text: the span, the event and the metrics all say the same words.
fn shared(text: &str) -> StringValue {
    StringValue::from(Arc::<str>::from(text))
}

/// Sets an attribute, in place of the one that has its key.
pub(crate) fn replace(attributes: &mut Vec<KeyValue>, new: KeyValue) {
    match attributes.iter_mut().find(|old| old.key == new.key) {
        Some(old) => *old = new,
        None => attributes.push(new),
    }
}

/// Adds the attributes whose keys are not there yet.
pub(crate) fn add_missing(attributes: &mut Vec<KeyValue>, new: Vec<KeyValue>) {
    for new in new {
        if attributes.iter().all(|old| old.key != new.key) {
            attributes.push(new);
        }
    }
}
