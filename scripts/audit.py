"""Known weaknesses of what the lock pins, and secrets among the files of the repository.

python scripts/audit.py dependencies    exit 1 for a known weakness; loud, and exit 0, where no service answers
python scripts/audit.py secrets         exit 1 for what looks like a secret and is not in .secrets.baseline
python scripts/audit.py baseline        notes what there is as looked at: read each line of the difference first
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
BASELINE = ROOT / ".secrets.baseline"
PATIENCE = 240
LOUD = "!" * 100


def dependencies() -> int:
    """Asks a vulnerability service about every version in the lock."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "audit.json"
        command = [
            sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--no-deps", "--disable-pip",
            "--format", "json", "--output", str(out), "--progress-spinner", "off", "--timeout", "15",
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
            said = done.stderr.strip().splitlines() or ["it said nothing"]
        except subprocess.TimeoutExpired:
            said = [f"no answer within {PATIENCE} s"]
        found: list[dict[str, Any]] = json.loads(out.read_text("utf-8"))["dependencies"] if out.is_file() else []
    asked = [one for one in found if "skip_reason" not in one]
    weak = [one for one in asked if one["vulns"]]
    for one in weak:
        for known in one["vulns"]:
            fixed = ", ".join(known["fix_versions"]) or "no version yet"
            print(
                f"{one['name']} {one['version']}: {known['id']} {' '.join(known.get('aliases', []))}, mended in {fixed}"
            )
    if not asked:
        print(LOUD)
        print("NOT AUDITED: no vulnerability service could be asked about any dependency from here.")
        print(f"Run it where one can be reached: make audit. ({'every package was skipped' if found else said[-1]})")
        print(LOUD)
        return 0
    skipped = [one["name"] for one in found if "skip_reason" in one]
    print(f"audited {len(asked)} packages, {len(weak)} with known weaknesses, {len(skipped)} unknown to the service")
    print(*(f"  unknown: {name}" for name in skipped), sep="\n", end="\n" if skipped else "")
    return 1 if weak else 0


def secrets(*, baseline: bool = False) -> int:
    """Scans every file that git knows or would know."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    skip = {LOCK.name, BASELINE.name}
    files = [f for f in listed if f and f not in skip and not f.endswith((".svg", ".png")) and (ROOT / f).is_file()]
    known = json.loads(BASELINE.read_text("utf-8")) if BASELINE.is_file() else {"results": {}}
    found = _scan(files)
    if baseline:
        kept = {"plugins_used": found["plugins_used"], "results": _bare(found), "version": found["version"]}
        BASELINE.write_text(json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    seen = {(f, s["hashed_secret"]) for f, some in known["results"].items() for s in some}
    new = [(f, s) for f, some in found["results"].items() for s in some if (f, s["hashed_secret"]) not in seen]
    for file, one in new:
        print(f"{file}:{one['line_number']}: {one['type']}")
    if new and not baseline:
        print(
            f"{len(new)} new places look like secrets. Real ones: take them out, and change them where they are used."
        )
        print("Others (an example, a test's own): python scripts/audit.py baseline, and commit .secrets.baseline.")
        return 1
    print(f"scanned {len(files)} files, {len(seen)} known places, {len(new)} new")
    return 0


def _scan(files: list[str]) -> dict[str, Any]:
    words = [
        sys.executable,
        "-m",
        "detect_secrets",
        "scan",
        "--disable-plugin",
        "KeywordDetector",
        "--no-verify",
        *files,
    ]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _bare(found: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Without line numbers, which move with every edit."""
    return {
        file: sorted(({k: s[k] for k in ("type", "hashed_secret")} for s in some), key=str)
        for file, some in sorted(found["results"].items())
    }


def main() -> int:
    match sys.argv[1:]:
        case ["dependencies"]:
            return dependencies()
        case ["secrets"]:
            return secrets()
        case ["baseline"]:
            return secrets(baseline=True)
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
