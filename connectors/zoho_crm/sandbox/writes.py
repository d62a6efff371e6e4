"""Writing records: batches with a result each, the statuses that sum them up, and what stops a whole batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..seed import seed_module
from . import problems
from .lists import Lists, Params, modified_since
from .problems import ApiProblem
from .records import Records, Refused
from .tables import Row

Body = dict[str, Any]
Reply = tuple[int, Body]
Written = Callable[[str, str, str, Body], None]
"""Told (module, id, action, values) after each change."""
MOST_RECORDS = 100
AUTOMATIONS = ("workflow", "approval", "blueprint", "pathfinder", "orchestration")


@dataclass
class Writes:
    """Answers the writing calls."""

    records: Records
    lists: Lists
    told: Written

    def insert(self, module: str, body: Any) -> Reply:
        """``POST /{module}``"""
        data = self._data(module, body)
        results = [self._insert(module, one, f"$.data[{at}]", body) for at, one in enumerate(data)]
        return self._summed(results, 201)

    def update(self, module: str, body: Any, headers: Mapping[str, str], id: str | None = None) -> Reply:
        """``PUT /{module}`` and ``PUT /{module}/{id}``"""
        data = self._data(module, body, most=1 if id else MOST_RECORDS)
        rows = [self.lists.row(module, id, headers) if id else self._named(module, one, headers) for one in data]
        stale = self._stale(headers, [row for row in rows if row])
        if stale:
            return stale
        results = [
            self._update(module, row, one, f"$.data[{at}]", body) if row else problems.invalid_id(f"$.data[{at}].id")
            for at, (row, one) in enumerate(zip(rows, data, strict=True))
        ]
        return self._summed(results, 200)

    def upsert(self, module: str, body: Any, headers: Mapping[str, str]) -> Reply:
        """``POST /{module}/upsert``"""
        data = self._data(module, body)
        names = self._duplicate_fields(module, body.get("duplicate_check_fields"))
        hits = [self.records.first_match(module, one, names) for one in data]
        stale = self._stale(headers, [hit[1] for hit in hits if hit])
        if stale:
            return stale
        results = []
        for at, one in enumerate(data):
            # Looked up again: an earlier record of the same batch may have brought the match.
            hit = self.records.first_match(module, one, names)
            path = f"$.data[{at}]"
            if hit:
                result = self._update(module, hit[1], one, path, body)
                more: Body = {"duplicate_field": hit[0], "action": "update"}
            else:
                result = self._insert(module, one, path, body)
                more = {"duplicate_field": None, "action": "insert"}
            results.append({**result, **more} if result["status"] == "success" else result)
        return self._summed(results, 200)

    def delete(self, module: str, params: Params, headers: Mapping[str, str], id: str | None = None) -> Reply:
        """``DELETE /{module}?ids=…`` and ``DELETE /{module}/{id}``"""
        self._writable(module)
        ids = [id] if id else [i for i in params.get("ids", "").split(",") if i]
        if not ids:
            raise problems.missing_param("ids")
        if len(ids) > MOST_RECORDS:
            raise problems.over_limit("ids", MOST_RECORDS)
        if not headers.get("X-EXTERNAL") and not all(i.isdigit() for i in ids):
            raise ApiProblem(
                400, "UNABLE_TO_PARSE_DATA_TYPE", "either the request body or parameters is in wrong format"
            )
        results = []
        for one in ids:
            row = self.lists.row(module, one, headers)
            if row is None:
                results.append(problems.error("INVALID_DATA", "record not deleted", {"id": one}))
                continue
            self.records.delete(module, row)
            self.told(module, str(row.id), "delete", {})
            self._note_run(module, row, None if params.get("wf_trigger", "true") != "false" else [])
            results.append(problems.success("record deleted", {"id": str(row.id)}))
        return self._summed(results, 200)

    # --- one record -----------------------------------------------------------------------------------

    def _insert(self, module: str, one: Body, path: str, request: Body) -> Body:
        try:
            row = self.records.insert(module, one, path)
        except Refused as refused:
            return refused.error
        self._done(module, row, "create", one, request)
        return problems.success("record added", self._details(module, row, one))

    def _update(self, module: str, row: Row, one: Body, path: str, request: Body) -> Body:
        try:
            self.records.update(module, row, one, path)
        except Refused as refused:
            return refused.error
        self._done(module, row, "update", one, request)
        return problems.success("record updated", self._details(module, row, one))

    def _done(self, module: str, row: Row, action: str, values: Body, request: Body) -> None:
        self.told(module, str(row.id), action, values)
        self._note_run(module, row, request.get("trigger"))

    def _note_run(self, module: str, row: Row, trigger: list[str] | None) -> None:
        # Key absent: all automations run; an empty list: none.
        for name in AUTOMATIONS if trigger is None else trigger:
            self.records.workflow_runs.append({"module": module, "id": str(row.id), "trigger": name})

    def _details(self, module: str, row: Row, sent: Body) -> Body:
        details = self.records.renderer.written(row)
        for meta in self.records.org.fields[module]:
            if meta["external"] and meta["api_name"] in sent:
                details[meta["api_name"]] = row.values.get(meta["api_name"])
        return details

    # --- whole requests -------------------------------------------------------------------------------

    def _data(self, module: str, body: Any, most: int = MOST_RECORDS) -> list[Body]:
        self._writable(module)
        if not isinstance(body, dict) or not body:
            raise problems.bad_body()
        data = body.get("data")
        if data is None:
            raise ApiProblem(
                400, "MANDATORY_NOT_FOUND", "required field not found", {"api_name": "data", "json_path": "$.data"}
            )
        if not isinstance(data, list) or not data or not all(isinstance(one, dict) for one in data):
            details: Body = {"expected_data_type": "jsonarray", "api_name": "data", "json_path": "$.data"}
            raise ApiProblem(400, "INVALID_DATA", "invalid data", details)
        if len(data) > most:
            raise ApiProblem(
                400, "LIMIT_EXCEEDED", "count of records in your request exceeds the limit",
                {"maximum_length": most, "api_name": "data", "json_path": "$.data"},
            )  # fmt: skip
        trigger = body.get("trigger")
        if trigger is not None and (not isinstance(trigger, list) or not set(map(str, trigger)) <= set(AUTOMATIONS)):
            details = {"api_name": "trigger", "json_path": "$.trigger", "supported_values": list(AUTOMATIONS)}
            raise ApiProblem(400, "INVALID_DATA", "invalid data", details)
        return data

    def _writable(self, module: str) -> None:
        if seed_module(module).get("kind") == "subform":
            raise ApiProblem(
                400, "INVALID_MODULE", "The given module is not supported in API", {"resource_path_index": 0}
            )

    def _named(self, module: str, one: Body, headers: Mapping[str, str]) -> Row | None:
        if headers.get("X-EXTERNAL"):
            return self.lists.row(module, str(one.get("id", "")), headers)
        return self.records.find(module, str(one.get("id", "")))

    def _stale(self, headers: Mapping[str, str], rows: list[Row]) -> Reply | None:
        """412 for the whole request when one of the records has changed since the header's moment."""
        moment = modified_since(headers, "If-Unmodified-Since")
        if moment is None:
            return None
        for row in rows:
            if row.modified > moment:
                message = "record updated time has already passed if-unmodified-since time"
                details = self.records.renderer.written(row)
                return 412, {"data": [problems.error("ALREADY_MODIFIED", message, details)]}
        return None

    def _duplicate_fields(self, module: str, given: Any) -> list[str]:
        """In which fields an upsert looks for the record, in order (API page "Upsert records")."""
        unique = self.records.unique_fields(module)
        system = str(seed_module(module)["duplicate_field"])
        if given is None or given == []:
            return [system, *unique]
        if not isinstance(given, list) or not set(given) <= {system, *unique}:
            details = {"api_name": "duplicate_check_fields", "json_path": "$.duplicate_check_fields"}
            raise ApiProblem(400, "INVALID_DATA", "invalid data", {**details, "supported_values": [system, *unique]})
        return [*given, *(name for name in unique if name not in given)]

    @staticmethod
    def _summed(results: list[Body], good: int) -> Reply:
        fine = sum(r["status"] == "success" for r in results)
        status = good if fine == len(results) else 207 if fine else 400
        return status, {"data": results}
