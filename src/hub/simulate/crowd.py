"""Many seeds, on as many processors as there are; failing ones are shrunk."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hub.errors import ConfigurationError
from hub.simulate.life import Life, Simulator
from hub.simulate.shrink import shortest
from hub.simulate.story import as_text

Event = dict[str, Any]
CHUNK = 10
SHRUNK = 3
"""Failing seeds whose story is made as short as possible; of the others, only the law is told."""


@dataclass(slots=True)
class Found:
    """One law that one seed broke."""

    seed: int
    law: str
    story: str


@dataclass(slots=True)
class Result:
    """What many seeds came to."""

    seeds: int
    steps: int
    violations: list[Found] = field(default_factory=list)
    seconds: float = 0.0
    left_out: dict[str, str] = field(default_factory=dict)
    """Entity → why it could not be simulated."""
    stories: list[Event] = field(default_factory=list)
    """The shrunk stories, to be kept: each can be given to ``Simulator.replay``."""

    def as_dict(self) -> dict[str, Any]:
        """The shape of ``hub simulate --json``."""
        return {
            "seeds": self.seeds,
            "steps": self.steps,
            "violations": [asdict(found) for found in self.violations],
            "seconds": round(self.seconds, 3),
        }


_simulator: list[Simulator] = []


def _begin(project: Path | None) -> None:
    """In each process: one simulator, kept for all its seeds."""
    from hub.simulate.company import company
    from hub.simulate.project import ground_of

    _simulator[:] = [Simulator(company() if project is None else ground_of(project))]


def _some(seeds: Sequence[int], steps: int) -> list[tuple[int, list[str]]]:
    """(seed, laws broken) of each seed."""
    return [(seed, _simulator[0].live(seed, steps).laws) for seed in seeds]


def run(
    project: Path | None,
    seeds: Sequence[int],
    steps: int,
    *,
    processes: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Result:
    """Live through these seeds; ``project`` None: the built-in company. Raises ConfigurationError for a project that
    can't be simulated."""
    began = time.perf_counter()
    result = Result(len(seeds), steps)
    failing: dict[int, list[str]] = {}
    done = 0
    for some in _lives(project, seeds, steps, processes or os.cpu_count() or 1):
        done += len(some)
        failing |= {seed: laws for seed, laws in some if laws}
        progress(done)
    for number, (seed, laws) in enumerate(sorted(failing.items())):
        told = _shrunk(seed, steps, result) if number < SHRUNK else f"hub simulate --seed {seed} --steps {steps}"
        result.violations += [Found(seed, law, told) for law in laws]
    result.left_out = dict(_simulator[0].ground.left_out)
    result.seconds = time.perf_counter() - began
    return result


def replayed(project: Path | None, file: Path) -> Result:
    """Live through kept stories again. Raises ConfigurationError for a file that holds none."""
    began = time.perf_counter()
    try:
        stories = json.loads(file.read_text(encoding="utf-8"))
        kept = [(story["seed"], {"config": story["config"], "events": story["events"]}) for story in stories]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            "these are no stories of a simulation", where=str(file), cure="use a file written by hub simulate --keep"
        ) from error
    _begin(project)
    result = Result(len(kept), max((len(story["events"]) for _, story in kept), default=0))
    for seed, story in kept:
        life = _simulator[0].replay(story, seed=seed)
        result.violations += [Found(seed, law, as_text(life)) for law in life.laws]
    result.seconds = time.perf_counter() - began
    return result


def _lives(
    project: Path | None, seeds: Sequence[int], steps: int, processes: int
) -> Iterator[list[tuple[int, list[str]]]]:
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    _begin(project)
    if processes == 1 or len(chunks) == 1:
        for chunk in chunks:
            yield _some(chunk, steps)
        return
    # A forked process keeps what is loaded already; its database in memory is its own from the first write on.
    with multiprocessing.get_context("spawn").Pool(processes, _begin, (project,)) as pool:
        for job in [pool.apply_async(_some, (chunk, steps)) for chunk in chunks]:
            yield job.get()


def _shrunk(seed: int, steps: int, result: Result) -> str:
    life: Life = _simulator[0].live(seed, steps)
    if not life.violations:
        return "it did not happen again: that is a mistake of the simulation itself"
    life = shortest(_simulator[0], life)
    result.stories.append({"seed": seed, "law": life.laws[0], "config": life.config, "events": life.events})
    return as_text(life)
