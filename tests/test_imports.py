"""What every room may touch, read from the source itself (import-linter, in ``make lint``, checks the layers)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src"

PURE_STEPS = ("decide", "correlate", "plan")
"""Steps of a pass that are functions of their arguments: modules of these names (or ``decide_…``), and packages."""

IMPURE = {
    "asyncio", "concurrent", "filelock", "hub.connect.http", "hub.store", "io", "logging", "multiprocessing", "os",
    "pathlib", "prefect", "random", "requests", "secrets", "shutil", "socket", "sqlalchemy", "sqlite3", "sqlmodel",
    "subprocess", "sys", "tempfile", "tenacity", "threading", "time", "urllib", "uuid", "werkzeug",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "now", "utcnow", "today", "getenv"}

MAY_IMPORT_PREFECT = ("flows/", "src/hub/operate/up", "src/hub/operate/deploy", "src/hub/operate/prefect_")

MODULE_LINES = 400
FUNCTION_LINES = 70


def _sources(*folders: str) -> list[Path]:
    return sorted(p for f in folders for p in (ROOT / f).rglob("*.py") if "__pycache__" not in p.parts)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that exist for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if not _only_for_types(child):
            yield child
            yield from _walk(child)


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    """(absolute module name, line) of each import; relative ones only inside ``src/``, where the package is known."""
    package = path.relative_to(SRC).with_suffix("").parts[:-1] if path.is_relative_to(SRC) else ()
    for node in _walk(_tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                names = [f"{node.module}.{a.name}" for a in node.names]
            elif package:
                base = package[: len(package) - node.level + 1]
                names = [".".join((*base, *([node.module] if node.module else []), a.name)) for a in node.names]
            else:
                continue
            for name in names:
                yield name, node.lineno


def _file_of(module: str) -> Path | None:
    """The file of ``hub.a.b`` or of the module that ``hub.a.b`` is a name of."""
    for name in (module, module.rpartition(".")[0]):
        path = SRC.joinpath(*name.split("."))
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def _within(module: str, names: set[str]) -> bool:
    parts = module.split(".")
    return any(".".join(parts[:n]) in names for n in range(1, len(parts) + 1))


def _pure_modules() -> list[Path]:
    sync = SRC / "hub" / "sync"
    tops = {p: p.relative_to(sync).parts[0].removesuffix(".py") for p in _sources("src/hub/sync")}
    return [p for p, top in tops.items() if top in PURE_STEPS or top.startswith(tuple(f"{s}_" for s in PURE_STEPS))]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_pure_steps_are_where_they_are_looked_for() -> None:
    assert {p.relative_to(SRC / "hub" / "sync").parts[0].removesuffix(".py") for p in _pure_modules()} >= set(
        PURE_STEPS
    )


@pytest.mark.parametrize("start", _pure_modules(), ids=_name)
def test_deciding_touches_no_io_clock_or_randomness(start: Path) -> None:
    seen: set[Path] = set()
    todo = [(start, ())]
    wrong = []
    while todo:
        path, chain = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        chain = (*chain, _name(path))
        for module, line in _imports(path):
            if _within(module, IMPURE):
                wrong.append(f"{' → '.join(chain)}:{line} imports {module}")
            elif module.startswith("hub.") and (below := _file_of(module)) is not None:
                todo.append((below, chain))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", _pure_modules(), ids=_name)
def test_deciding_asks_neither_the_clock_nor_the_disk(path: Path) -> None:
    calls = [
        f"{_name(path)}:{node.lineno} calls {ast.unparse(node.func)}()"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in IMPURE_CALLS
    ]
    assert not calls, "\n".join(calls)


def test_only_flows_and_up_and_deploy_import_prefect() -> None:
    wrong = [
        f"{_name(path)}:{line} imports {module}"
        for path in _sources("src", "connectors", "flows")
        for module, line in _imports(path)
        if module.split(".")[0] == "prefect" and not _name(path).startswith(MAY_IMPORT_PREFECT)
    ]
    assert not wrong, "\n".join(wrong)


def test_connectors_know_only_the_kit_the_errors_and_libraries() -> None:
    wrong = [
        f"{_name(path)}:{line} imports {module}"
        for path in _sources("connectors")
        for module, line in _imports(path)
        if module.split(".")[0] in {"hub", "hub_connectors", "connectors"}
        and not _within(module, {"hub.connect", "hub.errors"})
    ]
    assert not wrong, "\n".join(wrong)


def _for_reading(*folders: str) -> list[Path]:
    """Sources that people read and change; a migration is frozen the day it is released."""
    return [p for p in _sources(*folders) if "migrations" not in p.parts]


def test_no_module_grew_past_being_read_in_one_go() -> None:
    wrong = [
        f"{_name(path)} has {lines} lines: split it by what its parts are about"
        for path in _for_reading("src", "connectors", "flows", "scripts")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MODULE_LINES
    ]
    assert not wrong, "\n".join(wrong)


def test_no_function_grew_past_a_screen() -> None:
    wrong = [
        f"{_name(path)}:{node.lineno} {node.name} has {lines} lines"
        for path in _for_reading("src", "connectors", "flows", "scripts")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert not wrong, "\n".join(wrong)
