"""Every promise that the contract suite knows, tried on the real servers, held against what capabilities.yaml says."""

from __future__ import annotations

from typing import Any

import pytest
from real.world import DATABASES, World

from hub.connect import registry
from hub.connect.contract.verify import verify

law = pytest.mark.law


def options(company: World, system: str) -> dict[str, Any]:
    return {
        "erp": {
            "url": company.erp.url,
            "database": company.erp.database,
            "username": company.erp.user,
            "password": company.erp.password,
        },
        "crm": {"url": company.crm.url, "token": company.crm.token},
        "shop": {"url": company.shop.url, "key": company.shop.key},
    }[system]


@law("no duplicates")
@law("no stale write")
@pytest.mark.parametrize(("system", "name"), [("erp", "tryton"), ("crm", "directus"), ("shop", "medusa")])
def test_what_the_connector_promises_holds_on_the_server(company: World, system: str, name: str):
    counted = company.cluster.url(DATABASES[system], "postgresql+psycopg")
    product = company.versions()[system]
    outcome = verify(registry.find(name), {**options(company, system), "sql": counted, "product": product})
    assert [f"{one.trial} {one.rule}: {one.message}" for one in outcome.broken] == []
    assert outcome.found.tier == "platinum", outcome.found.missing
    # In which order a feed shows its changes depends on what happened there before.
    differences = [one for one in outcome.differences if ".facts.order" not in one]
    assert not differences, f"run: hub connector verify {name} --option url=… --write"
