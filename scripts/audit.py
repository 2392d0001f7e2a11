"""Known weaknesses of what the project builds on: pip-audit for Python, npm audit for the browser half.

Ends with 1 where one was found, with 2 where a registry gave no answer: then nothing is known, and it says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npm import JS, npm_command

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements-dev.txt"
PATIENCE = 300
UNKNOWN = 2


def answer(command: Sequence[str], **options: Any) -> tuple[Any, str]:
    """The JSON that ``command`` prints, None if it prints none; and what else it says."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, **options)
    except subprocess.TimeoutExpired:
        return None, f"no answer in {PATIENCE} s"
    try:
        return json.loads(ended.stdout), ended.stderr
    except ValueError:
        return None, ended.stderr or ended.stdout


def python() -> int:
    command = [sys.executable, "-m", "pip_audit", "--format=json", "--progress-spinner=off", "--disable-pip"]
    found, said = answer([*command, "--requirement", str(LOCK)])
    if found is None:
        return unknown("pip-audit", said)
    weak = [package for package in found["dependencies"] if package.get("vulns")]
    for package in weak:
        for vuln in package["vulns"]:
            print(
                f"{package['name']} {package['version']}: {vuln['id']}, fixed in {vuln['fix_versions'] or 'none yet'}"
            )
    print(f"pip-audit: {len(found['dependencies'])} packages looked up, {len(weak)} with a known weakness")
    return int(bool(weak))


def browser() -> int:
    npm, environment = npm_command()
    found, said = answer([*npm, "audit", "--json"], cwd=JS, env=environment)
    if found is None or "vulnerabilities" not in found:
        return unknown("npm audit", said or json.dumps(found))
    for name, entry in found["vulnerabilities"].items():
        print(f"{name}: {entry['severity']}")
    total = found["metadata"]["dependencies"]["total"]
    print(f"npm audit: {total} packages looked up, {len(found['vulnerabilities'])} with a known weakness")
    return int(bool(found["vulnerabilities"]))


def unknown(tool: str, said: str) -> int:
    lines = said.strip().splitlines() or ["it said nothing"]
    print(f"{tool}: no answer, so NOTHING WAS AUDITED. It said: {lines[0]:.200}")
    return UNKNOWN


if __name__ == "__main__":
    results = [python(), browser()]
    sys.exit(1 if 1 in results else max(results))
