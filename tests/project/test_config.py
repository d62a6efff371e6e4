"""The grammar of hub.yaml is closed, and every mistake is told at its place with what would be right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.project import open_project

HubYaml = Callable[[str], Path]


def problems_of(folder: Path) -> list[str]:
    with open_project(folder, connect=False, strict=False, environment={}) as project:
        return [str(problem).removeprefix(f"{folder}/") for problem in project.problems]


TOP = "version: 1\nsystems:\n  crm: {connector: memo}\n  erp: {connector: memo}\nentities:\n"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("systems: {}\n", "hub.yaml:1:1: 'version' is missing → add 'version:'"),
        ("version: 3\n", "hub.yaml:1:10: the file is of version 3 of the language, and this hub reads up to 2"),
        (
            "version: 1\nretention: {older_than: 3d}\n",
            "hub.yaml:2:25: 'older_than': write days, such as 90d (at least 7d",
        ),
        ("version: 1\nretention: {keep: 3}\n", "hub.yaml:2:13: unknown key 'keep' → did you mean 'keep_runs'?"),
        ("version: 1\nretention: {at: noon}\n", "hub.yaml:2:17: 'at': 'noon' is not a cron expression"),
        ("version: 1\nsytems: {}\n", "hub.yaml:2:1: unknown key 'sytems' → did you mean 'systems'?"),
        ("version: 1\ntimezone: Asia/Beijing\n", "hub.yaml:2:11: 'timezone': 'Asia/Beijing' is not a time zone"),
        ("version: 1\nsystems:\n  crm:\n", "'crm' holds nothing"),
        ("version: 1\nsystems:\n  crm: {url: x}\n", "hub.yaml:3:8: 'connector' is missing"),
        ("version: 1\nsystems:\n  My CRM: {connector: memo}\n", "hub.yaml:3:3: 'My CRM' can't name a system"),
        ("version: 1\nversion: 1\n", "hub.yaml:2:1: the key 'version' is there twice"),
        (TOP + "  customer: {systems: {crm: bth}}\n", "hub.yaml:6:29: 'crm' can't be 'bth' → did you mean 'both'?"),
        (TOP + "  customer: {systems: {}}\n", "hub.yaml:6:23: 'systems': name at least one system"),
        (
            TOP + "  custmer: {systems: {crm: in}}\n",
            "hub.yaml:6:3: unknown entity 'custmer' → did you mean 'customer'?",
        ),
        (TOP + "  customer: {systems: {crn: in}}\n", "hub.yaml:6:24: unknown system 'crn' → did you mean 'crm'?"),
        (TOP + "  customer: {systems: {crm: in}, athority: {}}\n", "hub.yaml:6:34: unknown key 'athority'"),
        (
            TOP + "  customer: {systems: {crm: both}, authority: {nme: crm}}\n",
            "hub.yaml:6:48: unknown field of customer 'nme' → did you mean 'name'?",
        ),
        (
            TOP + "  customer: {systems: {crm: both}, authority: {name: erp}}\n",
            "hub.yaml:6:54: the system 'erp' takes no part in this entity",
        ),
        (
            TOP + "  customer: {systems: {crm: both, erp: out}, authority: {name: erp}}\n",
            "hub.yaml:6:64: 'erp' can't own 'name': the hub only writes to it",
        ),
        (
            TOP + "  customer: {systems: {crm: both}, conflict: newst}\n",
            "hub.yaml:6:46: 'conflict': expected newest, hold",
        ),
        (
            TOP + "  customer: {systems: {crm: both}, conflict: [crm, wms]}\n",
            "hub.yaml:6:52: the system 'wms' takes no part",
        ),
        (
            TOP + "  customer: {systems: {crm: both}, conflict: owner}\n",
            "hub.yaml:6:46: conflicts go to the owner, but nobody",
        ),
        (
            TOP + "  customer: {systems: {crm: both}, field_conflict: {phone: owner}}\n",
            "hub.yaml:6:60: conflicts go to the owner, but nobody owns the field 'phone'",
        ),
        (
            TOP + "  customer: {systems: {crm: both}, deletes: archve}\n",
            "hub.yaml:6:45: 'deletes' can't be 'archve' → did you mean 'archive'?",
        ),
        (
            TOP + "  customer: {systems: {crm: both}, budget: {share: 10 percent}}\n",
            "hub.yaml:6:52: 'share': a share is written",
        ),
        (TOP + "  customer: {systems: {crm: both}, budget: {floor: -1}}\n", "hub.yaml:6:52: 'floor'"),
        (
            TOP + "  customer: {systems: {crm: both}, create: {wms: false}}\n",
            "hub.yaml:6:45: the system 'wms' takes no part",
        ),
        (TOP + "  customer: {systems: {crm: both}, create: {crm: maybe}}\n", "hub.yaml:6:50: 'crm': expected true"),
        (TOP + "  customer: {systems: {crm: both}, schedule: 15}\n", "hub.yaml:6:46: 'schedule'"),
        (
            TOP + "  customer: {systems: {crm: both}, schedule: 5 minutes}\n",
            "hub.yaml:6:46: 'schedule': '5 minutes' is not",
        ),
        (TOP + "  customer: {systems: {crm: out}}\n", "hub.yaml:6:23: no system gives any customer"),
        (TOP + "  customer: {systems: {crm: in, erp: in}}\n", "hub.yaml:6:23: no system receives any customer"),
        (
            "version: 1\nmodel: {fields: {customer: {vip: {type: integr}}}}\n",
            "hub.yaml:2:41: 'type' can't be 'integr' → did you mean 'integer'?",
        ),
        (
            "version: 1\nmodel: {fields: {custmer: {vip: {type: integer}}}}\n",
            "hub.yaml:2:18: unknown entity 'custmer' → did you mean 'customer'?",
        ),
        (
            "version: 1\nmodel: {entities: {visit: {fields: {who: {type: ref, ref: contct}}}}}\n",
            "hub.yaml:2:54: unknown entity 'contct' → did you mean 'contact'?",
        ),
        ("version: 1\nnotify: {webhook: x, webhok: y}\n", "unknown key 'webhok' → did you mean 'webhook'?"),
    ],
)
def test_mistakes_are_told_where_they_are(hub_yaml: HubYaml, text: str, wanted: str) -> None:
    found = problems_of(hub_yaml(text))
    assert wanted in found[0], found
    assert len(found) == 1


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\n",
        "version: 1\nsystems:\nentities:\nmodel:\n",
        TOP.replace("entities:", "") + "name: 上海云杉\n",
        TOP + "  customer: {systems: {crm: both, erp: {direction: out}}, budget: {share: 0.5}}\n",
        TOP + "  customer: {systems: {crm: both}, schedule: [5m, {cron: '0 2 * * *'}], authority: , create: }\n",
        "version: 1\nmodel: {fields: {order.lines: {batch: text}}, entities: {visit: {fields: {at: instant}}}}\n",
    ],
)
def test_all_ways_to_write_it_are_read(hub_yaml: HubYaml, text: str) -> None:
    assert problems_of(hub_yaml(text)) == []


def test_entities_come_in_the_order_of_their_references(hub_yaml: HubYaml) -> None:
    text = """
    version: 1
    systems: {crm: {connector: memo}}
    entities:
      visit: {systems: {crm: both}}
      invoice: {systems: {crm: both}}
      order: {systems: {crm: both}}
      customer: {systems: {crm: both}}
    model:
      entities: {visit: {fields: {name: text, invoice: {type: ref, ref: invoice}}}}
    """
    with open_project(hub_yaml(text), connect=False, strict=False) as project:
        assert list(project.setup.policies) == ["customer", "order", "invoice", "visit"]
