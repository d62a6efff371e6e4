"""A served sandbox, a connector to it, and a way to write orders."""

from dataclasses import dataclass, field

import pytest

from hub.connect import registry
from hub.connect.sandbox import Running, serve
from hub.connect.sandbox_client import ControlClient
from hub.connect.services import Services
from hub.connect.tokens import MemoryCache


@dataclass
class Galaxy:
    """The sandbox as tests see it."""

    running: Running
    control: ControlClient
    slept: list = field(default_factory=list)
    cache: MemoryCache = field(default_factory=MemoryCache)
    opened: list = field(default_factory=list)

    def connector(self, **settings):
        given = {"url": self.running.url, "probe_wait": 0, **self.running.ready()["credentials"], **settings}
        services = Services("kingdee", self.cache, sleep=self.slept.append, now=self.running.app.clock.now)
        self.opened.append(registry.find("kingdee_galaxy").open(given, services))
        return self.opened[-1]

    def faults(self, *faults):
        self.running.control.faults.clear()
        for fault in faults:
            self.running.control.faults.add(fault)

    def one(self, form, number):
        key = "FNumber" if form.startswith("BD_") else "FBillNo"
        return next(r for r in self.running.app.records(form) if r[key] == number)


@pytest.fixture(scope="session")
def create_sandbox():
    return registry.find("kingdee_galaxy").sandbox()


@pytest.fixture
def make_galaxy(create_sandbox):
    made = []

    def make(**options):
        app = create_sandbox(**{"records": 20, "orders": 6, "invoices": 3, "products": 20, **options})
        context = serve(app)
        running = context.__enter__()
        galaxy = Galaxy(running, ControlClient(running.control_url))
        made.append((context, galaxy))
        return galaxy

    yield make
    for context, galaxy in made:
        for connector in galaxy.opened:
            connector.close()
        galaxy.control.close()
        context.__exit__(None, None, None)


@pytest.fixture
def galaxy(make_galaxy):
    return make_galaxy()


@pytest.fixture
def connector(galaxy):
    return galaxy.connector()
