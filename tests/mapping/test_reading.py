"""YAML is read with the position of everything, and what YAML would change silently is a problem."""

from decimal import Decimal
from pathlib import Path

import pytest

from hub.mapping.reading import read_yaml


def test_every_key_and_value_knows_its_place():
    section, problems = read_yaml("a: 1\nb:\n  - x\n  - {c: yes}\n", file="f.yaml")
    assert problems == []
    assert section.data == {"a": 1, "b": ["x", {"c": "yes"}]}
    assert str(section.key_at(("b",))) == "f.yaml:2:1"
    assert str(section.at(("b", 0))) == "f.yaml:3:5"
    assert str(section.key_at(("b", 1, "c"))) == "f.yaml:4:6"
    assert str(section.at(("b", 1, "c"))) == "f.yaml:4:9"
    assert str(section.at(("b", 1, "not there"))) == "f.yaml:4:5"


def test_a_section_keeps_the_positions_of_its_file():
    section, _ = read_yaml("top:\n  inner:\n    key: value\n", file="f.yaml")
    inner = section.section("top", "inner")
    assert inner.data == {"key": "value"}
    assert str(inner.at(("key",))) == "f.yaml:3:10"
    assert section.section("top", "other") is None


def test_numbers_are_exact_and_words_stay_words():
    section, _ = read_yaml("a: 1.10\nb: 2026-01-15\nc: no\nd: true\ne: ~\nf: 0x1f\n")
    assert section.data == {"a": Decimal("1.10"), "b": "2026-01-15", "c": "no", "d": True, "e": None, "f": 31}
    assert str(section.data["a"]) == "1.10"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", "f:2:1: the key 'a' is there twice (first in line 1) → remove one of them"),
        ("a: 007\n", 'f:1:4: 007 would be read as the number 7 → quote it: "007"'),
        ("a: .inf\n", "f:1:4: .inf is not a number a system can store → quote it if it is meant as text"),
        ("a:\n\tb: 1\n", "f:2:1: not YAML: found character '\\t' that cannot start any token while scanning"
         " for the next token → indent with spaces, not with tabs"),
        ("a: !x 1\n", "f:1:4: the tag '!x' means nothing here → remove it"),
        ("[a]: 1\n", "f:1:1: a key must be a plain word or text → write it without [ ] or { }, or quote it"),
        ("a: &a [*a]\n", "f:1:4: the file is too deep or too large → an alias (*name) may repeat itself in here"),
        ("a: 1\n---\nb: 2\n", "f:2:1: not YAML: but found another document expected a single document in the stream"
         " → one file holds one document: remove the '---' in the middle"),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_place(text, expected):
    _, problems = read_yaml(text, file="f")
    assert [str(problem) for problem in problems] == [expected]


def test_folded_text_is_the_text_alone():
    section, _ = read_yaml("a: >\n  one\n  two\nb: plain\n  text\n")
    assert section.data == {"a": "one two\n", "b": "plain text"}


@pytest.mark.parametrize("text", ["[" * 300_000, "- " * 300_000, "a: " + "{b: " * 50_000])
def test_a_text_of_any_depth_is_a_problem_and_no_crash(text):
    section, problems = read_yaml(text, file="f")
    assert section is None
    assert "too deep" in problems[0].message


def test_what_only_yaml_1_2_knows_is_read():
    section, problems = read_yaml('a: [x, b:c]\nb: {p:1, q: 2}\nc: "\\ud83d\\ude00"\n')
    assert not [p for p in problems if "not YAML" in p.message]
    assert section.data["a"] == ["x", "b:c"]
    assert section.data["c"] == "😀"


def test_merge_keys_and_aliases_work():
    section, problems = read_yaml("base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\n")
    assert problems == []
    assert section.data["one"] == {"x": 1, "y": 3}


def test_a_missing_file_and_a_file_in_another_encoding_are_problems(tmp_path: Path):
    _, problems = read_yaml(tmp_path / "none.yaml", file="none.yaml")
    assert str(problems[0]).startswith("none.yaml:1:1: the file can't be read")
    (tmp_path / "gbk.yaml").write_bytes("名: 值".encode("gbk"))
    _, problems = read_yaml(tmp_path / "gbk.yaml", file="gbk.yaml")
    assert str(problems[0]) == "gbk.yaml:1:1: the file is not UTF-8 (byte 0) → save it as UTF-8"


def test_a_byte_order_mark_does_no_harm(tmp_path: Path):
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    section, problems = read_yaml(tmp_path / "bom.yaml")
    assert (section.data, problems) == ({"a": 1}, [])
