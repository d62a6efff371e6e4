"""The connector: one Zoho CRM org, with the capabilities the engine asks for."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from hub.connect.capabilities import Cost, Health, Page, Reading, Record, Remote, Resource, Result, Write, Writing
from hub.connect.services import Services
from hub.errors import ConfigurationError, HubError

from .api import ZohoApi
from .costs import Costs
from .metadata import Metadata, to_resource
from .reading import Reader
from .seed import MODULES, seed_module
from .settings import Settings, read_settings
from .watching import hints, subscribe, unsubscribe
from .writing import Writer

MAIN = tuple(name for name in MODULES if seed_module(name).get("kind") != "subform")


class ZohoConnector:
    """Implements Connector, ListChanges, ListIds, Get, Create, Update, Delete, Probe, Subscribe and Unsubscribe.
    Thread-safe."""

    name = "zoho_crm"

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings = settings
        self._services = services
        self._api = ZohoApi(settings, services)
        self._metadata = Metadata(services, self._api.auth.account, self._api.fields)
        self._reader = Reader(self._api, settings, self._metadata, services)
        self._costs = Costs(settings, self._metadata)

    @property
    def usage(self) -> dict[str, int]:
        """``calls``, ``retries``, ``errors`` and ``credits`` spent by this connector so far."""
        return self._api.usage

    def check(self) -> Health:
        """Who we are there, what is wrong with the set-up, and the credits left (once the vendor tells them)."""
        user, answer = self._api.user()
        org = self._api.org()
        problems = [problem for module in MAIN if (problem := self._problem(module))]
        left = answer.headers.get("X-API-CREDITS-REMAINING")
        return Health(
            identity=f"{user.get('full_name') or user.get('name')} <{user.get('email')}>",
            details={
                "organisation": str(org.get("company_name")),
                "type": str(org.get("type")),
                "time zone": str(user.get("time_zone")),
                "profile": str((user.get("profile") or {}).get("name")),
                "multi-currency": "on" if org.get("mc_status") else "off",
            },
            limits={"credits left": left} if left else {},
            problems=tuple(problems),
        )

    def describe(self, resource: str | None = None) -> list[Resource]:
        """One module with its fields; or all: the main ones with fields, the others by name.

        Raises ConfigurationError for an unknown module.
        """
        modules = {str(m["api_name"]): m for m in self._api.modules() if m.get("api_supported")}
        if resource is None:
            found = []
            for name, module in modules.items():
                if module.get("generated_type") == "subform":
                    continue
                label = str(module.get("plural_label") or name)
                found.append(self._described(name, label) if name in MAIN else Resource(name=name, label=label))
            return found
        if resource not in modules:
            near = difflib.get_close_matches(resource, modules, n=1)
            raise ConfigurationError(
                f"there is no module {resource!r}",
                where=self._services.system,
                cure=f"did you mean {near[0]!r}?" if near else f"modules there: {', '.join(sorted(modules))}",
            )
        return [self._described(resource, str(modules[resource].get("plural_label") or resource))]

    def list_changes(self, resource: str, cursor: str | None, fields: Sequence[str], options: Record) -> Iterator[Page]:
        self._no_options(options)
        return self._reader.changes(resource, cursor, fields)

    def list_ids(self, resource: str, options: Record) -> Iterator[list[str]]:
        return self._reader.ids(resource)

    def get(self, resource: str, ids: Sequence[str], fields: Sequence[str], options: Record) -> list[Remote]:
        return self._reader.get(resource, ids, fields)

    def create(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        return self._writer(options).create(resource, writes, fields) if writes else []

    def update(self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record) -> list[Result]:
        return self._writer(options).update(resource, writes, fields) if writes else []

    def delete(self, resource: str, writes: Sequence[Write], options: Record) -> list[Result]:
        return self._writer(options).delete(resource, writes) if writes else []

    def probe(
        self, resource: str, writes: Sequence[Write], fields: Sequence[str], options: Record
    ) -> list[Remote | None]:
        return self._writer(options).probe(resource, writes, fields) if writes else []

    def read_cost(self, resource: str, reading: Reading) -> Cost:
        return self._costs.read(resource, reading)

    def ids_cost(self, resource: str, records: int, options: Record) -> Cost:
        return self._costs.ids(records)

    def write_cost(self, resource: str, writing: Writing) -> Cost:
        return self._costs.write(resource, writing)

    def subscribe(self, resource: str, callback_url: str, secret: str) -> str | None:
        return subscribe(self._api, self._services, resource, callback_url, secret)

    def unsubscribe(self, resource: str, callback_url: str) -> None:
        unsubscribe(self._api, resource, callback_url)

    def hints(self, headers: dict[str, str], body: bytes, secret: str) -> list[tuple[str, str]]:
        return hints(body, secret)

    def close(self) -> None:
        self._api.close()

    def _writer(self, options: Record) -> Writer:
        return Writer(self._api, self._settings, self._metadata, self._reader, options)

    def _no_options(self, options: Record) -> None:
        if options:
            raise ConfigurationError(
                f"unknown read options: {', '.join(sorted(options))}",
                where=self._services.system,
                cure="Zoho CRM has none: take the mapping's read section out",
            )

    def _described(self, name: str, label: str) -> Resource:
        fields = self._metadata.live(name, fresh=True)
        lines = {
            str(f["api_name"]): self._metadata.live(str(f["subform"]["module"]), fresh=True)
            for f in fields
            if f.get("subform")
        }
        key = self._settings.key_field
        kind = self._metadata.key_kind(name, key) if key else "missing"
        made = to_resource(name, label, fields, lines)
        return replace(made, probe="none" if kind == "missing" else "external", archive=name in self._settings.archive)

    def _problem(self, module: str) -> str | None:
        key = self._settings.key_field
        try:
            self._metadata.live(module, fresh=True)
            kind = self._metadata.key_kind(module, key) if key else "missing"
        except HubError as error:
            return f"{module}: {error}"
        if kind == "missing":
            return f"{module}: no field for the hub's key; a create with a lost answer goes to a person"
        if kind == "plain":
            return f"{module}: {key} is not unique; make it unique, so that creates are safe to repeat"
        return None


def open_connector(settings: dict[str, Any], services: Services) -> ZohoConnector:
    """A connector for one system. Raises ConfigurationError for wrong settings; calls nothing yet."""
    return ZohoConnector(read_settings(settings, services.system), services)
