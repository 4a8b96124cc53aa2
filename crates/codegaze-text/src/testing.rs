//! Random texts for the tests of several crates.

use proptest::prelude::*;

use crate::PositionEncoding;

/// All encodings of positions.
pub const ENCODINGS: [PositionEncoding; 3] = [
    PositionEncoding::Utf8,
    PositionEncoding::Utf16,
    PositionEncoding::Utf32,
];

/// Texts that cause errors in practice, and that uniform random characters rarely contain.
const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\r\n",
    "\r\n",
    "\r",
    "\r",
    "\t",
    " ",
    "    ",
    "a",
    "def ",
    "x1",
    "foo",
    "é",
    "e\u{301}",
    "\u{301}",
    "漢字",
    "😀",
    "👩‍💻",
    "👍🏽",
    "🇨🇭",
    "1️⃣",
    "\u{feff}",
    "\u{200b}",
    "\u{200d}",
    "\0",
    "\u{1b}",
    "\u{2028}",
    "\u{c}",
    "\u{85}",
    "'",
    "'",
    "\"",
    "\"",
    "`",
    "\"\"\"",
    "'''",
    "\\",
    "\\n",
    "\\u{41}",
    "r#\"",
    "\"#",
    "//",
    "/*",
    "*/",
    "#",
    "# ",
    "0x1F",
    "1.5e-3",
    ".5",
    "1..2",
    "->",
    "===",
    "<",
    ">",
    "(",
    ")",
    "{",
    "}",
    ",",
    "@",
    "$",
    "don't",
    "b'",
    "&'a",
    "----",
];

/// Random text with emoji, combining marks, every line terminator, quotes and comment signs.
pub fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}
