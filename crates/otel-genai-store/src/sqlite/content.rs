//! Pieces of content in a day file: each is kept once, and records refer to it by its number there.
//!
//! Hashing and compressing is the work of those who bring records ([`Presses`]); the thread that writes only looks up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::fault;
use super::reader::{File, Reader};
use super::rest::{Packer, put_varint, take_varint, unpack};
use super::segment::{Known, hash};
use super::shorten::shorten;
use crate::error::StoreError;
use crate::id::{ContentHash, Day, TraceId};
use crate::pack::{self, Packed};
use crate::recent::Recent;
use crate::store::Batch;
use crate::value::{Form, Glue, Piece, Pieces};

/// So many pieces are remembered as stored, so that they are not compressed again.
const MOST: usize = 64 << 10;

/// A record as it is written.
#[derive(Debug)]
pub(super) struct Record {
    /// Its bytes, compressed.
    pub(super) rest: Vec<u8>,
    /// The hash of all of it, content included.
    pub(super) print: [u8; 16],
    /// What fills its holes.
    pub(super) holes: Vec<Pieces>,
}

/// The records of a batch as they are written, and its pieces, as far as they seem new.
#[derive(Debug, Default)]
pub(super) struct Pressed {
    pub(super) spans: Vec<Record>,
    pub(super) logs: Vec<Record>,
    pub(super) bodies: HashMap<ContentHash, Vec<u8>>,
}

/// What records are compressed with, by as many threads as bring them.
pub(super) struct Presses {
    /// Longer pieces are kept in part.
    most: Option<usize>,
    idle: Mutex<Vec<Packer>>,
    seen: Mutex<Recent<ContentHash, ()>>,
}

impl std::fmt::Debug for Presses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Presses")
    }
}

impl Presses {
    pub(super) fn new(most: Option<usize>) -> Self {
        Self { most, idle: Mutex::default(), seen: Mutex::new(Recent::new(MOST)) }
    }

    /// Takes the content out of the records of a batch, which have it in pieces afterwards.
    pub(super) fn press(&self, batch: &mut Batch) -> Pressed {
        let packer = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut packer = packer.unwrap_or_else(Packer::new);
        let mut each = |Packed { bytes, holes }: Packed| {
            let holes = match self.most {
                Some(most) => holes.into_iter().map(|pieces| shorten(pieces, most)).collect(),
                None => holes,
            };
            Record { rest: packer.pack(&bytes), print: print(&bytes, &holes), holes }
        };
        let spans: Vec<Record> = batch.spans.iter_mut().map(|span| each(pack::span(span))).collect();
        let logs: Vec<Record> = batch.logs.iter_mut().map(|log| each(pack::log(log))).collect();
        let mut new: Vec<Arc<Piece>> = Vec::new();
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let holes = spans.iter().chain(&logs).flat_map(|record| &record.holes);
            for piece in holes.flat_map(|pieces| &pieces.list) {
                if seen.get(&piece.hash).is_none() {
                    seen.insert(piece.hash, ());
                    new.push(Arc::clone(piece));
                }
            }
        }
        let bodies = new.iter().map(|piece| (piece.hash, packer.pack(&piece.bytes))).collect();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(packer);
        Pressed { spans, logs, bodies }
    }
}

fn print(bytes: &[u8], holes: &[Pieces]) -> [u8; 16] {
    let mut content = Vec::new();
    for pieces in holes {
        content.push(pieces.glue as u8);
        content.extend(pieces.list.iter().flat_map(|piece| piece.hash.bytes()));
    }
    hash(&[bytes, &content])
}

impl Known {
    /// The column that refers to the content of a record, and the numbers of its pieces. Those that the file has not are
    /// written.
    pub(super) fn refs(
        &mut self,
        tx: &Transaction<'_>,
        holes: &[Pieces],
        bodies: &HashMap<ContentHash, Vec<u8>>,
    ) -> rusqlite::Result<(Option<Vec<u8>>, Vec<i64>)> {
        if holes.is_empty() {
            return Ok((None, Vec::new()));
        }
        let (mut refs, mut ids, mut last) = (Vec::new(), Vec::new(), 0);
        for pieces in holes {
            refs.push(pieces.glue as u8);
            put_varint(&mut refs, pieces.list.len() as u64);
            for piece in &pieces.list {
                let id = self.piece(tx, piece, bodies)?;
                // Neighbours in a record are neighbours in the table.
                put_varint(&mut refs, zigzag(id.wrapping_sub(last)));
                last = id;
                ids.push(id);
            }
        }
        Ok((Some(self.packer.pack(&refs)), ids))
    }

    fn piece(
        &mut self,
        tx: &Transaction<'_>,
        piece: &Piece,
        bodies: &HashMap<ContentHash, Vec<u8>>,
    ) -> rusqlite::Result<i64> {
        if let Some(id) = self.contents.get(&piece.hash) {
            return Ok(id);
        }
        let found = tx
            .prepare_cached("SELECT id FROM content WHERE hash = ?")?
            .query_row([piece.hash.bytes()], |row| row.get(0));
        let id = match found.optional()? {
            Some(id) => id,
            None => {
                let packed;
                let body = match bodies.get(&piece.hash) {
                    Some(body) => body,
                    None => {
                        packed = self.packer.pack(&piece.bytes);
                        &packed
                    }
                };
                tx.prepare_cached("INSERT INTO content(hash, form, body) VALUES (?, ?, ?)")?
                    .execute(params![piece.hash.bytes(), piece.form as u8, body])?;
                tx.last_insert_rowid()
            }
        };
        self.contents.insert(piece.hash, id);
        Ok(id)
    }

    /// Notes where pieces were told first in a trace.
    pub(super) fn used(
        &mut self,
        tx: &Transaction<'_>,
        ids: &[i64],
        trace: i64,
        kind: u8,
        row: i64,
    ) -> rusqlite::Result<()> {
        for id in ids {
            if self.uses.get(&(*id, trace, kind)).is_none() {
                tx.prepare_cached(
                    "INSERT OR IGNORE INTO content_use(content, trace, kind, row) VALUES (?, ?, ?, ?)",
                )?
                .execute(params![id, trace, kind, row])?;
                self.uses.insert((*id, trace, kind), ());
            }
        }
        Ok(())
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// The numbers of the pieces that a record refers to; none if they cannot be read.
pub(super) fn ids(refs: &[u8]) -> Option<Vec<i64>> {
    let holes = holes(&unpack(refs)?)?;
    Some(holes.into_iter().flat_map(|(_, ids)| ids).collect())
}

/// For each hole how its pieces are joined, and their numbers.
fn holes(mut rest: &[u8]) -> Option<Vec<(Glue, Vec<i64>)>> {
    let (mut holes, mut last) = (Vec::new(), 0i64);
    while let Some((glue, behind)) = rest.split_first() {
        let glue = match glue {
            0 => Glue::One,
            1 => Glue::JsonTight,
            2 => Glue::JsonSpaced,
            3 => Glue::Array,
            _ => return None,
        };
        let (count, behind) = take_varint(behind)?;
        rest = behind;
        let mut ids = Vec::new();
        for _ in 0..count {
            let (step, behind) = take_varint(rest)?;
            rest = behind;
            last = last.wrapping_add(unzigzag(step));
            ids.push(last);
        }
        holes.push((glue, ids));
    }
    Some(holes)
}

/// The pieces of an answer: each is in memory once, however many records have it.
#[derive(Default)]
pub(super) struct Shelf {
    by_id: HashMap<(Day, i64), Arc<Piece>>,
    by_hash: HashMap<ContentHash, Arc<Piece>>,
    bytes: usize,
}

impl Shelf {
    /// How large all pieces are together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What fills the holes of a record.
    pub(super) fn holes(&mut self, file: &File, refs: Option<&[u8]>) -> Result<Vec<Pieces>, StoreError> {
        let Some(refs) = refs else { return Ok(Vec::new()) };
        let damaged = || fault::unreadable("cannot read what refers to content");
        let holes = unpack(refs).and_then(|refs| holes(&refs)).ok_or_else(damaged)?;
        let fill = |(glue, ids): (Glue, Vec<i64>)| {
            let list = ids.into_iter().map(|id| self.piece(file, id)).collect::<Result<_, _>>()?;
            Ok(Pieces { glue, list })
        };
        holes.into_iter().map(fill).collect()
    }

    /// A piece by its number in a file.
    pub(super) fn piece(&mut self, file: &File, id: i64) -> Result<Arc<Piece>, StoreError> {
        if let Some(piece) = self.by_id.get(&(file.day, id)) {
            return Ok(Arc::clone(piece));
        }
        let piece = read(file, "id = ?", id)?.ok_or_else(|| fault::unreadable("content is missing"))?;
        let bytes = &mut self.bytes;
        let mut new = |piece: Piece| {
            *bytes += piece.bytes.len();
            Arc::new(piece)
        };
        let piece = Arc::clone(self.by_hash.entry(piece.hash).or_insert_with(|| new(piece)));
        self.by_id.insert((file.day, id), Arc::clone(&piece));
        Ok(piece)
    }
}

fn read(file: &File, which: &str, value: impl rusqlite::ToSql) -> Result<Option<Piece>, StoreError> {
    let row = (|| {
        let mut find =
            file.connection.prepare_cached(&format!("SELECT hash, form, body FROM content WHERE {which}"))?;
        find.query_row([value], |row| {
            let body = row.get_ref(2)?.as_blob()?;
            let hash = ContentHash::new(row.get_ref(0)?.as_blob()?);
            Ok((hash, row.get::<_, u8>(1)?, unpack(body).map(|body| Bytes::from(body.into_owned()))))
        })
        .optional()
    })();
    let Some((hash, form, bytes)) = row.map_err(|error| file.fault(error))? else { return Ok(None) };
    let form = if form == Form::Text as u8 { Form::Text } else { Form::Value };
    match (hash, bytes) {
        (Some(hash), Some(bytes)) => Ok(Some(Piece { hash, form, bytes })),
        _ => Err(fault::unreadable("cannot read a piece of content")),
    }
}

/// A piece by its hash: looked for where `near` is, then in all days, the last first.
pub(super) fn content(
    reader: &mut Reader,
    hash: ContentHash,
    near: Option<TraceId>,
) -> Result<Option<Piece>, StoreError> {
    let mut days = reader.days()?;
    if let Some(near) = near {
        let mut has = Vec::new();
        for day in &days {
            let Some(file) = reader.file(*day)? else { continue };
            let found = (|| {
                let mut find = file.connection.prepare_cached("SELECT 1 FROM trace WHERE trace_id = ?")?;
                find.exists([near.bytes()])
            })();
            has.push((found.map_err(|error| file.fault(error))?, *day));
        }
        has.sort_unstable();
        days = has.into_iter().map(|(_, day)| day).collect();
    }
    for day in days.into_iter().rev() {
        let Some(file) = reader.file(day)? else { continue };
        if let Some(piece) = read(&file, "hash = ?", hash.bytes())? {
            return Ok(Some(piece));
        }
    }
    Ok(None)
}
