//! Words, for search: what is said in a piece of content, what is asked for, and where it stands.
//!
//! Letters count without case and accents. Scripts that put no space between words (Chinese, Japanese, Thai, Korean too,
//! whose words take endings) are indexed by pairs of neighbours, and what was found by them is looked up in the text.

use std::collections::HashSet;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1 as otlp_logs;
use prost::Message as _;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use crate::log::LogRecord;
use crate::query::Snippet;
use crate::value::{AnyValue, Form, Held};

/// Of a longer word this much counts.
const LONGEST: usize = 64;
/// As much text without a space, of the letters of base64, is no text.
const BASE64: usize = 256;
/// Of a longer text so many bytes are searched,
const MOST: usize = 1 << 20;
/// and longer JSON is not read but searched as it stands.
const MOST_JSON: usize = 8 << 20;
/// JSON in strings of JSON is read so deep: arguments of tools are told that way.
const DEEPEST: u32 = 3;

/// What is said in a piece.
pub(crate) fn texts(form: Form, bytes: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    match form {
        Form::Text => {
            let bytes = if bytes.len() > MOST_JSON { bytes.get(..MOST).unwrap_or(bytes) } else { bytes };
            add_text(&String::from_utf8_lossy(bytes), DEEPEST, &mut texts);
        }
        Form::Value => {
            if let Ok(value) = AnyValue::decode(bytes) {
                add_value(&value, &mut texts);
            }
        }
    }
    texts
}

/// What a log record says that is no piece of content: its body, and the texts of an event.
pub(crate) fn log_texts(rest: &[u8]) -> Vec<String> {
    let Ok(log) = otlp_logs::LogRecord::decode(rest) else { return Vec::new() };
    let mut texts = Vec::new();
    if let Some(body) = &log.body {
        add_value(body, &mut texts);
    }
    for attribute in &log.attributes {
        // Numbers are looked for elsewhere.
        if let Some(value) = &attribute.value
            && !matches!(value.value, Some(Value::IntValue(_)))
        {
            add_value(value, &mut texts);
        }
    }
    texts
}

/// What is said in a value.
pub(crate) fn add_value(value: &AnyValue, texts: &mut Vec<String>) {
    match &value.value {
        Some(Value::StringValue(text)) => add_text(text, DEEPEST, texts),
        Some(Value::IntValue(int)) => texts.push(int.to_string()),
        Some(Value::ArrayValue(array)) => array.values.iter().for_each(|value| add_value(value, texts)),
        Some(Value::KvlistValue(list)) => {
            for pair in list.values.iter().filter(|pair| !is_frame(&pair.key)) {
                if let Some(value) = &pair.value {
                    add_value(value, texts);
                }
            }
        }
        _ => {}
    }
}

/// What is said in a text: in its strings, if it is JSON.
fn add_text(text: &str, deep: u32, texts: &mut Vec<String>) {
    let json = text.trim_start().starts_with(['{', '[', '"']) && deep > 0;
    match json.then(|| serde_json::from_str(text)) {
        Some(Ok(json)) => add_json(&json, deep - 1, texts),
        _ => texts.extend(Some(text.to_owned()).filter(|text| !text.trim().is_empty())),
    }
}

fn add_json(json: &serde_json::Value, deep: u32, texts: &mut Vec<String>) {
    match json {
        serde_json::Value::String(text) => add_text(text, deep, texts),
        serde_json::Value::Number(number) if !number.is_f64() => texts.push(number.to_string()),
        serde_json::Value::Array(list) => list.iter().for_each(|item| add_json(item, deep, texts)),
        serde_json::Value::Object(fields) => {
            fields
                .iter()
                .filter(|(key, _)| !is_frame(key))
                .for_each(|(_, value)| add_json(value, deep, texts));
        }
        _ => {}
    }
}

/// Fields that every message has, with words that nobody said.
fn is_frame(key: &str) -> bool {
    matches!(key, "role" | "type" | "finish_reason" | "modality" | "mime_type")
}

/// What an index that knows no places is given of these texts: each word once, with a space behind it.
pub(crate) fn indexed(texts: &[String]) -> String {
    let (mut words, mut seen) = (String::new(), HashSet::new());
    each_word(texts, |word| {
        if !seen.contains(word) {
            words.push_str(word);
            words.push(' ');
            seen.insert(word.to_owned());
        }
    });
    words
}

/// The words of these texts as they follow each other, with a space behind each: neighbours can be looked for.
#[cfg(feature = "clickhouse")]
pub(crate) fn in_order(texts: &[String]) -> String {
    let mut words = String::with_capacity(texts.iter().map(String::len).sum::<usize>() + 1);
    each_word(texts, |word| {
        words.push_str(word);
        words.push(' ');
    });
    words
}

fn each_word(texts: &[String], mut put: impl FnMut(&str)) {
    for text in texts {
        if text.is_ascii() && text.len() < MOST {
            each_ascii_word(text, &mut put);
        } else {
            let folded = Folded::of(text);
            tokens(&folded.chars, true).iter().for_each(|Token(word, _)| put(word));
        }
    }
}

/// The same words, found without taking the text apart: most text is English or code.
fn each_ascii_word(text: &str, put: &mut impl FnMut(&str)) {
    let mut lower = String::with_capacity(LONGEST);
    let runs = text.split(|letter| !is_base64(letter)).filter(|run| run.len() < BASE64);
    for word in runs.flat_map(|run| run.split(|letter: char| !letter.is_ascii_alphanumeric())) {
        if !word.is_empty() {
            lower.clear();
            lower.extend(word.chars().take(LONGEST).map(|letter| letter.to_ascii_lowercase()));
            put(&lower);
        }
    }
}

/// A text as it counts, and where each of its letters stands in the original.
struct Folded {
    chars: Vec<char>,
    /// In bytes; one more than there are letters.
    at: Vec<usize>,
}

impl Folded {
    fn of(text: &str) -> Self {
        let mut folded =
            Self { chars: Vec::with_capacity(text.len()), at: Vec::with_capacity(text.len() + 1) };
        let mut skip = 0;
        for (at, letter) in text.char_indices().take_while(|(at, _)| *at < MOST) {
            if at < skip {
                continue;
            }
            if letter.is_ascii() && is_base64(letter) && (at == 0 || skip == at || starts_word(text, at)) {
                let rest = text.get(at..).unwrap_or_default();
                let length = rest.bytes().take_while(|byte| is_base64(char::from(*byte))).count();
                if length >= BASE64 {
                    skip = at + length;
                    folded.push(at, '\0');
                    continue;
                }
            }
            fold(letter, &mut |letter| folded.push(at, letter));
        }
        folded.at.push(text.char_indices().map(|(at, _)| at).find(|at| *at >= MOST).unwrap_or(text.len()));
        folded
    }

    /// White space is one space.
    fn push(&mut self, at: usize, letter: char) {
        let letter = if letter.is_whitespace() { ' ' } else { letter };
        if letter != ' ' || self.chars.last() != Some(&' ') {
            self.chars.push(letter);
            self.at.push(at);
        }
    }

    /// Where a phrase stands first, from a letter on.
    fn find(&self, phrase: &[char], from: usize, ends: bool) -> Option<usize> {
        let (first, last) = (phrase.first()?, phrase.last()?);
        let is_word = |at: usize| self.chars.get(at).is_some_and(|letter| kind(*letter) == Kind::Word);
        let windows = self.chars.get(from..)?.windows(phrase.len());
        windows.enumerate().map(|(at, window)| (at + from, window)).find_map(|(at, window)| {
            let found = window == phrase
                && !(kind(*first) == Kind::Word && at > 0 && is_word(at - 1))
                && !(ends && kind(*last) == Kind::Word && is_word(at + phrase.len()));
            found.then_some(at)
        })
    }
}

fn starts_word(text: &str, at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|before| text.as_bytes().get(before))
        .is_none_or(|before| !is_base64(char::from(*before)))
}

fn is_base64(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '=' | '-' | '_')
}

/// A letter without case and accents; some become several.
fn fold(letter: char, put: &mut dyn FnMut(char)) {
    match letter {
        _ if letter.is_ascii() => put(letter.to_ascii_lowercase()),
        '\u{300}'..='\u{36f}' => {}
        // Latin, Greek, Cyrillic and their other forms. In other scripts marks make other letters.
        '\u{a0}'..='\u{24f}'
        | '\u{370}'..='\u{52f}'
        | '\u{1e00}'..='\u{1fff}'
        | '\u{fb00}'..='\u{fb06}'
        | '\u{ff01}'..='\u{ff5e}' => decompose_compatible(letter, |part| {
            if !is_combining_mark(part) {
                part.to_lowercase().for_each(&mut *put);
            }
        }),
        _ => letter.to_lowercase().for_each(put),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of a word that ends with a space.
    Word,
    /// Of a script without spaces.
    Run,
    Gap,
}

fn kind(letter: char) -> Kind {
    match letter {
        _ if letter.is_ascii() => if letter.is_ascii_alphanumeric() { Kind::Word } else { Kind::Gap },
        // Thai, Lao, Myanmar, Khmer; Kana, CJK, Hangul, and those of the planes beyond.
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{3130}'..='\u{318f}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}'
            // The Katakana middle dot parts words.
            if letter != '\u{30fb}' => Kind::Run,
        _ if letter.is_alphanumeric() || is_combining_mark(letter) => Kind::Word,
        _ => Kind::Gap,
    }
}

/// What stands in the index, and whether more may follow it there.
struct Token(String, bool);

/// The tokens of folded letters. `indexing`: every letter of a script without spaces begins one, so that a single one is
/// found; a question asks for its pairs.
fn tokens(letters: &[char], indexing: bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = letters;
    while let Some(first) = rest.first() {
        let kind_here = kind(*first);
        let length = rest.iter().take_while(|letter| kind(**letter) == kind_here).count();
        let (here, behind) = rest.split_at(length);
        rest = behind;
        match kind_here {
            Kind::Gap => {}
            Kind::Word => tokens.push(Token(here.iter().take(LONGEST).collect(), false)),
            Kind::Run => {
                tokens.extend(here.windows(2).map(|pair| Token(pair.iter().collect(), false)));
                if indexing || here.len() == 1 {
                    tokens.extend(here.last().map(|last| Token(last.to_string(), true)));
                }
            }
        }
    }
    tokens
}

/// What somebody looks for: words, all of which must be there, and phrases in quotes.
#[derive(Clone, Debug)]
pub(crate) struct Sought {
    terms: Vec<Term>,
    index: String,
}

#[derive(Clone, Debug)]
struct Term {
    letters: Vec<char>,
    /// Whether the index alone cannot tell that it is there.
    verify: bool,
    /// Whether its last word ends there.
    ends: bool,
}

/// A word, or several in a row, as they stand among the words of a text.
#[cfg(feature = "clickhouse")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrase {
    /// These are there, each as a word of its own,
    pub(crate) tokens: Vec<String>,
    /// one begins so,
    pub(crate) begins: Option<String>,
    /// and this stands there, if one word alone does not say it.
    pub(crate) run: Option<String>,
}

#[cfg(feature = "clickhouse")]
impl Term {
    fn phrase(&self) -> Phrase {
        let mut asked = tokens(&self.letters, false);
        let mut run = tokens(&self.letters, true);
        let is_pair =
            |Token(text, open): &Token| !open && text.chars().all(|letter| kind(letter) == Kind::Run);
        let pair = asked.last().is_some_and(is_pair);
        if pair {
            // The last letter of a script without spaces stands alone only where the text ends, too.
            run.pop();
        }
        let open = !pair && (!self.ends || asked.last().is_some_and(|Token(_, open)| *open));
        let plain = !open && run.len() <= 1;
        let mut text: String = run.iter().flat_map(|Token(token, _)| [" ", token]).collect();
        let begins = if open { asked.pop().map(|Token(token, _)| token) } else { None };
        if !open {
            text.push(' ');
        }
        let tokens = asked.into_iter().map(|Token(token, _)| token).collect();
        Phrase { tokens, begins, run: (!plain).then_some(text) }
    }
}

impl Sought {
    /// None if there is no word in the question.
    pub(crate) fn new(question: &str) -> Option<Self> {
        let (mut terms, mut parts) = (Vec::new(), Vec::new());
        for (part, quoted) in split(question) {
            let mut letters = Folded::of(part).chars;
            if !quoted {
                let is_gap = |letter: Option<&char>| letter.is_some_and(|letter| kind(*letter) == Kind::Gap);
                while is_gap(letters.last()) {
                    letters.pop();
                }
                letters.drain(..letters.iter().take_while(|letter| is_gap(Some(letter))).count());
            } else {
                letters = String::from_iter(letters).trim().chars().collect();
            }
            if letters.is_empty() {
                continue;
            }
            let found = tokens(&letters, false);
            let simple = letters.iter().all(|letter| kind(*letter) == Kind::Word) && letters.len() <= LONGEST;
            let each = |Token(token, open): &Token| format!("\"{token}\"{}", if *open { "*" } else { "" });
            parts.extend(found.iter().map(each));
            terms.push((Term { letters, verify: quoted || !simple, ends: true }, quoted, found.is_empty()));
        }
        // What is being typed: the last word may go on.
        if let Some((last, false, false)) = terms.last_mut() {
            last.ends = false;
            if let Some(part) = parts.last_mut().filter(|part| !part.ends_with('*')) {
                part.push('*');
            }
        }
        let terms = terms.into_iter().map(|(term, ..)| term).collect();
        (!parts.is_empty()).then(|| Self { terms, index: parts.join(" AND ") })
    }

    /// The question as the index is asked it.
    pub(crate) fn index(&self) -> &str {
        &self.index
    }

    /// What stands in the words of [`indexed`] wherever this is said, with a space before it.
    #[cfg(feature = "clickhouse")]
    pub(crate) fn phrases(&self) -> Vec<Phrase> {
        self.terms.iter().map(Term::phrase).collect()
    }

    /// Whether what the index finds must be looked up in the text.
    pub(crate) fn verifies(&self) -> bool {
        self.terms.iter().any(|term| term.verify)
    }

    /// Whether a log record says it.
    pub(crate) fn is_in(&self, log: &LogRecord) -> bool {
        let values = log.body.iter().chain(log.attributes.0.iter().map(|attribute| &attribute.value));
        let mut texts = Vec::new();
        values.filter_map(Held::value).for_each(|value| add_value(&value, &mut texts));
        self.find(&texts).is_some()
    }

    /// The words in these texts; none if they are not all there.
    pub(crate) fn find(&self, texts: &[String]) -> Option<Snippet> {
        let folded: Vec<Folded> = texts.iter().map(|text| Folded::of(text)).collect();
        let mut shown = None;
        for term in &self.terms {
            let place = folded.iter().position(|text| text.find(&term.letters, 0, term.ends).is_some())?;
            shown = shown.or(Some(place));
        }
        Some(self.snippet(texts.get(shown?)?, folded.get(shown?)?))
    }

    fn snippet(&self, text: &str, folded: &Folded) -> Snippet {
        let place = |at: usize| folded.at.get(at).copied().unwrap_or(text.len());
        let mut found: Vec<(usize, usize)> = Vec::new();
        for term in &self.terms {
            let mut from = 0;
            while let Some(at) = folded.find(&term.letters, from, term.ends) {
                from = at + term.letters.len();
                found.push((place(at), place(from)));
                if found.len() > 1_000 {
                    break;
                }
            }
        }
        found.sort_unstable();
        let first = found.first().map_or(0, |(from, _)| *from);
        let (from, to) = window(text, first);
        let mut snippet = String::new();
        let mut marks: Vec<(u32, u32)> = Vec::new();
        if from > 0 {
            snippet.push('…');
        }
        let units = |text: &str| u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX);
        let before = units(&snippet);
        let inside = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
        for (begin, end) in found {
            let end = end.min(to);
            if begin < from || begin >= end {
                continue;
            }
            let mark = (before + units(inside(from..begin)), before + units(inside(from..end).trim_end()));
            match marks.last_mut() {
                Some(last) if mark.0 <= last.1 => last.1 = last.1.max(mark.1),
                _ => marks.push(mark),
            }
        }
        snippet
            .extend(inside(from..to).chars().map(|letter| if letter.is_whitespace() { ' ' } else { letter }));
        if to < text.len() {
            snippet.push('…');
        }
        Snippet { text: snippet, marks }
    }
}

/// A snippet has so many letters before the first word,
const BEFORE: usize = 60;
/// and so many behind.
const BEHIND: usize = 140;

fn window(text: &str, at: usize) -> (usize, usize) {
    let (head, tail) = text.split_at_checked(at).unwrap_or(("", text));
    let from = head.char_indices().rev().nth(BEFORE - 1).map_or(0, |(at, _)| at);
    let to = tail.char_indices().nth(BEHIND).map_or(text.len(), |(behind, _)| head.len() + behind);
    (from, to)
}

/// Words, and what stands in quotes.
fn split(question: &str) -> Vec<(&str, bool)> {
    let mut parts = Vec::new();
    for (at, part) in question.split(['"', '“', '”', '„']).enumerate() {
        if at % 2 == 1 {
            parts.push((part, true));
        } else {
            parts.extend(part.split_whitespace().map(|word| (word, false)));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(question: &str, text: &str) -> Option<String> {
        let snippet = Sought::new(question).unwrap().find(&texts(Form::Text, text.as_bytes()))?;
        let units: Vec<u16> = snippet.text.encode_utf16().collect();
        let mark =
            |(from, to): &(u32, u32)| String::from_utf16(&units[*from as usize..*to as usize]).unwrap();
        Some(snippet.marks.iter().map(mark).collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn what_was_said_is_searched_and_its_frame_is_not() {
        let message = r#"{"role":"user","parts":[{"type":"text","content":"Où est\nmon colis 4711?"},
            {"type":"tool_call","name":"track","arguments":"{\"city\":\"\\u5317\\u4eac\"}"}]}"#;
        let said = texts(Form::Text, message.as_bytes());
        assert_eq!(said, ["Où est\nmon colis 4711?", "北京", "track"]);
        assert_eq!(indexed(&said), "ou est mon colis 4711 北京 京 track ");
        assert_eq!(texts(Form::Text, b"[not json"), ["[not json"]);
        let image = format!("look: data:image/png;base64,{} there", "iVBORw0KGgoAAAANSUhEUg".repeat(40));
        assert_eq!(indexed(&[image]), "look data image png base64 there ");
    }

    #[test]
    fn words_of_plain_text_are_those_of_any_text() {
        let long = "aB3".repeat(50);
        let data = "iVBORw0KGgoAAAANSUhEUg".repeat(20);
        for text in ["", " ", "A  b\tC\n", "foo_bar(x)=1/2+3", "it's 3.14%", "/a//b/", "\0x\0"] {
            for text in [text.to_owned(), format!("{text}{long} {text}"), format!("x {data} {text} {data}")] {
                let mut plain = Vec::new();
                each_ascii_word(&text, &mut |word| plain.push(word.to_owned()));
                let any: Vec<String> =
                    tokens(&Folded::of(&text).chars, true).into_iter().map(|Token(word, _)| word).collect();
                assert_eq!(plain, any, "{text}");
            }
        }
    }

    #[test]
    fn questions_ask_the_index_for_words_and_pairs() {
        let index = |question: &str| Sought::new(question).unwrap().index().to_owned();
        assert_eq!(index("Où est COLIS"), r#""ou" AND "est" AND "colis"*"#);
        assert_eq!(index("\"mon colis\""), r#""mon" AND "colis""#);
        assert_eq!(index("北京市 好"), r#""北京" AND "京市" AND "好"*"#);
        assert_eq!(index("foo_bar(x)?"), r#""foo" AND "bar" AND "x"*"#);
        for nothing in ["", "  ", "?!", "\"=>\""] {
            assert!(Sought::new(nothing).is_none(), "{nothing}");
        }
    }

    #[cfg(feature = "clickhouse")]
    #[test]
    fn phrases_stand_among_the_words_of_a_text() {
        let among = |question: &str, text: &str| {
            let words = format!(" {}", in_order(&[text.to_owned()]));
            let each: Vec<&str> = words.split_whitespace().collect();
            Sought::new(question).unwrap().phrases().iter().all(|phrase| {
                phrase.tokens.iter().all(|token| each.contains(&token.as_str()))
                    && phrase.begins.iter().all(|begins| each.iter().any(|word| word.starts_with(begins)))
                    && phrase.run.as_ref().is_none_or(|run| words.contains(run.as_str()))
            })
        };
        for (question, text) in [
            ("parc", "my parcel"),
            ("\"is my\" parcel", "where is my parcel"),
            ("\"天气4\"", "今天的天气4月"),
            ("\"비가 올까요\"", "내일은 비가 올까요?"),
            ("京", "東京の天気"),
            ("京", "京都"),
            ("x京", "x京都"),
            ("gpt-4o", "gpt 4 and gpt-4o"),
            ("\"天气4\"", "天气5和天气4"),
            ("foo_bar(x)", "a foo_bar(x)"),
            ("\"fn main() {\"", "fn main() { }"),
        ] {
            assert!(among(question, text), "{question}: {:?}", Sought::new(question).unwrap().phrases());
        }
        for (question, text) in [
            ("\"parc\"", "my parcel"),
            ("\"my is\"", "is my"),
            ("京都", "東京の都"),
            ("parc my", "my parcel"),
        ] {
            assert!(!among(question, text), "{question}");
        }
    }

    #[test]
    fn words_are_marked_where_they_stand() {
        assert_eq!(found("colis est", "Où est\nmon Colis?").as_deref(), Some("est|Colis"));
        assert_eq!(found("cafe", "un cafe\u{301} noir, deux Cafés").as_deref(), Some("cafe\u{301}|Café"));
        assert_eq!(found("\"is my\"", "where is  my parcel").as_deref(), Some("is  my"));
        assert_eq!(found("\"is my\"", "this my, is myth"), None);
        assert_eq!(found("\"fn main() {\"", "pub fn main() {\n}").as_deref(), Some("fn main() {"));
        assert_eq!(found("self.name", "let a = self.names;").as_deref(), Some("self.name"));
        assert_eq!(found("self.name", "self, name"), None);
        assert_eq!(found("京都", "東京都庁").as_deref(), Some("京都"));
        assert_eq!(found("京都", "京。都"), None);
        assert_eq!(found("ラーメン", "😀 味噌ラーメンを").as_deref(), Some("ラーメン"));
        assert_eq!(found("날씨", "서울의 날씨는 어때요?").as_deref(), Some("날씨"));
        assert_eq!(found("ﬁle", "the FILE").as_deref(), Some("FILE"));
    }

    #[test]
    fn snippets_are_short_and_say_that_they_are_cut() {
        let text = format!("{} Paket {}", "erste Wörter ".repeat(50), "letzte Wörter ".repeat(50));
        let snippet = Sought::new("paket").unwrap().find(&[text]).unwrap();
        assert!(snippet.text.chars().count() <= BEFORE + BEHIND + 2);
        assert!(snippet.text.starts_with('…') && snippet.text.ends_with('…'));
        assert_eq!(snippet.marks.len(), 1);
    }

    proptest::proptest! {
        /// Whatever stands in a text is found in it, and marked there.
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,200}", from in 0usize..100, length in 1usize..20) {
            let phrase: String = text.chars().skip(from).take(length).collect();
            let words = phrase.replace(['"', '“', '”', '„'], " ");
            if let Some(sought) = Sought::new(&words) {
                let _ = sought.find(&texts(Form::Text, text.as_bytes()));
            }
            let word = text.split(|letter| kind(letter) == Kind::Gap).find(|word| word.chars().any(|letter| kind(letter) != Kind::Gap));
            if let Some(sought) = word.and_then(Sought::new) {
                let snippet = sought.find(std::slice::from_ref(&text)).unwrap();
                let length = u32::try_from(snippet.text.encode_utf16().count()).unwrap();
                proptest::prop_assert!(snippet.marks.iter().all(|(from, to)| from < to && *to <= length));
                proptest::prop_assert!(!snippet.marks.is_empty());
            }
        }
    }
}
