//! A convention's description of one kind of operation, laid out for use: the rows sorted by when they are told, so that
//! no operation looks at rows whose turn it is not. Laid out once a process.

use std::sync::OnceLock;

use super::{At, Convention, ConventionName, Description, Event, Measures, Row};
use crate::operation::{Field, Kind};

/// How a convention tells one kind of operation.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) convention: &'static Convention,
    pub(crate) description: &'static Description,
    /// What samplers see.
    pub(crate) start: Rows,
    /// What is told at the end: what the operation's own data say, and the rest.
    pub(crate) end: Own,
    pub(crate) end_beside: Rows,
    /// Content, and what may be said in its place.
    pub(crate) content: Content,
    /// What an event says that has its own list; empty where it says what the span says.
    pub(crate) event: Rows,
    /// Its content.
    pub(crate) event_content: Content,
    /// What is measured when it ends.
    pub(crate) measures: Box<[Metrics]>,
    /// The attributes of the metrics of chunks.
    pub(crate) chunks: Rows,
}

/// A convention's view of an operation.
pub(crate) type Telling = &'static Sheet;

/// Attributes, in the order in which they are told.
pub(crate) type Rows = Box<[&'static Row]>;

/// Rows whose values the operation's own data say, and their fields.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) rows: Rows,
    pub(crate) fields: Box<[Field]>,
}

/// The rows of content.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) captured: Rows,
    pub(crate) instead: Rows,
}

/// Metrics that share their attributes.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) attributes: Rows,
    pub(crate) measures: &'static Measures,
}

const CONVENTIONS: usize = ConventionName::ALL.len();
const KINDS: usize = Kind::ALL.len();

static SHEETS: [[OnceLock<Option<Sheet>>; KINDS]; CONVENTIONS] =
    [const { [const { OnceLock::new() }; KINDS] }; CONVENTIONS];

/// How this convention tells this kind of operation, if it knows it.
pub(crate) fn sheet(name: ConventionName, kind: Kind) -> Option<Telling> {
    SHEETS.get(name as usize)?.get(kind as usize)?.get_or_init(|| Sheet::new(name, kind)).as_ref()
}

impl Sheet {
    fn new(name: ConventionName, kind: Kind) -> Option<Sheet> {
        let convention = name.convention();
        let description = convention.describe(kind)?;
        let event = match description.event {
            Event::Details { rows, .. } => rows.unwrap_or_default(),
            Event::None | Event::Custom(_) => &[],
        };
        let end = told_at(description.span, &[At::End]);
        let own: Vec<_> = end.iter().filter_map(|row| Some((*row, row.own_field()?))).collect();
        let beside: Vec<_> = end.iter().copied().filter(|row| row.own_field().is_none()).collect();
        Some(Sheet {
            convention,
            description,
            start: told_at(description.span, &[At::Start]),
            end: Own {
                rows: own.iter().map(|(row, _)| *row).collect(),
                fields: own.iter().map(|(_, field)| *field).collect(),
            },
            end_beside: beside.into(),
            content: Content::new(description.span),
            event: told_at(event, &[At::Start, At::End]),
            event_content: Content::new(event),
            measures: description
                .measures
                .iter()
                .map(|measures| Metrics {
                    attributes: told_at(measures.attributes, &[At::Start, At::End]),
                    measures,
                })
                .collect(),
            chunks: description
                .chunks
                .as_ref()
                .map_or_else(Rows::default, |chunks| told_at(chunks.attributes, &[At::Start, At::End])),
        })
    }
}

impl Content {
    fn new(groups: &'static [&'static [Row]]) -> Content {
        Content { captured: told_at(groups, &[At::Content]), instead: told_at(groups, &[At::NoContent]) }
    }
}

fn told_at(groups: &'static [&'static [Row]], when: &[At]) -> Rows {
    groups.iter().copied().flatten().filter(|row| when.contains(&row.at)).collect()
}
