"""Random histories: users edit everywhere, systems fail at the worst moments, the hub crashes; the laws are checked.

``python tests/sync/histories.py SEED`` tells the story of one seed; ``… COUNT all`` runs many.
"""

from __future__ import annotations

import itertools
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import text
from sync.fakes import CUSTOMERS, ORDERS, PRODUCTS, World

from hub.errors import ConfigurationError, HubError, Unavailable, UnknownOutcome
from hub.store.database import open_store

MODES = ("ok", "ok", "crash_before", "crash_after", "lost", "down", "meddle")
CUT = 12
"""Characters of a name that the system with the short field keeps."""


class Crash(BaseException):
    """The process dies here: nothing may catch it."""


@dataclass
class History:
    """One random history and what came of it."""

    seed: int
    rng: random.Random = field(init=False)
    story: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        rng = self.rng
        self.numbers = itertools.count(1)
        self.names = rng.choice([("crm", "erp"), ("crm", "erp", "shop")])
        self.orders = rng.random() < 0.5
        self.policy: dict[str, Any] = {
            "conflict": rng.choice(["newest", "hold", ("erp", "crm", "shop")]),
            "deletes": rng.choice(["archive", "propagate", "ignore"]),
            "authority": rng.choice([{}, {"credit_limit": "erp"}]),
        }
        self.folder = tempfile.mkdtemp()
        shutil.copy(_template(), f"{self.folder}/hub.db")
        mappings = {"customer": CUSTOMERS}
        if self.orders:
            mappings |= {"product": PRODUCTS, "order": ORDERS}
        self.world = World(self.folder, systems=self.names, mappings=mappings, **self.policy)
        self.cuts = rng.random() < 0.3
        if self.cuts:
            self.world.systems["erp"].rewrite = _cut_name
        self.numbering = rng.random() < 0.3
        self.rounding = self.orders and rng.random() < 0.3
        if self.numbering or self.rounding:
            self.world.systems["erp"].rewrite = self._numbered
        self.edits: dict[tuple[str, str, str, str], Any] = {}
        self.deleted: set[str] = set()
        self.bin: dict[tuple[str, str], dict[str, Any]] = {}
        """Deleted customers that somebody may restore."""

    def run(self, steps: int = 40) -> History:
        """Live through it, let everything come to rest, and judge."""
        try:
            self.say(
                str(self.policy), str(self.names), "with orders" if self.orders else "", "cuts" if self.cuts else ""
            )
            self.say("numbers" if self.numbering else "", "rounds" if self.rounding else "")
            for _ in range(steps):
                self.world.clock.now += timedelta(seconds=self.rng.randrange(1, 5))
                self._step()
            self._come_to_rest()
            self._judge()
        except HubError as error:
            self.bad.append(f"exception: {error!r}")
        finally:
            shutil.rmtree(self.folder)
        return self

    def say(self, *words: object) -> None:
        self.story.append(" ".join(str(word) for word in words))

    # what happens ---------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        name = self.rng.choice(self.names)
        chance = self.rng.random()
        customers = self.world.systems[name].rows.get("customers", {})
        if chance < 0.15:
            self._add_customer(name)
        elif chance < 0.25 and self.orders:
            self._add_order(name)
        elif chance < 0.5 and customers:
            self.edit(name, self.rng.choice(list(customers)))
        elif chance < 0.6 and self.orders:
            self._edit_order(name)
        elif chance < 0.64 and customers:
            self._delete(name, self.rng.choice(list(customers)))
        elif chance < 0.67 and self.bin:
            self._restore(*self.rng.choice(list(self.bin)))
        elif chance < 0.74:
            self._plan_and_apply()
        else:
            self._sync()

    def _add_customer(self, name: str) -> None:
        number = next(self.numbers)
        for system in [name] if self.rng.random() < 0.8 else self.names:
            self.world.systems[system].add(
                "customers", name=f"N{number}", tax=f"T{number}", tel=f"139{number:08d}", credit=number
            )
        self.say("add customer", name, f"T{number}")

    def _add_order(self, name: str) -> None:
        system = self.world.systems[name]
        customers = list(system.rows.get("customers", {}))
        if not customers:
            return
        products = list(system.rows.get("products", {})) or [
            system.add("products", code=f"P{next(self.numbers)}", name="p")
        ]
        number = next(self.numbers)
        lines = [
            {"seq": n, "product": self.rng.choice(products), "qty": n, "price": number}
            for n in range(1, self.rng.randrange(2, 5))
        ]
        order = system.add(
            "orders", no=f"SO{number}", title=f"t{number}", customer=self.rng.choice(customers), lines=lines
        )
        self.say("add order", name, order, f"SO{number}", len(lines), "lines")

    def _edit_order(self, name: str) -> None:
        rows = self.world.systems[name].rows.get("orders", {})
        if not rows:
            return
        order = self.rng.choice(list(rows))
        lines = [dict(line) for line in rows[order]["lines"]]
        number = next(self.numbers)
        what = self.rng.choice(["change", "change", "remove", "add", "title", "title"])
        if what == "title":
            self.world.systems[name].edit("orders", order, title=f"title{number}")
            self.edits[name, order, "orders", "title"] = f"title{number}"
            self.say("edit order", name, order, "title", number)
            return
        if what == "change" and lines:
            line = self.rng.choice(lines)
            line["qty"] = number + 1000000
        elif what == "remove" and len(lines) > 1:
            lines.pop(self.rng.randrange(len(lines)))
        else:
            products = list(self.world.systems[name].rows["products"])
            seq = max((line["seq"] for line in lines), default=0) + 1
            lines.append({"seq": seq, "product": products[0], "qty": number, "price": number})
        self.world.systems[name].edit("orders", order, lines=lines)
        self.say("edit order", name, order, what, [(line["seq"], line["qty"]) for line in lines])

    def edit(self, name: str, remote_id: str) -> None:
        """A user gives one field a value that nothing else has."""
        number = next(self.numbers)
        field_name = self.rng.choice(["tel", "credit", "name", "note"])
        value: Any = {
            "tel": f"138{number:08d}", "credit": number + 1000000, "note": f"note{number}",
            "name": f"N{number}x" + self.rng.choice(["", "long long name"]),
        }[field_name]  # fmt: skip
        self.world.systems[name].edit("customers", remote_id, **{field_name: value})
        self.edits[name, remote_id, "customers", field_name] = value
        self.say("edit", name, remote_id, field_name, value)

    def _delete(self, name: str, remote_id: str) -> None:
        row = self.world.systems[name].row("customers", remote_id)
        self.deleted.add(row["tax"])
        self.bin[name, remote_id] = {key: value for key, value in row.items() if key not in {"_version", "_at", "_by"}}
        self.world.systems[name].remove("customers", remote_id)
        for key in [key for key in self.edits if key[:2] == (name, remote_id)]:
            del self.edits[key]  # nobody can have seen what is deleted before anyone looked
        self.say("delete", name, remote_id)

    def _restore(self, name: str, remote_id: str) -> None:
        """Out of the recycle bin: the record comes back as it was, under its old id."""
        row = self.bin.pop((name, remote_id))
        if any(other["tax"] == row["tax"] for other in self.world.systems[name].rows["customers"].values()):
            return  # made again meanwhile: restoring it, too, would be a user's own duplicate
        self.world.systems[name]._put("customers", remote_id, row, by="user")
        self.say("restore", name, remote_id)

    def _plan_and_apply(self) -> None:
        """A plan is made, perhaps somebody edits meanwhile, and it is approved: it is done as shown, or not at all."""
        with self.world.engine() as engine:
            plan = engine.plan().plan
            if plan is None:
                return
            if self.rng.random() < 0.3:
                name = self.rng.choice(self.names)
                rows = self.world.systems[name].rows.get("customers", {})
                if rows:
                    self.edit(name, self.rng.choice(list(rows)))
            before = sum(system.writes for system in self.world.systems.values())
            try:
                report = engine.apply(plan.id)
                self.say("plan and apply ->", report.message)
            except ConfigurationError as error:
                self.say("plan and apply ->", error)
                if sum(system.writes for system in self.world.systems.values()) != before:
                    self.bad.append("a stale plan was written")

    def _numbered(self, record: dict[str, Any]) -> None:
        """The erp numbers its customers."""
        if self.cuts:
            _cut_name(record)
        if self.numbering and "tax" in record and not record.get("code"):
            record["code"] = "C" + str(record["tax"])
        if self.rounding:
            for line in record.get("lines") or []:
                line["price"] = int(line["price"]) // 10 * 10

    def _sync(self) -> None:
        mode, target = self.rng.choice(MODES), self.rng.choice(self.names)
        self._break(mode, target)
        try:
            report = self.world.sync()
            self.say("sync", mode, target, "->", report.message)
        except Crash:
            self.say("sync", mode, target, "-> CRASH")
            self.world.clock.now += timedelta(seconds=300)
        self._mend()

    def _break(self, mode: str, target: str) -> None:
        """At the n-th call of this pass to that system, something goes wrong."""
        system = self.world.systems[target]
        left = [self.rng.randrange(1, 8)]

        def at_the_call(act: Callable[[], None]) -> Callable[[str], None]:
            def hook(verb: str) -> None:
                left[0] -= 1
                if left[0] == 0:
                    act()

            return hook

        def fail(error: BaseException) -> Callable[[], None]:
            def act() -> None:
                raise error

            return act

        def meddle() -> None:
            rows = system.rows.get("customers", {})
            if rows:
                self.edit(target, self.rng.choice(list(rows)))

        if mode == "crash_before":
            system.before = at_the_call(fail(Crash()))
        elif mode == "crash_after":
            system.after = at_the_call(fail(Crash()))
        elif mode == "lost":
            system.after = at_the_call(fail(UnknownOutcome("the answer was lost")))
        elif mode == "down":
            system.before = at_the_call(fail(Unavailable("down")))
        elif mode == "meddle":
            system.before = at_the_call(meddle)

    def _mend(self) -> None:
        for system in self.world.systems.values():
            system.before = system.after = lambda verb: None

    def _come_to_rest(self) -> None:
        """Nobody edits any more, everything works, people decide what waits for them."""
        self.world.clock.now += timedelta(seconds=300)
        for _ in range(8):
            with self.world.engine() as engine:
                for conflict in engine.conflicts():
                    if conflict["path"] == "match":
                        engine.resolve(conflict["id"], new=True)
                    else:
                        engine.resolve(conflict["id"], take=self.rng.choice(["theirs", "ours"]))
                engine.replay()
            report = self.world.sync()
            self.say("rest", report.message)
            if not report.writes and not report.open_conflicts:
                break
        if report.writes or report.open_conflicts:
            self.bad.append(f"quiescence: {report.message}")
        if report.open_letters:
            self.bad.append(f"letters: {report.open_letters}")

    # the laws -------------------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        self._judge_customers()
        if self.orders:
            self._judge_orders()
        self._judge_edits()

    def _judge_customers(self) -> None:
        for tag, found in self._grouped("customers", "tax").items():
            if tag in self.deleted:
                continue
            if set(found) != set(self.names):
                self.bad.append(f"missing: customer {tag} is only in {sorted(found)}")
            for name in ("tel", "credit", "name", *(["code"] if self.numbering else [])):
                values = {str(row.get(name)).removeprefix("+86")[:CUT] for row in found.values()}
                if len(values) > 1:
                    self.bad.append(f"diverged: {tag} {name} {values}")

    def _judge_orders(self) -> None:
        gone = bool(self.deleted)
        for number, found in self._grouped("orders", "no").items():
            if not gone and set(found) != set(self.names):
                self.bad.append(f"missing: order {number} is only in {sorted(found)}")
            shown = ("seq", "qty") if self.rounding else ("seq", "qty", "price")
            if not gone and len({row["title"] for row in found.values()}) > 1:
                self.bad.append(f"diverged: order {number} title")
            lines = {
                name: sorted(tuple(int(line[f]) for f in shown) for line in row["lines"]) for name, row in found.items()
            }
            if not gone and len({str(one) for one in lines.values()}) > 1:
                self.bad.append(f"diverged: order {number} {lines}")
            for name, row in found.items():
                rows = self.world.systems[name].rows
                if not gone and row["customer"] not in rows["customers"]:
                    self.bad.append(f"references: order {number} in {name} has no customer")
                if any(line["product"] not in rows["products"] for line in row["lines"]):
                    self.bad.append(f"references: order {number} in {name} has no product")

    def _grouped(self, resource: str, key: str) -> dict[str, dict[str, dict[str, Any]]]:
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for name in self.names:
            for row in self.world.systems[name].rows.get(resource, {}).values():
                own = found.setdefault(row[key], {})
                if name in own:
                    self.bad.append(f"duplicate: {resource} {row[key]} in {name}")
                own[name] = row
        return found

    def _judge_edits(self) -> None:
        """Every edit that was still there when somebody looked is known to the hub."""
        with self.world.engine() as engine, engine.store.read() as connection:
            told = " ".join(
                str(row[0])
                for table, column in (
                    ("journal", "detail"), ("hub_record", "data"), ("conflict", "theirs"), ("conflict", "ours"),
                )
                for row in connection.execute(text(f"SELECT {column} FROM {table}"))
            )  # fmt: skip
        for (name, remote_id, resource, field_name), value in self.edits.items():
            row = self.world.systems[name].rows.get(resource, {}).get(remote_id)
            if row is not None and str(value)[:CUT] not in told:
                self.bad.append(f"lost: {name} {remote_id} {field_name} {value}")


def _cut_name(record: dict[str, Any]) -> None:
    if record.get("name"):
        record["name"] = record["name"][:CUT]


_made: list[str] = []


def _template() -> str:
    """An empty, migrated database: copying it is faster than migrating for every seed."""
    if not _made:
        path = f"{tempfile.mkdtemp()}/hub.db"
        open_store(f"sqlite:///{path}").close()
        _made.append(path)
    return _made[0]


if __name__ == "__main__":
    if len(sys.argv) > 2:
        failing = {seed: history.bad for seed in range(int(sys.argv[1])) if (history := History(seed).run()).bad}
        print(*(f"{seed}: {bad[:3]}" for seed, bad in failing.items()), f"bad {len(failing)}", sep="\n")
    else:
        told = History(int(sys.argv[1])).run()
        print(*told.story, *told.bad, sep="\n")
