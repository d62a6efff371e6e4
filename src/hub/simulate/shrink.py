"""The shortest story that still breaks the same law: events are left out, scripts and habits simplified, until nothing
more can go.

Events name records by their tags and say which value is given, so that leaving one out leaves the meaning of the others
alone; what makes no sense any more does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from hub.simulate.life import Life, Simulator

Event = dict[str, Any]
Story = dict[str, Any]
TRIES = 1500
"""Replays at most: a story that is still long then is shown as it is."""


def shortest(simulator: Simulator, life: Life, *, tries: int = TRIES) -> Life:
    """The life of the shortest story found that breaks the first law that this one broke."""
    law = life.violations[0].law
    best = [life]
    left = [tries]

    def fails(story: Story) -> bool:
        if left[0] <= 0:
            return False
        left[0] -= 1
        found = simulator.replay(story, seed=life.seed)
        if law in found.laws:
            best[0] = found
        return law in found.laws

    story: Story = {"config": life.config, "events": life.events}
    if not fails(story):
        return life
    while True:
        size = _size(story)
        story["events"] = _fewest(story, fails)
        for simpler in (_scripts, _events, _config):
            story = _while_it_fails(story, simpler, fails)
        if _size(story) >= size or left[0] <= 0:
            return best[0]


def _size(story: Story) -> int:
    return len(repr(story))


def _fewest(story: Story, fails: Callable[[Story], bool]) -> list[Event]:
    """Delta debugging: leave out ever smaller stretches, from the end."""
    events: list[Event] = story["events"]
    stretch = max(1, len(events) // 2)
    while events:
        place, shorter = len(events), False
        while place > 0:
            start = max(0, place - stretch)
            tried = events[:start] + events[place:]
            if fails({**story, "events": tried}):
                events, shorter = tried, True
            place = start
        if stretch == 1 and not shorter:
            break
        stretch = max(1, stretch // 2)
    return events


def _while_it_fails(story: Story, simpler: Callable[[Story], Iterator[Story]], fails: Callable[[Story], bool]) -> Story:
    """Take the first simpler story that still fails, again and again."""
    going = True
    while going:
        going = False
        for tried in simpler(story):
            if fails(tried):
                story, going = tried, True
                break
    return story


def _scripts(story: Story) -> Iterator[Story]:
    """Passes with less going on meanwhile."""
    for place, event in enumerate(story["events"]):
        for number in range(len(event.get("script", ())) - 1, -1, -1):
            script = event["script"][:number] + event["script"][number + 1 :]
            yield _with(story, place, {**event, "script": script})
        if "script" in event and not event["script"]:
            yield _with(story, place, {k: v for k, v in event.items() if k != "script"})
        if "b" in event:
            yield _with(story, place, {k: v for k, v in event.items() if k != "b"})


def _events(story: Story) -> Iterator[Story]:
    """Records with fewer values, passes without options."""
    for place, event in enumerate(story["events"]):
        if event["do"] == "add":
            for name, value in event["values"].items():
                if value != event["tag"]:
                    yield _with(
                        story, place, {**event, "values": {n: v for n, v in event["values"].items() if n != name}}
                    )
        for name in ("also", "full", "entities"):
            if event.get(name):
                yield _with(story, place, {k: v for k, v in event.items() if k != name})


def _config(story: Story) -> Iterator[Story]:
    """A world with fewer systems, habits and rules."""
    config = story["config"]
    for name in config["systems"] if len(config["systems"]) > 2 else ():
        yield {**story, "config": {**config, "systems": [s for s in config["systems"] if s != name]}}
    for entity in config["entities"] if len(config["entities"]) > 1 else ():
        yield {**story, "config": {**config, "entities": [e for e in config["entities"] if e != entity]}}
    for part in ("quirks", "policy"):
        for of, settings in config[part].items():
            for name in settings:
                changed = deepcopy(config)
                del changed[part][of][name]
                yield {**story, "config": changed}


def _with(story: Story, place: int, event: Event) -> Story:
    return {**story, "events": [*story["events"][:place], event, *story["events"][place + 1 :]]}
