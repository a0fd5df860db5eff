"""Tasks as threads of which one moves at a time: who is next, the seed decides, so that every interleaving repeats."""

import threading
from collections.abc import Callable
from random import Random


class Task:
    """One function that runs on a host."""

    def __init__(self, baton: "Baton", owner: object, name: str, body: Callable[[], None]) -> None:
        self.baton, self.owner, self.name, self.body = baton, owner, name, body
        self.go = threading.Semaphore(0)
        self.ended = False
        self.sleeping_until: object = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self.go.acquire()
        self.baton.here.task = self
        try:
            self.body()
        finally:
            self.ended = True
            self.baton.back.release()


class Baton:
    """Starts tasks and lets one of them go on to its next call of a port."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.tasks: list[Task] = []
        self.back = threading.Semaphore(0)
        self.here = threading.local()

    def start(self, owner: object, name: str, body: Callable[[], None]) -> None:
        """Begin a task; it moves when it is drawn. The body lets nothing escape."""
        self.tasks.append(Task(self, owner, name, body))

    def current(self) -> Task | None:
        """The task of this thread; none in threads that a task started by itself."""
        return getattr(self.here, "task", None)

    def wait(self) -> None:
        """In a task: let others go on, and come back when drawn again."""
        task = self.current()
        assert task is not None
        self.back.release()
        task.go.acquire()

    def step(self) -> None:
        """Let a task that the seed draws go on to its next call of a port, or to its end."""
        self.resume(self.random.choice(self.tasks))

    def resume(self, task: Task) -> None:
        """Let one task go on."""
        task.go.release()
        self.back.acquire()
        if task.ended:
            task.thread.join()
            self.tasks.remove(task)


class TurnLock:
    """A lock that is held across calls of ports: who waits lets others go on, where a real one would stop all."""

    def __init__(self, baton: Baton) -> None:
        self.baton, self.held = baton, False

    def acquire(self, blocking: bool = True) -> bool:
        while self.held and blocking:
            self.baton.wait()
        taken, self.held = not self.held, True
        return taken

    def release(self) -> None:
        self.held = False

    def locked(self) -> bool:
        return self.held

    def __enter__(self) -> "TurnLock":
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
