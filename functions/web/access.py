"""Who calls, and what that caller may do (coordinator 3). Forwarded-for headers decide nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.ports import InvalidToken
from functions.web.http import Problem, Request
from functions.wiring import App
from shared.settings import Settings

RUN = "settlement.run"
READ = "settlement.read"
MARKET = "market.request"
ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Caller:
    """One caller: an id that keys are kept under, its roles, and the market actor that it speaks for."""

    id: str
    roles: frozenset[str]
    actor_id: str | None = None
    actor_role: str | None = None

    @property
    def sees_all(self) -> bool:
        """Whether it sees every actor's results and messages, not its own alone."""
        return READ in self.roles


def authenticate(request: Request, app: App) -> Caller:
    """The caller by its access token, which is always fully checked; without one only where that is allowed.

    Raises:
        Problem: 401.
    """
    header = request.headers.get("authorization", "").strip()
    if not header:
        if app.settings.anonymous:
            return Caller(ANONYMOUS, frozenset({RUN, READ, MARKET}))
        raise _unknown("an access token is needed")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unknown("the Authorization header holds no bearer token")
    try:
        return _caller(app.tokens.verify(token.strip()), app.settings)
    except InvalidToken as error:
        raise _unknown(f"the access token was refused: {error}") from error


def _unknown(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})


def _caller(claims: Mapping[str, Any], settings: Settings) -> Caller:
    named = claims.get(settings["CLAIM_ROLES"], [])
    roles = {str(role) for role in named} if isinstance(named, list) else set(str(named).split())
    if RUN in roles:
        roles.add(READ)
    actor = _text(claims.get(settings["CLAIM_ACTOR_ID"]))
    subject = next((text for name in ("oid", "sub", "appid", "azp") if (text := _text(claims.get(name)))), None)
    caller_id = "|".join(part for part in (subject, actor) if part) or "unnamed"
    return Caller(caller_id, frozenset(roles), actor, _text(claims.get(settings["CLAIM_ACTOR_ROLE"])))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def authorise(caller: Caller, allowed: frozenset[str]) -> None:
    """Raise Problem 403 unless the caller has one of the roles."""
    if not caller.roles & allowed:
        raise Problem(403, f"this needs the role {' or '.join(sorted(allowed))}")
