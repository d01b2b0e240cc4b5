//! Colours, or none, and lines that break between words that belong together.

use super::text::width;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Style {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Name,
    Role,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Bad => "31",
            Self::Name => "1;36",
            Self::Role => "35",
        }
    }
}

/// Knows whether there are colours, and how wide a line may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    pub(crate) color: bool,
    pub(crate) columns: usize,
}

impl Paint {
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        if self.color && style != Style::Plain && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())
        } else {
            text.to_owned()
        }
    }
}

/// A line of words with two spaces between them. Where it gets too long it goes on below, indented.
pub(crate) struct Flow {
    paint: Paint,
    indent: usize,
    used: usize,
    text: String,
}

impl Flow {
    /// Begins with `prefix` as it is, `indent` columns wide; later lines begin with as many spaces.
    pub(crate) fn new(paint: Paint, prefix: &str, indent: usize) -> Self {
        Self { paint, indent, used: indent, text: prefix.to_owned() }
    }

    pub(crate) fn word(&mut self, style: Style, word: &str) -> &mut Self {
        self.words(&[(style, word)])
    }

    /// Several pieces that stay together, without anything between them.
    pub(crate) fn words(&mut self, pieces: &[(Style, &str)]) -> &mut Self {
        let columns: usize = pieces.iter().map(|(_, piece)| width(piece)).sum();
        if columns == 0 {
            return self;
        }
        if self.used > self.indent {
            if self.used + 2 + columns > self.paint.columns {
                self.text.push('\n');
                self.text.push_str(&" ".repeat(self.indent));
                self.used = self.indent;
            } else {
                self.text.push_str("  ");
                self.used += 2;
            }
        }
        for (style, piece) in pieces {
            self.text.push_str(&self.paint.paint(*style, piece));
        }
        self.used += columns;
        self
    }

    pub(crate) fn end(self) -> String {
        self.text + "\n"
    }
}
