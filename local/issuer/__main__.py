"""`python -m local.issuer --state <folder> --port N`."""

import argparse
from pathlib import Path

from local.issuer.server import issuer_app
from local.issuer.tokens import AUDIENCE, rotate, set_up
from local.serving import LOOPBACK, serve


def main() -> None:
    """Serve the issuer until told to end, or rotate its keys."""
    parser = argparse.ArgumentParser(prog="python -m local.issuer", description="A test issuer in place of Entra ID.")
    parser.add_argument("--state", type=Path, required=True, help="where its keys are kept")
    parser.add_argument("--port", type=int)
    parser.add_argument("--audience", default=AUDIENCE, help="the application that its tokens are for")
    parser.add_argument("--rotate", action="store_true", help="sign with a new key from now on, and end")
    given = parser.parse_args()
    if given.rotate:
        print(rotate(given.state))
        return
    if given.port is None:
        parser.error("--port is missing")
    set_up(given.state, f"http://{LOOPBACK}:{given.port}", given.audience)
    serve(issuer_app(given.state), given.port, "issuer")


if __name__ == "__main__":
    main()
