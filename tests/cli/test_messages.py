"""docs/messages.md has everything that ``hub validate`` says of a mapping file, as the program itself says it."""

import re
from pathlib import Path

import pytest

from hub.cli.messages import Message, markdown, messages

ROOT = Path(__file__).parents[2]
WRONG = sorted((ROOT / "tests" / "mappings" / "wrong").glob("*.yaml"))
SAID = re.compile(r"# \d+:\d+ (?:error|warning): (.*)")
ELSEWHERE = re.compile(r"not YAML: |\w+: \w+: ")
"""What the YAML library says is quoted as it is; an argument's mistakes are told in the head of the document."""


def fits(one: Message, text: str) -> bool:
    pattern = "".join(".*" if part == "…" else re.escape(part) for part in re.split("(…)", one.says))
    return re.fullmatch(pattern + "(?: → .*)?", text) is not None


def test_the_file_in_the_repository_is_up_to_date() -> None:
    assert (ROOT / "docs" / "messages.md").read_text("utf-8") == markdown(), "run: make generated"


@pytest.mark.parametrize("file", WRONG, ids=lambda file: file.stem)
def test_what_is_said_of_a_wrong_mapping_is_in_the_table(file: Path) -> None:
    known = [one for one in messages() if len(one.says.replace("…", "").split()) > 1]
    said = [found[1] for line in file.read_text("utf-8").splitlines() if (found := SAID.fullmatch(line))]
    assert said
    assert [text for text in said if not ELSEWHERE.match(text) and not any(fits(one, text) for one in known)] == []
