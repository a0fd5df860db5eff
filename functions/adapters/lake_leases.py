"""Leases of the lake, and its SDK's errors as the errors of the port."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from functions.ports import AlreadyExists, Changed, Lease, LeaseHeld, NotFound, Unavailable

if TYPE_CHECKING:
    from azure.storage.filedatalake import DataLakeLeaseClient

LEASE_CODES = ("LeaseIdMissing", "LeaseAlreadyPresent", "LeaseIdMismatchWithLeaseOperation")


@contextmanager
def errors_of(path: str) -> Iterator[None]:
    """Translate what the SDK raises into the errors of the port."""
    from azure.core.exceptions import (
        AzureError,
        HttpResponseError,
        ResourceExistsError,
        ResourceModifiedError,
        ResourceNotFoundError,
    )

    try:
        yield
    except ResourceNotFoundError as error:
        raise NotFound(path) from error
    except ResourceModifiedError as error:
        raise Changed(path) from error
    except ResourceExistsError as error:
        raise (LeaseHeld if str(getattr(error, "error_code", "")) in LEASE_CODES else AlreadyExists)(path) from error
    except HttpResponseError as error:
        if error.status_code == 412:
            raise Changed(path) from error
        if error.status_code == 409:
            raise AlreadyExists(path) from error
        raise Unavailable("lake", f"status {error.status_code} on {path}") from error
    except AzureError as error:
        raise Unavailable("lake", type(error).__name__) from error


class DataLakeLease:
    """A lease of one file."""

    def __init__(self, client: "DataLakeLeaseClient", path: str) -> None:
        self.client, self.path = client, path

    def renew(self) -> None:
        """Hold it for another period. Raises Changed when it was lost."""
        try:
            with errors_of(self.path):
                self.client.renew()
        except (AlreadyExists, LeaseHeld, NotFound, ValueError) as error:  # ValueError: it was given back
            raise Changed(self.path) from error

    def release(self) -> None:
        """Give it back; a lost one is none to give."""
        from azure.core.exceptions import AzureError

        try:
            self.client.release()
        except (AzureError, ValueError):  # ValueError: it was given back before
            return


def lease_client(lease: Lease | None) -> Any:
    """The SDK's client of a lease, as its calls take it."""
    return lease.client if isinstance(lease, DataLakeLease) else None
