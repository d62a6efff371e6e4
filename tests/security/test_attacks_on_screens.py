"""Values on their way to people: terminals that obey escape sequences, pages that obey HTML."""

from __future__ import annotations

import io
import json
import logging
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt
from operate.reports import failure, finding, plan, report, write
from security.attack_words import NAMES

from hub.cli import output
from hub.cli.plain import PlainFormatter, visible
from hub.cli.shell import Shell, _console, to_json
from hub.errors import RecordRejected
from hub.operate import markdown
from hub.operate.words import final_message
from hub.sync.report import Counts

ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, or a reader is misled by."""
MARKERS = [
    "\x1b[2J", "\x1b]0;owned\x07", "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "\x1b]52;c;cm0gLXJm\x07",
    "\x9b31m",    "a\rb", "a\x08b", "\x1bP$q\x1b\\", "\u202egnp.exe", "\u2066x\u2069", "\x07", "\x00",
]  # fmt: skip


def terminal() -> io.StringIO:
    return io.StringIO()


@pytest.mark.parametrize("word", [*MARKERS, *NAMES])
def test_nothing_in_a_table_note_or_error_gives_orders_to_the_terminal(word: str) -> None:
    screen = terminal()
    console = _console(screen)
    output.section(console, f"letters {word}", [{"name": word, f"x{word}": "1"}])
    console.print(word)
    shell = Shell()
    shell.__dict__["err"] = shell.__dict__["out"] = console
    shell.note(word)
    shell.answer({}, word)
    shell.answer({}, output.lines(word))
    shell.failed(RecordRejected(word, where=word, cure=word))
    shell.debug = True
    shell.failed(RecordRejected(word))
    assert ORDERS.search(screen.getvalue()) is None


@pytest.mark.parametrize("word", [*MARKERS, *NAMES])
def test_json_for_machines_is_harmless_on_a_terminal_and_says_the_same(word: str) -> None:
    said = to_json({"name": word, word: [word]})
    assert ORDERS.search(said) is None and "\n" not in said
    assert json.loads(said) == {"name": word, word: [word]}


@pytest.mark.parametrize("word", MARKERS)
def test_a_log_line_gives_no_orders_either(word: str) -> None:
    screen = terminal()
    handler = logging.StreamHandler(screen)
    handler.setFormatter(PlainFormatter("%(message)s"))
    try:
        raise ValueError(word)
    except ValueError:
        handler.handle(logging.LogRecord("hub", 30, "f", 1, "%s said %s", ("crm", word), __import__("sys").exc_info()))
    assert ORDERS.search(screen.getvalue()) is None and "ValueError" in screen.getvalue()


def test_what_is_shown_can_still_be_told_apart() -> None:
    assert visible("a\x1b[2Jb\u202ec") == "a\\x1b[2Jb\\u202ec"
    assert visible("深圳 🦊\tnaïve\nnext") == "深圳 🦊\tnaïve\nnext"


# --- pages -----------------------------------------------------------------------------------------------------------


def page_of(word: str) -> Any:
    made = report(
        Counts("zoho", "customer", updated=1),
        plan=plan(write(1, phone=[word, word]), write(2, **{word: ["a", "b"]})),
        failures=[failure(message=word)],
        findings=[finding(word)],
        message=word,
        open_conflicts=1,
    )
    conflict = {"id": 1, "entity": "customer", "title": word, "path": word, "theirs": word, "ours": word, "system": "z"}
    letter = {"id": 1, "system": "z", "entity": "customer", "field": word, "message": word, "cure": word, "title": word}
    return markdown.report(made, title=word, conflicts=[conflict], letters=[letter])


@pytest.mark.parametrize("word", [*NAMES, *MARKERS])
def test_values_in_a_report_are_text_never_tags_links_or_pictures(word: str) -> None:
    """Rendered with raw HTML, tables and bare links switched on: worse than any page that shows it."""
    text = page_of(word)
    renderer = MarkdownIt("commonmark", {"html": True}).enable("table")
    html = renderer.render(text)
    tags = {t.lower() for t in re.findall(r"<\s*/?\s*([A-Za-z!][\w-]*)", html)}
    assert tags <= {
        "h1",
        "h2",
        "p",
        "strong",
        "code",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
        "li",
        "pre",
        "em",
    }
    attributes = {tag for tag in re.findall(r"<[^>]*>", html) if " " in tag}
    assert attributes <= {'<code class="language-mermaid">'}
    plain = page_of("plain")
    assert html.count("<td>") == renderer.render(plain).count("<td>"), "no value makes cells of its own"
    assert html.count("<h2>") == renderer.render(plain).count("<h2>")


@pytest.mark.parametrize("word", NAMES)
def test_the_last_word_of_a_run_is_one_short_line(word: str) -> None:
    said = final_message(report(failures=[failure(message=f"{word}\n{word}")], state="failed"))
    assert "\n" not in said and len(said) <= 500
