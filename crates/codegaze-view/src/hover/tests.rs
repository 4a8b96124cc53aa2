use codegaze_text::document::Document;

use super::*;
use crate::samples;

const ORIGIN: Origin = Origin {
    cached: true,
    analysis: Duration::from_micros(13_220),
};

fn card_in(analysis: &Analysis, text: &str, lexeme: &str) -> HoverCard {
    let source = Document::new(text, 0);
    let document = AnalyzedDocument::new("fib.py", &source, analysis);
    let at = analysis.lexeme_at(text.find(lexeme).unwrap()).unwrap();
    HoverCard::new(&document, at, analysis.relations(at).as_ref(), ORIGIN).unwrap()
}

fn card(text: &str, lexeme: &str) -> HoverCard {
    card_in(&samples::related(text), text, lexeme)
}

#[test]
fn the_short_card_has_two_lines() {
    assert_eq!(
        card(samples::PYTHON, "fib").markdown(CardLength::Short),
        "\
**`fib`** · 0.08× the average attention · rank 24 of 30 · level 0  
attends most to `(` (line 1, 15.1 %) · attended most by `(` (line 1, 13.2 %)"
    );
    assert_eq!(
        card(samples::PYTHON, "fib").plain(CardLength::Short),
        "\
fib · 0.08× the average attention · rank 24 of 30 · level 0
attends most to “(” (line 1, 15.1 %) · attended most by “(” (line 1, 13.2 %)"
    );
}

#[test]
fn the_full_card_explains_itself() {
    assert_eq!(
        card(samples::PYTHON, "fib").markdown(CardLength::Full),
        "\
**`fib`** · 0.08× average · rank 24 of 30 · ▱▱▱▱▱ level 0

The model attends to `fib` 0.08× as much as to an average lexeme here. Its share of the chunk is 0.3 %.

```text
attends to            attended by
22.8 %  fib  itself   22.8 %  fib  itself
15.1 %  (    line 1   13.2 %  (    line 1
11.0 %  def  line 1    7.0 %  def  line 1
11.0 %  n    line 1    6.1 %  n    line 1
 8.1 %  )    line 1    4.4 %  if   line 2
```

Each percentage is a part of the attending lexeme's attention. Another 41.7 % of the attention of `fib` goes to the special subwords `<s>` and `</s>` (sinks).

- 1 subword: `fib` 9.43 %
- the only chunk: lines 1–4, 53 subwords
- sinks took 25.0 % of the chunk's attention; whitespace has 12.5 % of its scores, and the context around the chunk 0.0 %
- from the cache; the original analysis took 13.2 ms

small embedded model codegaze-mini · received, corrected for length · layer 5 of 0–5 · mean of 8 heads"
    );
}

#[test]
fn plain_text_has_the_same_words_without_marks() {
    let plain = card(samples::PYTHON, "fib").plain(CardLength::Full);
    assert!(plain.starts_with(
        "fib · 0.08× average · rank 24 of 30 · ▱▱▱▱▱ level 0\n\nThe model attends to “fib” 0.08×"
    ));
    assert!(plain.contains("\n\nattends to            attended by\n22.8 %  fib  itself   22.8 %"));
    assert!(plain.contains("\n\n- 1 subword: “fib” 9.43 %\n- the only chunk: lines 1–4"));
    assert!(!plain.contains(['`', '*', '\\']));
}

#[test]
fn levels_are_shown_by_bars_and_digits() {
    let text = samples::PYTHON;
    let analysis = samples::related(text);
    let source = Document::new(text, 0);
    let document = AnalyzedDocument::new("fib.py", &source, &analysis);
    let best = analysis.lexemes.iter().position(|lexeme| lexeme.rank == 1);
    let card = HoverCard::new(&document, best.unwrap(), None, ORIGIN).unwrap();
    let short = card.markdown(CardLength::Short);
    assert!(short.ends_with("· rank 1 of 30 · level 5"), "{short}");
    let markdown = card.markdown(CardLength::Full);
    assert!(
        markdown.contains("· rank 1 of 30 · ▰▰▰▰▰ level 5\n"),
        "{markdown}"
    );
    assert!(
        !markdown.contains("attends to  "),
        "no relations, no columns"
    );
    let levels: Vec<String> = (0..=5).filter_map(HeatLevel::new).map(bar).collect();
    assert_eq!(
        levels,
        ["▱▱▱▱▱", "▰▱▱▱▱", "▰▰▱▱▱", "▰▰▰▱▱", "▰▰▰▰▱", "▰▰▰▰▰"]
    );
}

#[test]
fn columns_are_aligned_for_any_content() {
    let of = |weight: &str, label: &str, place: &str| Partner {
        weight: weight.to_owned(),
        label: label.to_owned(),
        place: place.to_owned(),
    };
    let relations = Relations {
        attends_to: vec![
            of("100.0 %", "日本", "line 7"),
            of("< 0.1 %", "🙂", "line 1234"),
        ],
        attended_by: vec![of("5.0 %", "x", "line 1")],
        sink_share: 0.0,
    };
    assert_eq!(
        relations.lines(),
        [
            "attends to                 attended by",
            "100.0 %  日本  line 7      5.0 %  x  line 1",
            "< 0.1 %  🙂    line 1234",
        ]
    );
    let none = Relations {
        attends_to: Vec::new(),
        ..relations
    };
    assert_eq!(
        none.lines(),
        ["attends to   attended by", "nothing      5.0 %  x  line 1"]
    );
}

#[test]
fn no_source_text_breaks_the_card() {
    for text in [
        "a`b ``` c",
        "x | y",
        "``````",
        "<b> & *x*",
        "\u{202e}a\0b",
        "🙂🙂",
        "# [a](b)",
    ] {
        let analysis = samples::related(text);
        let source = Document::new(text, 0);
        let document = AnalyzedDocument::new("x", &source, &analysis);
        for at in 0..analysis.lexemes.len() {
            let card =
                HoverCard::new(&document, at, analysis.relations(at).as_ref(), ORIGIN).unwrap();
            let short = card.markdown(CardLength::Short);
            let markdown = card.markdown(CardLength::Full);
            let controls = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            for card in [&short, &markdown] {
                assert!(!card.contains(controls), "{text:?}: {card}");
            }
            assert!(short.lines().count() <= 2, "{text:?}: {short}");
            // One block, closed by what opened it and by nothing before.
            let open = markdown
                .lines()
                .position(|line| line.ends_with("`text"))
                .unwrap();
            let fence = markdown.lines().nth(open).unwrap().trim_end_matches("text");
            let closing: Vec<usize> = markdown
                .lines()
                .enumerate()
                .skip(open + 1)
                .filter(|(_, line)| line.trim_start().starts_with(fence))
                .map(|(i, _)| i)
                .collect();
            assert_eq!(closing.len(), 1, "{text:?}: {markdown}");
        }
    }
    // The fence of a code span is longer than any run inside.
    let run = card("````", "````").markdown(CardLength::Full);
    assert!(run.starts_with("**`` ` ``**"), "{run}");
}

#[test]
fn long_lexemes_are_cut() {
    let text = format!("{} = 1", "x".repeat(500));
    let mut analysis = samples::related(&text);
    // One subword for each byte.
    analysis.chunks[0].subwords = Some(
        (0..500)
            .map(|at| codegaze_core::analysis::SubwordScore {
                id: 1,
                span: Some(ByteSpan::new(at, at + 1)),
                score: 0.002,
            })
            .collect(),
    );
    let card = card_in(&analysis, &text, "xxx");
    let plain = card.plain(CardLength::Full);
    assert!(plain.contains("- 500 subwords: “x” 0.20 %, "), "{plain}");
    assert!(plain.contains(" and 488 more\n"), "{plain}");
    assert!(plain.starts_with(&format!("{}… · ", "x".repeat(LEXEME_WIDTH - 1))));
    assert!(plain.len() < 1600, "{}", plain.len());
}

#[test]
fn only_the_embedded_model_is_called_small() {
    let mut analysis = samples::related("x = 1");
    let mut model = (*analysis.model).clone();
    model.id = "microsoft/codebert_base".to_owned();
    analysis.model = model.into();
    let card = card_in(&analysis, "x = 1", "x");
    assert!(
        card.markdown(CardLength::Full).ends_with(
            "\n\nmicrosoft/codebert\\_base · received, corrected for length · layer 5 of 0–5 · mean of 8 heads"
        )
    );
    assert!(
        card.plain(CardLength::Full)
            .ends_with("\n\nmicrosoft/codebert_base · received, corrected for length · layer 5 of 0–5 · mean of 8 heads")
    );
}

#[test]
fn words_for_lifts_and_shares() {
    for (lift, words) in [
        (3.24, "3.2× as much as to"),
        (1.04, "about as much as to"),
        (0.5, "0.5× as much as to"),
    ] {
        assert_eq!(comparison(lift), words);
    }
    for (share, words) in [
        (0.0, "0.0 %"),
        (0.000_1, "< 0.1 %"),
        (0.000_6, "0.1 %"),
        (1.0, "100.0 %"),
    ] {
        assert_eq!(small_percent(share), words);
    }
}

#[test]
fn missing_numbers_are_explained() {
    let analysis = samples::full("x = 1");
    let source = Document::new("x = 1", 0);
    let document = AnalyzedDocument::new("x", &source, &analysis);
    assert_eq!(HoverCard::new(&document, 3, None, ORIGIN), None);

    let mut analysis = analysis;
    analysis.unscored[0].span = ByteSpan::new(2, 4);
    analysis.unscored[0].reason = "too *long*".to_owned();
    assert_eq!(PendingCard::unscored_at(&analysis, 1), None);
    assert_eq!(PendingCard::unscored_at(&analysis, 4), None);
    let card = PendingCard::unscored_at(&analysis, 3).unwrap();
    assert_eq!(card.plain(), "codegaze: not scored: too *long*.");
    assert_eq!(card.markdown(), r"codegaze: not scored: too \*long\*.");

    let loading = PendingCard::Loading { model: "a`b" };
    assert_eq!(
        loading.markdown(),
        "codegaze: the model ``a`b`` is loading. The attention appears when it is ready."
    );
    assert!(PendingCard::Analyzing.plain().contains("is being analyzed"));
}
