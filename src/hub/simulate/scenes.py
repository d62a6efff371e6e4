"""Scenes: one pass, or two at once, with everything that happens while they are under way.

A scene's script is a list of events. ``{"run": "a", "to": "written", "n": 2}`` lets a worker go on until it comes to
its second answered write; ``{"crash": "a"}`` kills it there; anything else happens in between. When the script ends,
whoever still works goes on to the end, first a, then b.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hub.simulate.workers import MARKS, Beside, Crash, Goal, Point, Worker
from hub.sync.context import CALL_SECONDS

Event = dict[str, Any]


class Scene:
    """Plays one script."""

    def __init__(
        self,
        script: Sequence[Event],
        works: dict[str, tuple[Worker, Callable[[], None]]],
        do: Callable[[Event], None],
        tell: Callable[[str], None],
    ) -> None:
        self.script = list(script)
        self.works = works
        self.do = do
        self.place = 0
        self.tell = tell
        self.goals: dict[str, Goal | None] = {}
        self.beside: Beside | None = None

    def play(self) -> None:
        """Play it to the end. Errors of the works are theirs to catch; only Crash is caught here."""
        worker, work = self.works["a"]
        worker.at_point = self._at_point_of_a
        if "b" in self.works:
            self.works["b"][0].at_point = self._at_point_of_b
            self.beside = Beside(self._work_of_b)
        self._go_on()
        self._guarded("a", work)
        worker.at_point = None
        while self.place < len(self.script):
            self._go_on()
        if self.beside is not None:
            self._aim("b", None)
            while not self.beside.done:
                self.beside.resume()

    def _aim(self, name: str, goal: Goal | None) -> None:
        self.goals[name] = goal
        self.works[name][0].marks = goal is not None and goal.to in MARKS

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Crash:
            self.works[name][0].dead = True

    def _work_of_b(self) -> None:
        self._guarded("b", self.works["b"][1])

    def _at_point_of_a(self, point: Point) -> None:
        goal = self.goals.get("a")
        if goal is not None and goal.reached(point):
            self._stopped("a", point)
            self._go_on()

    def _at_point_of_b(self, point: Point) -> None:
        goal = self.goals.get("b")
        if goal is not None and goal.reached(point):
            self._aim("b", None)
            self._stopped("b", point)
            assert self.beside is not None
            self.beside.give_back()

    def _stopped(self, name: str, point: Point) -> None:
        words = {
            "begin": "before a step in the store",
            "commit": "after a step in the store",
            "call": f"before {point.verb} in {point.system}",
            "answer": f"after {point.verb} in {point.system}, before its answer",
        }
        self.tell(f"worker {name} is stopped {words[point.kind]}")

    def _within_the_lease(self, event: Event) -> Event:
        """A request takes effect before its sender's lease ends (it is begun with that much left, and the lease is
        renewed meanwhile): only before and after it may a worker be away for longer."""
        if event["do"] == "wait" and any(worker.in_call for worker, _ in self.works.values()):
            return {**event, "seconds": min(event["seconds"], CALL_SECONDS)}
        return event

    def _go_on(self) -> None:
        """What happens now, until it is a's turn again."""
        self._aim("a", None)
        while self.place < len(self.script):
            event = self.script[self.place]
            self.place += 1
            if "run" in event:
                goal = Goal(event["to"], event["n"])
                if event["run"] == "a":
                    self._aim("a", goal)
                    return
                if self.beside is not None and not self.beside.done:
                    self._aim("b", goal)
                    self.beside.resume()
            elif "crash" in event:
                if event["crash"] in self.works:
                    self.tell(f"worker {event['crash']} is killed")
                    self.works[event["crash"]][0].dead = True
            else:
                self.do(self._within_the_lease(event))
