"""The issuer's keys and the tokens that they sign. The newest key signs; all that are kept are published."""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "api://aggregations"
TENANT = "00000000-0000-0000-0000-000000000001"
LIFETIME_SECONDS = 3600
KEY_BITS = 2048


class NoIssuer(Exception):
    """No issuer was ever started with this state folder."""


def issue(
    state: Path,
    roles: Sequence[str],
    *,
    actor_id: str | None = None,
    actor_role: str | None = None,
    lifetime: int = LIFETIME_SECONDS,
    claims: Mapping[str, Any] | None = None,
) -> str:
    """An access token as Entra ID gives it to an application.

    Args:
        state: the issuer's state folder.
        roles: `settlement.run`, `settlement.read`, `market.request`.
        actor_id: the market actor's GLN or EIC code.
        actor_role: its role, such as DDQ.
        lifetime: seconds until it expires; below zero for one that has expired.
        claims: more claims, or others instead; None takes one away.

    Raises:
        NoIssuer: the issuer was never started.
    """
    issuer, now = read_issuer(state), int(time.time())
    content = {
        "iss": issuer["issuer"],
        "aud": issuer["audience"],
        "iat": now + min(lifetime, 0),
        "nbf": now + min(lifetime, 0),
        "exp": now + lifetime,
        "sub": actor_id or "local",
        "oid": str(uuid.uuid5(uuid.NAMESPACE_OID, actor_id or "local")),
        "tid": TENANT,
        "ver": "2.0",
        "roles": list(roles),
        "actor_id": actor_id,
        "actor_role": actor_role,
        **(claims or {}),
    }
    kid, pem = _keys(state)[-1]
    present = {name: value for name, value in content.items() if value is not None}
    return jwt.encode(present, pem, algorithm="RS256", headers={"kid": kid})


def read_issuer(state: Path) -> dict[str, str]:
    """Issuer and audience that tokens carry. Raises NoIssuer."""
    try:
        issuer: dict[str, str] = json.loads((state / "issuer.json").read_bytes())
    except FileNotFoundError as error:
        raise NoIssuer(f"{state} is no issuer's state folder: start the stack first (python -m local up)") from error
    return issuer


def set_up(state: Path, issuer: str, audience: str) -> None:
    """Note who the issuer is, and make its first key."""
    state.mkdir(parents=True, exist_ok=True)
    _write(state / "issuer.json", {"issuer": issuer, "audience": audience})
    if not (state / "keys.json").exists():
        rotate(state)


def rotate(state: Path, *, keep_old: bool = True) -> str:
    """Sign with a new key from now on; returns its id. Without `keep_old` tokens of former keys hold no more."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    kid = uuid.uuid4().hex
    kept = _keys(state) if keep_old and (state / "keys.json").exists() else []
    _write(state / "keys.json", [*kept, (kid, pem)])
    return kid


def key_set(state: Path) -> dict[str, Any]:
    """The public keys as a JWKS, in Entra's form."""
    published = []
    for kid, pem in _keys(state):
        key = load_pem_private_key(pem.encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{state / 'keys.json'}: key {kid} is no RSA key")
        numbers = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        published.append({"kty": "RSA", "use": "sig", "kid": kid, "n": numbers["n"], "e": numbers["e"]})
    return {"keys": published}


def _keys(state: Path) -> list[tuple[str, str]]:
    return [(kid, pem) for kid, pem in json.loads((state / "keys.json").read_bytes())]


def _write(path: Path, content: object) -> None:
    staged = path.with_suffix(".new")
    staged.touch(mode=0o600)
    staged.write_text(json.dumps(content))
    staged.replace(path)
