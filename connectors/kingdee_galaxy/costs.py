"""What work will take, in calls: the same arithmetic that reading and writing follow."""

from __future__ import annotations

from hub.connect.capabilities import Cost, Reading, Writing

from .metadata import Metadata
from .reading import IDS, Cursor, Reader
from .settings import Settings

LINES = 3
"""Lines of a document, where nobody has counted them."""


class Costs:
    """One system's costs. Asks nobody."""

    def __init__(self, reader: Reader, metadata: Metadata, settings: Settings) -> None:
        self._reader = reader
        self._metadata = metadata
        self._settings = settings

    def read(self, form: str, reading: Reading) -> Cost:
        """The change feed, or everything; entries that are not joined are asked for apart."""
        asked = self._reader.wanted(form, reading.fields, reading.options)
        whole = Cursor.read(reading.cursor).since is None
        rows = reading.records * (LINES if asked.main.entry else 1)
        pages = self._pages(rows)
        apart = len(asked.apart) * _started(reading.records, self._settings.page_rows if whole else IDS)
        # Of everything: first the newest change there is, then for each page who was hidden by having no lines.
        more = 1 + (pages if asked.main.entry else 0) if whole else 0
        return _calls(pages + apart + more)

    def ids(self, records: int) -> Cost:
        """All ids."""
        return _calls(self._pages(records))

    def write(self, form: str, writing: Writing) -> Cost:
        """One batch: what is looked at before, saved, moved through its states, and read back."""
        options = writing.options
        more = {"fields": options.get("fields") or []}
        apart = len(self._reader.wanted(form, writing.fields, more).apart)
        looked = _started(writing.records, IDS)
        back = looked * (1 + apart) + (1 if writing.first and writing.action in ("create", "update") else 0)
        saves = _started(writing.records, self._settings.batch)
        stages = 2 if _on(options, "audit") else 1 if _on(options, "submit") else 0
        if writing.action == "create":
            return _calls(saves + stages + back)
        if writing.action == "update":
            # Audited records are opened first, and brought back to where they were.
            opened = (1 if _on(options, "unaudit") else 0) + (2 if _on(options, "unaudit") else stages)
            return _calls(looked + max(saves, writing.shapes) + opened + back)
        return _calls(looked + 1 + (2 if writing.action == "archive" else 1))

    def _pages(self, rows: int) -> int:
        # A page that is full to the brim does not say that it was the last.
        return rows // self._settings.page_rows + 1


def _calls(number: int) -> Cost:
    return Cost(number, number)


def _started(count: int, size: int) -> int:
    return -(-count // size)


def _on(options: dict[str, object], name: str) -> bool:
    return str(options.get(name, "")).strip().lower() in ("true", "1", "yes")
