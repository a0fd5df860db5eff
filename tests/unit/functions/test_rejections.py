"""What can never be sent is counted on the job, as it lies under rejected/ (coordinator 2, 3 and 6)."""

import json
from dataclasses import asdict
from datetime import datetime

from functions.coordinator.dispatch import dispatch_batch
from functions.coordinator.dispatching import Dispatching
from functions.coordinator.receive_result import SplitOutcome
from functions.coordinator.record import JobRecord, JobState
from functions.messages.batch import batch_name, pack, pack_rejected, read_batch, read_rejected
from tests.support.app import World
from tests.support.messages import split_in_memory
from tests.support.results import JOB, energy_rows, market, splitting


class BlankRecipient(World):
    """Splitting makes one message that goes, one whose recipient is blank, and rejects one series."""

    def new_host(self, **environment: str):
        app = super().new_host(**environment)
        return app.replace(dispatching=Dispatching(self.really_dispatch))

    def split(self, record: JobRecord, until: datetime) -> SplitOutcome:
        name, content = batch()
        self.lake.create(f"outbox/{record.job_id}/{name}.jsonl.gz", content)
        rejected = pack_rejected([{"jobId": record.job_id, "reason": "its quality is unknown"}])
        self.lake.create(f"rejected/{record.job_id}/800-rejected-1.split.jsonl.gz", rejected)
        return SplitOutcome(batches=[name], messages=2, rejected=1, without_receiver=0)

    def really_dispatch(self, path: str, until: datetime):
        return dispatch_batch(
            path,
            lake=self.lake,
            post_office=self.post_office,
            public_base_url=None,
            clock=self.clock,
            deadline=until,
        )

    def lines_rejected(self, job_id: str) -> int:
        files = self.lake.list(f"rejected/{job_id}")
        return sum(1 for file in files for _ in read_rejected(self.lake.read(file.path)[0]))


def batch() -> tuple[str, bytes]:
    results = market()
    results.add("energy", [*energy_rows("a", ["1.000"]), *energy_rows("b", ["2.000"], kind="flex_consumption")])
    lake = split_in_memory(splitting(), results).lake
    path = next(file.path for file in lake.list(f"outbox/{JOB}"))
    lines = read_batch(path.rpartition("/")[2].removesuffix(".jsonl.gz"), lake.read(path)[0]) or []
    fields = [asdict(line.message) for line in lines[:2]]
    fields[0]["recipient"] = " "
    heads = [json.dumps(one, separators=(",", ":"))[:-1].encode() + b',"content":' for one in fields]
    content = b"".join(head + line.content + b"}\n" for head, line in zip(heads, lines, strict=False))
    return batch_name("800", 1, heads), pack(content)


def counts(world: World, job_id: str) -> dict[str, int]:
    return dict(json.loads(world.call("GET", f"jobs/{job_id}").body)["messages"])


def test_what_dispatch_rejects_is_counted_with_what_splitting_rejected() -> None:
    world = BlankRecipient()
    job_id = world.start(gridAreas=["800"])
    world.finish_run(job_id)
    world.tick()
    assert counts(world, job_id) == {"made": 2, "rejected": 1, "withoutReceiver": 0}
    world.tick()
    assert world.record(job_id).status is JobState.COMPLETED
    assert counts(world, job_id) == {"made": 2, "sent": 1, "rejected": 2, "withoutReceiver": 0}
    assert world.lines_rejected(job_id) == 2
    assert len(world.post_office.sent) == 1


def test_a_batch_that_is_dispatched_before_splitting_has_ended_is_counted_too() -> None:
    world = BlankRecipient()
    job_id = world.start(gridAreas=["800"])
    split = world.split

    def split_and_dispatch(record: JobRecord, until: datetime) -> SplitOutcome:
        outcome = split(record, until)
        world.app.batch_appeared(f"aggregations/outbox/{job_id}/{outcome.batches[0]}.jsonl.gz")
        return outcome

    world.split = split_and_dispatch
    world.new_host()
    world.finish_run(job_id)
    world.app.manifest_appeared(f"aggregations/completed/{job_id}.1.json")
    assert counts(world, job_id) == {"made": 2, "sent": 1, "rejected": 2, "withoutReceiver": 0}
    assert world.lines_rejected(job_id) == 2


def test_a_rejection_shows_while_other_batches_still_wait() -> None:
    world = BlankRecipient()
    job_id = world.start(gridAreas=["800"])
    world.finish_run(job_id)
    world.app.manifest_appeared(f"aggregations/completed/{job_id}.1.json")
    path = next(file.path for file in world.lake.list("outbox"))
    world.lake.create(f"outbox/{job_id}/801-00001-0.jsonl.gz", b"")
    world.app.batch_appeared(f"aggregations/{path}")
    assert world.record(job_id).status is JobState.DISPATCHING
    assert counts(world, job_id) == {"made": 2, "rejected": 2, "withoutReceiver": 0}
