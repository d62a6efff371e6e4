"""A stored record as the API shows it: in a list, alone, as a lookup."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .org import CURRENCIES, Org
from .tables import Row, Table

Body = dict[str, Any]
SYMBOLS = {code: symbol for code, _, symbol, _, _ in CURRENCIES}
_SYSTEM = frozenset({"id", "Created_By", "Modified_By", "Created_Time", "Modified_Time", "Parent_Id", "Locked__s"})


class Renderer:
    """Turns rows into the vendor's JSON."""

    def __init__(self, org: Org, tables: dict[str, Table]) -> None:
        self._org = org
        self._tables = tables

    def listed(self, module: str, rows: Iterable[Row], fields: Iterable[str]) -> list[Body]:
        """Rows as lists show them: the asked fields only, no lines, ``id`` always."""
        wanted = set(fields)
        metas = [f for f in self._org.visible_fields(module) if f["api_name"] in wanted and f["data_type"] != "subform"]
        shows = [(f["api_name"], self._show(module, f)) for f in metas]
        return [{**{name: show(row) for name, show in shows}, "id": str(row.id)} for row in rows]

    def whole(self, module: str, row: Row) -> Body:
        """A record as its own GET shows it: every field, its lines, the ``$`` keys."""
        body: Body = {"id": str(row.id)}
        more: Body = {}
        for meta in self._org.visible_fields(module):
            name = meta["api_name"]
            if meta["data_type"] == "subform":
                body[name] = self.lines(meta["subform"]["module"], row.lines.get(name, []))
                more[name] = False
            else:
                body[name] = self._show(module, meta)(row)
        if row.parent:
            return body
        body["Layout"] = {"name": "Standard", "id": self._org.layout_id(module), "display_label": "Standard"}
        body["Tag"] = row.values.get("Tag") or []
        for key, value in (
            ("$currency_symbol", SYMBOLS.get(str(row.values.get("Currency")), "¥")),
            ("$field_states", None), ("$sharing_permission", "full_access"),
            ("$process_flow", False), ("$locked_for_me", False), ("$approval_state", "approved"), ("$approved", True),
            ("$approval", {"delegate": False, "approve": False, "reject": False, "resubmit": False}),
            ("$editable", True), ("$review_process", None), ("$review", None), ("$orchestration", None),
            ("$in_merge", False), ("$pathfinder", None), ("$state", "save"), ("$zia_visions", None),
            ("$wizard_connection_path", None), ("$has_more", more),
        ):  # fmt: skip
            body[key] = value
        if "$line_tax" in row.values:
            body["$line_tax"] = row.values["$line_tax"]
        return body

    def lines(self, module: str, ids: Iterable[int]) -> list[Body]:
        """Lines as they stand inside their record."""
        rows = self._tables[module].rows
        return [
            {**self.whole(module, rows[id]), "$approval_state": None, "$editable": True, "$process_flow": False}
            for id in ids
        ]

    def written(self, row: Row) -> Body:
        """``details`` of a successful write."""
        return {
            "Modified_Time": self._org.local(row.modified),
            "Modified_By": self._person(row.modified_by, email=False),
            "Created_Time": self._org.local(row.created),
            "id": str(row.id),
            "Created_By": self._person(row.created_by, email=False),
            "$approval_state": "approved",
        }

    def display_name(self, module: str, row: Row) -> str | None:
        """What stands for the record in lookups."""
        if module == "Contacts":
            return " ".join(p for p in (row.values.get("First_Name"), row.values.get("Last_Name")) if p) or None
        name = {"Accounts": "Account_Name", "Products": "Product_Name"}.get(module, "Subject")
        found = row.values.get(name)
        return str(found) if found else None

    def _show(self, module: str, meta: Body) -> Callable[[Row], Any]:
        """A function that shows one field of a row."""
        name, kind = str(meta["api_name"]), meta["data_type"]
        if name in _SYSTEM:
            return self._system(module, name)
        if name == "Full_Name":
            return lambda row: self.display_name("Contacts", row)
        if kind == "lookup":
            target = str(meta["lookup"]["module"]["api_name"])
            product = module in ("Ordered_Items", "Invoiced_Items") and name == "Product_Name"
            return lambda row: self._lookup(target, row.values.get(name), product)
        if kind in ("ownerlookup", "userlookup"):
            return lambda row: self._person(row.values.get(name))
        if kind == "datetime":
            return lambda row: self._org.local(row.values[name]) if row.values.get(name) else None
        return lambda row: row.values.get(name)

    def _system(self, module: str, name: str) -> Callable[[Row], Any]:
        org = self._org
        if name == "Parent_Id":
            parent = str(next(f for f in org.fields[module] if f["api_name"] == name)["lookup"]["module"]["api_name"])
            return lambda row: self._lookup(parent, str(row.parent), product=False)
        shows: dict[str, Callable[[Row], Any]] = {
            "id": lambda row: str(row.id),
            "Created_By": lambda row: self._person(row.created_by),
            "Modified_By": lambda row: self._person(row.modified_by),
            "Created_Time": lambda row: org.local(row.created),
            "Modified_Time": lambda row: org.local(row.modified),
            "Locked__s": lambda row: False,
        }
        return shows[name]

    def _person(self, id: str | None, email: bool = True) -> Body | None:
        user = self._org.users.get(id or "")
        if user is None:
            return None
        return user.short() if email else {"name": user.name, "id": user.id}

    def _lookup(self, target: str, id: str | None, product: bool) -> Body | None:
        row = self._tables[target].rows.get(int(id)) if id else None
        if row is None:
            return None
        shown: Body = {"name": self.display_name(target, row), "id": str(row.id)}
        if product:
            shown["Product_Code"] = row.values.get("Product_Code")
        return shown
