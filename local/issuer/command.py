"""`python -m local token`: an access token for curl."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from local.issuer.tokens import LIFETIME_SECONDS, NoIssuer, issue

ROLES = ("settlement.run", "settlement.read", "market.request")


def token(arguments: Sequence[str]) -> int:
    """Print a token. Exit 1 when there is no issuer."""
    given = _parser().parse_args(arguments)
    state = given.state or Path(given.stack or os.environ.get("STACK_DIR", ".local")) / "issuer"
    try:
        text = issue(state, given.role, actor_id=given.actor, actor_role=given.actor_role, lifetime=given.lifetime)
    except NoIssuer as error:
        print(f"token: {error}", file=sys.stderr)
        return 1
    print(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local token", description="Print an access token.")
    parser.add_argument("--role", action="append", required=True, choices=ROLES, help="may be given more than once")
    parser.add_argument("--actor", help="GLN or EIC code of the market actor")
    parser.add_argument("--actor-role", help="its role, such as DDQ")
    parser.add_argument("--lifetime", type=int, default=LIFETIME_SECONDS, metavar="SECONDS")
    parser.add_argument("--stack", metavar="FOLDER", help="folder of the stack (default: STACK_DIR, else .local)")
    parser.add_argument("--state", type=Path, help="state folder of the issuer, instead of a stack's")
    return parser
