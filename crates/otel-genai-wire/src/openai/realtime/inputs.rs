//! What the client says to the model between two answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use otel_genai::{Message, Modality, Part};

use super::super::responses::Said;
use crate::gather::Room;
use crate::json::{self, Raw, object};
use crate::options::Options;

/// More are not kept.
const MAX_INPUTS: usize = 1024;
/// Longer identifiers are cut, in bytes.
const MAX_ID: usize = 256;

/// What was said, and has not been answered.
#[derive(Debug)]
pub(super) struct Inputs {
    content: bool,
    limit: usize,
    list: Vec<Input>,
    room: Room,
    /// Sound that was sent, and is no input yet.
    sound: Vec<u8>,
    /// Whether there was more of it than is held.
    is_too_long: bool,
}

#[derive(Debug)]
pub(super) struct Input {
    id: Option<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    Written(Said),
    Spoken {
        /// Empty where it is not held.
        sound: Vec<u8>,
        transcript: Option<String>,
    },
}

impl Inputs {
    pub(super) fn new(options: Options) -> Inputs {
        Inputs {
            content: options.content,
            limit: options.limit,
            list: Vec::new(),
            room: Room::new(options.limit),
            sound: Vec::new(),
            is_too_long: false,
        }
    }

    /// The client adds an item to the conversation.
    pub(super) fn add(&mut self, item: Raw<'_>) {
        object! {
            struct Item<'a> {
                "id" => id: Option<std::borrow::Cow<'a, str>>,
            }
        }
        if !self.content || self.list.len() >= MAX_INPUTS || !self.room.spend(item) {
            return;
        }
        let id = item.to::<Item<'_>>().id.map(|id| json::prefix(&id, MAX_ID).to_owned());
        self.list.extend(Said::read(item).map(|said| Input { id, what: What::Written(said) }));
    }

    /// Items that stand beside the conversation.
    pub(super) fn read(&self, items: &[Raw<'_>]) -> Vec<Input> {
        let items = items.iter().filter(|_| self.content).take(MAX_INPUTS);
        items
            .filter_map(|item| Said::read(*item))
            .map(|said| Input { id: None, what: What::Written(said) })
            .collect()
    }

    /// Whether something was left out because there was no more room.
    pub(super) fn is_cut(&self) -> bool {
        self.room.is_full()
    }

    pub(super) fn remove(&mut self, id: Option<&str>) {
        self.list.retain(|input| id.is_none() || input.id.as_deref() != id);
    }

    /// A piece of sound.
    pub(super) fn hear(&mut self, audio: Option<&str>) {
        let Some(audio) = audio.filter(|_| self.content && !self.is_too_long) else { return };
        let Ok(sound) = STANDARD.decode(audio) else { return };
        if self.room.take(sound.len()) {
            self.sound.extend_from_slice(&sound);
        } else {
            // A piece of it is worth nothing.
            self.forget_sound();
            self.is_too_long = true;
        }
    }

    pub(super) fn forget_sound(&mut self) {
        self.room.give_back(self.sound.len());
        self.sound = Vec::new();
        self.is_too_long = false;
    }

    /// The sound so far is an item of the conversation.
    pub(super) fn commit(&mut self, id: Option<&str>) {
        let sound = std::mem::take(&mut self.sound);
        self.is_too_long = false;
        if self.content && self.list.len() < MAX_INPUTS {
            let id = id.map(|id| json::prefix(id, MAX_ID).to_owned());
            self.list.push(Input { id, what: What::Spoken { sound, transcript: None } });
        }
    }

    /// What was said in an item: one of these, or one that is being answered.
    pub(super) fn transcribe<'a>(
        &'a mut self,
        answered: impl Iterator<Item = &'a mut Input>,
        id: &str,
        said: &str,
    ) {
        let is_it = |input: &&'a mut Input| input.id.as_deref() == Some(id);
        let found = self.list.iter_mut().chain(answered).find(is_it);
        if let Some(Input { what: What::Spoken { transcript, .. }, .. }) = found {
            *transcript = Some(json::prefix(said, self.limit).to_owned());
        }
    }

    /// What the client wrote so far is answered now.
    pub(super) fn take_written(&mut self) -> Vec<Input> {
        self.take(|input| matches!(input.what, What::Written(_)))
    }

    /// Likewise what it said.
    pub(super) fn take_spoken(&mut self) -> Vec<Input> {
        self.take(|input| matches!(input.what, What::Spoken { .. }))
    }

    fn take(&mut self, is_taken: impl Fn(&Input) -> bool) -> Vec<Input> {
        let (taken, left) = std::mem::take(&mut self.list).into_iter().partition(is_taken);
        self.list = left;
        if self.list.is_empty() {
            self.room = Room::new(self.limit);
            self.room.take(self.sound.len());
        }
        taken
    }
}

/// Inputs as messages. `media_type`: that of the sound.
pub(super) fn messages(inputs: Vec<Input>, media_type: &str) -> Vec<Message> {
    let mut messages = Vec::with_capacity(inputs.len());
    for input in inputs {
        match input.what {
            What::Written(said) => said.add_to(&mut messages, None),
            What::Spoken { sound, transcript } => {
                let sound = match (sound.is_empty(), input.id) {
                    (false, _) => Some(Part::blob(Modality::Audio, Some(media_type), &sound)),
                    (true, Some(id)) => Some(Part::file(Modality::Audio, id)),
                    (true, None) => None,
                };
                let parts: Vec<Part> = sound.into_iter().chain(transcript.map(Part::text)).collect();
                if !parts.is_empty() {
                    messages.push(Message::new(otel_genai::Role::User, parts));
                }
            }
        }
    }
    for part in messages.iter_mut().flat_map(|message| &mut message.parts) {
        match part {
            Part::Blob(blob) if blob.modality == Modality::Audio => {
                blob.mime_type.get_or_insert_with(|| media_type.to_owned());
            }
            Part::File(file) if file.modality == Modality::Audio => {
                file.mime_type.get_or_insert_with(|| media_type.to_owned());
            }
            _ => {}
        }
    }
    messages
}
