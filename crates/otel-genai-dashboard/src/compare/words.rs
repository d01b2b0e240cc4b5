//! Two texts word by word: what stays, what goes, what comes.

use super::align::{Pair, align, symbols};
use crate::view::{Changed, Said};

/// Longer texts are only told to differ, in bytes.
pub(super) const LONG: usize = 64 << 10;

/// The stretches of both in order. `None`: they are too long to say where they differ.
pub(super) fn diff(a: &str, b: &str) -> Option<Vec<Said>> {
    if a.len() > LONG || b.len() > LONG {
        return None;
    }
    let (words_a, words_b) = (words(a), words(b));
    let mut said: Vec<Said> = Vec::new();
    let mut kept = 0;
    for pair in align(&[symbols(words_a.iter().copied(), words_b.iter().copied())]) {
        let (how, word) = match pair {
            Pair::Both(at, _) => (Changed::Stays, words_a.get(at)),
            Pair::OnlyA(at) => (Changed::Goes, words_a.get(at)),
            Pair::OnlyB(at) => (Changed::Comes, words_b.get(at)),
        };
        let word = word.copied().unwrap_or_default();
        if how == Changed::Stays {
            kept += word.trim().len();
        }
        match said.last_mut() {
            Some(Said(last, text)) if *last == how => text.push_str(word),
            _ => said.push(Said(how, word.to_owned())),
        }
    }
    // Two texts that share only a word here and there are easier to read one after the other.
    if kept * 4 < a.len().max(b.len()) {
        let whole =
            [(Changed::Goes, a), (Changed::Comes, b)].into_iter().filter(|(_, text)| !text.is_empty());
        return Some(whole.map(|(how, text)| Said(how, text.to_owned())).collect());
    }
    Some(said)
}

/// Words, what stands between them, and each sign alone. Where words are not set apart, each character is one.
fn words(text: &str) -> Vec<&str> {
    #[derive(PartialEq)]
    enum Kind {
        Space,
        Word,
        Sign,
    }
    let kind = |char: char| match char {
        _ if char.is_whitespace() => Kind::Space,
        '\u{2e80}'.. => Kind::Sign,
        '_' => Kind::Word,
        _ if char.is_alphanumeric() => Kind::Word,
        _ => Kind::Sign,
    };
    let mut words = Vec::new();
    let (mut start, mut last) = (0, None);
    for (at, char) in text.char_indices() {
        let now = kind(char);
        if last.as_ref().is_some_and(|last| *last != now || now == Kind::Sign) {
            words.extend(text.get(start..at));
            start = at;
        }
        last = Some(now);
    }
    words.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(a: &str, b: &str) -> String {
        let one = |Said(how, text): &Said| match how {
            Changed::Stays => text.clone(),
            Changed::Goes => format!("[-{text}-]"),
            Changed::Comes => format!("[+{text}+]"),
        };
        diff(a, b).unwrap().iter().map(one).collect()
    }

    #[test]
    fn it_is_told_where_they_differ() {
        assert_eq!(told("the quick fox", "the slow fox"), "the [-quick-][+slow+] fox");
        assert_eq!(told("the same", "the same"), "the same");
        assert_eq!(told("今天天气很好", "今天天气不好"), "今天天气[-很-][+不+]好");
        assert_eq!(told("be brief.", "be brief!"), "be brief[-.-][+!+]");
        assert_eq!(told("", "new"), "[+new+]");
        assert_eq!(told("one thing", "a wholly other text"), "[-one thing-][+a wholly other text+]");
        assert_eq!(diff(&"a ".repeat(LONG), "a"), None);
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_out_of_it(a in "[a-c ü天.]{0,60}", b in "[a-c ü天.]{0,60}") {
            let said = diff(&a, &b).unwrap();
            let without = |left: Changed| -> String {
                said.iter().filter(|one| one.0 != left).map(|one| one.1.as_str()).collect()
            };
            prop_assert_eq!(without(Changed::Comes), a);
            prop_assert_eq!(without(Changed::Goes), b);
        }
    }
}
