"""Bulk read: jobs that end after a few looks, and their results as zipped CSV (API pages "Bulk read")."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import eq, ne
from typing import Any

from ..seed import MODULES
from . import problems
from .criteria import comparable
from .org import INTEGRATION
from .problems import ApiProblem
from .records import Records
from .tables import Row

Body = dict[str, Any]
STATES = ("ADDED", "QUEUED", "IN PROGRESS", "COMPLETED")
ROWS_PER_JOB = 200_000
PAGES = 50
KEPT = timedelta(hours=24)
"""How long jobs and their files are there."""
NAMES = {"Accounts": "Account_Name", "Contacts": "Full_Name", "Products": "Product_Name"}
"""Module → the field that a join (``Account_Name.Account_Name``) may ask for."""
DOWNLOADS_PER_MINUTE = 10
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "equal": eq,
    "not_equal": ne,
    "less_than": lambda a, b: a is not None and bool(a < b),
    "less_equal": lambda a, b: a is not None and bool(a <= b),
    "greater_than": lambda a, b: a is not None and bool(a > b),
    "greater_equal": lambda a, b: a is not None and bool(a >= b),
    "in": lambda a, b: a in b,
    "not_in": lambda a, b: a not in b,
}


@dataclass(slots=True)
class Job:
    """One export."""

    id: str
    module: str
    page: int
    at: datetime
    content: bytes
    count: int
    more: bool
    token: str = ""
    """Asks for the page after this one."""
    looks: int = 0
    """How often it was looked at: its state moves on each time."""


@dataclass
class BulkRead:
    """The jobs of the org."""

    records: Records
    rows_per_job: int = ROWS_PER_JOB
    failing: str = ""
    """Jobs made from now on end with this error."""
    _queries: dict[str, Body] = field(default_factory=dict)
    """Page token → the query it stands for."""
    _jobs: dict[str, Job] = field(default_factory=dict)
    _downloads: deque[datetime] = field(default_factory=deque)

    def create(self, body: Any) -> tuple[int, Body]:
        """``POST /crm/bulk/v8/read``"""
        query: Body = (body.get("query") if isinstance(body, dict) else None) or {}
        if token := query.get("page_token"):
            query = self._queries.get(token) or {}
            if not query:
                raise ApiProblem(400, "EXPIRED_VALUE", "the page token has expired", {"param_name": "page_token"})
        module = (query.get("module") or {}).get("api_name")
        if module not in MODULES:
            raise problems.invalid_module()
        page = int(query.get("page") or 1)
        if page > PAGES:
            raise ApiProblem(400, "PAGE_RANGE_EXCEEDED", "the page is out of range", {"max_limit": PAGES})
        fields = list(query.get("fields") or [])
        for name in fields:
            if not self._exportable(module, name):
                details = {"api_name": name, "module": module}
                raise ApiProblem(400, "FIELD_NOT_AVAILABLE", "the field is not available", details)
        rows = [r for r in self.records.tables[module].rows.values() if self._matches(module, r, query.get("criteria"))]
        part = rows[(page - 1) * self.rows_per_job : page * self.rows_per_job]
        id = str(int(INTEGRATION.id) + 100_000 + len(self._jobs))
        content = self._csv(id, module, part, fields)
        more = len(rows) > page * self.rows_per_job
        job = self._jobs[id] = Job(id, module, page, self.records.now(), content, len(part), more)
        if more:
            job.token = f"bulk-{id}"
            self._queries[job.token] = {**query, "page": page + 1}
        details = {"id": id, "operation": "read", "state": "ADDED", **self._created(job)}
        entry = problems.success("Added successfully.", details) | {"code": "ADDED_SUCCESSFULLY"}
        return 201, {"data": [entry], "info": {}}

    def job(self, id: str) -> tuple[int, Body]:
        """``GET /crm/bulk/v8/read/{id}``"""
        job = self._job(id)
        state = STATES[min(job.looks, len(STATES) - 1)]
        job.looks += 1
        shown: Body = {
            "id": id, "operation": "read", "state": state, "file_type": "csv", **self._created(job),
            "query": {"module": {"api_name": job.module}, "page": job.page},
        }  # fmt: skip
        if state == "COMPLETED" and self.failing:
            shown |= {"state": "FAILURE", "result": {"error_message": self.failing}}
        elif state == "COMPLETED":
            shown["result"] = {
                "page": job.page, "per_page": self.rows_per_job, "count": job.count, "more_records": job.more,
                "download_url": f"/crm/bulk/v8/read/{id}/result",
            }  # fmt: skip
            shown["result"] |= {"next_page_token": job.token} if job.token else {}
        return 200, {"data": [shown]}

    def result(self, id: str) -> tuple[int, bytes]:
        """``GET /crm/bulk/v8/read/{id}/result``: ten downloads a minute."""
        job = self._job(id)
        if job.looks < len(STATES):
            raise ApiProblem(400, "INVALID_DATA", "the job is not completed", {"id": id})
        now = self.records.now()
        while self._downloads and self._downloads[0] <= now - timedelta(minutes=1):
            self._downloads.popleft()
        if len(self._downloads) >= DOWNLOADS_PER_MINUTE:
            raise problems.too_many_requests()
        self._downloads.append(now)
        return 200, job.content

    def _job(self, id: str) -> Job:
        job = self._jobs.get(id)
        if job is None or job.at + KEPT <= self.records.now():
            raise ApiProblem(404, "RESOURCE_NOT_FOUND", "The requested resource doesn't exist.", {"resource": id})
        return job

    def _created(self, job: Job) -> Body:
        who = {"id": INTEGRATION.id, "name": INTEGRATION.name}
        return {"created_by": who, "created_time": self.records.org.local(job.at)}

    def _exportable(self, module: str, name: str) -> bool:
        """Fields of the module, no lines; and of what a lookup points at, the field that names it."""
        head, _, joined = name.partition(".")
        if comparable(self.records, module, head) is None:
            return False
        meta = self.records.org.field_of(module, head) or {}
        target = ((meta.get("lookup") or {}).get("module") or {}).get("api_name")
        return not joined or joined == NAMES.get(str(target))

    def _matches(self, module: str, row: Row, criteria: Any) -> bool:
        if not criteria:
            return True
        if "group" in criteria:
            results = (self._matches(module, row, one) for one in criteria["group"])
            return all(results) if criteria.get("group_operator", "and").lower() == "and" else any(results)
        known = comparable(self.records, module, str((criteria.get("field") or {}).get("api_name")))
        compare = _OPERATORS.get(str(criteria.get("comparator")))
        if known is None or compare is None:
            raise ApiProblem(
                400, "INVALID_DATA", "invalid data", {"api_name": "criteria", "json_path": "$.query.criteria"}
            )
        read, literal, _ = known
        wanted = criteria.get("value")
        if wanted == "${EMPTY}":
            return compare(read(row), None)
        values = [literal(v) for v in wanted] if isinstance(wanted, list) else literal(wanted)
        return compare(read(row), values)

    def _csv(self, id: str, module: str, rows: list[Row], fields: list[str]) -> bytes:
        names = fields or [
            f["api_name"] for f in self.records.org.visible_fields(module)
            if f["data_type"] not in ("subform", "linetax") and f["api_name"] != "id"
        ]  # fmt: skip
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["Id", *(n for n in names if n != "id")])
        heads = [n.partition(".")[0] for n in names]
        for body in self.records.renderer.listed(module, rows, heads):
            writer.writerow([body["id"], *(_shown(body, n) for n in names if n != "id")])
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{id}.csv", text.getvalue())
        return packed.getvalue()


def _shown(body: Body, name: str) -> Any:
    head, _, joined = name.partition(".")
    return (body.get(head) or {}).get("name") if joined else _cell(body.get(head))


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("id")
    if isinstance(value, list):
        return ";".join(str(v) for v in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value
