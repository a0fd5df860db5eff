"""Small files of the lake: manifests and notes of failure, written in place (coordinator 2).

A manifest's event is what tells the function app of a result, so it is created in place and closed once, never renamed
into place. On a local folder that means: a temporary file outside the watched folders, then `os.replace`. On Databricks
`dbutils.fs`, which writes through the cluster's own credential and closes with a flush. Elsewhere the object store of
delta-rs, which puts a blob (PutBlob). The wheel needs no Azure SDK for it.
"""

import atexit
import os
import shutil
import tempfile
import uuid
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from pyspark.sql import SparkSession


class LakeFiles(Protocol):
    """Small files, by their path from the lake's root."""

    def read(self, path: str) -> bytes | None:
        """The content, None where there is no such file."""

    def write(self, path: str, content: bytes) -> None:
        """Create the file, or replace it, so that no reader sees half of it."""

    def names(self, folder: str, prefix: str) -> list[str]:
        """The names of a folder's files that begin with prefix; none where there is no such folder."""

    def remove_folder(self, folder: str) -> None:
        """Remove a folder and all in it; nothing happens where there is none."""


def lake_files(lake: str, spark: SparkSession | None = None) -> LakeFiles:
    """The files of the lake at this URI, the way that fits it and the place where the job runs."""
    if is_local(lake):
        return LocalFiles(local_path(lake))
    if "DATABRICKS_RUNTIME_VERSION" in os.environ:
        return DatabricksFiles(lake, spark)
    return ObjectStoreFiles(lake)


def is_local(uri: str) -> bool:
    """Whether the URI is a folder of this machine: a path or file:."""
    return "://" not in uri or uri.startswith("file:")


def local_path(uri: str) -> Path:
    """The folder of a local URI."""
    return Path(uri.removeprefix("file://").removeprefix("file:")).absolute()


@cache
def plain_path(root: Path) -> Path:
    """The folder by a name that no URI escapes: Sail escapes a blank, or an ø, twice and then finds nothing.

    Where its own name is none, a link to it in a temporary folder, which goes at the end of the process.
    """
    if quote(str(root)) == str(root):
        return root
    folder = Path(tempfile.mkdtemp(prefix="lake-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = folder / "lake"
    link.symlink_to(root, target_is_directory=True)
    return link


class LocalFiles:
    """A lake that is a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes | None:
        """See `LakeFiles`."""
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: str, content: bytes) -> None:
        """See `LakeFiles`: a temporary file outside the watched folders, flushed, then put in place at once."""
        temporary = self._root / ".tmp" / f"{uuid.uuid4()}"
        for folder in (temporary.parent, (self._root / path).parent):
            folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._root / path)

    def names(self, folder: str, prefix: str) -> list[str]:
        """See `LakeFiles`."""
        return sorted(path.name for path in (self._root / folder).glob(f"{prefix}*"))

    def remove_folder(self, folder: str) -> None:
        """See `LakeFiles`."""
        shutil.rmtree(self._root / folder, ignore_errors=True)


class DatabricksFiles:
    """A lake behind `dbutils.fs`, as Databricks gives it to every job."""

    def __init__(self, lake: str, spark: SparkSession | None) -> None:
        from pyspark.dbutils import DBUtils  # type: ignore[import-not-found] # only Databricks' runtime has it

        self._root = lake.rstrip("/")
        self._fs: Any = DBUtils(spark).fs

    def read(self, path: str) -> bytes | None:
        """See `LakeFiles`. Manifests are far below the 10 MB that are asked for."""
        if not self.names(*path.rsplit("/", 1)):
            return None
        return str(self._fs.head(f"{self._root}/{path}", 10 * 1024 * 1024)).encode()

    def write(self, path: str, content: bytes) -> None:
        """See `LakeFiles`: one create, append and flush with close, so one FlushWithClose event."""
        self._fs.put(f"{self._root}/{path}", content.decode(), True)

    def names(self, folder: str, prefix: str) -> list[str]:
        """See `LakeFiles`."""
        try:
            entries = self._fs.ls(f"{self._root}/{folder}")
        except Exception as error:  # dbutils raises what the JVM threw, as no class of Python's
            if "FileNotFound" in str(error) or "PathNotFound" in str(error):
                return []
            raise
        return sorted(entry.name for entry in entries if entry.name.startswith(prefix))

    def remove_folder(self, folder: str) -> None:
        """See `LakeFiles`."""
        if self.names(*folder.rsplit("/", 1)):
            self._fs.rm(f"{self._root}/{folder}", True)


class ObjectStoreFiles:
    """A lake in an object store, outside Databricks; credentials come from the environment, as delta-rs reads them."""

    def __init__(self, lake: str) -> None:
        from deltalake.fs import DeltaStorageHandler
        from pyarrow.fs import FileSelector, FileType, PyFileSystem

        self._selector, self._is_file = FileSelector, FileType.File
        self._fs = PyFileSystem(DeltaStorageHandler(lake))

    def read(self, path: str) -> bytes | None:
        """See `LakeFiles`."""
        if self._fs.get_file_info(path).type != self._is_file:
            return None
        with self._fs.open_input_stream(path) as stream:
            return bytes(stream.read())

    def write(self, path: str, content: bytes) -> None:
        """See `LakeFiles`: a put makes the blob whole or not at all."""
        with self._fs.open_output_stream(path) as stream:
            stream.write(content)

    def names(self, folder: str, prefix: str) -> list[str]:
        """See `LakeFiles`."""
        entries = self._fs.get_file_info(self._selector(folder, allow_not_found=True))
        return sorted(entry.base_name for entry in entries if entry.base_name.startswith(prefix))

    def remove_folder(self, folder: str) -> None:
        """See `LakeFiles`."""
        self._fs.delete_dir_contents(folder, missing_dir_ok=True)
