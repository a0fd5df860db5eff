"""A queue as a folder: what was put is there after a kill, five tries, then the poison queue (platform 1.7).

One file per message, named by arrival: `<nanoseconds>-<id>.json` with {id, inserted, dequeueCount, body}. A message
that a killed process was at work on is visible again at the next start, its try counted, as in Azure.
"""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

logger = logging.getLogger(__name__)
MOST_TRIES = 5


@dataclass(frozen=True)
class Message:
    """A message and how often it was handed out."""

    id: str
    inserted: str
    body: str
    dequeue_count: int = 0


class FolderQueue:
    """Messages of one queue, put by anyone in this process and worked on by `run`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder / name
        self._poison = folder / f"{name}-poison"
        self._waiting: asyncio.Queue[Path] = asyncio.Queue()
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.glob("*.json")):
            self._waiting.put_nowait(path)

    def put(self, body: str) -> None:
        """Keep a message; it is on disk when this returns."""
        message = Message(str(uuid.uuid4()), datetime.now(UTC).isoformat(), body)
        path = self._folder / f"{time.time_ns():020}-{message.id}.json"
        _write(path, message)
        self._waiting.put_nowait(path)

    async def run(
        self, handle: Callable[[Message], Awaitable[str | None]], at_once: int, pause: float, growth: float = 1
    ) -> None:
        """Hand out messages for ever, `at_once` at a time.

        Args:
            handle: works on one message; returns None when it is done, else why it failed.
            at_once: how many are worked on at the same time.
            pause: seconds until a message that failed is visible again.
            growth: how much longer that takes from try to try.
        """
        await asyncio.gather(*(self._work(handle, pause, growth) for _ in range(at_once)))

    async def _work(self, handle: Callable[[Message], Awaitable[str | None]], pause: float, growth: float) -> None:
        while True:
            path = await self._waiting.get()
            message = _read(path)
            message = replace(message, dequeue_count=message.dequeue_count + 1)
            _write(path, message)
            failure = await handle(message)
            if failure is None:
                path.unlink()
            elif message.dequeue_count >= MOST_TRIES:
                self._poison.mkdir(exist_ok=True)
                logger.error("%s: message %s failed %d times: poison", self.name, message.id, message.dequeue_count)
                path.replace(self._poison / path.name)
            else:
                wait = pause * growth ** (message.dequeue_count - 1)
                asyncio.get_running_loop().call_later(wait, self._waiting.put_nowait, path)


def _write(path: Path, message: Message) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(message)), encoding="utf-8")
    temporary.replace(path)


def _read(path: Path) -> Message:
    return Message(**json.loads(path.read_text(encoding="utf-8")))
