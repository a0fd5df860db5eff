"""The lake over the DFS endpoint (azure-storage-file-datalake), with the verbs of coordinator 7 alone.

A lost reply is repeated by the SDK, so "exists already" or "changed" may be the answer to our own first try.
"""

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Any

from functions.adapters.identity import managed_identity
from functions.adapters.lake_leases import DataLakeLease, errors_of, lease_client
from functions.ports import AlreadyExists, Changed, LakeFile, Lease, LeaseHeld, NotFound, Unavailable
from shared.lake_layout import FILE_SYSTEM, WRITING

if TYPE_CHECKING:
    from azure.storage.filedatalake import (
        DataLakeFileClient,
        DataLakeServiceClient,
        FileSystemClient,
    )

# Storage retries of 15 s and more would hide in a function's time; these end within seconds.
RETRIES: dict[str, Any] = {
    "retry_total": 3,
    "retry_read": 2,
    "initial_backoff": 0.2,
    "increment_base": 1.3,
    "random_jitter_range": 0.2,
}
# A lake that takes requests and never answers is told of within half a minute: callers wait for it.
TIMEOUTS: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 8}


class DataLake:
    """The file system `aggregations` of a storage account. Thread-safe; the client is made at the first use."""

    def __init__(self, url: str, client_id: str = "") -> None:
        self.url, self.client_id = url, client_id
        self._made: FileSystemClient | None = None
        self._service: DataLakeServiceClient | None = None
        self._lock = threading.Lock()

    @property
    def _client(self) -> "FileSystemClient":
        with self._lock:
            if self._made is None:
                from azure.core.credentials import AzureSasCredential
                from azure.core.pipeline.transport import RequestsTransport
                from azure.storage.filedatalake import DataLakeServiceClient

                from functions.adapters.lake_session import LakeSession

                # A token never travels in plain. An empty signature adds nothing to a request; with no credential at
                # all, the SDK's rename fails on addresses that name no account.
                plain = self.url.startswith("http://")
                credential = AzureSasCredential("") if plain else managed_identity(self.client_id)
                transport = RequestsTransport(session=LakeSession(), **TIMEOUTS)
                self._service = DataLakeServiceClient(self.url, credential=credential, transport=transport, **RETRIES)
                self._made = self._service.get_file_system_client(FILE_SYSTEM)
            return self._made

    def close(self) -> None:
        """End the connections."""
        if self._made is not None and self._service is not None:
            self._made.close()
            self._service.close()

    def _file(self, path: str) -> "DataLakeFileClient":
        return self._client.get_file_client(path)

    def read(self, path: str) -> tuple[bytes, str]:
        """Content and ETag. Raises NotFound."""
        with errors_of(path):
            while True:
                download = self._file(path).download_file()
                content, etag = download.readall(), str(download.properties.etag)
                # The SDK asks twice for an empty file: filled in between, it gives no content with the new ETag.
                if content or self._file(path).get_file_properties().size == 0:
                    return content, etag

    def create(self, path: str, content: bytes) -> str:
        """Create in place, flushed once with close. Raises AlreadyExists, also when another one took it over."""
        from azure.core import MatchConditions

        file = self._file(path)
        with errors_of(path):
            etag = str(file.create_file(match_condition=MatchConditions.IfMissing)["etag"])
        if not content:
            return etag
        try:
            return self._fill(file, path, content, etag)
        except (Changed, NotFound) as error:
            raise AlreadyExists(path) from error

    def _fill(self, file: "DataLakeFileClient", path: str, content: bytes, etag: str) -> str:
        from azure.core import MatchConditions

        with errors_of(path):
            file.append_data(content, offset=0, length=len(content))
            unchanged: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
            return str(file.flush_data(len(content), close=True, **unchanged)["etag"])

    def replace(self, path: str, content: bytes, etag: str) -> str:
        """Write aside, then rename over the file if it is unchanged: whole for every reader and every crash."""
        from azure.core import MatchConditions

        aside = self._file(f"{WRITING}/{uuid.uuid4()}")
        self._write_aside(aside, content)
        answer: dict[str, str] = {}
        conditions: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        try:
            with errors_of(path):
                aside.rename_file(
                    f"{FILE_SYSTEM}/{path}",
                    raw_response_hook=lambda response: answer.update(response.http_response.headers),
                    **conditions,
                )
        except (Changed, NotFound, AlreadyExists) as error:
            # The reply to a rename that was done may be lost, and the SDK then tries again in vain: its source is gone.
            if self.exists(aside.path_name):
                self.delete(aside.path_name)
                raise Changed(path) from error
        return next((value for name, value in answer.items() if name.lower() == "etag"), "")

    def _write_aside(self, file: "DataLakeFileClient", content: bytes) -> None:
        """Write a file of a name of its own: without conditions, which a lost reply would turn against it."""
        with errors_of(file.path_name):
            file.create_file()
            file.append_data(content, offset=0, length=len(content))
            file.flush_data(len(content), close=True)

    def delete(self, path: str, etag: str | None = None, lease: Lease | None = None) -> None:
        """Delete a file; one that is gone is success. Raises Changed when `etag` or the lease no longer fits."""
        from azure.core import MatchConditions

        conditions: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}
        try:
            with errors_of(path):
                self._file(path).delete_file(lease=lease_client(lease), **conditions)
        except NotFound:
            return

    def delete_folder(self, folder: str) -> None:
        """Delete a folder and all below it; one that is gone is success."""
        try:
            with errors_of(folder):
                self._client.get_directory_client(folder).delete_directory()
        except NotFound:
            return

    def rename(self, source: str, target: str, lease: Lease | None = None) -> None:
        """Move a file, never over another one. Raises AlreadyExists, NotFound, Changed (lease lost)."""
        try:
            self._rename(source, target, lease)
        except NotFound:
            # Either the source is gone or the folder that it goes to is not there yet; the second try tells.
            self._make_folder(target.rpartition("/")[0])
            self._rename(source, target, lease)

    def _rename(self, source: str, target: str, lease: Lease | None) -> None:
        from azure.core import MatchConditions

        with errors_of(target):
            self._file(source).rename_file(
                f"{FILE_SYSTEM}/{target}",
                match_condition=MatchConditions.IfMissing,
                source_lease=lease_client(lease),
            )

    def _make_folder(self, folder: str) -> None:
        from azure.core import MatchConditions

        try:
            with errors_of(folder):
                self._client.get_directory_client(folder).create_directory(match_condition=MatchConditions.IfMissing)
        except AlreadyExists:
            return

    def exists(self, path: str) -> bool:
        """Whether there is a file of this path."""
        with errors_of(path):
            return self._file(path).exists()

    def list(self, folder: str, newest_first: bool = False) -> Iterator[LakeFile]:
        """Every file below a folder; nothing when the folder is not there."""
        try:
            with errors_of(folder):
                paths = [path for path in self._client.get_paths(folder) if not path.is_directory]
        except NotFound:
            return
        found = [
            # Its times are in UTC, but do not say so.
            LakeFile(path.name, path.content_length, _quoted(str(path.etag)), path.last_modified.replace(tzinfo=UTC))
            for path in paths
        ]
        yield from sorted(found, key=lambda file: file.modified, reverse=True) if newest_first else found

    def lease(self, path: str, seconds: int = 60) -> DataLakeLease:
        """Take the lease of a file. Raises LeaseHeld, NotFound."""
        try:
            with errors_of(path):
                return DataLakeLease(self._file(path).acquire_lease(seconds), path)
        except AlreadyExists as error:
            raise LeaseHeld(path) from error

    def check(self) -> None:
        """Raise Unavailable when the lake does not answer."""
        try:
            with errors_of(FILE_SYSTEM):
                next(iter(self._client.get_paths("state", max_results=1)), None)
        except NotFound as error:
            if "filesystem" in str(getattr(error.__cause__, "error_code", "")).lower():
                raise Unavailable("lake", f"there is no file system {FILE_SYSTEM}") from error


def _quoted(etag: str) -> str:
    """A listing shows ETags without the quotes that every other answer has."""
    return etag if etag.startswith(('"', "W/")) else f'"{etag}"'
