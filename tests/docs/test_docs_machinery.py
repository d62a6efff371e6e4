"""The documentation tests themselves: a wrong document must not slip through."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_blocks import blocks_of, problem_with
from docs_sessions import Session


def _document(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "page.md"
    file.write_text(text, encoding="utf-8")
    return file


def _run(tmp_path: Path, text: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with Session(home, blocks_of(_document(tmp_path, text))) as session:
        session.run()


def test_blocks_are_found_with_their_lines_even_inside_lists(tmp_path: Path) -> None:
    file = _document(tmp_path, "1. One\n\n   ```bash session=a\n   echo hi\n   ```\n\n~~~yaml parse\na: 1\n~~~\n")
    first, second = blocks_of(file)
    assert (first.line, first.language, first.session, first.text) == (4, "bash", "a", "echo hi\n")
    assert (second.line, second.language, second.words) == (8, "yaml", {"parse"})


@pytest.mark.parametrize(
    "info", ["bash", "sh", "yaml", "bash run", "yaml session=a", "bash sesion=a", "text session=a", "bash ci syntax"]
)
def test_a_block_that_says_nothing_or_nonsense_is_refused(tmp_path: Path, info: str) -> None:
    (block,) = blocks_of(_document(tmp_path, f"```{info}\nx\n```\n"))
    assert problem_with(block) is not None


@pytest.mark.parametrize(
    "info", ["bash session=a", "bash session=a background ready=up", "bash syntax", "yaml hub", "text", "mermaid", ""]
)
def test_a_block_that_says_how_is_taken(tmp_path: Path, info: str) -> None:
    (block,) = blocks_of(_document(tmp_path, f"```{info}\nx\n```\n"))
    assert problem_with(block) is None


def test_an_unclosed_block_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="never closed"):
        blocks_of(_document(tmp_path, "```bash\nls\n"))


def test_a_session_keeps_its_directory_and_variables_and_writes_files(tmp_path: Path) -> None:
    _run(
        tmp_path,
        "```bash session=a\nmkdir shop && cd shop\nexport NAME='a b'\n```\n"
        "```yaml session=a file=deep/x.yaml\nkey: 1\n```\n"
        '```bash session=a\ncat deep/x.yaml\necho "$NAME in $(basename "$PWD")"\n```\n'
        "```text session=a output\nkey: 1\na b in …\n```\n",
    )
    assert (tmp_path / "home/shop/deep/x.yaml").read_text() == "key: 1\n"


def test_a_failing_command_names_its_place(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"page\.md:2: exit 7"):
        _run(tmp_path, "```bash session=a\n(exit 7)\necho not reached\n```\n")


def test_an_expected_exit_code_is_checked(tmp_path: Path) -> None:
    _run(tmp_path, "```bash session=a exit=7\nexit 7\n```\n")


def test_output_that_is_not_printed_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="not in what was printed"):
        _run(tmp_path, "```bash session=a\necho one\n```\n```text session=a output\ntwo\n```\n")


def test_a_background_server_is_waited_for_and_stopped_and_ports_are_free_ones(tmp_path: Path) -> None:
    server = "python -uc \"import sys, time; print('ready at', sys.argv[2]); time.sleep(60)\" --port 8123"
    page = f"```bash session=a background ready=ready\n{server}\n```\n```bash session=a\necho 127.0.0.1:8123\n```\n"
    home = tmp_path / "home"
    home.mkdir()
    with Session(home, blocks_of(_document(tmp_path, page))) as session:
        session.run()
        (process,) = session.background
        assert process.poll() is None
        assert session.output.startswith("127.0.0.1:") and "8123" not in session.output
    assert process.poll() is not None
