"""`python -m local demo`: a month of three grid areas, from the HTTP call to the messages in the post office."""

import sys

from rich.console import Console

from local.demo.failure import DemoFailed
from local.demo.job import follow, kick_start
from local.demo.post_office import read_messages
from local.demo.report import energy_balance, show_document, show_messages, show_results, show_states, where_to_look
from local.processes import NotStarted
from local.stack import Stack, chosen_folder

WIDTH = 120
"""Columns of what is no terminal."""


def demo(folder: str | None = None) -> int:
    """Run the demo on the stack of a folder; one that it had to start, it ends. 0 only if all of it held."""
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)
    stack = Stack(chosen_folder(folder))
    was_running = all(stack.status().values())
    try:
        with console.status("Starting the stack: lake, jobs, event hub, issuer, function app"):
            stack.up()
        _run(stack, console)
    except NotStarted as error:
        return _failed(console, DemoFailed("starting the stack", str(error), str(stack.folder / "logs")))
    except DemoFailed as failure:
        return _failed(console, failure)
    except KeyboardInterrupt:
        return 130
    finally:
        if not was_running:
            stack.down()
    return 0


def _run(stack: Stack, console: Console) -> None:
    addresses = stack.addresses
    console.print(f"[bold]The stack answers[/] at {addresses['functions']}, its state is in {stack.folder}")
    job_id = kick_start(addresses["functions"], stack, console)
    job = follow(addresses["functions"], job_id, stack, console)
    show_states(job, console)
    show_results(job, console)
    energy_balance(job, addresses["lake"]["folder"], console)
    with console.status("Reading the messages back from the Event Hub"):
        messages = read_messages(addresses["eventHub"], job, stack)
    show_messages(messages, console)
    show_document(messages, console)
    where_to_look(job, stack, console)


def _failed(console: Console, failure: DemoFailed) -> int:
    console.print(f"\n[bold red]The demo failed at {failure.part}[/]\n{failure}\nMore in: {failure.log}", markup=True)
    sys.stdout.flush()
    return 1
