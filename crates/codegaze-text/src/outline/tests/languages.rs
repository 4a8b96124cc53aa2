//! Definitions in each language, and code that only looks like a definition.

use super::{LANGUAGES, check};
use crate::language::Language;

#[test]
fn c() {
    check(
        Language::C,
        &[
            "point",
            "pair",
            "color",
            "main",
            "old_style",
            "f",
            "list_new",
            "h",
            "value",
            "w",
            "impl",
        ],
        r#"
         |#include <stdio.h>
         |#define MAX(a, b) ((a) > (b) ? (a) : (b)) {
         |#define LONG \
         |    int not_a_function() {
         |MODULE_LICENSE("GPL")
         |static int counter = 0, table[] = { 1, 2 };
         |struct forward;
         |int prototype(int x);
         |
         |/* struct comment { int main() {} */
        p|typedef struct {
        p|    int x, y;
        p|} point;
        q|typedef struct pair_tag { int a; } pair, *pair_ptr;
        e|enum color { RED, GREEN };
         |typedef int (*callback)(void *);
        m|int
        m|main(int argc, char **argv)
        m|{
        m|    printf("} %d {\n", '}');
        m|    return 0;
        m|}
        o|static inline __attribute__((noinline)) void *old_style(void) { return 0; }
        f|int f(void) // {
        f|{
        f|#ifdef A
        f|    if (a) {
        f|#else
        f|    if (b) {
        f|#endif
        f|    }
        f|    return 0;
        f|}
        l|struct list *list_new(size_t n)
        l|{
        l|    return NULL;
        l|}
         |struct list head = { 0 };
        h|static h(int x) {
        h|}
        u|union value { int i; float f; } global;
        w|const char *
        w|w(struct list *list) {
        w|out:
        w|    return 0;
        w|}
        x|static void
        x|impl(void)
        x|{
        x|}
        "#,
    );
}

#[test]
fn cpp() {
    check(
        Language::Cpp,
        &[
            "shape",
            "Circle",
            "Level",
            "area",
            "operator<<",
            "operator()",
            "Circle",
            "raw",
            "max",
            "Wide",
            "hash",
        ],
        r#"
         |#include <string>
         |using namespace std;
         |namespace geometry {
         |namespace {
         |
        a|class shape {
        a|public:
        a|    virtual ~shape() = default;
        a|    virtual double area() const = 0;
        a|};
         |class forward;
         |
        b|class EXPORT Circle final : public shape {
        b|    double r{1.0};
        b|};
         |
         |} // namespace
        c|enum class Level : std::uint8_t { low, high };
        d|[[nodiscard]] constexpr double Circle::area() const noexcept { return r * r; }
        e|std::ostream &operator<<(std::ostream &out, const Circle &c) {
        e|    return out << '{';
        e|}
        f|bool less::operator()(int a, int b) const { return a < b; }
        g|Circle::Circle(double r)
        g|    : shape{}, r_{r}
        g|{
        g|}
         |} // namespace geometry
         |extern "C" {
        h|const char *raw(void) { return R"x(} " )" )x"; }
         |}
         |static const auto lambda = [](int x) { return x; };
         |std::map<int, int> table = { { 1, 2 } };
        i|template <typename T, class U = std::pair<int, T>>
        i|std::vector<std::pair<int, T>> max(T a, U b)
        i|{
        i|    return a < b ? b : a;
        i|}
        j|template <class T> class Wide
        j|    : public Base<T>
        j|{
        j|};
        k|template <>
        k|struct hash<Circle> {
        k|};
        "#,
    );
}

#[test]
fn java_and_csharp() {
    check(
        Language::Java,
        &["Point", "Shape", "Level", "Marker", "Main"],
        r#"
         |package a.b.c;
         |
         |import java.util.*;
         |import static a.B.c;
         |
         |/** A class. */
        a|public record Point(int x, int y) implements Shape {
        a|}
        b|sealed interface Shape permits Point {}
        c|enum Level {
        c|    LOW { int f() { return 1; } }, HIGH;
        c|}
        d|@Target({ElementType.TYPE, ElementType.METHOD})
        d|@Retention(RetentionPolicy.RUNTIME)
        d|public @interface Marker {
        d|    String value() default "{";
        d|}
         |
        e|@SuppressWarnings("unchecked")
        e|@Service
        e|public abstract class Main<T extends Comparable<? super T>>
        e|        extends Base<T>
        e|        implements Runnable {
        e|    String text = """
        e|        class Not { "quoted" }
        e|        """;
        e|    char c = '"';
        e|}
        "#,
    );
    check(
        Language::CSharp,
        &["Program", "Item"],
        r"
         |using System;
         |namespace App.Core
         |{
        a|    [Serializable]
        a|    internal static class Program
        a|    {
        a|        static void Main() { }
        a|    }
         |
        b|    public readonly struct Item { }
         |}
        ",
    );
}

#[test]
fn go() {
    check(
        Language::Go,
        &[
            "ID", "Stack", "Push", "Map", "Reader", "node", "any", "main", "empty",
        ],
        r#"
         |package main
         |
         |import "fmt"
         |
         |const text = `
         |func not() {
         |`
         |
         |var table = map[string]int{
         |	"func": 1,
         |}
         |
        a|type ID = int
         |
        b|type Stack[T any] struct {
        b|	items []T
        b|}
         |
         |// Push is a method.
        c|func (s *Stack[T]) Push(item T) (n int, err error) {
        c|	s.items = append(s.items, item)
        c|	return len(s.items), nil
        c|}
         |
        d|func Map[T, U any](in []T, f func(T) U) []U {
        d|	return nil
        d|}
         |
         |type (
        e|	Reader interface {
        e|		Read() rune
        e|	}
        f|	node struct{ next *node }
        g|	any = interface{}
         |)
         |
         |func assembly(x int) int
         |
        h|func main() {
        h|	r := '{'
        h|	fmt.Println(r, "}")
        h|}
         |
        i|func empty() struct{} { return struct{}{} }
        "#,
    );
}

#[test]
fn javascript() {
    check(
        Language::JavaScript,
        &[
            "plain",
            "generator",
            "Button",
            "arrow",
            "one",
            "handler",
            "memo",
            "create",
            "Parser",
            "trim",
            "helper",
            "A",
            "last",
        ],
        r#"
         |'use strict';
         |import { a, b } from "./c.js";
         |const settings = { f() { return 1; } };
         |const re = /["'`{]/, n = 4 / 2 / 1;
         |
        a|function plain(a, { b = 1 } = {}) {
        a|  return a.replace(/\}/g, "{");
        a|}
        b|export async function* generator() {
        b|  yield `${plain(`{`, {})} }`;
        b|}
        c|export default class Button extends mixin({ a: 1 }) {
        c|  #count = 0;
        c|  render() { return <b>don't {this.#count}</b>; }
        c|}
        d|const arrow = async (x) => {
        d|  await x;
        d|};
        e|export const one = x => x + 1
        f|let handler = function () {
        f|  if (a) { b(); }
        f|}
         |
        g|const memo = React.memo(forwardRef((props, ref) => {
        g|  return null;
        g|}));
        h|exports.create = function create() {}
        i|module.exports = class Parser {
        i|  parse() {}
        i|};
        j|String.prototype.trim = function () { return this; };
         |if (arrow) {
         |  function inner() {}
         |}
         |describe("x", () => {
         |  it("y", () => {});
         |});
         |(function iife() {})();
        k|const helper = (a) =>
        k|  a
        k|    .map((b) => b);
        l|class A
        l|{
        l|}
        m|function last() {}
        "#,
    );
    check(
        Language::JavaScript,
        &["default"],
        "
         |import x from 'x';
        a|export default async function (a) {
        a|  return a;
        a|}
        ",
    );
    check(
        Language::JavaScript,
        &["default"],
        "
         |import x from 'x';
        a|export default ({ a }) => a;
        ",
    );
    check(
        Language::JavaScript,
        &[],
        "|import x from 'x';\n|export default { a: () => 1 };\n|f = g;",
    );
}

#[test]
fn typescript() {
    check(
        Language::TypeScript,
        &[
            "Kind", "Shape", "Box", "isBox", "Service", "Level", "deep", "Handler", "global_f",
            "Union",
        ],
        r#"
         |import type { X } from "x";
         |declare const version: string;
         |export type { X };
        a|export const enum Kind { A, B }
        b|export interface Shape<T = {}> extends Base<{ a: T }> {
        b|  area(): number;
        b|}
        c|type Box<T> = {
        c|  value: T;
        c|}
         |export function isBox(x: string): boolean;
         |export function isBox(x: number): boolean;
        d|export function isBox<T extends { a: number }>(x: unknown): x is { a: T } {
        d|  return true;
        d|}
        e|@Injectable({ providedIn: "root" })
        e|export abstract class Service<T> implements Shape<T> {
        e|  constructor(private readonly http: Http) {}
        e|}
        f|declare enum Level { Low }
         |namespace A.B {
        g|  export function deep(): void {}
         |}
        h|export const Handler: (a: number) => void = (a): void => {
        h|  a;
        h|};
         |declare global {
        i|  function global_f() {}
         |}
        j|type Union =
        j|  | "a"
        j|  | "b";
        "#,
    );
}

#[test]
fn php() {
    check(
        Language::Php,
        &["helper", "Model", "Countable", "Suit", "Loggable", "tail"],
        r#"
         |<!DOCTYPE html> it's { a "page
         |<?php
         |declare(strict_types=1);
         |namespace App\Models;
         |
         |use App\{A, B};
         |# don't { be a comment
         |// function no() { ?>
         |<b>{</b>
         |<?php
        a|function &helper(array $a = []): ?array
        a|{
        a|    return <<<EOT
        a|    function no() {
        a|    EOT;
        a|}
         |
        b|#[Entity(table: 'a')]
        b|final class Model extends Base implements Countable
        b|{
        b|    public function f() { return "{$this->x}"; }
        b|}
        c|interface Countable {}
        d|enum Suit: string { case A = 'a'; }
        e|abstract class Loggable {}
         |$f = function () { return 1; };
         |$text = 'a
         |function no() {
         |';
         |if (true) {
         |}
        f|function tail() {}
        "#,
    );
    check(
        Language::Php,
        &["A", "f"],
        r"
         |<?php
         |namespace X\Y {
        a|trait A {}
         |}
         |namespace {
        b|function f() {}
         |}
        ",
    );
}

#[test]
fn python() {
    check(
        Language::Python,
        &["decorated", "Model", "main", "wide", "one_line"],
        r#"
         |#!/usr/bin/env python3
         |"""def not(): it's a docstring
         |class No:
         |"""
         |import os
         |
         |CONSTANT = {
         |"a": 1,
         |}
         |# don't
        a|@cache
        a|@wraps(
        a|    f
        a|)
        a|async def decorated(x: int) -> int:
        a|    text = '''
        a|def not_this():
        a|'''
        a|# a comment at the margin
        a|    return x // 2
         |
         |
        b|class Model(Base, metaclass=Meta):
        b|    """One."""
        b|
        b|    def method(self):
        b|        return [
        b|1,
        b|        ]
         |
         |if True:
         |    def conditional():
         |        pass
        c|def main():
        c|    print(f"{1:{2}}", "it's")
        d|def wide(
        d|    a,
        d|    b,
        d|):
        d|    pass
        e|def one_line(): pass
         |main()
        "#,
    );
}

#[test]
fn ruby() {
    check(
        Language::Ruby,
        &[
            "greet",
            "self.empty?",
            "endless",
            "Stack",
            "Admin::User",
            "one",
            "Empty",
            "hidden",
            "last",
        ],
        r#"
         |require 'set'
         |
         |=begin
         |def no
         |=end
         |NAMES = %w[class def module end]
         |TEXT = <<~SQL
         |def no
         |SQL
        a|def greet(name)
        a|  puts "it's #{name}" if name =~ /def "/
        a|  text = <<-EOT
        a|end
        a|  EOT
        a|rescue
        a|  nil
        a|end
        b|def self.empty? = true
        c|def endless(x) = x + 1
        d|class Stack < Array
        d|  def <<(item)
        d|    super
        d|  end
        d|end
         |# class No
        e|class Admin::User
        e|end
        f|def one; 1 end
        g|class Empty < StandardError; end
        h|private def hidden
        h|  1
        h|end
         |[1, 2].each do |x|
         |  puts x
         |end
        z|def last
        z|end
         |__END__
         |def no
         |end
        "#,
    );
    check(
        Language::Ruby,
        &["User", "Item"],
        "
         |module Shop
         |  module Models
        a|    class User
        a|      def name; end
        a|    end
         |
        b|    class Item
        b|    end
         |  end
         |end
        ",
    );
    check(
        Language::Ruby,
        &["A", "B"],
        "
        a|module A
        a|  def self.f
        a|  end
        a|end
        b|module B
        b|  X = 1
        b|end
        ",
    );
}

#[test]
fn rust() {
    check(
        Language::Rust,
        &[
            "Config",
            "Unit",
            "Pair",
            "Level",
            "Shape",
            "Shape for Pair",
            "Vec<T>",
            "parse",
            "r#type",
            "apply",
            "vec_of",
            "Alias",
            "Bits",
            "tests",
        ],
        r##"
         |#!/usr/bin/env run-cargo-script
         |//! A crate.
         |#![allow(dead_code)]
         |use std::{fmt, io};
         |mod other;
         |
         |const F: fn() = || { };
         |static TEXT: &str = r#"fn no() { \" "#;
         |/// Documented.
        a|#[derive(Debug)]
        a|#[serde(rename_all = "camelCase")]
        a|pub(crate) struct Config<'a> {
        a|    name: &'a str,
        a|}
        b|pub struct Unit;
        c|struct Pair(u8, char);
        d|enum Level<T>
        d|where
        d|    T: Copy,
        d|{
        d|    Low = 1,
        d|}
        e|pub unsafe trait Shape: Send {
        e|    fn area(&self) -> f64;
        e|}
        f|unsafe impl Shape for Pair {
        f|    fn area(&self) -> f64 { '"'; '{'; 1.0 }
        f|}
        g|impl<T: Fn(u8) -> u8, const N: usize> Vec<T>
        g|where
        g|    T: Clone,
        g|{
        g|}
        h|pub async fn parse(text: &str) -> impl Iterator<Item = u8> + '_ {
        h|    let s = "a
        h|fn no() {
        h|    ";
        h|    'outer: loop { break 'outer; }
        h|}
        i|const unsafe fn r#type() {}
        j|pub extern "C" fn apply<F>(f: F) where F: Fn() -> [u8; { 1 + 1 }] {}
        k|#[macro_export]
        k|macro_rules! vec_of {
        k|    ($($x:expr),*) => { fn no() {} };
        k|}
        l|pub type Alias = Box<dyn Fn(u8) -> u8>;
         |thread_local! { static X: u8 = 1; }
         |extern "C" { fn puts(s: *const u8); }
        m|union Bits { a: u32, b: f32 }
        n|#[cfg(test)]
        n|mod tests {
        n|    fn inner() {}
        n|}
        "##,
    );
    check(
        Language::Rust,
        &["a", "b"],
        "
         |mod only {
        a|    pub fn a() {}
        b|    pub fn b() {}
         |}
        ",
    );
    check(
        Language::Rust,
        &["constants"],
        "a|mod constants {\na|    pub const A: u8 = 1;\na|}",
    );
}

#[test]
fn text_without_code_has_no_definitions() {
    for text in [
        "",
        "\n\n",
        "{\"class\": {\"a\": 1}}",
        "# A title\n\nThe class of all classes, and a function of it.\n",
        "body { color: red }\n.a:not(.b) > p { margin: 0 }\n@media (max-width: 3px) { a { b: c } }",
        "<html>\n<body class=\"a\">don't</body>\n</html>",
    ] {
        for language in LANGUAGES {
            assert_eq!(
                super::names(language, text),
                [""; 0],
                "{language:?}: {text:?}"
            );
        }
    }
}
