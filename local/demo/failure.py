"""What a demo fails with."""


class DemoFailed(Exception):
    """One part of the demo did not hold: which one, why, and where its log is."""

    def __init__(self, part: str, reason: str, log: str) -> None:
        self.part = part
        self.log = log
        super().__init__(reason)
