"""The command line: ``ipyassets lab`` and ``ipyassets sandbox``."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from ipyassets._version import __version__
from ipyassets.connection import SANDBOX_ORIGIN

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit status."""
    options = _parser().parse_args(arguments)
    return int(options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ipyassets", description="Asset services on this machine, without an account."
    )
    parser.add_argument("--version", action="version", version=f"ipyassets {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    lab = commands.add_parser("lab", help="start the sandbox and JupyterLab on the example notebooks")
    lab.add_argument("--no-browser", action="store_true", help="do not open a browser")
    lab.add_argument("--port", type=_port, default=8888, help="port of JupyterLab (default %(default)s, else the next)")
    lab.add_argument("--ip", default="127.0.0.1", help="address JupyterLab listens on (default %(default)s)")
    lab.add_argument(
        "--notebooks",
        type=Path,
        default=Path("ipyassets-notebooks"),
        help="where the example notebooks are copied, to be changed at will (default: %(default)s here)",
    )
    lab.add_argument("--assets", type=_count, help="grow every catalogue of the sandbox to so many assets")
    lab.set_defaults(run=_lab)
    sandbox = commands.add_parser("sandbox", help="serve the sandbox alone, until Ctrl-C")
    sandbox.add_argument("--port", type=_port, default=0, help="port to listen on (default: a free one)")
    sandbox.add_argument("--assets", type=_count, help="grow every catalogue to so many assets")
    sandbox.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help="let something go wrong: 'PATH KIND [NAME=VALUE ...]', such as '/thumbnails/ status status=429 rate=0.1'; "
        "may be given several times ('--fault help' tells all)",
    )
    sandbox.add_argument("--seed", type=_count, default=0, help="of the chance in faults (default %(default)s)")
    sandbox.set_defaults(run=_sandbox)
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r:.40}")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number, 0 or more, not {text!r:.40}")
    return int(text)


def _sandbox(options: argparse.Namespace) -> int:
    from ipyassets.sandbox import serve
    from ipyassets.sandbox.fault_text import HELP, fault_arguments

    if "help" in options.fault:
        print(HELP)
        return 0
    try:
        faults = [fault_arguments(text) for text in options.fault]
    except ValueError as error:
        print(f"ipyassets sandbox: --fault: {error}", file=sys.stderr)
        return 2
    try:
        serve(port=options.port, assets=options.assets, faults=faults, seed=options.seed)
    except OSError as error:  # most often a port that is taken
        print(f"ipyassets sandbox cannot listen on port {options.port}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


def _lab(options: argparse.Namespace) -> int:
    from ipyassets.sandbox import Sandbox

    try:
        import jupyterlab  # noqa: F401
    except ImportError:
        print("JupyterLab is not installed: pip install 'ipyassets[lab]'", file=sys.stderr)
        return 1
    place = options.notebooks.expanduser().absolute()
    if _of_somebody_else(place):
        print(f"{place} belongs to another user: give --notebooks a folder of your own.", file=sys.stderr)
        return 1
    folder = _copied_notebooks(place)
    command = [
        # -P: a file json.py among somebody's downloads is not to be run.
        *(sys.executable, "-P", "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"),
        *(f"--ServerApp.port={options.port}", f"--ServerApp.ip={options.ip}"),
        "--LabApp.default_url=/lab/tree/01-explore.ipynb",
    ]
    if options.no_browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--ServerApp.allow_root=True")  # in a container one often is root, and Jupyter refuses that
    with Sandbox(assets=options.assets) as sandbox:
        print(f"The sandbox serves example assets at {sandbox.origin}; notebooks are in {folder}.", file=sys.stderr)
        server = subprocess.Popen(command, env={**os.environ, **sandbox.environment(), SANDBOX_ORIGIN: sandbox.origin})  # noqa: S603
        return _wait(server)


def _wait(server: subprocess.Popen[bytes]) -> int:
    """Wait for JupyterLab; pass SIGTERM on to it, and let it answer Ctrl-C, which reaches it too."""
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    while True:
        try:
            status = server.wait()
        except KeyboardInterrupt:
            continue  # Jupyter asks "Shut down? (y/[n])" on the first, and ends on the second
        return 0 if status in (0, -signal.SIGTERM, -signal.SIGINT) else status


def _of_somebody_else(folder: Path) -> bool:
    """Whether another user made ``folder``, in a place such as /tmp: notebooks in it may be anybody's."""
    try:
        found, around = folder.lstat(), folder.parent.stat()
    except OSError:  # it is still to be made
        return False
    return hasattr(os, "getuid") and bool(around.st_mode & stat.S_IWOTH) and found.st_uid != os.getuid()


def _copied_notebooks(folder: Path) -> Path:
    """The example notebooks, copied once: what a person changed is never overwritten."""
    source = Path(str(files("ipyassets"))) / "notebooks"
    if not source.is_dir():  # an editable install: the notebooks are where they are written
        source = Path(__file__).resolve().parents[2] / "notebooks"
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in sorted(source.glob("*.ipynb")):
        target = folder / notebook.name
        if not target.exists():
            shutil.copy(notebook, target)
    return folder
