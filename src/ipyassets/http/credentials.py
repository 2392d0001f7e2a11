"""Where a credential comes from: argument, else environment, else keyring, else (a person is there) a prompt."""

from __future__ import annotations

import getpass
import logging
import os
import sys
from typing import Final

from ipyassets.errors import AuthenticationError, InvalidRequest
from ipyassets.http.secret import Secret

__all__ = ["missing", "person_at_prompt", "prompt", "secret", "setting"]

log = logging.getLogger("ipyassets.http")

KEYRING_SERVICE: Final = "ipyassets"
"""``keyring set ipyassets VNTANA_PERSONAL_ACCESS_TOKEN`` stores one under the name of its variable."""


def setting(argument: str | None, variable: str, default: str | None = None) -> str | None:
    """Something that is not secret: the argument, else the environment, else ``default``. Blank counts as unset."""
    # Not os.environ, here and elsewhere: IPython's verbose tracebacks show all of what a name in a line stands for.
    return _text(argument, variable) or _stripped(os.getenv(variable)) or default


def secret(argument: str | Secret | None, variable: str) -> Secret | None:
    """Something secret: the argument, else the environment, else the keyring under the variable's name.

    Blank counts as unset, and blanks around it (a line's end in a file of variables) do not belong to it.
    """
    if isinstance(argument, Secret):
        return argument
    value = _text(argument, variable) or _stripped(os.getenv(variable)) or _stripped(_from_keyring(variable))
    return Secret(value) if value else None


def _text(argument: object, variable: str) -> str:
    if argument is not None and not isinstance(argument, str):
        raise InvalidRequest(f"What is given in place of {variable} must be a str, not {type(argument).__name__}.")
    return _stripped(argument)


def _stripped(value: str | None) -> str:
    return (value or "").strip()


def _from_keyring(variable: str) -> str | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        return keyring.get_password(KEYRING_SERVICE, variable)
    except (KeyringError, RuntimeError, OSError):  # a locked or absent backend is the same as no entry
        return None
    except Exception as error:  # noqa: BLE001  # backends raise what they like: ValueError for a wrong password
        log.warning("The keyring could not be read (%s), and counts as empty.", type(error).__name__)
        return None


def prompt(label: str) -> Secret | None:
    """Ask the person at the prompt, without echo; None where nobody can be asked."""
    if not person_at_prompt():
        return None
    value = _stripped(getpass.getpass(f"{label}: "))
    return Secret(value) if value else None


def person_at_prompt() -> bool:
    """Whether somebody can answer a question now: a notebook front end that takes input, or an interactive terminal.

    nbconvert, papermill and nbval run cells with ``allow_stdin`` off; JupyterLab runs them with it on.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        return bool(getattr(kernel, "_allow_stdin", False))
    if not sys.stdin or not sys.stdin.isatty():
        return False
    return shell is not None or hasattr(sys, "ps1") or bool(sys.flags.interactive)


def missing(title: str, *ways: str) -> AuthenticationError:
    """The error for a client without credentials; ``ways`` name arguments and variables that would give them."""
    return AuthenticationError(
        f"No credentials for {title}. Give {', or '.join(ways)}. "
        "The environment variables of these names are read too, and the system keyring under the same names "
        "(with the extra: pip install 'ipyassets[keyring]'). Without an account: ipyassets.Sandbox()."
    )
