"""`python -m local.lake --root <folder of the file system> --port N --events <prefix>=<webhook url>`."""

import argparse
import logging
from pathlib import Path

from local.lake.events import Subscription
from local.lake.server import FILE_SYSTEM, lake_app
from local.serving import LOOPBACK, serve


def main() -> None:
    """Serve the lake until told to end."""
    parser = argparse.ArgumentParser(prog="python -m local.lake", description="The lake's DFS endpoint over a folder.")
    parser.add_argument("--root", type=Path, required=True, help=f"the folder of the file system '{FILE_SYSTEM}'")
    parser.add_argument("--state", type=Path, help="what must not lie in the root; same disk; default beside it")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--events", action="append", default=[], type=_subscription, metavar="PREFIX=WEBHOOK")
    parser.add_argument("--faults", action="store_true", help="let tests ask for faults by /_faults")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    app = lake_app(
        given.root,
        state=given.state,
        subscriptions=given.events,
        with_faults=given.faults,
        address=f"http://{LOOPBACK}:{given.port}",
    )
    serve(app, given.port, "lake")


def _subscription(text: str) -> Subscription:
    prefix, separator, webhook = text.partition("=")
    if not separator or not prefix or not webhook.startswith("http"):
        raise argparse.ArgumentTypeError(f"'{text}' is not <prefix>=<webhook url>")
    return Subscription(prefix, webhook)


if __name__ == "__main__":
    main()
