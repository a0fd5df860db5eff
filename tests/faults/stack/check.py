"""Looks at the end of a batch from outside: the hub, the files of the lake, the runs of the jobs API."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.faults.expected import Job, expected
from tests.faults.market import ESETT, Tables, input_rows
from tests.faults.received import Event, Wrong, archived, read, rejected_lines
from tests.faults.simulation.verdict import compare, counts
from tests.faults.stack.caller import ENDED, Caller
from tests.faults.stack.ground import Ground
from tests.faults.stack.plans import WITH_MANIFEST, SeedPlan

LEFT = ("outbox", "state/open", "state/active")


def left_over(ground: Ground) -> list[str]:
    """What an ended job must not leave behind."""
    lake = ground.layout.lake_folder
    return [str(path.relative_to(lake)) for name in LEFT for path in lake.glob(f"{name}/**/*") if path.is_file()]


class Check:
    """What became of the jobs of a batch."""

    def __init__(self, ground: Ground, callers: list[Caller]) -> None:
        self.ground, self.callers = ground, callers
        self.records = {record["job_id"]: record for record in ground.records()}
        self.turns = self._turns()
        self.documents = {
            name: document
            for path in ground.layout.lake_folder.glob("sent/*/*.gz")
            for name, document in archived(path.read_bytes())
        }
        self.events: dict[str, list[Event]] = defaultdict(list)
        for one in ground.events():
            event = Event(
                str(one.message_id), str(one.partition_key), one.body, str(one.correlation_id), one.properties
            )
            self.events[event.correlation_id].append(event)
        self.runs = ground.runs()

    def _turns(self) -> dict[tuple[str, int], tuple[SeedPlan, int]]:
        """Which turn of which plan each attempt had."""
        found = {}
        for caller in self.callers:
            for path in self.ground.plans.glob(f"{caller.plan.name}.*"):
                number = path.name.rpartition(".")[2]
                if number.isdecimal():
                    job_id, _, attempt = path.read_text().rpartition(".")
                    found[job_id, int(attempt)] = (caller.plan, int(number) % len(caller.plan.ends))
        return found

    def batch(self) -> Iterator[str]:
        """What is wrong with the batch as a whole."""
        yield from (f"{path} is left for ever" for path in left_over(self.ground))
        yield from (f"messages of a job that there is not: {job}" for job in self.events.keys() - self.records.keys())
        attempts = Counter((run["parameters"]["job-id"], run["parameters"]["attempt"]) for run in self.runs)
        yield from (f"{count} runs of {attempt}" for attempt, count in attempts.items() if count > 1)
        versions = Counter(record["frozen"]["version"] for record in self.records.values() if record["frozen"])
        yield from (
            f"version {version} was given out {count} times" for version, count in versions.items() if count > 1
        )

    def seed(self, caller: Caller) -> Iterator[str]:
        """What is wrong with one seed."""
        yield from caller.wrong
        yield from (f"job {job_id} is not there any more" for job_id in set(caller.jobs) - self.records.keys())
        for job_id, record in self.records.items():
            if self._plan_of(record) is not caller.plan:
                continue
            try:
                yield from (f"job {job_id} ({record['status']}): {text}" for text in self._job(caller, record))
            except (Wrong, KeyError, ValueError) as error:
                yield f"job {job_id}: an event cannot be read: {type(error).__name__} {error}"

    def _plan_of(self, record: dict[str, Any]) -> SeedPlan | None:
        begin = datetime.fromisoformat(record["arguments"]["period-start"])
        process = record["arguments"]["process-type"]
        for caller in self.callers:
            body = caller.plan.body
            if (datetime.fromisoformat(body["beginTime"]), body["processType"]) == (begin, process):
                return caller.plan
        return None

    def _job(self, caller: Caller, record: dict[str, Any]) -> Iterator[str]:
        yield from self._true_end(caller, record)
        received = [read(event, self.documents) for event in self.events[record["job_id"]]]
        frozen = record["frozen"]
        actual = record["arguments"]["simulation"] != "true" or record["promoted"]
        if frozen is None or not actual:
            if received:
                yield f"{len(received)} messages, though nothing was to be sent"
            if record["status"] == "Completed" and actual:
                yield "is Completed and was never split"
            return
        before = caller.followed.get(record["job_id"])
        named = {one["job_id"] for one in frozen["predecessors"].values()}
        if before and named != {before}:
            yield f"its predecessor is {before}, not {named}"
        wanted = expected(self._expected(record))
        yield from compare(wanted, received, str(frozen["version"]), whole=record["status"] == "Completed")
        files = self.ground.layout.lake_folder.glob(f"rejected/{record['job_id']}/*")
        yield from counts(record, wanted.total(), sum(rejected_lines(path.read_bytes()) for path in files))

    def _expected(self, record: dict[str, Any]) -> Job:
        frozen = record["frozen"]
        return Job(
            process=record["arguments"]["process-type"],
            tables=self._tables(record["job_id"], record["attempt"]),
            now=datetime.fromisoformat(frozen["split_at"]),
            inputs=input_rows(),
            esett=ESETT,
            period_end=datetime.fromisoformat(record["arguments"]["period-end"]),
            predecessors={
                area: self._tables(one["job_id"], one["attempt"]) for area, one in frozen["predecessors"].items()
            },
        )

    def _tables(self, job_id: str, attempt: int) -> Tables:
        plan, number = self.turns[job_id, attempt]
        return plan.tables[number]

    def _true_end(self, caller: Caller, record: dict[str, Any]) -> Iterator[str]:
        status, attempt = record["status"], record["attempt"]
        plan, number = self.turns.get((record["job_id"], attempt), (None, 0))
        end = plan.ends[number] if plan else "never began"
        results = {
            run["result"]
            for run in self.runs
            if run["parameters"]["job-id"] == record["job_id"]
            and run["parameters"]["attempt"] == str(attempt)
            and not run["forgotten"]
        }
        if status not in ENDED:
            yield f"has not ended: {record['history'][-1]['cause']}"
        if status == "Completed" and end not in WITH_MANIFEST:
            yield f"is Completed, though its run {end}"
        if status == "Failed" and not record["error"]:
            yield "Failed without a reason"
        if status == "Failed" and end in WITH_MANIFEST and results == {"SUCCESS"}:
            yield f"Failed, but its run did not: {record['error']}"
        if status == "Cancelled" and record["job_id"] not in caller.cancelled and "CANCELED" not in results:
            yield f"is Cancelled though nobody cancelled it: {record['history'][-1]['cause']}"
