"""Addresses that clients attach to, and the filter that says where a receiver begins."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from local.event_hub.hub import Hub, Partition, Refused
from local.event_hub.partition_log import By

_SELECTOR = re.compile(r"amqp\.annotation\.x-opt-([a-z-]+)\s*(>=|>)\s*'?([^'\s]+)'?\s*")
_COLUMNS: dict[str, By] = {"offset": "offset", "sequence-number": "sequence_number", "enqueued-time": "enqueued"}


class NotFound(Refused):
    """An address that leads nowhere in this hub."""

    condition = "amqp:not-found"


class WrongFilter(Refused):
    """A selector that the hub does not know."""

    condition = "amqp:invalid-field"


@dataclass(frozen=True)
class Source:
    """A partition as one consumer group reads it."""

    group: str
    partition: Partition


def path_of(address: str | None) -> str:
    """The path of an address, which may be a whole URL (amqps://host/hub/Partitions/0)."""
    return unquote(urlsplit(address or "").path).strip("/")


def target(hub: Hub, address: str | None) -> Partition | None:
    """Where a sender's events go: `<hub>/Partitions/<id>`; None for `<hub>` (the key or the turn decides)."""
    match path_of(address).split("/"):
        case [name] if name == hub.name:
            return None
        case [name, partitions, number] if (name, partitions.lower()) == (hub.name, "partitions"):
            return _partition(hub, number)
    raise NotFound(f"no target {address!r}: senders attach to {hub.name} or {hub.name}/Partitions/<id>")


def source(hub: Hub, address: str | None) -> Source:
    """What a receiver reads: `<hub>/ConsumerGroups/<group>/Partitions/<id>`. Groups need not be made before."""
    match path_of(address).split("/"):
        case [name, groups, group, partitions, number] if (name, groups.lower(), partitions.lower()) == (
            hub.name,
            "consumergroups",
            "partitions",
        ):
            return Source(group, _partition(hub, number))
    raise NotFound(f"no source {address!r}: receivers attach to {hub.name}/ConsumerGroups/<group>/Partitions/<id>")


def _partition(hub: Hub, number: str) -> Partition:
    if number not in hub.partitions:
        raise NotFound(f"no partition {number!r} in {hub.name}: it has {', '.join(hub.partitions)}")
    return hub.partitions[number]


def first_to_read(partition: Partition, selector: str | None) -> int:
    """The sequence number that a receiver with this selector begins at; without one, the beginning."""
    if selector is None:
        return 0
    found = _SELECTOR.fullmatch(selector)
    if found is None or found[1] not in _COLUMNS:
        raise WrongFilter(f"{selector!r} is no filter on x-opt-offset, x-opt-sequence-number or x-opt-enqueued-time")
    column, operator, value = found.groups()
    if value == "@latest":
        return len(partition.log)
    try:
        position = int(value)
    except ValueError:
        raise WrongFilter(f"{selector!r} compares with {value!r}, which is no whole number") from None
    if position < 0:
        return 0
    return partition.log.first_after(_COLUMNS[column], position, inclusive=operator == ">=")
