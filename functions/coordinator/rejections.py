"""What of a job lies under rejected/: the truth about the counts on its record (coordinator 2 and 6)."""

from typing import NamedTuple

from functions.ports import Lake
from shared import lake_layout

AT_DISPATCH = ".dispatch.jsonl.gz"


class Rejections(NamedTuple):
    """How many lines there are, and how many of them are messages that dispatch could not send."""

    all: int
    at_dispatch: int


def count_rejections(job_id: str, lake: Lake) -> Rejections:
    """Count them anew: whoever counts, and however often, finds the same."""
    # Imported where it is used: packing would be a part of the app's start.
    from functions.messages.batch import read_rejected

    lines = {
        file.path: sum(1 for _ in read_rejected(lake.read(file.path)[0]))
        for file in lake.list(f"{lake_layout.REJECTED}/{job_id}")
    }
    return Rejections(sum(lines.values()), sum(count for path, count in lines.items() if path.endswith(AT_DISPATCH)))
