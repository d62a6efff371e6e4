"""Builds the wheel, installs it alone into a new environment outside the checkout, and uses it as a new user would.

What only works from a checkout (a bundled folder left out of the wheel, a path into the repository) fails here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

BUNDLED = ("connectors", "mappings", "flows")


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """The standard output of a command that must succeed."""
    words = [str(part) for part in command]
    print("  $", " ".join(Path(w).name if Path(w).is_absolute() else w for w in words), flush=True)
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def tracked(folder: str) -> set[str]:
    """Files below a folder that git knows of; what lies about besides must not decide whether this check passes."""
    listing = run("git", "ls-files", "-z", folder, cwd=ROOT)
    return {name for name in listing.split("\0") if name}


def build(into: Path) -> Path:
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", into, ROOT, cwd=into)
    (wheel,) = into.glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """Every tracked file of the package and of the bundled folders is in the wheel, and no tests are."""
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {name.removeprefix("src/") for name in tracked("src/hub")}
    for folder in BUNDLED:
        wanted |= {f"hub/bundled/{name}" for name in tracked(folder)}
    missing = sorted(wanted - held)
    if missing:
        sys.exit("not in the wheel:\n  " + "\n  ".join(missing))
    stray = sorted(name for name in held if "/tests/" in name or "__pycache__" in name)
    if stray:
        sys.exit("must not be in the wheel:\n  " + "\n  ".join(stray))


def install(wheel: Path, folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    bin_dir = folder / ("Scripts" if os.name == "nt" else "bin")
    python = bin_dir / "python"
    lock = ROOT / "requirements.lock"
    run(python, "-m", "pip", "install", "--quiet", "--constraint", lock, wheel, cwd=folder)
    run(python, "-m", "pip", "check", cwd=folder)
    return bin_dir


def use(bin_dir: Path, home: Path) -> None:
    """A user's first steps, in an empty folder, with nothing of the checkout in the environment."""
    env = {"PATH": f"{bin_dir}{os.pathsep}{os.defpath}", "HOME": str(home), "LANG": "C.UTF-8"}
    where = run(bin_dir / "python", "-c", "import hub; print(hub.__file__)", cwd=home, env=env).strip()
    if not Path(where).is_relative_to(bin_dir.parent):
        sys.exit(f"hub was imported from {where}, not from the wheel")
    run(bin_dir / "hub", "--help", cwd=home, env=env)
    run(bin_dir / "hub", "init", "shop", cwd=home, env=env)
    names = run(
        bin_dir / "python",
        "-c",
        "from hub.connect import registry; print(*sorted(registry.names()), sep='\\n')",
        cwd=home,
        env=env,
    ).split()
    expected = {Path(name).parts[1] for name in tracked("connectors") if name.endswith("/manifest.yaml")}
    if set(names) < expected:
        sys.exit(f"bundled connectors not found: {sorted(expected - set(names))}; found {names}")
    run(bin_dir / "hub", "validate", "--project", "shop", cwd=home, env=env)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hub-wheel-") as folder:
        place = Path(folder)
        home = place / "home"
        home.mkdir()
        wheel = build(place)
        check_contents(wheel)
        use(install(wheel, place / "env"), home)
        print(f"{wheel.name} works on its own ({wheel.stat().st_size / 1024:.0f} KiB)")


if __name__ == "__main__":
    main()
