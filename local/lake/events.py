"""Blob events: BlobCreated for every file that appears or changes below a watched prefix, whoever wrote it.

What the server writes itself raises its event at once, with the API's name (CreateFile and a flush without close raise
none, since subscriptions filter them out; neither does a rename). What others write in the folder is found by watching
it. Events go to a webhook as Event Grid sends them, at least once: again with growing pauses until it answers 2xx.
A file that was there when the server started raises none.
"""

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from watchfiles import Change, awatch

from local.faults import Faults
from local.lake.folder import Entry, Folder

logger = logging.getLogger(__name__)
WRITTEN_BY_OTHERS = "FlushWithClose"
EVENT_FAULTS = frozenset({"drop", "delay", "double", "reorder"})
AT_ONCE = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
CALL_SECONDS = 60
LOOK_MILLISECONDS = 500


@dataclass(frozen=True)
class Subscription:
    """Events below a prefix of the file system go to a webhook."""

    prefix: str
    webhook: str


class Events:
    """Raises and delivers the events of one file system."""

    def __init__(self, folder: Folder, subscriptions: list[Subscription], faults: Faults, address: str) -> None:
        self._address = address
        self._folder = folder
        self._subscriptions = subscriptions
        self._faults = faults
        self._seen: dict[str, str] = {}
        self._gates = {subscription: asyncio.Semaphore(AT_ONCE) for subscription in subscriptions}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Note what is there, and begin to watch."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS))
        for folder in sorted({subscription.prefix.rpartition("/")[0] for subscription in self._subscriptions}):
            self._folder.locate(folder).mkdir(parents=True, exist_ok=True)
            for entry in self._folder.walk(folder, recursive=True):
                self._seen[entry.name] = entry.etag
            self._run(self._watch(folder))
        await asyncio.sleep(0)

    async def stop(self) -> None:
        """End watching; what is not delivered is left to the sweep."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    def written(self, entry: Entry, api: str | None, client_request_id: str) -> None:
        """The server wrote a path; `api` is None for what raises no event."""
        interested = [one for one in self._subscriptions if entry.name.startswith(one.prefix)]
        if not interested or entry.is_directory:
            return
        self._seen[entry.name] = entry.etag
        for subscription in interested if api else []:
            self._run(self._deliver(subscription, self._event(entry, api or "", client_request_id), entry.name))

    def moved(self, entry: Entry) -> None:
        """The server moved a file, or a directory with files: no event comes of it."""
        for moved in [entry, *self._folder.walk(entry.name, recursive=True)] if entry.is_directory else [entry]:
            self.written(moved, None, "")

    async def _watch(self, folder: str) -> None:
        path = self._folder.locate(folder)
        while True:
            path.mkdir(parents=True, exist_ok=True)
            try:
                await self._watch_while_there(folder, path, path.stat().st_ino)
            except (FileNotFoundError, RuntimeError) as error:
                logger.warning("Watching %s begins again: %s", path, error)
            await asyncio.sleep(FIRST_PAUSE)

    async def _watch_while_there(self, folder: str, path: Path, inode: int) -> None:
        """Watch a directory until another one is in its place."""
        complete = False
        async for changes in awatch(
            path, watch_filter=None, debounce=40, step=20, rust_timeout=LOOK_MILLISECONDS, yield_on_timeout=True
        ):
            if not complete:
                # What came before the watch began, or while there was none.
                complete = True
                self._look_through(folder)
            for change, changed in changes:
                self._changed(change, Path(changed))
            if path.stat().st_ino != inode:
                return

    def _changed(self, change: Change, path: Path) -> None:
        name = path.relative_to(self._folder.root.absolute()).as_posix()
        entry = self._folder.entry(name)
        if entry is None:
            self._seen.pop(name, None)
        elif entry.is_directory:
            # A file may come into a new directory before the directory is watched.
            if change is Change.added:
                self._look_through(name)
        else:
            self._found(entry)

    def _look_through(self, folder: str) -> None:
        for entry in self._folder.walk(folder, recursive=True):
            self._found(entry)

    def _found(self, entry: Entry) -> None:
        if not entry.is_directory and self._seen.get(entry.name) != entry.etag:
            self.written(entry, WRITTEN_BY_OTHERS, "")

    def _run(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, subscription: Subscription, event: dict[str, Any], name: str) -> None:
        times = 1
        for rule in self._faults.strike({"event"}, name, EVENT_FAULTS):
            if rule.fault == "drop":
                return
            if rule.fault == "double":
                times += 1
            else:
                share = 1.0 if rule.fault == "delay" else self._faults.random.random()
                await asyncio.sleep(share * rule.seconds)
        for _ in range(times):
            pause = FIRST_PAUSE
            while not await self._accepted(subscription, event):
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _accepted(self, subscription: Subscription, event: dict[str, Any]) -> bool:
        if self._session is None:
            raise RuntimeError("events are delivered only between start and stop")
        headers = {"aeg-event-type": "Notification", "aeg-data-version": "", "aeg-metadata-version": "1"}
        async with self._gates[subscription]:
            try:
                async with self._session.post(subscription.webhook, json=[event], headers=headers) as answer:
                    return 200 <= answer.status < 300
            except (aiohttp.ClientError, TimeoutError):
                return False

    def _event(self, entry: Entry, api: str, client_request_id: str) -> dict[str, Any]:
        file_system = self._address.rpartition("/")[2]
        return {
            "topic": "/subscriptions/local/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/local",
            "subject": f"/blobServices/default/containers/{file_system}/blobs/{entry.name}",
            "eventType": "Microsoft.Storage.BlobCreated",
            "id": str(uuid.uuid4()),
            "eventTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "dataVersion": "",
            "metadataVersion": "1",
            "data": {
                "api": api,
                "clientRequestId": client_request_id,
                "requestId": str(uuid.uuid4()),
                "eTag": entry.etag.strip('"'),
                "contentType": self._folder.properties(entry).headers.get("Content-Type", "application/octet-stream"),
                "contentLength": entry.size,
                "contentOffset": 0,
                "blobType": "BlockBlob",
                "url": f"{self._address}/{quote(entry.name)}",
                "sequencer": f"{max(entry.modified_ns, time.time_ns()):064X}",
                "identity": "$superuser",
                "storageDiagnostics": {},
            },
        }
