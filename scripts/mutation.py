"""Mutation testing of the deciding part of the engine: each small mistake put into it must make a test fail.

mutmut does the work, in a folder of its own with the modules' own tests. Survivors that do the same as the original
are named in ``equivalent_mutants.yaml`` with the reason: an entry stands for one mutant, and one that no longer stands
for any is an error. Exit code 1 below ``LEAST`` percent killed of all that are not equivalent.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "mutation"
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.yaml")
LEAST = 90
MODULES = ("decide", "correlate", "plan", "paths")
TESTS = ("judging", "planned", "test_decide", "test_decide_exactly", "test_correlate", "test_paths", "test_plan",
         "test_plan_exactly")  # fmt: skip
WIDER = ("matching", "planning")
"""Modules around them that ask the store, with tests that run whole passes: only with ``--wide``, it takes long."""
WIDER_TESTS = ("fakes", "test_matching", "test_planning", "test_small_pages")
KILLED, TIMEOUT, SURVIVED = "killed", "timeouts", "survived"
OUTCOMES = {0: SURVIVED, 1: KILLED, 3: KILLED, 5: SURVIVED, 33: SURVIVED, 36: TIMEOUT, 24: TIMEOUT, -24: TIMEOUT,
            152: TIMEOUT, 255: TIMEOUT}  # fmt: skip
"""Exit codes of mutmut's workers. What no test runs has survived, too."""
SETTINGS = """
[tool.pytest.ini_options]
addopts = "-q --import-mode=importlib -p no:cacheprovider -p no:xdist -p no:cov -p no:hypothesispytest"
pythonpath = ["src", "tests"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = [{only}]
pytest_add_cli_args_test_selection = ["tests"]
use_git_change_detection = false
track_dependencies = false
timeout_constant = 10.0
"""


def prepare(modules: tuple[str, ...], tests: tuple[str, ...]) -> None:
    """The folder mutmut works in, anew: the sources, the tests of these modules, settings."""
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.copytree(ROOT / "src" / "hub", WORK / "src" / "hub", ignore=shutil.ignore_patterns("__pycache__"))
    (WORK / "tests" / "sync").mkdir(parents=True)
    for name in tests:
        shutil.copy(ROOT / "tests" / "sync" / f"{name}.py", WORK / "tests" / "sync")
    only = ", ".join(f'"src/hub/sync/{name}.py"' for name in modules)
    (WORK / "pyproject.toml").write_text(SETTINGS.format(only=only), encoding="utf-8")


def run(workers: int) -> None:
    """Try every mutant; mutmut's own words go to a file."""
    with (WORK / "mutmut.log").open("w") as log:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(workers)]
        done = subprocess.run(command, cwd=WORK, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit(f"mutmut failed ({done.returncode}): see {WORK / 'mutmut.log'}")


def results(module: str) -> dict[str, str]:
    """Mutant → outcome. One that was not tried, or ended in no known way, is an error."""
    meta = json.loads((WORK / "mutants" / "src" / "hub" / "sync" / f"{module}.py.meta").read_text(encoding="utf-8"))
    unknown = {name: code for name, code in meta["exit_code_by_key"].items() if code not in OUTCOMES}
    if unknown:
        sys.exit(f"mutants that were not decided, with the exit code of their tests: {unknown}")
    return {name: OUTCOMES[code] for name, code in meta["exit_code_by_key"].items()}


def change(mutant: str) -> tuple[str, str, str]:
    """(function, the line as it is, as the mutant has it)."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    lines = [line for line in get_diff_for_mutant(mutant).splitlines() if line[:3] not in {"---", "+++"}]
    was, now = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return mutant.partition("__mutmut_")[0].rpartition(".")[2].removeprefix("x_"), was, now


def report(modules: tuple[str, ...]) -> int:
    """Print the table and what survived; the exit code."""
    entries = YAML(typ="safe").load(EQUIVALENT.read_text(encoding="utf-8"))
    known = Counter((one["in"], one["was"], one["now"]) for one in entries)
    os.chdir(WORK)
    total: Counter[str] = Counter()
    survivors: list[tuple[str, tuple[str, str, str]]] = []
    print("| module | mutants | killed | timeouts | survived | equivalent |\n|---|---:|---:|---:|---:|---:|")
    for module in modules:
        count: Counter[str] = Counter()
        for mutant, outcome in results(module).items():
            if outcome == SURVIVED and known[made := change(mutant)]:
                known[made] -= 1
                outcome = "equivalent"
            elif outcome == SURVIVED:
                survivors.append((mutant, made))
            count[outcome] += 1
        print(_row(f"`{module}`", count))
        total += count
    print(_row("in all", total))
    for mutant, (function, was, now) in survivors:
        print(f"\nsurvived: {mutant}\n  in:  {function}\n  was: {was}\n  now: {now}")
    stale = [made for made, left in known.items() if left > 0]
    for made in stale:
        print(f"\n{EQUIVALENT.name} names a mutant that did not survive, or is none any more: {made}")
    share = 100 * (total[KILLED] + total[TIMEOUT]) / max(1, total.total() - total["equivalent"])
    print(f"\n{share:.1f} % killed of what is not equivalent; {LEAST} % are asked for")
    return 1 if stale or share < LEAST else 0


def _row(name: str, count: Counter[str]) -> str:
    cells = [count.total(), count[KILLED], count[TIMEOUT], count[SURVIVED], count["equivalent"]]
    return f"| {name} | " + " | ".join(f"{cell:,}" for cell in cells) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="mutants at a time")
    parser.add_argument("--report", action="store_true", help="only tell what the last run found")
    parser.add_argument("--wide", action="store_true", help="also the modules around them, with tests of whole passes")
    options = parser.parse_args()
    modules = MODULES + WIDER * options.wide
    if not options.report:
        prepare(modules, TESTS + WIDER_TESTS * options.wide)
        run(options.workers)
    return report(modules)


if __name__ == "__main__":
    sys.exit(main())
