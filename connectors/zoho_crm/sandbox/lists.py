"""Reading records: lists with their two ways of paging, single records, deletions, counts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, get_args

from . import problems
from .problems import ApiProblem
from .records import Records
from .tables import Key, Row, SortBy

Body = dict[str, Any]
Params = Mapping[str, str]
Reply = tuple[int, Body | None]
MOST_FIELDS = 50
MOST_PER_PAGE = 200
TOKEN_LIFE = timedelta(hours=24)
_BOUND = ("fields", "sort_by", "sort_order", "cvid", "converted", "ids", "per_page")


@dataclass
class Limits:
    """The vendor's ceilings, lower in tests."""

    page_records: int = 2000
    token_records: int = 100_000
    ids: int = 100


@dataclass(slots=True)
class _Place:
    """What a page token stands for."""

    bound: str
    after: Key
    served: int
    page: int
    expires: datetime
    before: str | None


@dataclass
class Lists:
    """Answers the reading calls."""

    records: Records
    limits: Limits = field(default_factory=Limits)
    count_lag: float = 60.0
    """Seconds for which ``actions/count`` goes on telling an old number."""
    _tokens: dict[str, _Place] = field(default_factory=dict)
    _counts: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def page(self, module: str, params: Params, headers: Mapping[str, str], user: str) -> Reply:
        """``GET /{module}``"""
        fields = self._fields(params)
        since = modified_since(headers)
        by, descending = self._order(params)
        per_page = whole(params, "per_page", MOST_PER_PAGE, 1, MOST_PER_PAGE)
        bound = hashlib.sha256(
            repr([module, user, headers.get("If-Modified-Since"), *(params.get(n) for n in _BOUND)]).encode()
        ).hexdigest()
        place, page = self._place(params, bound, per_page)
        if params.get("ids"):
            rows: Iterator[Row] = iter(self._by_ids(module, params["ids"], headers.get("X-EXTERNAL"), since))
        else:
            rows = self.records.tables[module].walk(by, descending, place.after if place else None, since)
        skip = 0 if place else (page - 1) * per_page
        found = list(islice(rows, skip, skip + per_page + 1))
        more, found = len(found) > per_page, found[:per_page]
        if not found:
            return (304 if since else 204), None
        served = (place.served if place else skip) + len(found)
        token = None
        if more and not params.get("ids"):
            key = self.records.tables[module].key(found[-1], by)
            token = self._issue(bound, key, served, page + 1, params.get("page_token"))
        info = {
            "call": False, "per_page": per_page, "next_page_token": token, "count": len(found), "sort_by": by,
            "page": page, "previous_page_token": place.before if place else None,
            "page_token_expiry": self.records.org.local(self.records.now() + TOKEN_LIFE) if token else None,
            "sort_order": "desc" if descending else "asc", "email": False, "more_records": more,
        }  # fmt: skip
        return 200, {"data": self.records.renderer.listed(module, found, fields), "info": info}

    def one(self, module: str, id: str, headers: Mapping[str, str]) -> Reply:
        """``GET /{module}/{id}``"""
        row = self.row(module, id, headers)
        since = modified_since(headers)
        if row is not None and since and row.modified <= since:
            return 304, None
        return (200, {"data": [self.records.renderer.whole(module, row)]}) if row else (204, None)

    def row(self, module: str, id: str, headers: Mapping[str, str]) -> Row | None:
        """The record a path names: by id, or by the external field of ``X-EXTERNAL``. Raises ApiProblem."""
        external = headers.get("X-EXTERNAL")
        if external:
            name = self._external_field(module, external)
            holder = self.records.tables[module].holder(name, id)
            return self.records.tables[module].rows[holder] if holder else None
        if not id.isdigit():
            raise problems.invalid_url()
        return self.records.find(module, id)

    def deleted(self, module: str, params: Params, headers: Mapping[str, str]) -> Reply:
        """``GET /{module}/deleted``: the latest deletion first."""
        kind = params.get("type", "all")
        if kind not in ("all", "recycle", "permanent"):
            raise ApiProblem(400, "PATTERN_NOT_MATCHED", "Please check whether the input values are correct")
        per_page = whole(params, "per_page", MOST_PER_PAGE, 1, MOST_PER_PAGE)
        page = whole(params, "page", 1, 1, 10**6)
        since = modified_since(headers)
        gone = [
            d for d in self.records.tables[module].deleted.values()
            if kind in ("all", d.kind) and (since is None or d.at > since)
        ]  # fmt: skip
        gone.sort(key=lambda d: (d.at, d.row.id), reverse=True)
        start = (page - 1) * per_page
        part = gone[start : start + per_page]
        if not part:
            return (304 if since and page == 1 else 204), None
        users = self.records.org.users
        data = [
            {"id": str(d.row.id), "display_name": d.name, "type": d.kind,
             "deleted_time": self.records.org.local(d.at),
             "deleted_by": None if d.kind == "permanent" else users[d.by].short(),
             "created_by": None if d.kind == "permanent" else users[d.row.created_by].short()}
            for d in part
        ]  # fmt: skip
        more = len(gone) > start + per_page
        return 200, {
            "data": data,
            "info": {"per_page": per_page, "count": len(data), "page": page, "more_records": more},
        }

    def count(self, module: str, matches: Callable[[Row], bool] | None) -> Reply:
        """``GET /{module}/actions/count``; the statistics lag behind."""
        rows = self.records.tables[module].rows.values()
        if matches:
            return 200, {"count": sum(map(matches, rows))}
        now = self.records.now()
        at, number = self._counts.get(module, (datetime.min.replace(tzinfo=UTC), 0))
        if (now - at).total_seconds() >= self.count_lag:
            number = len(rows)
            self._counts[module] = (now, number)
        return 200, {"count": number}

    # --- parameters -----------------------------------------------------------------------------------

    def _fields(self, params: Params) -> list[str]:
        fields = [f for f in params.get("fields", "").split(",") if f]
        if not fields:
            raise problems.missing_param("fields")
        if len(fields) > MOST_FIELDS:
            raise problems.over_limit("fields", MOST_FIELDS)
        return fields

    def _order(self, params: Params) -> tuple[SortBy, bool]:
        by = params.get("sort_by", "id")
        if by not in get_args(SortBy):
            raise problems.bad_param("sort_by", list(get_args(SortBy)))
        if params.get("cvid") and "sort_by" in params:
            raise problems.ambiguous("cvid", "sort_by")
        order = params.get("sort_order", "desc")
        if order not in ("asc", "desc"):
            raise problems.bad_param("sort_order", ["asc", "desc"])
        return by, order == "desc"  # type: ignore[return-value]

    def _place(self, params: Params, bound: str, per_page: int) -> tuple[_Place | None, int]:
        token = params.get("page_token")
        if token and "page" in params:
            raise problems.ambiguous("page", "page_token")
        if not token:
            page = whole(params, "page", 1, 1, 10**9)
            if page * per_page > self.limits.page_records and page > 1:
                raise ApiProblem(
                    400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED",
                    f"You can only get the first {self.limits.page_records} records without using page_token param",
                    {"limit": self.limits.page_records},
                )  # fmt: skip
            return None, page
        place = self._tokens.get(token)
        if place is None or place.expires <= self.records.now():
            raise ApiProblem(400, "EXPIRED_VALUE", "the page token has expired", {"param_name": "page_token"})
        if place.bound != bound:
            raise ApiProblem(
                400, "TOKEN_BOUND_DATA_MISMATCH", "the page token does not belong to this request",
                {"param_name": "page_token"},
            )  # fmt: skip
        if place.served >= self.limits.token_records:
            raise ApiProblem(
                400, "PAGINATION_LIMIT_EXCEEDED",
                f"You can only get upto {self.limits.token_records} records using page_token param",
                {"param_name": "page_token"},
            )  # fmt: skip
        return place, place.page

    def _issue(self, bound: str, after: Key, served: int, page: int, before: str | None) -> str:
        token = hashlib.sha256(f"{bound}{after}{served}".encode()).hexdigest()
        self._tokens[token] = _Place(bound, after, served, page, self.records.now() + TOKEN_LIFE, before)
        return token

    def _by_ids(self, module: str, ids: str, external: str | None, since: datetime | None) -> list[Row]:
        asked = [i for i in ids.split(",") if i]
        if len(asked) > self.limits.ids:
            raise problems.over_limit("ids", self.limits.ids)
        table = self.records.tables[module]
        if external:
            name = self._external_field(module, external)
            rows = [table.rows[h] for h in (table.holder(name, i) for i in asked) if h]
        else:
            if not all(i.isdigit() for i in asked):
                raise problems.bad_param("ids")
            rows = [table.rows[int(i)] for i in asked if int(i) in table.rows]
        return [r for r in rows if since is None or r.modified > since]

    def _external_field(self, module: str, header: str) -> str:
        where, _, name = header.strip().rpartition(".")
        meta = self.records.org.field_of(module, name) if where == module else None
        if meta is None or not meta["external"]:
            raise ApiProblem(400, "INVALID_DATA", "invalid data", {"header": "X-EXTERNAL"})
        return name


def whole(params: Params, name: str, default: int, least: int, most: int) -> int:
    """A number among the parameters. Raises ApiProblem."""
    text = params.get(name)
    if text is None or text == "":
        return default
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
        raise problems.bad_param(name)
    if int(text) > most:
        raise problems.over_limit(name, most)
    return int(text)


def modified_since(headers: Mapping[str, str], name: str = "If-Modified-Since") -> datetime | None:
    """The moment in a conditional header. Raises ApiProblem for one without an offset."""
    text = headers.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ApiProblem(400, "INVALID_DATA", "invalid data", {"header": name, "expected_data_type": "datetime"})
    return moment.astimezone(UTC)
