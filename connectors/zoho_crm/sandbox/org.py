"""What surrounds the records: organisation, users, currencies, taxes, and the metadata of modules, fields and layouts.

Fields can be added, changed, hidden and removed while the sandbox runs, to play an admin's changes.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ..seed import ID_BASE, MODULES, full_field, module_id, seed_fields, seed_module

Meta = dict[str, Any]

TAXES = (("VAT", 13), ("增值税", 13), ("Sales Tax", 6), ("Reduced VAT", 9), ("Zero", 0))
CURRENCIES = (
    # code, name, symbol, rate to the base, base
    ("CNY", "Chinese Yuan - CNY", "¥", "1.000000000", True),
    ("EUR", "Euro - EUR", "€", "7.850000000", False),
    ("USD", "US Dollar - USD", "$", "7.120000000", False),
    ("GBP", "British Pound - GBP", "£", "9.080000000", False),
)


@dataclass(frozen=True, slots=True)
class User:
    """A person (or the integration) with an account in this org."""

    id: str
    name: str
    email: str
    admin: bool = False

    def short(self) -> Meta:
        return {"name": self.name, "id": self.id, "email": self.email}


INTEGRATION = User(str(ID_BASE + 411001), "Hub Integration", "hub@example.com", admin=True)
USERS = (
    INTEGRATION,
    User(str(ID_BASE + 411002), "Ann Lee", "ann.lee@example.com", admin=True),
    User(str(ID_BASE + 411003), "王磊", "wang.lei@example.com"),
)


@dataclass
class Org:
    """One customer's organisation."""

    time_zone: str = "Asia/Shanghai"
    """Zone of the token's user: every datetime is written in it."""
    fields: dict[str, list[Meta]] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=lambda: {u.id: u for u in USERS})
    layout_required: dict[str, set[str]] = field(default_factory=dict)
    """Module → fields that are mandatory by its layout only."""
    hidden: set[tuple[str, str]] = field(default_factory=set)
    """(module, field) that the token's user is not allowed to see."""
    _next_field: int = ID_BASE + 90000000

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.time_zone)
        for module in MODULES:
            self.fields[module] = copy.deepcopy(list(seed_fields(module)))

    # --- metadata ------------------------------------------------------------

    def field_of(self, module: str, name: str) -> Meta | None:
        return next((f for f in self.fields[module] if f["api_name"] == name), None)

    def visible_fields(self, module: str) -> list[Meta]:
        return [f for f in self.fields[module] if (module, f["api_name"]) not in self.hidden]

    def add_field(self, module: str, entry: Meta) -> Meta:
        """An admin adds a custom field (short form, as in ``schemas/``)."""
        if self.field_of(module, entry["api_name"]):
            raise ValueError(f"{module} has a field {entry['api_name']!r} already")
        self._next_field += 100
        made = full_field({"custom_field": True, **entry}, self._next_field)
        self.fields[module].append(made)
        return made

    def change_field(self, module: str, name: str, changes: Meta) -> Meta:
        """An admin changes a field: any key of the metadata, ``choices`` for a picklist's values, ``hidden``."""
        found = self.field_of(module, name)
        if found is None:
            raise LookupError(f"{module} has no field {name!r}")
        changes = dict(changes)
        hidden = changes.pop("hidden", None)
        if hidden is not None:
            (self.hidden.add if hidden else self.hidden.discard)((module, name))
        if "choices" in changes:
            entry = {"api_name": name, "data_type": "picklist", "choices": changes.pop("choices")}
            found["pick_list_values"] = full_field(entry, int(found["id"]))["pick_list_values"]
        found.update(changes)
        return found

    def remove_field(self, module: str, name: str) -> None:
        found = self.field_of(module, name)
        if found is None:
            raise LookupError(f"{module} has no field {name!r}")
        self.fields[module].remove(found)

    def module_answer(self, name: str) -> Meta:
        short = seed_module(name)
        kind = short.get("kind", "default")
        parent = short.get("parent")
        return {
            "api_name": name, "module_name": name, "id": module_id(name), "singular_label": short["singular"],
            "plural_label": short["plural"], "api_supported": True, "creatable": kind != "subform",
            "editable": kind != "subform", "deletable": kind != "subform", "viewable": True, "generated_type": kind,
            "parent_module": {"api_name": parent, "id": module_id(parent)} if parent else {},
            "modified_time": None, "status": "visible", "visibility": 1, "global_search_supported": kind != "subform",
            "recycle_bin_on_delete": True, "business_card_field_limit": 5, "sequence_number": MODULES.index(name) + 1,
            "profiles": [{"name": "Administrator", "id": str(ID_BASE + 26011)}], "arguments": [], "properties": [],
        }  # fmt: skip

    def layout_answer(self, name: str) -> Meta:
        required = self.layout_required.get(name, set())
        fields = [
            {**f, "required": f["system_mandatory"] or f["api_name"] in required} for f in self.visible_fields(name)
        ]
        return {
            "id": self.layout_id(name), "name": "Standard", "api_name": "Standard", "display_label": "Standard",
            "visible": True, "status": "active", "generated_type": "system", "has_more_profiles": False,
            "created_time": None, "modified_time": None, "created_by": None, "modified_by": None,
            "profiles": [{"default": True, "name": "Administrator", "id": str(ID_BASE + 26011)}],
            "sections": [{"api_name": f"{name}_Information", "display_label": f"{name} Information", "fields": fields,
                          "sequence_number": 1, "column_count": 2, "type": "used"}],
        }  # fmt: skip

    def layout_id(self, module: str) -> str:
        return str(ID_BASE + 95055 + MODULES.index(module) * 2)

    # --- organisation, users, currencies ------------------------------------------------------------

    def org_answer(self) -> Meta:
        return {
            "id": str(ID_BASE + 225013), "zgid": "60019980", "company_name": "华东示例贸易有限公司",
            "alias": None, "country": "China", "country_code": "CN", "city": "上海", "state": "上海", "street": None,
            "zip": None, "phone": None, "mobile": None, "fax": None, "website": None, "employee_count": "50",
            "primary_email": USERS[1].email, "primary_zuid": "10234695", "currency": "Chinese Yuan - CNY",
            "iso_code": "CNY", "currency_symbol": "¥", "currency_locale": "zh_CN", "time_zone": self.time_zone,
            "mc_status": True, "gapps_enabled": False, "translation_enabled": False, "type": "production",
            "photo_id": None, "created_time": "2025-01-06T09:00:00+08:00", "ziaportal": None,
            "license_details": {"paid": True, "paid_type": "enterprise", "users_license_purchased": 3,
                                "trial_type": None, "trial_action": None, "trial_expiry": None,
                                "paid_expiry": "2030-01-01T00:00:00+08:00"},
        }  # fmt: skip

    def user_answer(self, user: User, now: datetime) -> Meta:
        offset = self.zone.utcoffset(now.astimezone(self.zone).replace(tzinfo=None))
        assert offset is not None
        return {
            **user.short(), "full_name": user.name, "first_name": None, "last_name": user.name, "status": "active",
            "time_zone": self.time_zone, "offset": int(offset.total_seconds() * 1000), "locale": "zh_CN",
            "language": "zh_CN", "country": "CN", "country_locale": "zh_CN", "confirm": True,
            "category": "regular_user",
            "role": {"name": "CEO" if user.admin else "Manager", "id": str(ID_BASE + 26005)},
            "profile": {"name": "Administrator" if user.admin else "Standard", "id": str(ID_BASE + 26011)},
            "zuid": user.id[-8:], "personal_account": False, "default_tab_group": "0", "microsoft": False,
            "created_time": "2025-01-06T09:00:00+08:00", "date_format": "yyyy-MM-dd", "time_format": "HH:mm",
        }  # fmt: skip

    def currency_answers(self) -> list[Meta]:
        return [
            {"id": str(ID_BASE + 37000 + at), "name": name, "iso_code": code, "symbol": symbol, "exchange_rate": rate,
             "is_base": base, "is_active": True, "prefix_symbol": True,
             "format": {"decimal_separator": "Period", "thousand_separator": "Comma", "decimal_places": "2"},
             "created_time": "2025-01-06T09:00:00+08:00", "modified_time": "2025-01-06T09:00:00+08:00",
             "created_by": USERS[1].short(), "modified_by": USERS[1].short()}
            for at, (code, name, symbol, rate, base) in enumerate(CURRENCIES)
        ]  # fmt: skip

    def local(self, moment: datetime) -> str:
        """A datetime as this org's API writes it: the user's zone, whole seconds, offset always there."""
        return moment.astimezone(self.zone).isoformat(timespec="seconds")

    def user_named(self, name: str) -> User:
        """The user of that name or e-mail; a new one when there is none (a test may send in anybody)."""
        for user in self.users.values():
            if name in (user.name, user.email, user.id):
                return user
        made = User(str(ID_BASE + 412000 + len(self.users)), name, f"user{len(self.users)}@example.com")
        self.users[made.id] = made
        return made


def tax_id(name: str) -> str:
    """Id of a tax of the org."""
    return str(ID_BASE + 31001 + [n for n, _ in TAXES].index(name))


def whole_second(moment: datetime) -> datetime:
    """The vendor keeps whole seconds only."""
    return moment.astimezone(UTC).replace(microsecond=0)
