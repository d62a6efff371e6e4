"""Files of every earlier version: they mean what they meant, and are rewritten without losing a comment or a space."""

import copy
import re
from pathlib import Path

import pytest
from mapping.mapping_world import FOLDER, RESOURCE, SPECS

from hub.errors import ConfigurationError
from hub.mapping import load
from hub.mapping import migrations as moves
from hub.mapping.grammar import VERSION
from hub.mapping.migrations import MIGRATIONS, Migration, Rename, rewritten, upgraded
from hub.mapping.reading import read_yaml

STORED = FOLDER / "versions"
EARLIER = range(1, VERSION)
KINDS = {"mapping": "mapping", "hub": "project"}


def stored(version: int, name: str) -> str:
    return (STORED / str(version) / f"{name}.yaml").read_text("utf-8")


def test_every_earlier_version_has_a_way_on_and_stored_files():
    assert list(MIGRATIONS) == list(EARLIER)
    for version in (*EARLIER, VERSION):
        for name in KINDS:
            assert read_yaml(stored(version, name))[0].data["version"] == version


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("version", EARLIER)
def test_a_file_of_an_earlier_version_is_rewritten_to_the_letter(version: int, name: str):
    made, changes = rewritten(stored(version, name), KINDS[name])
    assert made == stored(VERSION, name)
    assert (changes[0].old, changes[0].new) == (str(version), str(VERSION))
    assert rewritten(made, KINDS[name]) == (made, [])


@pytest.mark.parametrize("version", EARLIER)
def test_a_mapping_of_an_earlier_version_means_the_same_as_it_is_and_rewritten(version: int):
    extra = {"fields": {"customer": "Customer.id"}}  # what the file leaves to hub.yaml
    of = {"specs": copy.deepcopy(SPECS), "resource": copy.deepcopy(RESOURCE), "overrides": extra}
    old, problems = load(STORED / str(version) / "mapping.yaml", **of)
    new, others = load(STORED / str(VERSION) / "mapping.yaml", **of)
    assert old is not None and new is not None, [*problems, *others]
    assert old.version == new.version, "a pass must not read everything anew because a file was rewritten"
    record = {"Number": "d1", "Title": "T", "Street": "S", "Items": [{"Seq": 1}]}
    assert old.get(record) == new.get(record)
    assert old.get(record).values["taxed"] is False
    assert old.put({"number": "D1"}, None) == new.put({"number": "D1"}, None) == {
        "Number": "D1", "Extra": {"source": "hub"}}  # fmt: skip


def test_a_mistake_in_an_earlier_file_is_told_where_it_stands():
    text = "version: 1\nresource: Deals\nentity: deal\nfields:\n  number: Number\n  count: {constant: many}\n"
    _, problems = load(text, specs=SPECS, resource=RESOURCE, file="deals.yaml")
    assert [str(p) for p in problems] == [
        "deals.yaml:6:10: 'always' is no value of count: expected a whole number, got 'many'"
    ]


def test_windows_line_ends_chinese_and_a_missing_last_one_stay():
    text = "# 说明\r\nversion: 1\r\nresource: r\r\nentity: customer\r\nfields: {country: {constant: CN}} # 中国"
    assert rewritten(text, "mapping")[0] == text.replace("version: 1", "version: 2").replace("constant", "always")


def test_positions_stay_those_of_the_file():
    section, _ = read_yaml(stored(1, "hub"), file="hub.yaml")
    newer, problems = upgraded(section, "project")
    assert problems == []
    where = ("systems", "erp", "mappings", "customers", "fields", "currency")
    assert newer.at((*where, "always")) == section.at((*where, "constant"))
    assert "always" not in section.data["systems"]["erp"]["mappings"]["customers"]["fields"]["currency"]


def test_several_versions_are_made_up_for_in_one_go(monkeypatch: pytest.MonkeyPatch):
    """A made-up version 3 renames what version 2 renamed, and something above it."""

    def third(kind, data):
        yield Rename(("fields", "taxed", "always"), "ever")
        yield Rename(("fields",), "feilds")

    monkeypatch.setattr(moves, "VERSION", 3)
    monkeypatch.setitem(MIGRATIONS, 2, Migration(third, "made up"))
    made, changes = rewritten(stored(1, "mapping"), "mapping")
    assert "version: 3     # of the language\n" in made
    assert "\nfeilds:\n" in made
    assert "  taxed:      {ever: false,   strength: weak}\n" in made
    assert "  currency:   {always: CNY}   # in quotes\n" in made
    assert changes[0].new == "3"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("version: 9\n", "the file is of version 9 of the language, and this hub reads up to 2"),
        ("resource: x\n", "there is no 'version' of the language"),
        ("version: yes\n", "there is no 'version' of the language"),
        ("version: 1\nfields: {a: {constant: 1, constant: 2}}\n", "the key 'constant' is there twice"),
        ("version: [\n", "not YAML"),
    ],
)
def test_what_cannot_be_rewritten_is_told(text: str, told: str):
    with pytest.raises(ConfigurationError, match=re.escape(told)) as caught:
        rewritten(text, "mapping", file="f.yaml")
    assert "f.yaml:" in str(caught.value)


def test_a_result_that_would_mean_something_else_is_never_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Two keys that become one: the file can't be rewritten, so it stays as it is."""
    both = Migration(lambda kind, data: iter([Rename(("fields", "a"), "b")]), "made up")
    monkeypatch.setitem(MIGRATIONS, 1, both)
    with pytest.raises(ConfigurationError, match="can't be rewritten"):
        rewritten("version: 1\nfields: {a: x, b: y}\n", "mapping")
