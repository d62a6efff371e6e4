"""Python pairs: what the closed set of operators can't say, as two functions of the project.

    from hub.mapping import pair

    @pair("area_code")
    class AreaCode:
        def get(self, value): ...
        def put(self, value): ...

A pair is a class (made once per use, with the mapping's ``args`` as keyword arguments) or an object, with ``get`` and
``put``. ``put(value, old)`` is called with the old remote value when it takes two arguments. Pairs must be pure.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import Field as Arg

from hub.connect.capabilities import FieldType
from hub.mapping.lens import Position, Problem
from hub.mapping.operators.base import Args, FitError, Operator, Place
from hub.mapping.suggest import did_you_mean

ANYTHING: frozenset[FieldType] = frozenset(get_args(FieldType))
GROUP = "hub.functions"
"""Entry point group of installed packages that bring pairs."""

Pair = TypeVar("Pair")
_pairs: dict[str, Any] = {}
_packaged: dict[str, Any] = {}
_packaged_loaded: list[bool] = []
_lock = threading.Lock()


def pair(name: str) -> Callable[[Pair], Pair]:
    """Register a class or object with ``get`` and ``put`` under a name that mappings use: ``via: {python: name}``."""

    def register(made: Pair) -> Pair:
        for half in ("get", "put"):
            if not callable(getattr(made, half, None)):
                raise TypeError(f"the pair {name!r} has no {half}()")
        _pairs[name] = made
        return made

    return register


def registered() -> dict[str, Any]:
    """All pairs registered so far, by name."""
    return dict(_pairs)


def load_functions(folder: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Import ``folder/*.py`` and the entry points of installed packages; returns the pairs they register.

    A file that can't be imported is a problem at its first line, never an exception. Pairs of one project are not seen
    by another; a project's pair wins over an installed one of the same name.
    """
    problems: list[Problem] = []
    found: dict[str, Any] = {}
    with _lock:
        if not _packaged_loaded:
            with _collected(_packaged):
                for point in entry_points(group=GROUP):
                    _guarded(point.load, point.value, problems)
            _packaged_loaded.append(True)
        with _collected(found):
            for file in sorted(folder.glob("*.py")):
                _guarded(partial(_import, file), str(file), problems)
        return {**_pairs, **_packaged, **found}, problems


@contextmanager
def _collected(into: dict[str, Any]) -> Iterator[None]:
    """What registers itself meanwhile goes into ``into``, and nowhere else."""
    before = dict(_pairs)
    _pairs.clear()
    try:
        yield
    finally:
        into.update(_pairs)
        _pairs.clear()
        _pairs.update(before)


def _guarded(load: Callable[[], Any], file: str, problems: list[Problem]) -> None:
    try:
        load()
    except Exception as error:  # a user's file may raise anything
        line = getattr(error, "lineno", None) or 1
        message = f"the Python file can't be imported: {type(error).__name__}: {error}"
        problems.append(Problem(Position(file, int(line), 1), message))


def _import(file: Path) -> None:
    name = f"hub_functions_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


class PythonArgs(Args):
    name: str = Arg(description="Name under which the pair is registered.")
    args: dict[str, Any] = Arg(default_factory=dict, description="Keyword arguments of the pair's class.")


class Python(Operator):
    """A registered Python pair, for what the other operators can't say."""

    name = "python"
    Args = PythonArgs
    shorthand = "name"
    takes: ClassVar[frozenset[FieldType]] = ANYTHING
    gives: ClassVar[FieldType] = "any"

    def __init__(self, args: Any) -> None:
        super().__init__(args)
        self.pair: Any = None
        self.two = False

    def find(self, pairs: dict[str, Any]) -> None:
        """Take the pair out of the registry. Raises FitError."""
        if self.args.name not in pairs:
            cure = did_you_mean(self.args.name, pairs, noun="registered are:") or "add functions/*.py with @pair to it"
            raise FitError(f"no Python pair is registered as {self.args.name!r}", cure)
        made = pairs[self.args.name]
        try:
            self.pair = made(**self.args.args) if isinstance(made, type) else made
        except TypeError as error:
            raise FitError(f"the pair {self.args.name!r} does not take these args: {error}") from None
        self.complement = _takes_two(self.pair.put)  # type: ignore[misc]

    def fit(self, place: Place) -> None:
        pass

    def source(self) -> str:
        """The pair's Python source where it can be had: a mapping is another one when its functions change."""
        try:
            return inspect.getsource(type(self.pair) if not isinstance(self.pair, type) else self.pair)
        except (OSError, TypeError):
            return repr(type(self.pair))

    def form(self, value: Any) -> Any:
        """A pair that evens something out says so with a function of its own, ``form(value)``."""
        form = getattr(self.pair, "form", None)
        return value if form is None else form(value)

    def get(self, value: Any) -> Any:
        return self.pair.get(value)

    def put(self, value: Any, old: Any = None) -> Any:
        return self.pair.put(value, old) if self.complement else self.pair.put(value)


def _takes_two(put: Callable[..., Any]) -> bool:
    try:
        positional = [
            p
            for p in inspect.signature(put).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)
        ]
    except (TypeError, ValueError):
        return False
    return len(positional) > 1
