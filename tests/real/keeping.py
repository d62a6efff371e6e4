"""What is kept between runs: packages and template data, in a folder outside of the repository.

``HUB_REAL_CACHE`` names another folder than ``~/.cache/hub-real``. What is made carries a stamp: a half-made folder, or
one made from another recipe, is made anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from filelock import FileLock

HERE = Path(__file__).parent
STAMP = ".made"


def cache() -> Path:
    folder = Path(os.environ.get("HUB_REAL_CACHE") or Path.home() / ".cache" / "hub-real")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def made(name: str, recipe: str, make: Callable[[Path], None], base: Path | None = None) -> Path:
    """The folder ``name``, made by ``make(folder)`` unless it is there already from this recipe. One process makes it,
    others wait. ``base``: elsewhere than in the cache."""
    folder = (base or cache()) / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    mark = hashlib.sha256(recipe.encode()).hexdigest()
    with FileLock(folder.parent / f"{name}.lock"):
        stamp = folder / STAMP
        if not (stamp.is_file() and stamp.read_text() == mark):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            make(folder)
            stamp.write_text(mark)
    return folder


def recipe(*files: str) -> str:
    """The text of files beside this one: a change of any of them is a change of the recipe."""
    return "\n".join((HERE / name).read_text("utf-8") for name in files)


def install(command: Sequence[object], *, cwd: Path | None = None) -> None:
    """Run something that asks a package registry: registries have bad moments. Raises RuntimeError as ``run``."""
    for left in (2, 1, 0):
        try:
            run(command, cwd=cwd)
            return
        except RuntimeError:
            if not left:
                raise
            time.sleep(10)


def run(command: Sequence[object], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run to the end and give what it printed. Raises RuntimeError with the end of it when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False, timeout=900
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[:4])} … failed:\n{done.stdout[-2500:]}\n{done.stderr[-2500:]}")
    return done.stdout
