//! How the page and its questions are served: who may ask, and how answers are sent.

mod answer;
mod ask;
mod assets;
mod failure;
mod guard;
mod headers;
mod page;
mod token;

pub(crate) use answer::{Answer, ETag, json};
pub(crate) use ask::{Ask, short, stretch};
pub(crate) use failure::Failure;
pub(crate) use guard::{Guard, Refusal};
pub(crate) use page::page;
pub(crate) use token::Token;
