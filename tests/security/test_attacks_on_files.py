"""Files that somebody else wrote: mappings that try to run, YAML that tries to burst, names that try to leave."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from mapping.mapping_world import lens_of, read_mapping
from security.attack_words import IDENTIFIERS, NAMES
from typer.testing import CliRunner

from hub.cli.main import app
from hub.connect.reading import read_yaml

CODE = [name for name in NAMES if "import" in name or "{" in name or "%" in name or "'" in name or "\\" in name]


def text(value: Any) -> str:
    """As YAML takes it without further ado."""
    return json.dumps(value, ensure_ascii=False)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing may appear in the folder in which commands would run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- generated code --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", CODE)
def test_constants_defaults_and_tables_of_a_mapping_are_values_never_code(word: str, elsewhere: Path) -> None:
    lens = lens_of(f"""
        title: {{field: Title, default: {text(word)}}}
        note: {{always: {text(word)}}}
        status: {{field: Status, values: {{draft: {text(word)}, approved: Won}}}}
    """, resource=None)  # fmt: skip
    assert lens.get({"Title": word, "Status": word}).values == {"title": word.strip(), "note": word, "status": "draft"}
    assert lens.put({"title": None, "status": "draft"}, None)["Status"] == word
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", [*IDENTIFIERS, *CODE])
def test_field_names_of_a_mapping_are_names_never_code(name: str, elsewhere: Path) -> None:
    lens, problems = read_mapping(
        f"version: 2\nresource: Deals\nentity: deal\nfields:\n  title: {{field: {text(name)}}}\n", resource=None
    )
    assert lens is not None or problems, "refused with words, or taken as a name"
    if lens is not None:
        made = lens.put({"title": "x"}, None)
        assert lens.get(made).values == {"title": "x"}
    assert list(elsewhere.iterdir()) == []


def test_names_of_canonical_fields_come_from_the_model_only() -> None:
    for name in (*IDENTIFIERS, *CODE):
        lens, problems = read_mapping(
            f"version: 2\nresource: Deals\nentity: deal\nfields:\n  {text(name)}: Title\n", resource=None
        )
        assert lens is None and problems, name


# --- YAML ------------------------------------------------------------------------------------------------------------

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + at)}: &{chr(98 + at)} [{', '.join([f'*{chr(97 + at)}'] * 10)}]\n" for at in range(8)
)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("a: !!python/object/apply:os.system ['touch pwned']", "tag"),
        ("a: !!python/name:os.system x", "tag"),
        ("a: !include /etc/passwd", "tag"),
        ("a: !!binary aGVsbG8=", "tag"),
        (BOMB, "too deep or too large"),
        ("a: &a [*a]", "too deep or too large"),
        ("a: " + "[" * 900 + "]" * 900, "too deep"),
        ("{a: " * 900 + "1" + "}" * 900, "too deep"),
        ("a: " + "9" * 10_000, "too long"),
        ("a: 1e999999999", "too large"),
        ("a: 0x" + "f" * 10_000, "too long"),
    ],
    ids=[
        "call", "name", "include", "binary", "billion laughs", "endless alias", "deep list", "deep mapping",
        "long number", "huge exponent", "long hexadecimal",
    ],
)  # fmt: skip
def test_yaml_that_runs_bursts_or_sinks_is_refused_with_its_place(
    document: str, told: str, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.connect.reading._MAX_NODES", 2000)
    _, problems = read_yaml(document, file="hub.yaml")
    assert problems and told in problems[0].message
    assert problems[0].position.line >= 1
    assert list(elsewhere.iterdir()) == []


# --- paths -----------------------------------------------------------------------------------------------------------

HUB = """
version: 1
systems:
  shop: {connector: sql, url: "sqlite:///shop.db", tables: {customers: {}}}
entities:
  customer: {systems: {shop: both}}
"""


def hub(folder: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*words, "--project", str(folder)])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", ["../shop", "/etc", "..", "a/b", "a\\b", "shop\x00", "Shop", ""])
def test_a_system_can_not_be_called_like_a_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "hub.yaml").write_text(HUB.replace("shop:", f"{text(name)}:", 1), "utf-8")
    code, said = hub(folder, "validate")
    assert code == 2 and ("can't name a system" in said or "not YAML" in said), said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p"]


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "..", "sql/../sql"])
def test_a_connector_is_found_by_name_never_by_path(tmp_path: Path, name: str) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    (evil / "manifest.yaml").write_text("name: evil\nconnector: connector:open\n", "utf-8")
    (evil / "connector.py").write_text("import pathlib; pathlib.Path('pwned').touch()\n", "utf-8")
    folder = tmp_path / "a" / "p"
    folder.mkdir(parents=True)
    (folder / "hub.yaml").write_text(HUB.replace("connector: sql", f"connector: {text(name)}"), "utf-8")
    code, said = hub(folder, "validate")
    assert code == 2 and "no connector" in said
    assert not (tmp_path / "pwned").exists() and not (folder / "pwned").exists()


def test_a_plan_file_gives_nothing_but_an_id(tmp_path: Path) -> None:
    (tmp_path / "hub.yaml").write_text("version: 1\n", "utf-8")
    for content in ('{"id": "../../etc/passwd"}', '{"id": ["x"]}', '{"id": null}', "[1]", "{", "\x00"):
        plan = tmp_path / "plan.json"
        plan.write_text(content, "utf-8")
        code, said = hub(tmp_path, "apply", str(plan))
        assert code == 2 and "plan" in said, (content, said)
    code, said = hub(tmp_path, "apply", "../../../etc/passwd")
    assert code == 2 and "root:" not in said


def test_values_of_hub_yaml_are_not_expanded_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret's value that looks like a reference stays what it is."""
    from hub.project.secrets import Secrets

    monkeypatch.setenv("FIRST", "${SECOND}")
    monkeypatch.setenv("SECOND", "inner")
    assert Secrets(tmp_path).resolve("${FIRST}") == "${SECOND}"


@pytest.mark.parametrize("word", ["1e999999999", "-1e999999999", "1e-999999999", "9" * 5000, "NaN", "Infinity", "1_0"])
def test_numbers_that_would_fill_the_memory_are_refused_by_the_mapping(word: str) -> None:
    """As text (an API that sends its amounts so) and as a number of the answer's JSON."""
    lens = lens_of("""
        total: {field: Total, via: money, direction: in}
        discount: {field: Discount, via: quantity}
        tax_rate: {field: Tax_Rate, via: percent}
        count: Count
        title: Title
    """)  # fmt: skip
    values: list[Any] = [word]
    if word.lower()[-1].isdigit() and "_" not in word:
        values.append(Decimal(word))
    for value in values:
        got = lens.get(dict.fromkeys(("Total", "Discount", "Tax_Rate", "Count"), value))
        assert got.values == {} and {p.field for p in got.problems} == {"total", "discount", "tax_rate", "count"}
        assert all(len(p.message) < 500 for p in got.problems)
