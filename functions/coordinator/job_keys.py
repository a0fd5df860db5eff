"""What jobs are called, and the names of the markers that keep them single (coordinator 2)."""

import hashlib
import os
import uuid
from datetime import datetime


def new_job_id(now: datetime) -> str:
    """A UUID that sorts by its time (version 7), so that the newest jobs are found without reading their records."""
    head = int(now.timestamp() * 1000).to_bytes(6, "big")
    body = bytearray(head + os.urandom(10))
    body[6] = body[6] & 0x0F | 0x70
    body[8] = body[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(body)))


def active_key(arguments: dict[str, str]) -> str:
    """What makes two actual jobs equal: type, variant, period and areas (coordinator 3)."""
    names = ("process-type", "process-variant", "period-start", "period-end", "grid-areas")
    return hashlib.sha256("\n".join(arguments[name] for name in names).encode()).hexdigest()


def idempotency_key(caller: str, key: str) -> str:
    """The name of the key file of one caller."""
    return hashlib.sha256(f"{caller}\n{key}".encode()).hexdigest()
