//! Methods, nested classes and nested functions.

use super::LANGUAGES;
use crate::document::Document;
use crate::language::Language;
use crate::outline::{definition_at, nested_outline, outline};

/// The names of all definitions, each with the number of definitions around it.
#[track_caller]
fn check(language: Language, text: &str, expected: &[(usize, &str)]) {
    let document = Document::new(text, 0).with_language(Some(language));
    let found = nested_outline(&document);
    let around = |at: usize| {
        let span = found[at].span;
        let outer = found[..at].iter();
        outer.filter(|outer| outer.span.contains(span)).count()
    };
    let names: Vec<(usize, &str)> = (0..found.len())
        .map(|at| (around(at), found[at].name.of(text)))
        .collect();
    assert_eq!(names, expected, "in\n{text}");
}

#[test]
fn methods_of_classes_are_definitions() {
    let java = "package a;\n\npublic class Cache<K> {\n    private int size;\n\n    public Cache(int size) {\n        this.size = size;\n    }\n\n    @Override\n    public <V> V get(K key) throws Missing {\n        if (size > 0) {\n            return find(key);\n        }\n        synchronized (this) {\n            return null;\n        }\n    }\n\n    static class Node {\n        int depth() {\n            return 1;\n        }\n    }\n}\n";
    check(
        Language::Java,
        java,
        &[
            (0, "Cache"),
            (1, "Cache"),
            (1, "get"),
            (1, "Node"),
            (2, "depth"),
        ],
    );
    let typescript = "export class Emitter<T> extends Base {\n  #items = new Map<string, T>();\n\n  constructor(private readonly log: Log) {\n    super();\n    if (log) {\n      this.run();\n    }\n  }\n\n  get size(): number {\n    return 1;\n  }\n\n  static async *walk<U>(from: U): AsyncIterable<U> {\n    while (true) {\n      yield from;\n    }\n  }\n\n  #hidden() {\n    const inner = () => {\n      return 2;\n    };\n    return inner;\n  }\n\n  handle = (event: Event) => {\n    this.run(event);\n  };\n\n  abstract later(): void;\n}\n\nfunction outer() {\n  function nested() {\n    return 1;\n  }\n  return nested;\n}\n";
    check(
        Language::TypeScript,
        typescript,
        &[
            (0, "Emitter"),
            (1, "constructor"),
            (1, "size"),
            (1, "walk"),
            (1, "hidden"),
            (2, "inner"),
            (1, "handle"),
            (0, "outer"),
            (1, "nested"),
        ],
    );
    let rust = "impl<T> Cache<T> {\n    pub fn new() -> Self {\n        fn helper() {}\n        Self {}\n    }\n\n    #[must_use]\n    fn len(&self) -> usize {\n        match self.n { 0 => 1, n => n }\n    }\n}\n\ntrait Walk {\n    fn step(&self);\n    fn all(&self) {\n        self.step();\n    }\n}\n";
    check(
        Language::Rust,
        rust,
        &[
            (0, "Cache<T>"),
            (1, "new"),
            (2, "helper"),
            (1, "len"),
            (0, "Walk"),
            (1, "all"),
        ],
    );
    let php = "<?php\nclass A {\n    public function b($x) {\n        if ($x) {\n            return 1;\n        }\n    }\n    private static function c(): int {\n        return 2;\n    }\n}\n";
    check(Language::Php, php, &[(0, "A"), (1, "b"), (1, "c")]);
    let cpp = "class A : public B {\npublic:\n    A() : B(1) {}\n    int size() const {\n        for (int i = 0; i < 1; ++i) {\n            run(i);\n        }\n        return 1;\n    }\n};\n\nint f() {\n    return 1;\n}\n";
    check(
        Language::Cpp,
        cpp,
        &[(0, "A"), (1, "A"), (1, "size"), (0, "f")],
    );
}

#[test]
fn methods_of_indented_languages_are_definitions() {
    let python = "class Tree(Base):\n    \"\"\"def not_one(): pass\"\"\"\n\n    kind: str = 'x'\n\n    @property\n    def depth(self) -> int:\n        def walk(\n            node: dict[str, int],\n        ):\n            return 1\n        return walk(self)\n\n    async def load(self):\n        pass\n\n\ndef f(): return 1\n";
    check(
        Language::Python,
        python,
        &[
            (0, "Tree"),
            (1, "depth"),
            (2, "walk"),
            (1, "load"),
            (0, "f"),
        ],
    );
    let ruby = "class A < B\n  attr_reader :x\n\n  def x?\n    if true\n      1\n    end\n  end\n\n  class Inner\n    def self.y(z)\n      z\n    end\n  end\nend\n\ndef g\n  1\nend\n";
    check(
        Language::Ruby,
        ruby,
        &[(0, "A"), (1, "x?"), (1, "Inner"), (2, "self.y"), (0, "g")],
    );
}

#[test]
fn the_innermost_definition_is_the_one_at_a_place() {
    let text = "class A:\n    x = 1\n    def b(self):\n        return 1\n    y = 2\n";
    let document = Document::new(text, 0).with_language(Some(Language::Python));
    let all = nested_outline(&document);
    let at = |part: &str| {
        let place = text.find(part).unwrap();
        definition_at(&all, place).map(|definition| definition.name.of(text))
    };
    assert_eq!(at("x = 1"), Some("A"));
    assert_eq!(at("return"), Some("b"));
    assert_eq!(at("y = 2"), Some("A"));
}

#[test]
fn top_level_definitions_are_among_the_nested_ones() {
    for language in LANGUAGES {
        for text in [
            "class A { b() { } }",
            "class A:\n  def b(x):\n    1",
            "fn f() { fn g() {} }",
        ] {
            let document = Document::new(text, 0).with_language(language);
            let nested = nested_outline(&document);
            assert!(outline(&document).iter().all(|one| nested.contains(one)));
            assert!(nested.is_sorted_by_key(|one| one.span.start));
        }
    }
}
