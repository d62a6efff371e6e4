"""Singer taps as systems to read from: catalog, records, state, back pressure, and taps that misbehave."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.connect import registry
from hub.connect.capabilities import Create, Get, ListChanges, ListIds
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache
from hub.errors import AuthenticationError, ConfigurationError, Unavailable, UnexpectedAnswer

TAP = """
import json, os, sys
from pathlib import Path

def file(option):
    return json.loads(Path(sys.argv[sys.argv.index(option) + 1]).read_text()) if option in sys.argv else None

def say(**message):
    sys.stdout.write(json.dumps(message) + "\\n")
    sys.stdout.flush()

config, catalog, state = file("--config"), file("--catalog"), file("--state")
CATALOG = json.loads(config["catalog"])
exec(config.get("first", ""))
if "--discover" in sys.argv:
    print(json.dumps(CATALOG, indent=2))
    sys.exit()
chosen = [s["tap_stream_id"] for s in catalog["streams"] if any(
    m["breadcrumb"] == [] and m["metadata"].get("selected") for m in s["metadata"])]
exec(config["run"])
"""
PEOPLE = {
    "tap_stream_id": "people",
    "stream": "people",
    "key_properties": ["id"],
    "replication_key": "changed",
    "schema": {
        "type": "object",
        "properties": {
            "id": {"type": ["null", "integer"]},
            "name": {"type": ["string", "null"], "maxLength": 60},
            "changed": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]},
            "born": {"type": ["null", "string"], "format": "date"},
            "credit": {"type": "number"},
            "kind": {"type": "string", "enum": ["a", "b"]},
            "home": {"type": "object", "properties": {"city": {"type": "string"}}},
            "cars": {"type": "array", "items": {"type": "object", "properties": {"plate": {"type": "string"}}}},
            "odd": {"type": ["string", "integer"]},
        },
    },
    "metadata": [{"breadcrumb": ["properties", "odd"], "metadata": {"inclusion": "unsupported"}}],
}
OTHER = {**PEOPLE, "tap_stream_id": "others", "stream": "others", "key_properties": []}
RUN = """
since = (state or {}).get("people", 0)
say(type="SCHEMA", stream="people", schema={}, key_properties=["id"])
for n in range(since + 1, config["count"] + 1):
    moment = f"2026-01-01T00:00:{n % 60:02d}Z"
    say(type="RECORD", stream="people", record={"id": n, "name": f"Nr {n}", "credit": 0.1, "changed": moment})
    if n % 3 == 0:
        say(type="STATE", value={"people": n})
say(type="STATE", value={"people": config["count"]})
"""


class Made:
    """A connector to a tap that behaves as its ``config`` says."""

    def __init__(self, folder: Path) -> None:
        self.script = folder / "tap.py"
        self.script.write_text(TAP, "utf-8")

    def __call__(self, run: str = RUN, streams: list | None = None, **more: Any) -> Any:
        settings = {k: more.pop(k) for k in ("streams_settings", "idle", "env", "page", "tap") if k in more}
        if "streams_settings" in settings:
            settings["streams"] = settings.pop("streams_settings")
        config = {"catalog": json.dumps({"streams": streams or [PEOPLE, OTHER]}), "run": run, "count": 7, **more}
        settings = {"tap": [sys.executable, str(self.script)], "config": config, **settings}
        return registry.find("singer").open(settings, Services("people", MemoryCache()))


@pytest.fixture
def tap(tmp_path: Path) -> Made:
    return Made(tmp_path)


def pages(made: Any, cursor: str | None = None, resource: str = "people", fields: tuple[str, ...] = ("name",)) -> list:
    return list(made.list_changes(resource, cursor, list(fields), {}))


def ids(found: list) -> list[str]:
    return [remote.id for page in found for remote in page.records]


def test_streams_are_resources_with_their_types(tap: Made):
    made = tap()
    assert isinstance(made, ListChanges) and isinstance(made, ListIds)
    assert not isinstance(made, Create) and not isinstance(made, Get)
    (people,) = made.describe("people")
    assert {field.name: field.type for field in people.fields} == {
        "id": "integer", "name": "text", "changed": "datetime", "born": "date", "credit": "decimal", "kind": "choice",
        "home": "object", "cars": "lines", "odd": "any",
    }  # fmt: skip
    assert (people.id_field, people.writable, people.deletes) == ("id", False, "listing")
    assert [resource.name for resource in made.describe()] == ["people", "others"]
    with pytest.raises(ConfigurationError, match="no stream 'persons'"):
        made.describe("persons")


def test_everything_is_read_with_the_state_that_covers_it(tap: Made):
    found = pages(tap(), fields=("name", "credit"))
    assert ids(found) == [str(n) for n in range(1, 8)]
    assert [page.cursor for page in found] == ['{"people":3}', '{"people":6}', '{"people":7}', '{"people":7}']
    assert [page.complete for page in found] == [False, False, False, True]
    first = found[0].records[0]
    assert first.record == {"id": 1, "name": "Nr 1", "credit": Decimal("0.1")}
    assert (first.modified_at, first.deleted) == ("2026-01-01T00:00:01Z", False)


def test_the_state_goes_back_to_the_tap(tap: Made):
    made = tap()
    cursor = pages(made)[-1].cursor
    quiet = pages(made, cursor)
    assert (ids(quiet), quiet[-1].complete) == ([], False)
    assert ids(pages(made, '{"people":5}')) == ["6", "7"]


def test_all_ids_are_listed_to_find_deletions(tap: Made):
    assert [id for some in tap().list_ids("people", {}) for id in some] == [str(n) for n in range(1, 8)]


def test_only_the_wanted_stream_is_selected(tap: Made):
    run = 'assert chosen == ["others"], chosen\nsay(type="SCHEMA", stream="others", schema={}, key_properties=["id"])\n'
    run += (
        'say(type="RECORD", stream="people", record={"id": 1})\nsay(type="RECORD", stream="others", record={"id": 2})'
    )
    assert ids(pages(tap(run), resource="others")) == ["2"]


def test_a_tap_stands_still_while_nobody_reads_and_ends_when_reading_ends(tap: Made, tmp_path: Path):
    counter = tmp_path / "written"
    run = f"""
for n in range(200000):
    say(type="RECORD", stream="people", record={{"id": n, "name": "x" * 200}})
    if n % 1000 == 999:
        open({str(counter)!r}, "w").write(str(n))
        say(type="STATE", value={{"n": n}})
"""
    feed = tap(run).list_changes("people", None, ["name"], {})
    next(feed)
    feed.close()
    assert int(counter.read_text()) < 20_000, "it was stopped by its full pipe"


def test_large_states_are_rare_so_pages_have_a_size(tap: Made):
    records = 'for n in range(25):\n    say(type="RECORD", stream="people", record={"id": n})\n'
    found = pages(tap(records + 'say(type="STATE", value={"n": 25})', page=10))
    assert [(len(page.records), page.cursor) for page in found] == [
        (10, None),
        (10, None),
        (5, '{"n":25}'),
        (0, '{"n":25}'),
    ]


def test_deletions_that_a_tap_tells_are_tombstones(tap: Made):
    run = 'say(type="RECORD", stream="people", record={"id": 1, "_sdc_deleted_at": "2026-01-01T00:00:00Z"})'
    (page,) = pages(tap(run))
    assert [(remote.id, remote.deleted, remote.record) for remote in page.records] == [("1", True, None)]


def test_records_without_a_key_need_one_in_the_settings(tap: Made):
    run = 'say(type="RECORD", stream="others", record={"id": 1, "odd": "x"})'
    with pytest.raises(ConfigurationError, match="does not say what tells records of 'others' apart"):
        pages(tap(run), resource="others")
    assert tap(run).check().problems[0].startswith("others: the catalog names no key properties")
    made = tap(run, streams_settings={"others": {"id": ["id", "odd"]}})
    assert ids(pages(made, resource="others")) == ["1/x"]
    gone = tap(run, streams_settings={"others": {"id": ["nothing"]}})
    with pytest.raises(UnexpectedAnswer, match="no value of nothing"):
        pages(gone, resource="others")


@pytest.mark.parametrize(
    ("run", "error", "told"),
    [
        ("sys.stderr.write('CRITICAL boom\\n'); sys.exit(1)", Unavailable, r"exit code 1\): CRITICAL boom"),
        ("sys.exit('HTTP 401 Unauthorized')", AuthenticationError, "401"),
        ("1 / 0", Unavailable, "ZeroDivisionError"),
        ("print('Hello, I am a tap')", UnexpectedAnswer, "no Singer message"),
        ("print('[1]')", UnexpectedAnswer, "no Singer message"),
        ("import time; time.sleep(60)", Unavailable, "has said nothing for"),
    ],
)
def test_a_tap_that_misbehaves_is_told_and_ended(tap: Made, run: str, error: type, told: str):
    made = tap(
        'say(type="RECORD", stream="people", record={"id": 1})\nsay(type="STATE", value={"n": 1})\n' + run, idle=1
    )
    feed = made.list_changes("people", None, ["name"], {})
    assert next(feed).cursor == '{"n":1}', "what came before stays valid"
    with pytest.raises(error, match=told):
        list(feed)


def test_a_tap_that_cannot_be_started_or_found_out(tap: Made):
    with pytest.raises(ConfigurationError, match="can't be started"):
        tap(tap="no-such-tap").check()
    with pytest.raises(UnexpectedAnswer, match="not one"):
        tap(first="print('{}'); sys.exit()").check()


def test_the_tap_sees_its_own_environment_and_no_secrets_of_ours(tap: Made, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HUB_SECRET_OF_OURS", "x")
    run = 'say(type="RECORD", stream="people", record={"id": 1, "name": " ".join(sorted(os.environ))})'
    (page,) = pages(tap(run, env={"TAP_OWN": "1"}))
    seen = page.records[0].record["name"].split()
    assert "TAP_OWN" in seen and "PATH" in seen
    assert "HUB_SECRET_OF_OURS" not in seen


def test_secrets_of_the_configuration_show_in_no_error_and_no_file_stays(tap: Made, tmp_path: Path):
    run = (
        'mode = oct(os.stat(sys.argv[sys.argv.index("--config") + 1]).st_mode)\n'
        f'open({str(tmp_path / "where")!r}, "w").write(mode + " " + sys.argv[sys.argv.index("--config") + 1])\n'
        'sys.exit("Error: bad key " + config["api_key"])'
    )
    with pytest.raises(Unavailable) as caught:
        pages(tap(run, api_key="very-secret-key-1"))
    assert "bad key ***" in str(caught.value)
    mode, path = (tmp_path / "where").read_text().split()
    assert (mode, Path(path).exists()) == ("0o100600", False)


def test_settings_are_checked(tap: Made):
    for wrong, told in (
        ({}, "tap"),
        ({"tap": "x", "tapp": 1}, "tapp"),
        ({"tap": "x", "streams": {"a": {"ids": 1}}}, "ids"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            registry.find("singer").open(wrong, Services("people", MemoryCache()))
