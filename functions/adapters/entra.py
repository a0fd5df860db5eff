"""Access tokens of Entra ID: RS256, issuer, audience, expiry, signing keys from the issuer (coordinator 3)."""

import json
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Mapping
from typing import Any

from functions.ports import InvalidToken, Unavailable

KEYS_KEPT = 24 * 3600.0
REFRESHES, REFRESHES_WITHIN = 10, 60.0
"""Unknown key ids ask the issuer again at most so often in so many seconds: forged tokens must not become its load."""
LEEWAY = 60
"""Seconds that the issuer's clock may be ahead. A token that has expired has expired."""
TIMEOUT = 5


class EntraTokens:
    """Verifies tokens; the signing keys are kept for a day and asked for again when a token names an unknown one."""

    def __init__(self, issuer: str, audience: str, jwks_url: str) -> None:
        self.issuer, self.audience, self.jwks_url = issuer, audience, jwks_url
        self._keys: dict[str, Any] = {}
        self._read_at = float("-inf")
        self._tried_at: deque[float] = deque(maxlen=REFRESHES)
        self._lock = threading.Lock()

    def verify(self, token: str) -> Mapping[str, Any]:
        """The claims of a valid token. Raises InvalidToken, Unavailable."""
        import jwt

        if not self.jwks_url:
            raise InvalidToken("no issuer is set whose tokens could be checked")
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != "RS256":
                raise InvalidToken("it is not signed with RS256")
            key = self._key(str(header.get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                audience=self.audience,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud"]},
            )
            expired = int(claims["exp"]) <= time.time()
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise InvalidToken(f"it does not hold: {type(error).__name__}") from error
        if expired:
            raise InvalidToken("it has expired")
        return claims

    def _key(self, kid: str) -> Any:
        with self._lock:
            now = time.monotonic()
            wanted = kid not in self._keys or now - self._read_at > KEYS_KEPT
            if not self._keys or (wanted and self._may_ask(now)):
                self._refresh(now)
            if kid not in self._keys:
                raise InvalidToken("its signing key is not known")
            return self._keys[kid]

    def _may_ask(self, now: float) -> bool:
        return len(self._tried_at) < REFRESHES or now - self._tried_at[0] > REFRESHES_WITHIN

    def _refresh(self, now: float) -> None:
        from jwt import PyJWK, PyJWTError

        self._tried_at.append(now)
        try:
            with urllib.request.urlopen(self.jwks_url, timeout=TIMEOUT) as answer:  # noqa: S310 - a setting, no input
                document = json.load(answer)
            listed = document["keys"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            if self._keys:
                return
            raise Unavailable("entra", "the signing keys cannot be read") from error
        keys = {}
        for entry in listed:
            if entry.get("kty") == "RSA" and entry.get("use", "sig") == "sig":
                try:
                    keys[str(entry.get("kid", ""))] = PyJWK(entry, algorithm="RS256").key
                except PyJWTError:
                    continue
        self._keys, self._read_at = keys, now
