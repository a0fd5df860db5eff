"""A test issuer in place of Entra ID: its own RSA keys, their JWKS, and access tokens (spec: coordinator 3 and 7).

Tests call `issue`, `rotate` and `read_issuer` with the issuer's state folder; `python -m local token` prints a token.
"""

from local.issuer.command import token
from local.issuer.tokens import NoIssuer, issue, read_issuer, rotate

__all__ = ["NoIssuer", "issue", "read_issuer", "rotate", "token"]
