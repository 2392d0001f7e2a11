"""The two ways to say who one is, each with its own path and body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ipyassets.http.secret import Secret

__all__ = ["Login", "PasswordLogin", "TokenLogin"]


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """A personal access token ("Authentication Key" in VNTANA's settings)."""

    token: Secret
    path = "/v1/auth/login/token"

    def body(self) -> dict[str, str]:
        return {"personal-access-token": self.token.reveal()}

    def identity(self) -> tuple[str | Secret, ...]:
        return ("token", self.token)


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """An e-mail address and its password."""

    email: Secret
    password: Secret
    path = "/v1/auth/login"

    def body(self) -> dict[str, str]:
        return {"email": self.email.reveal(), "password": self.password.reveal()}

    def identity(self) -> tuple[str | Secret, ...]:
        return ("password", self.email, self.password)


Login: TypeAlias = TokenLogin | PasswordLogin
