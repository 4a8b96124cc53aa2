use std::collections::HashSet;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use codegaze_text::testing::any_text;

/// About the number of subwords of a byte-level tokenizer.
fn thirds(text: &str) -> usize {
    text.len().div_ceil(3)
}

fn plan_with(text: &str, config: &ChunkConfig, count: fn(&str) -> usize) -> Vec<Chunk> {
    plan(text, &LineIndex::new(text), &mut |text| count(text), config)
}

fn texts(text: &str) -> Vec<&str> {
    plan_with(text, &ChunkConfig::new(510), thirds)
        .into_iter()
        .map(|chunk| chunk.span.of(text))
        .collect()
}

/// The chunks of the new text that the old text does not have, which the model has to read.
fn n_new(old: &str, new: &str) -> usize {
    let before: HashSet<&str> = texts(old).into_iter().collect();
    texts(new)
        .into_iter()
        .filter(|text| !before.contains(text))
        .count()
}

#[track_caller]
fn check_invariants(text: &str, config: &ChunkConfig, count: fn(&str) -> usize) {
    let chunks = plan_with(text, config, count);
    let mut end = 0;
    for Chunk {
        span,
        core,
        n_subwords,
    } in chunks
    {
        assert_eq!(n_subwords, count(span.of(text)));
        assert_eq!(core.start, end);
        assert!(!core.is_empty());
        assert!(span.contains(core));
        for at in [span.start, span.end, core.start, core.end] {
            assert!(text.is_char_boundary(at));
            assert!(
                !(text[..at].ends_with('\r') && text[at..].starts_with('\n')),
                "{at}"
            );
        }
        let is_unit = span.of(text).chars().count() == 1 || span.of(text) == "\r\n";
        assert!(
            is_unit || count(span.of(text)) <= config.max_subwords.max(1),
            "{span:?}"
        );
        end = core.end;
    }
    assert_eq!(end, text.len());
}

/// `n` different functions of `n_lines` lines or slightly more.
fn functions(n: usize, n_lines: usize) -> Vec<String> {
    (0..n)
        .map(|at| {
            let mut text = format!("# Number {at}.\ndef function_{at}(first, second):\n");
            for line in 0..n_lines + at * 7 % 5 {
                let indent = if line % 4 == 3 { 8 } else { 4 };
                let _ = writeln!(text, "{:indent$}value_{line} = first[{at}] + second", "");
            }
            text
        })
        .collect()
}

fn class(methods: &[String]) -> String {
    let mut text = String::from("class Everything:\n");
    for method in methods {
        for line in method.lines() {
            let _ = writeln!(text, "    {line}");
        }
        text.push('\n');
    }
    text
}

#[test]
fn a_document_that_fits_is_one_chunk() {
    let text = "a = 1\n\nb = 2\n\nc = 3\n";
    for max_subwords in [thirds(text), 510] {
        let chunks = plan_with(text, &ChunkConfig::new(max_subwords), thirds);
        let whole = ByteSpan::new(0, text.len());
        assert_eq!(
            chunks,
            [Chunk {
                span: whole,
                core: whole,
                n_subwords: thirds(text),
            }]
        );
    }
    let chunks = plan_with(text, &ChunkConfig::new(thirds(text) - 1), thirds);
    assert!(chunks.len() > 1);
}

#[test]
fn empty_and_blank_documents() {
    assert_eq!(texts(""), [""; 0]);
    assert_eq!(texts(" \r\n\t\n"), [" \r\n\t\n"]);
    assert!(texts(&"\n".repeat(5000)).len() > 1);
}

#[test]
fn cuts_are_before_unindented_lines_after_blank_ones() {
    // Two subwords on each line, and at least four in each chunk.
    let config = ChunkConfig {
        max_subwords: 12,
        min_subwords: 4,
        context_subwords: 2,
    };
    let lines = [
        "import a\n",
        "\n",
        "@cached\n", // with its function, although the imports are below the minimum
        "def f():\n",
        "    x\n",
        "\n",
        "    y\n",
        "|\n",
        "if z:\n",
        "    z\n",
        "\n",
        "else:\n", // belongs to what stands above
        "    z\n",
        "\n",
        "|class C {\n",
        "    w\n",
        "\n",
        "}\n",
    ];
    let picture = lines.concat();
    let text = picture.replace('|', "");
    let mut got = String::new();
    for chunk in plan_with(&text, &config, |text| {
        text.lines().filter(|line| !line.trim().is_empty()).count() * 2
    }) {
        assert_eq!(chunk.span, chunk.core);
        got.push_str(chunk.span.of(&text));
        got.push('|');
    }
    assert_eq!(got.trim_end_matches('|'), picture.replace("|\n", "\n|"));
}

#[test]
fn an_over_long_function_is_split_evenly_with_context() {
    let before = &functions(1, 20)[0];
    let long = &functions(1, 60)[0];
    let text = format!("{before}\n\n{long}\n\n{before}");
    let config = ChunkConfig::new(510);
    let chunks = plan_with(&text, &config, thirds);
    let at = text.rfind("# Number 0.\ndef").unwrap();
    let long_span = ByteSpan::new(before.len() + 2, at);
    let parts: Vec<&Chunk> = chunks
        .iter()
        .filter(|chunk| chunk.span != chunk.core)
        .collect();
    assert_eq!(chunks.len(), parts.len() + 2);
    assert_eq!(parts[0].core.start, long_span.start);
    assert_eq!(parts[parts.len() - 1].core.end, long_span.end);
    for (at, part) in parts.iter().enumerate() {
        assert!(
            long_span.contains(part.span),
            "context comes from the block"
        );
        assert_eq!(part.span.start < part.core.start, at > 0);
        assert_eq!(part.span.end > part.core.end, at + 1 < parts.len());
        assert!(thirds(part.core.of(&text)) * 4 > thirds(long) / parts.len());
        // Before the least indented lines, which are three of four.
        assert!(at == 0 || part.core.of(&text).starts_with("    value"));
        for context in [
            part.span.start..part.core.start,
            part.core.end..part.span.end,
        ] {
            assert!(thirds(&text[context]) <= config.context_subwords);
        }
    }
}

#[test]
fn an_edit_in_a_function_changes_little() {
    for n_lines in [3, 8, 16, 30] {
        let functions = functions(2000 / (n_lines + 4), n_lines);
        let old = functions.join("\n\n");
        let mut n_more_than_two = 0;
        for at in 0..functions.len() {
            let mut edited = functions.clone();
            edited[at] = edited[at].replacen("value_1 =", "renamed_value = 1 +", 1);
            let n_new = n_new(&old, &edited.join("\n\n"));
            assert!((1..=6).contains(&n_new), "{n_new} for function {at}");
            n_more_than_two += usize::from(n_new > 2);
        }
        // Blocks that have the minimum alone always end a chunk. With smaller blocks, some chunks after the edit can change.
        let allowed = if n_lines >= 16 {
            0
        } else {
            functions.len() / 50
        };
        assert!(
            n_more_than_two <= allowed,
            "{n_more_than_two} of {}",
            functions.len()
        );
    }
}

#[test]
fn an_edit_in_a_method_of_a_long_class_changes_little() {
    for n_lines in [3, 8, 16, 30] {
        let methods = functions(2000 / (n_lines + 4), n_lines);
        let old = class(&methods);
        let mut total = 0;
        for at in 0..methods.len() {
            let mut edited = methods.clone();
            edited[at] = edited[at].replacen("value_1 =", "renamed_value = 1 +", 1);
            total += n_new(&old, &class(&edited));
        }
        // Neighboring chunks can have the method in their context.
        assert!(
            total <= methods.len() * 3,
            "{total} for {} edits",
            methods.len()
        );
    }
}

#[test]
fn an_edit_in_a_long_table_changes_little() {
    let rows: Vec<String> = (0..2000)
        .map(|at| format!("{at},{},row number {at}\n", at * at % 97))
        .collect();
    let old = rows.concat();
    let mut total = 0;
    let edits = (0..rows.len()).step_by(37);
    let n_edits = edits.len();
    for at in edits {
        let mut edited = rows.clone();
        edited[at].insert_str(0, "new,1,row\n");
        total += n_new(&old, &edited.concat());
    }
    assert!(total <= n_edits * 4, "{total} for {n_edits} edits");
}

#[test]
fn lines_above_change_no_chunk_below() {
    for n_lines in [3, 8, 16, 30] {
        let functions = functions(2000 / (n_lines + 4), n_lines);
        let old = functions.join("\n\n");
        for above in ["import os\n", "\n", "import os\n\nx = 1\n\n", &functions[7]] {
            let n_new = n_new(&old, &format!("{above}{old}"));
            assert!((1..=6).contains(&n_new), "{n_new}");
        }
    }
}

/// Planning spends its time on counting.
#[test]
fn the_document_is_counted_a_few_times_in_all() {
    let long = "x".repeat(1 << 20);
    let words = "let foo = bar; ".repeat(1 << 16);
    let uneven = format!("{}{}", " ".repeat(1 << 19), "漢字 ".repeat(1 << 16)).repeat(2);
    let lines = "a = [1, 2, 3]\n".repeat(1 << 16);
    let deep: String = (0..1500).map(|at| " ".repeat(at) + "x\n").collect();
    let long_lines = format!("{}\r\n", "word ".repeat(700)).repeat(300);
    let file = functions(2000, 12).join("\n\n");
    let counts: [fn(&str) -> usize; 3] = [
        thirds,
        |text| text.split_whitespace().count(),
        |text| text.chars().filter(|c| !c.is_whitespace()).count(),
    ];
    for text in [&long, &words, &uneven, &lines, &deep, &long_lines, &file] {
        for count in counts {
            let mut n_bytes = 0;
            let mut counting = |text: &str| {
                n_bytes += text.len();
                count(text)
            };
            let config = ChunkConfig::new(510);
            let chunks = plan(text, &LineIndex::new(text), &mut counting, &config);
            assert!(n_bytes <= 6 * text.len(), "{n_bytes} of {}", text.len());
            assert_eq!(chunks.last().map(|chunk| chunk.core.end), Some(text.len()));
        }
    }
}

#[test]
fn a_long_line_is_cut_at_the_best_place() {
    let config = ChunkConfig::new(20);
    for (text, starts_with) in [
        ("word ".repeat(100), " word"),
        ("foo(bar),".repeat(100), ""),
        ("x".repeat(500), "x"),
        ("漢".repeat(500), "漢"),
    ] {
        let text = text + "\r\n";
        check_invariants(&text, &config, thirds);
        let chunks = plan_with(&text, &config, thirds);
        // Almost as few chunks as possible, of almost equal size.
        assert!(chunks.len() <= 2 * thirds(&text).div_ceil(20));
        for chunk in &chunks[1..] {
            let piece = chunk.core.of(&text);
            assert!(piece.starts_with(starts_with), "{piece:?}");
            let before = text[..chunk.core.start].chars().next_back().unwrap();
            let is_word = |c: char| c.is_ascii_alphanumeric();
            assert!(
                starts_with == "x" || !(is_word(before) && piece.starts_with(is_word)),
                "{piece:?}"
            );
            assert!(!piece.trim().is_empty());
        }
    }
}

#[test]
fn a_character_with_too_many_subwords_is_a_chunk() {
    let config = ChunkConfig::new(2);
    let text = "ab😀c\r\n\r\n";
    check_invariants(text, &config, str::len);
    let chunks = plan_with(text, &config, str::len);
    let cores: Vec<&str> = chunks.iter().map(|chunk| chunk.core.of(text)).collect();
    assert_eq!(cores, ["ab", "😀", "c", "\r\n", "\r\n"]);
}

/// Counts that no tokenizer returns. The invariants must also be true for them.
fn any_count() -> impl Strategy<Value = fn(&str) -> usize> {
    let counts: Vec<fn(&str) -> usize> = vec![
        thirds,
        str::len,
        |text| text.chars().count(),
        |text| text.split_whitespace().count(),
        |text| text.split_inclusive('\n').map(str::len).max().unwrap_or(0),
        // Joined texts have more subwords than separate ones.
        |text| text.len() + text.len() * text.len() / 10,
        // Short texts have no subwords.
        |text| if text.len() < 30 { 0 } else { text.len() * 2 },
        |_| 1000,
    ];
    proptest::sample::select(counts)
}

fn any_document() -> impl Strategy<Value = String> {
    let line = proptest::sample::select(vec![
        "\n",
        "\r\n",
        "  \n",
        "def f():\n",
        "    return 1\n",
        "        x = call(1, 2)\r\n",
        "\tif y {\n",
        "}\n",
        "@decorator\n",
        "// note\r",
        "else:\n",
        "one_very_long_line_without_any_whitespace_in_it_漢字漢字漢字_and_so_on\n",
        "many short words in one long line of text to cut at whitespace\r\n",
    ])
    .prop_map(str::to_owned);
    prop::collection::vec(prop_oneof![4 => line, 1 => any_text()], 0..60)
        .prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn cores_partition_and_spans_fit(
        text in any_document(),
        count in any_count(),
        max_subwords in 0..120_usize,
        min_subwords in 0..150_usize,
        context_subwords in 0..150_usize,
    ) {
        let config = ChunkConfig { max_subwords, min_subwords, context_subwords };
        check_invariants(&text, &config, count);
        check_invariants(&text, &ChunkConfig::new(max_subwords), count);
    }

    /// After a block that has the minimum, the cuts do not depend on the text before.
    #[test]
    fn the_same_text_is_cut_alike_wherever_it_stands(
        above in any_document(),
        n_lines in 10..30_usize,
        below in any_document(),
    ) {
        let config = ChunkConfig::new(60);
        let enough = "a = 1\n".repeat(n_lines);
        // The text is too long for one chunk.
        let tail = format!("def f():\n{below}\n\nb = 1\n\n{enough}\n{enough}\n{enough}");
        let text = format!("{above}\n\n{enough}\n{tail}");
        let start = text.len() - tail.len();
        let alone: Vec<ByteSpan> = plan_with(&tail, &config, thirds)
            .iter()
            .map(|chunk| chunk.span.shifted(start))
            .collect();
        let below: Vec<ByteSpan> = plan_with(&text, &config, thirds)
            .iter()
            .filter(|chunk| chunk.core.end > start)
            .map(|chunk| chunk.span)
            .collect();
        prop_assert!(alone.len() > 1);
        prop_assert_eq!(alone, below);
    }
}
