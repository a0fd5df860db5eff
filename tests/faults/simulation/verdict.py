"""Looks at the end of a seed from outside: the hub, the lake, and what the results call for."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.faults.expected import Job, Message, expected
from tests.faults.market import ESETT, Tables
from tests.faults.received import Event, Received, Wrong, archived, read, rejected_lines
from tests.faults.simulation.witness import ENDED, Seen, Witness

SAME = ("process-type", "process-variant", "period-start", "period-end")


def settled(witness: Witness) -> bool:
    """Every job has ended and nothing is left of its way."""
    if any(seen.record["status"] not in ENDED for seen in witness.jobs.values()):
        return False
    return not left_over(witness)


def left_over(witness: Witness) -> list[str]:
    """What an ended job must not leave behind."""
    prefixes = ("outbox/", "state/open/", "state/active/", "archive/waiting/")
    return [path for path in witness.world.lake.files if path.startswith(prefixes)]


def look(witness: Witness) -> Iterator[str]:
    """Everything that is wrong."""
    world = witness.world
    yield from world.failures
    yield from witness.beside_each_other()
    yield from (f"{path} is left for ever" for path in left_over(witness))
    documents = {
        name: document
        for path, file in world.lake.files.items()
        if path.startswith("sent/")
        for name, document in archived(file.content)
    }
    events: dict[str, list[Event]] = defaultdict(list)
    for event in world.hub:
        events[event.correlation_id].append(event)
    yield from (f"messages of a job that there is not: {job}" for job in events.keys() - witness.jobs.keys())
    attempts = [(run.job_id, run.attempt) for run in world.cluster.runs.values()]
    yield from (f"two runs of {job}" for job in set(attempts) if attempts.count(job) > 1)
    for job_id, seen in witness.jobs.items():
        try:
            received = [read(event, documents) for event in events[job_id]]
        except (Wrong, KeyError, ValueError) as error:
            yield f"job {job_id}: an event cannot be read: {type(error).__name__} {error}"
            continue
        for text in _job(witness, seen, received):
            yield f"job {job_id} ({seen.record['status']}): {text}"
        if seen.record["status"] == "Completed":
            sent = {
                n
                for p, f in world.lake.files.items()
                if p.startswith(f"sent/{job_id}/")
                for n, _ in archived(f.content)
            }
            if sent != {message.message_id for message in received}:
                yield f"job {job_id}: sent/ holds other messages than the hub"
            if sent != {row["message_id"] for row in world.index.rows if row["job_id"] == job_id}:
                yield f"job {job_id}: the index has other messages than sent/"


def _job(witness: Witness, seen: Seen, received: list[Received]) -> Iterator[str]:
    record = seen.record
    if record["status"] not in ENDED:
        yield f"has not ended: attempt {record['attempt']}, {record['history'][-1]['cause']}"
    frozen = record["frozen"]
    if frozen is None:
        if received:
            yield f"{len(received)} messages, though nothing was to be sent"
        if record["status"] == "Completed" and seen.actual:
            yield "is Completed and was never split"
        return
    if not seen.actual:
        yield "a simulation was split"
    yield from _predecessors(witness, seen)
    wanted = expected(_job_of(witness, record))
    yield from compare(wanted, received, str(frozen["version"]), whole=record["status"] == "Completed")
    files = witness.world.lake.files
    lines = sum(rejected_lines(f.content) for p, f in files.items() if p.startswith(f"rejected/{record['job_id']}/"))
    yield from counts(record, wanted.total(), lines)


def counts(record: dict[str, Any], wanted: int, rejected: int) -> Iterator[str]:
    """What is wrong with the counts on a completed job's record; `rejected`: lines under rejected/."""
    if record["status"] == "Completed":
        told = {name: record[name] for name in ("messages", "sent", "rejected")}
        if told != {"messages": wanted, "sent": wanted, "rejected": rejected}:
            yield f"counts {told}, not {wanted} messages and {rejected} rejected"


def compare(wanted: Counter[Message], received: list[Received], version: str, *, whole: bool) -> Iterator[str]:
    """What is wrong with the messages of a job; `whole`: none may lack."""
    by_id: dict[str, Received] = {}
    for one in received:
        if one.version != version:
            yield f"version {one.version} instead of {version}"
        if by_id.setdefault(one.message_id, one).content != one.content:
            yield f"message {one.message_id} has two contents"
    got = Counter(one.message for one in by_id.values())
    yield from (f"a wrong message: {message}" for message in got - wanted)
    if whole:
        yield from (f"a lost message: {message}" for message in wanted - got)
    if len({one.series_id for one in by_id.values()} | by_id.keys()) < 2 * len(by_id):
        yield "two documents or series share an id"


def _tables(witness: Witness, job_id: str, attempt: int) -> Tables:
    tables = witness.world.tables.tables
    return {table: rows[job_id, attempt] for table, rows in tables.items() if (job_id, attempt) in rows}


def _job_of(witness: Witness, record: dict[str, Any]) -> Job:
    frozen = record["frozen"]
    return Job(
        process=record["arguments"]["process-type"],
        tables=_tables(witness, record["job_id"], record["attempt"]),
        now=datetime.fromisoformat(frozen["split_at"]),
        inputs=witness.world.tables.inputs,
        esett=ESETT,
        period_end=datetime.fromisoformat(record["arguments"]["period-end"]),
        predecessors={
            area: _tables(witness, before["job_id"], before["attempt"])
            for area, before in frozen["predecessors"].items()
        },
    )


def _predecessors(witness: Witness, seen: Seen) -> Iterator[str]:
    """The completed actual job with the highest lower version; of those that ended while it was frozen, any."""
    record = seen.record
    version, arguments = record["frozen"]["version"], record["arguments"]
    for area in arguments["grid-areas"].split(","):
        equal = {
            job_id: other
            for job_id, other in witness.jobs.items()
            if other is not seen
            and other.actual
            and other.record["frozen"]
            and other.record["frozen"]["version"] < version
            and area in other.record["arguments"]["grid-areas"].split(",")
            and all(other.record["arguments"][name] == arguments[name] for name in SAME)
        }
        sure = [o for o in equal.values() if 0 < o.completed < seen.calculated and o.record["status"] == "Completed"]
        least = max((other.record["frozen"]["version"] for other in sure), default=0)
        named = record["frozen"]["predecessors"].get(area)
        if named is None:
            if least:
                yield f"has no predecessor in {area}, though version {least} was completed"
        elif named["job_id"] not in equal or not equal[named["job_id"]].completed:
            yield f"its predecessor in {area} is none: {named}"
        elif equal[named["job_id"]].record["frozen"]["version"] < least:
            yield f"its predecessor in {area} is not the newest: {named}, there was version {least}"
    versions = [o.record["frozen"]["version"] for o in witness.jobs.values() if o.record["frozen"]]
    if versions.count(version) > 1:
        yield f"version {version} was given out twice"
