"""Hold a file's lease for as long as a piece of work lasts."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context

from functions.ports import Lake, Lease, PortError

logger = logging.getLogger(__name__)
SECONDS = 60
RENEW_EVERY = 20


@contextmanager
def holding(path: str, lake: Lake) -> Iterator[Lease]:
    """Take the lease and renew it until the work is done. Raises LeaseHeld, NotFound when it cannot be taken."""
    lease = lake.lease(path, SECONDS)
    try:
        with renewing(lease, path):
            yield lease
    finally:
        lease.release()


@contextmanager
def renewing(lease: Lease, path: str) -> Iterator[None]:
    """Renew a lease that one has, whatever the work waits for."""
    done = threading.Event()
    keeper = threading.Thread(target=copy_context().run, args=(_keep, lease, done, path), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _keep(lease: Lease, done: threading.Event, path: str) -> None:
    while not done.wait(RENEW_EVERY):
        try:
            lease.renew()
        except PortError as error:
            logger.warning("the lease of %s could not be renewed: %s", path, error)
