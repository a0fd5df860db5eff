"""Errors as Azure Storage answers them: status, `x-ms-error-code`, and JSON (DFS endpoint) or XML (Blob endpoint)."""

import errno
from xml.sax.saxutils import escape

from aiohttp import web

_FULL = {errno.ENOSPC, errno.EDQUOT}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


class StorageError(Exception):
    """What the lake refuses, with Azure's code for it."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        self.status = status
        self.code = code
        self.message = message or code
        super().__init__(f"{status} {code}: {self.message}")


def not_found(dfs: bool, name: str) -> StorageError:
    """There is no such path."""
    return StorageError(404, "PathNotFound" if dfs else "BlobNotFound", f"There is no '{name}'.")


def already_exists(dfs: bool, name: str) -> StorageError:
    """A path that was to be created is there."""
    return StorageError(409, "PathAlreadyExists" if dfs else "BlobAlreadyExists", f"'{name}' is there already.")


def condition_not_met(source: bool = False) -> StorageError:
    """A condition of the request's headers does not hold."""
    code = "SourceConditionNotMet" if source else "ConditionNotMet"
    return StorageError(412, code, "The condition specified using HTTP conditional header(s) is not met.")


def from_os(error: OSError) -> StorageError:
    """What the disk refuses: a full or read-only lake, a file where a directory should be."""
    if error.errno in _FULL:
        return StorageError(503, "ServerBusy", "The lake is full.")
    if error.errno in _READ_ONLY:
        return StorageError(403, "AuthorizationPermissionMismatch", "The lake is read-only.")
    if isinstance(error, NotADirectoryError | IsADirectoryError | FileExistsError):
        return StorageError(409, "PathConflict", "A file is where a directory should be, or the reverse.")
    if isinstance(error, FileNotFoundError):
        return StorageError(404, "PathNotFound", "The path went away meanwhile.")
    return StorageError(500, "InternalError", f"The disk answered: {error.strerror}.")


def error_response(error: StorageError, dfs: bool, retry_after: float | None = None) -> web.Response:
    """The answer that carries an error."""
    headers = {"x-ms-error-code": error.code}
    if retry_after is not None:
        headers["Retry-After"] = f"{retry_after:g}"
    if error.status == 304:
        return web.Response(status=304, headers=headers)
    if dfs:
        content = {"error": {"code": error.code, "message": error.message}}
        return web.json_response(content, status=error.status, headers=headers)
    text = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{error.code}</Code>'
        f"<Message>{escape(error.message)}</Message></Error>"
    )
    return web.Response(text=text, status=error.status, headers=headers, content_type="application/xml")
