//! A text that comes in pieces, of which nobody says whether each one goes on where the last one ended
//! (`incremental_output`) or repeats all that was said before.
//!
//! A text of which every piece begins with the one before is repeated. Pieces that go on do not look so for long.

use crate::gather::Room;

/// After so many pieces that each repeat the one before and say more, there is no doubt.
const CERTAIN: u8 = 4;

#[derive(Debug, Default)]
pub(super) struct Growing {
    /// All pieces in a row.
    joined: String,
    /// The last piece.
    last: String,
    /// How often a piece has repeated the one before and said more.
    grown: u8,
    /// Whether a piece has not repeated the one before.
    goes_on: bool,
}

impl Growing {
    pub(super) fn take(&mut self, piece: &str, room: &mut Room) {
        // What has been cut off once stays cut.
        if room.is_full() {
            return;
        }
        if !self.is_certain()
            && !self.goes_on
            && !self.last.is_empty()
            && !piece.starts_with(self.last.as_str())
        {
            self.goes_on = true;
            room.give_back(self.last.len());
            self.last = String::new();
        }
        if piece.is_empty() {
            return;
        }
        if self.goes_on {
            return room.append(&mut self.joined, piece);
        }
        let has_grown = !self.last.is_empty() && piece.len() > self.last.len();
        self.grown = self.grown.saturating_add(u8::from(has_grown));
        room.give_back(self.last.len());
        self.last.clear();
        if self.is_certain() {
            room.give_back(self.joined.len());
            self.joined = String::new();
        } else {
            room.append(&mut self.joined, piece);
        }
        room.append(&mut self.last, piece);
    }

    fn is_certain(&self) -> bool {
        !self.goes_on && self.grown >= CERTAIN
    }

    /// Whether its pieces go on; `None`: they do not tell.
    pub(super) fn goes_on(&self) -> Option<bool> {
        match (self.goes_on, self.grown) {
            (true, _) => Some(true),
            (false, 0) => None,
            (false, _) => Some(false),
        }
    }

    /// The whole text. `goes_on`: what the other texts of the same answer tell.
    pub(super) fn finish(self, goes_on: bool) -> String {
        if self.is_certain() || (!goes_on && !self.goes_on) { self.last } else { self.joined }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(pieces: &[&str]) -> String {
        let mut room = Room::new(1000);
        let mut text = Growing::default();
        pieces.iter().for_each(|piece| text.take(piece, &mut room));
        let goes_on = text.goes_on().unwrap_or(true);
        text.finish(goes_on)
    }

    #[test]
    fn pieces_that_repeat_and_pieces_that_go_on() {
        assert_eq!(whole(&["1", "1,", "1, ", "1, 2", "1, 2, 3,", "1, 2, 3,"]), "1, 2, 3,");
        assert_eq!(whole(&["1", ",", " ", "2", ", 3,", ""]), "1, 2, 3,");
        assert_eq!(whole(&["1", "1", "1", "1", "1", "1", ""]), "111111");
        assert_eq!(whole(&["1", "12", "3", ""]), "1123");
        assert_eq!(whole(&["a", "ab", "abc", "abcd", "abcde", "abcdef", ""]), "abcdef");
        assert_eq!(whole(&["a", "ab", "abc", "abcd", "abcde", "other"]), "other");
        assert_eq!(whole(&["all at once"]), "all at once");
        assert_eq!(whole(&["", "", "late"]), "late");
        assert_eq!(whole(&[]), "");
    }

    #[test]
    fn the_room_of_what_is_repeated_is_given_back() {
        let mut room = Room::new(400);
        let mut text = Growing::default();
        let all = "x".repeat(200);
        for end in 1..=all.len() {
            text.take(&all[..end], &mut room);
        }
        assert!(!room.is_full());
        assert_eq!(text.finish(false), all);
    }
}
