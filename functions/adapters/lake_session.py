"""A session for azure-core's transport that sends a request as the storage SDK made it, and nothing more.

A small call of the lake is mostly the client's own work, and a third of that was what requests does around each one:
cookies, redirects, proxies, environment. The storage SDK uses none of it. Errors are those that the transport knows.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import certifi
from requests import Response, Session
from requests.exceptions import ConnectionError as NotConnected
from requests.exceptions import ReadTimeout
from requests.structures import CaseInsensitiveDict
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

BLOCK_SIZE = 32 * 1024
"""What is read from a connection at once."""
KEPT = 16
"""Connections to one address that are kept open; more are made where they are needed."""


class LakeSession(Session):
    """Connections to the lake, kept open. Thread-safe."""

    def __init__(self) -> None:
        super().__init__()
        self._pool = PoolManager(maxsize=KEPT, blocksize=BLOCK_SIZE, ca_certs=certifi.where())

    def request(  # type: ignore[override] # only what the transport asks for
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        data: Any = None,
        timeout: tuple[float, float],
        **_: Any,
    ) -> Response:
        """Send it once. Raises what azure.core's RequestsTransport translates."""
        with _errors():
            raw = self._pool.urlopen(
                method,
                url,
                body=data,
                headers=dict(headers),
                timeout=Timeout(connect=timeout[0], read=timeout[1]),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        response = Response()
        response.status_code, response.reason, response.url = raw.status, raw.reason or "", url
        response.headers = CaseInsensitiveDict(raw.headers)
        response.raw = raw
        return response

    def close(self) -> None:
        """End the connections."""
        self._pool.clear()
        super().close()


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (NewConnectionError, ConnectTimeoutError):
        raise  # as they are: the transport knows that nothing was sent
    except ReadTimeoutError as error:
        raise ReadTimeout(error) from error
    except (HTTPError, OSError) as error:
        raise NotConnected(error) from error
