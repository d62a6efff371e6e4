"""``hub validate`` tries the laws on a project's mappings: each alone, all together, and with records seen before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hub.project import open_project
from hub.project.proofs import proven
from hub.store import shadows
from hub.store.codec import printed
from hub.store.database import open_store
from hub.store.shadows import ShadowWrite

HubYaml = Callable[[str], Path]

TWO = """
version: 1
systems:
  crm: {{connector: memo, mappings: {{People: {{fields: {{name: {{field: title, via: upper}}}}}}}}}}
  erp: {{connector: memo, mappings: {{People: {{fields: {{name: {{field: title, via: {how}}}}}}}}}}}
entities:
  customer: {{systems: {{crm: both, erp: {direction}}}{more}}}
"""


def problems(folder: Path) -> list[str]:
    with open_project(folder, connect=False) as project:
        return [str(problem) for problem in proven(project)]


def test_a_right_project_is_silent(hub_yaml: HubYaml) -> None:
    assert problems(hub_yaml(TWO.format(how="upper", direction="both", more=""))) == []


def test_two_systems_that_never_settle_are_named_unless_the_policy_settles_it(hub_yaml: HubYaml) -> None:
    found = problems(hub_yaml(TWO.format(how="lower", direction="both", more="")))
    assert len(found) == 1
    assert (
        "hub.yaml:3:" in found[0] and "name never settles between crm and erp: 'a' → 'A' (crm) → 'a' (erp)" in found[0]
    )
    assert problems(hub_yaml(TWO.format(how="lower", direction="out", more=""))) == []
    assert problems(hub_yaml(TWO.format(how="lower", direction="both", more=", authority: {name: erp}"))) == []


def test_one_mapping_that_breaks_a_law_is_placed(hub_yaml: HubYaml) -> None:
    folder = hub_yaml(TWO.format(how="upper", direction="both", more=""))
    mapping = folder / "mappings/memo/People.yaml"
    mapping.write_text(mapping.read_text("utf-8") + "  description: no\n", "utf-8")
    found = problems(folder)
    assert found and all("writes there too" in line or "can't be read" in line for line in found)
    assert f"{mapping}:6:3" in found[0]


def test_records_seen_before_are_tried(hub_yaml: HubYaml) -> None:
    """The pair forgets a letter that only a real record has."""
    folder = hub_yaml(TWO.format(how="{python: forgets}", direction="both", more=""))
    (folder / "functions").mkdir()
    (folder / "functions/forgets.py").write_text(
        "from hub.mapping import pair\n\n\n@pair('forgets')\nclass Forgets:\n    def get(self, value):\n"
        "        return value\n\n    def put(self, value):\n        return value.replace('Ǫ', '')\n",
        "utf-8",
    )
    assert problems(folder) == []
    (folder / ".hub").mkdir(exist_ok=True)
    store = open_store(f"sqlite:///{folder}/.hub/hub.db")
    text, mark = printed({"no": "1", "title": "Ǫ Ltd"})
    with store.begin() as connection:
        row = ShadowWrite("1", "h1", "1", None, mark, text, {}, None)
        shadows.store(connection, "erp", "customer", [row], new=True)
    store.close()
    found = problems(folder)
    assert found and "name: title holds 'Ǫ', read as 'Ǫ'; written again as '' it reads null" in found[0]
    assert found == problems(folder)
