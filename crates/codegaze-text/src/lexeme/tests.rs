use proptest::prelude::*;

use super::*;
use crate::testing::any_text;

/// Draws a letter for each character: the initial of the lexeme's kind, in upper case where a lexeme begins; `x` means other.
fn draw(text: &str) -> String {
    let mut row = vec![' '; text.chars().count()];
    for lexeme in scan(text) {
        let start = text[..lexeme.span.start].chars().count();
        let letter = match lexeme.kind {
            LexemeKind::Identifier => 'i',
            LexemeKind::Number => 'n',
            LexemeKind::StringPiece => 's',
            LexemeKind::Operator => 'o',
            LexemeKind::Delimiter => 'd',
            LexemeKind::Other => 'x',
        };
        row[start] = letter.to_ascii_uppercase();
        for place in row
            .iter_mut()
            .skip(start + 1)
            .take(lexeme.span.of(text).chars().count() - 1)
        {
            *place = letter;
        }
    }
    let mut drawn = String::new();
    for (at, character) in text.chars().enumerate() {
        drawn.push(if character == '\n' { '\n' } else { row[at] });
    }
    drawn
}

/// `picture` has lines of code, and under each of them the expected result of [`draw`].
#[track_caller]
fn check(picture: &str) {
    let lines: Vec<&str> = picture
        .trim_start_matches('\n')
        .trim_end()
        .split('\n')
        .collect();
    let code: Vec<&str> = lines.iter().step_by(2).copied().collect();
    let drawn = draw(&code.join("\n"));
    let got: Vec<String> = code
        .iter()
        .zip(drawn.split('\n'))
        .map(|(code, drawn)| format!("{code}\n{}", drawn.trim_end()))
        .collect();
    let got = got.join("\n");
    assert!(
        got == lines.join("\n"),
        "got\n{got}\nexpected\n{}",
        lines.join("\n")
    );
}

#[test]
fn c() {
    check(
        r#"
#include <stdio.h>
OIiiiiii OIiiiiDIO
static const char *s = "a\tb %d\n\x41"; // it's the buffer's "name"
Iiiiii Iiiii Iiii OI O DSSsS SSSsSsssDD Oo Iiii Iii Iiiiiiii DSsssD
if (p->x != 0xFFu && !(q[i]++ >> 2)) { *p |= 'c'; c = '\''; }
Ii DIOoI Oo Nnnnn Oo ODIDIDOo Oo NDD D OI Oo DSDD I O DSsDD D
/* don't open ' or ` here */ x = a<b;
Oo Iiiii Iiii D Ii D Iiii Oo I O IOID
"#,
    );
}

#[test]
fn cpp() {
    check(
        r#"
std::vector<std::vector<int>> v{1'000'000, 2.5e-3f}; auto c = a <=> b;
IiiOoIiiiiiOIiiOoIiiiiiOIiiOo IDNnnnnnnnnD NnnnnnnDD Iiii I O I Ooo ID
auto f = [&](auto&&... xs) -> T { return this->*g; }; u8'x'; L"w";
Iiii I O DODDIiiiOoOoo IiD Oo I D Iiiiii IiiiOooID DD IiDSDD IDSDD
"#,
    );
}

#[test]
fn go() {
    check(
        r#"
ch <- x; y := <-ch; s = `raw "x"`; r := '\u00e9'; m &^= 1 << 3
Ii Oo ID I Oo OoIiD I O DSss SSSDD I Oo DSsssssDD I Ooo N Oo N
x = `a
I O DS
'b` + 1
SSD O N
for i := range 10 { fmt.Println("don't", i...) }
Iii I Oo Iiiii Nn D IiiDIiiiiiiDDSssssDD IOooD D
"#,
    );
}

#[test]
fn java() {
    check(
        r#"
@Override public List<? extends T> f() { return x >>> 2; } // @see Foo#bar
Iiiiiiiii Iiiiii IiiiOO Iiiiiii IO IDD D Iiiiii I Ooo ND D Oo Iiii IiiOIii
int n = 0b1010_1010L; double d = .5 + 1. / 2.0e10; String t = """hi""";
Iii I O NnnnnnnnnnnnD Iiiiii I O Nn O ND O NnnnnnD Iiiiii I O DddSsDddD
"#,
    );
}

#[test]
fn javascript() {
    check(
        r#"
const $el = a?.b ?? `t ${x + 1} "y"`, re = x === y ? 1..toFixed() : !0;
Iiiii Iii O IOoI Oo DS SSS S SS SSSDD Ii O I Ooo I O NOoIiiiiiiDD D OND
class A { #p = 1; get() { return this.#p ** 2 } } // users' data
Iiiii I D OI O ND IiiDD D Iiiiii IiiiDOI Oo N D D Oo IiiiiD Iiii
"#,
    );
}

#[test]
fn php() {
    check(
        r#"
<?php $x['k'] ??= "v $y {$z}"; $o?->f(); echo 'it\'s' . "\u{1F600}"; ?>
Ooooo IiDDSDD Ooo DS Ss SSsSDD IiOooIDDD Iiii DSsSsSD D DSssssssssDD OO
"#,
    );
}

#[test]
fn python() {
    check(
        r#"
@cache
Iiiiii
def f(x: int = 1_000, *, y=.5j) -> str: return f'{x!r:>{w}} a' + rb'\d' + f't {x}'
Iii IDID Iii O NnnnnD OD IONnnD Oo IiiD Iiiiii IDSSSSSSSSSS SD O IiDSsD O IDS SSSD
z = a @ b if x := y else """doc's "q" \""""
I O I O I Ii I Oo I Iiii DddSssss SSS SsDdd
s = '''a \\
I O DddS Ss
'b' '''; t = 7 // 2
SSS DddD I O N Oo N
# the caller's list isn't copied; e.g. `x`, "y" -- a@b.org
O Iii Iiiiiiii Iiii Iiiii IiiiiiD IDID DSDD DSD Oo IOIDIii
"#,
    );
}

#[test]
fn ruby() {
    check(
        r#"
@@n = @x.map { |y| y&.to_s } unless "a#{b}" =~ /x/ || :sym <=> nil
Iii O IiDIii D OIO IOoIiii D Iiiiii DSSSSSD Oo OIO Oo DIii Ooo Iii
"#,
    );
}

#[test]
fn rust() {
    check(
        r##"
fn f<'a, T: 'static>(x: &'a str, c: char) -> impl Fn(u8) -> &'a T + 'a {
Ii IOIiD ID IiiiiiiODID OIi IiiD ID IiiiD Oo Iiii IiDIiD Oo OIi I O Ii D
'outer: loop { if c == '\n' || b'x' == y { break 'outer; } } let _ = 1..=2; 0..n; t.0.1; 1.max(2)
IiiiiiD Iiii D Ii I Oo DSsD Oo IDSD Oo I D Iiiii IiiiiiD D D Iii I O NOooND NOoID IDNDND NDIiiDND
let s = r#"a "b" \"#; #[derive(Debug)] struct S; x = 3.14e-10f32; r"\d"
Iii I O IODS SSS SDdD ODIiiiiiDIiiiiDD Iiiiii ID I O NnnnnnnnnnnD IDSsD
"##,
    );
}

#[test]
fn typescript() {
    check(
        r#"
type F = <T,>(x?: T[]) => x is NonNullable<T>; let a = b! as unknown as Record<string, 'a' | 'b'>;
Iiii I O OIDODIOo IDDD Oo I Ii IiiiiiiiiiiOIOD Iii I O IO Ii Iiiiiii Ii IiiiiiOIiiiiiD DSD O DSDOD
return <div className="a-b">it's {x}</div>;
Iiiiii OIii IiiiiiiiiODSSSDOIiii DIDOoIiiOD
"#,
    );
}

#[test]
fn unicode_goes_in_clusters() {
    check(
        r#"
naïve = "日本 e👍🏽!" 👩‍💻👩‍💻 🇨🇭🇩🇪 1️⃣ é ≠ a≠b → «x» ½ क्षि x²
Iiiii O DSs SSsSD XxxXxx XxXx Nnn I X IXI X XIX X Iiii IX
"#,
    );
}

#[test]
fn marks_and_numbers() {
    check(
        r#"
# ------ a ==== **** //// ...... +++ @@@@ $$ _ \x
O Oooooo I Oooo Oooo Oooo Oooooo OoO OOOO Ii I DI
a"b 'c "d" 'tis `e
IDS SS DID Iiii DI
"unclosed and 'one' that's "
DSsssssss Sss SSssS Ssssss D
v1.2.3 10.0.0.1 2024-01-02 1e+5 0x1E+5 1.e5 1.) 3rd 1...3 x.5 (.5) f().5
IiDNDN NnnnDNDN NnnnONnONn Nnnn NnnnON Nnnn NnD Nnn NOooN IDN DNnD IDDDN
"#,
    );
}

#[test]
fn whitespace_is_no_lexeme() {
    for text in ["", " ", "\u{feff}\r\n\t\u{200b}\u{a0}\u{2028}\u{c}"] {
        assert_eq!(scan(text), []);
    }
}

#[test]
fn control_characters_are_other() {
    let spans: Vec<(ByteSpan, LexemeKind)> = scan("a\0\u{1}\r\n\u{7f}\u{feff}\"\0\"")
        .into_iter()
        .map(|lexeme| (lexeme.span, lexeme.kind))
        .collect();
    let expected = [
        (0, 1, LexemeKind::Identifier),
        (1, 3, LexemeKind::Other),
        (5, 6, LexemeKind::Other),
        (9, 10, LexemeKind::Delimiter),
        (10, 11, LexemeKind::StringPiece),
        (11, 12, LexemeKind::Delimiter),
    ]
    .map(|(start, end, kind)| (ByteSpan::new(start, end), kind));
    assert_eq!(spans, expected);
}

#[test]
fn one_long_word_is_one_lexeme() {
    let text = "x".repeat(1 << 20);
    assert_eq!(scan(&text).len(), 1);
}

/// A search that starts again at every place of such a line would take minutes.
#[test]
fn long_lines_of_marks_keep_the_invariants() {
    let units = [
        "\"",
        "'",
        "`",
        "\\'",
        "\\\"",
        "'\\'",
        "'a ",
        "' \\'",
        "\"\"\"\\",
        "r#\"",
        "r##\" r#\"",
        "/*",
        "//",
        "# ",
        "@",
        "@@a",
        "1.",
        "1'",
        "<'a",
        "&'",
        "b'",
        "''' ",
        "\u{301}",
        "\u{1f1e6}",
        "😀\u{200d}",
        "-",
        ".",
        "`\\",
    ];
    for unit in units {
        for head in ["", "'", "\"", "`", "/*", "\"\"\""] {
            let text = format!("{head}{}a", unit.repeat((100 << 10) / unit.len()));
            check_invariants(&text);
        }
    }
}

#[track_caller]
fn check_invariants(text: &str) {
    let mut end = 0;
    for Lexeme { span, .. } in scan(text) {
        assert!(span.start >= end && !span.is_empty(), "{span:?}");
        assert!(
            text[end..span.start].chars().all(is_whitespace),
            "before {span:?}"
        );
        assert!(!span.of(text).contains(is_whitespace), "in {span:?}");
        end = span.end;
    }
    assert!(
        text[end..].chars().all(is_whitespace),
        "after the last lexeme"
    );
}

proptest! {
    #[test]
    fn lexemes_partition_what_is_not_whitespace(text in any_text()) {
        check_invariants(&text);
    }

    #[test]
    fn so_they_do_in_any_string(text in any::<String>()) {
        check_invariants(&text);
    }
}
