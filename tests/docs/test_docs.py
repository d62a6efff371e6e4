"""The documentation does what it says: its commands run, its YAML loads, its links lead somewhere."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from docs_blocks import ROOT, SHELL, YAML, Block, blocks_of, documents, problem_with
from docs_sessions import Session

DOCUMENTS = documents()
BLOCKS = [block for file in DOCUMENTS for block in blocks_of(file)]


def _tagged(*languages: str, word: str) -> list[Block]:
    return [b for b in BLOCKS if b.language in languages and word in b.words]


def _where(block: Block) -> str:
    return block.where


def _sessions() -> dict[tuple[str, str], list[Block]]:
    """(file, session) → its blocks. The Chinese README shows the English one's blocks: run once."""
    found: dict[tuple[str, str], list[Block]] = defaultdict(list)
    for block in BLOCKS:
        if block.session and block.file.name != "README.zh-CN.md":
            found[str(block.file.relative_to(ROOT)), block.session].append(block)
    return dict(found)


def test_every_block_says_how_it_is_checked() -> None:
    wrong = [f"{b.where}: {problem}" for b in BLOCKS if (problem := problem_with(b))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("name", "blocks"), _sessions().items(), ids=lambda v: ":".join(v) if type(v) is tuple else "")
def test_a_reader_can_follow(name: tuple[str, str], blocks: list[Block], tmp_path: Path) -> None:
    with Session(tmp_path, blocks) as session:
        session.run()


def _code(file: Path) -> list[str]:
    """The shell and YAML blocks of a file, without their comments (which are translated)."""
    shown = [b for b in blocks_of(file) if b.language in SHELL | YAML]
    return [re.sub(r"(?m)(^|\s)#.*$", "", b.text).strip() for b in shown]


def test_both_readmes_show_the_same_commands() -> None:
    chinese = ROOT / "README.zh-CN.md"
    if not chinese.is_file():
        pytest.skip("there is no Chinese README yet")
    assert _code(chinese) == _code(ROOT / "README.md")


@pytest.mark.parametrize("block", _tagged(*SHELL, word="ci"), ids=_where)
def test_what_is_left_to_ci_is_run_by_ci(block: Block) -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for line in filter(None, (line.split("#")[0].strip() for line in block.text.splitlines())):
        assert re.search(rf"^step .*\b{re.escape(line)}$", script, re.MULTILINE), (
            f"{block.where}: .ci/run has no {line!r}"
        )


@pytest.mark.parametrize("block", _tagged(*SHELL, word="syntax"), ids=_where)
def test_shown_commands_exist(block: Block) -> None:
    from hub.cli.reference import unknown_words

    subprocess.run(["bash", "-n", "-c", block.text], check=True)
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["hub"]:
            assert not (wrong := unknown_words(words[1:])), f"{block.where}: `{line.strip()}`: {wrong}"


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language in YAML], ids=_where)
def test_yaml_parses(block: Block) -> None:
    list(yaml.safe_load_all(block.text))


@pytest.mark.parametrize("block", _tagged(*YAML, word="mapping"), ids=_where)
def test_mappings_load(block: Block) -> None:
    import hub.mapping
    import hub.model

    lens, problems = hub.mapping.load(block.text, specs=hub.model.entities())
    assert lens is not None, "\n".join(str(p) for p in problems)
    assert not [p for p in problems if p.severity == "error"], "\n".join(str(p) for p in problems)


@pytest.mark.parametrize("block", _tagged(*YAML, word="hub"), ids=_where)
def test_hub_yaml_fits_its_schema(block: Block) -> None:
    import jsonschema

    schema = json.loads((ROOT / "schemas" / "hub.schema.json").read_text(encoding="utf-8"))
    schema.pop("required", None)
    jsonschema.validate(yaml.safe_load(block.text), schema)


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language in {"json", "python"}], ids=_where)
def test_json_and_python_parse(block: Block) -> None:
    json.loads(block.text) if block.language == "json" else ast.parse(block.text, block.where)


def _links(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8")
    prose = re.sub(r"(?ms)^( *)(```|~~~).*?^ *\2 *$", "", text)
    prose = re.sub(r"`[^`\n]*`", "", prose)
    return re.findall(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)", prose)


def _anchors(file: Path) -> set[str]:
    """The anchors that a forge makes of a file's headings."""
    titles = re.findall(r"(?m)^#+ (.+?)\s*#*$", file.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", title).lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda f: str(f.relative_to(ROOT)))
def test_links_lead_somewhere(file: Path) -> None:
    wrong = []
    for link in _links(file):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        if not target.exists():
            wrong.append(f"{link}: there is no {path}")
        elif anchor and target.suffix == ".md" and anchor not in _anchors(target):
            wrong.append(f"{link}: no such heading")
    assert not wrong, "\n".join(f"{file.relative_to(ROOT)}: {w}" for w in wrong)
