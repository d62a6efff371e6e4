"""What a pass may not do by itself: the first sync of two full systems, and more changes than the budget allows."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hub.store import journal, records, shadows
from hub.sync.context import Pass
from hub.sync.joint import reserve, was_full
from hub.sync.policy import Endpoint

SAMPLES = 3
PAGE = 1000


class Gate:
    """Knows what was approved. Asked for every write, so it remembers the answers of a pass."""

    def __init__(self, job: Pass) -> None:
        self.job = job
        self._first: dict[tuple[str, str], bool] = {}

    def first_sync(self, endpoint: Endpoint) -> bool:
        """Whether writes to this endpoint wait for the first sync's approval.

        They do when it has records of its own, other systems have too, and nobody has approved yet.
        """
        key = (endpoint.system, endpoint.entity)
        if key not in self._first:
            self._first[key] = self._is_first(endpoint)
        return self._first[key]

    def why(self) -> str:
        """What a write waits for."""
        if self.job.behind:
            return "the hub's database knows less than the systems: its writes wait for approval"
        return "the first sync of this system waits for approval"

    def _is_first(self, endpoint: Endpoint) -> bool:
        if self.job.yes:
            return False
        if self.job.behind:
            return True
        if self.job.cursor(endpoint).get("approved"):
            return False
        if self.job.part is not None:  # what it has by now may be what others have just written there
            return was_full(self.job, endpoint)
        with self.job.store.read() as connection:
            return shadows.count(connection, endpoint.system, endpoint.entity) > 0

    def allowed(self, endpoint: Endpoint) -> int | None:
        """How many existing records of this endpoint a pass may change or delete; None: any number."""
        if self.job.yes:
            return None
        budget = self.job.setup.policies[endpoint.entity].budget
        with self.job.store.read() as connection:
            return max(budget.floor, int(budget.share * shadows.count(connection, endpoint.system, endpoint.entity)))

    def has_room(self, endpoint: Endpoint, spent: int, number: int, allowed: int) -> bool:
        """Whether so many records may be changed or deleted after those that this pass has ``spent`` of its budget."""
        if self.job.part is not None:
            return reserve(self.job, endpoint, number, allowed)
        return spent + number <= allowed

    def first_sync_report(self, entities: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """For a first sync: who was matched by which rule, and which fields of matched records differ, with samples."""
        matched: list[dict[str, Any]] = []
        census: list[dict[str, Any]] = []
        for entity in entities:
            for endpoint in self.job.setup.of_entity(entity):
                if not self.first_sync(endpoint):
                    continue
                rules, fields, samples = self._count(endpoint)
                with self.job.store.read() as connection:
                    total = shadows.count(connection, endpoint.system, entity)
                matched.append(
                    {
                        "system": endpoint.system,
                        "entity": entity,
                        "records": total,
                        "matched": dict(rules),
                        "alone": total - sum(rules.values()),
                    }
                )
                census += [
                    {
                        "system": endpoint.system,
                        "entity": entity,
                        "field": name,
                        "differing": count,
                        "samples": samples[name],
                    }
                    for name, count in fields.most_common()
                ]
        return matched, census

    def _count(self, endpoint: Endpoint) -> tuple[Counter[str], Counter[str], dict[str, list[Any]]]:
        """Links and differences, read from the journal: what correlating and deciding wrote there."""
        rules: Counter[str] = Counter()
        fields: Counter[str] = Counter()
        samples: dict[str, list[Any]] = {}
        after = ""
        while True:
            with self.job.store.read() as connection:
                page = records.page(connection, endpoint.entity, after, PAGE)
                entries = journal.of_records(connection, [r.hub_id for r in page], endpoint.system)
            for entry in entries:
                if entry.kind == "linked":
                    rules[entry.detail["rule"]] += 1
                elif entry.kind == "observed":
                    for path, kind, rule, _, theirs, ours in entry.detail["changes"]:
                        if ours is not None and kind != "converged":
                            fields[path] += 1
                            if len(samples.setdefault(path, [])) < SAMPLES:
                                samples[path].append({"theirs": theirs, "ours": ours, "decision": f"{kind} ({rule})"})
            if len(page) < PAGE:
                return rules, fields, samples
            after = page[-1].hub_id
