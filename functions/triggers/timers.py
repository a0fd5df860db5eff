"""Timers: watch and schedule every 15 s, sweep every minute (coordinator 4). Safe to run twice at once."""

import azure.functions as func

from functions import wiring

blueprint = func.Blueprint()  # type: ignore[no-untyped-call] # the library has no types here
EVERY_15_SECONDS = "*/15 * * * * *"
EVERY_MINUTE = "0 * * * * *"


@blueprint.function_name("WatchRuns")
@blueprint.timer_trigger(schedule=EVERY_15_SECONDS, arg_name="timer", use_monitor=False)
def watch_runs(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding names it
    """What Databricks says about the runs."""
    wiring.app.watch()


@blueprint.function_name("StartScheduledJobs")
@blueprint.timer_trigger(schedule=EVERY_15_SECONDS, arg_name="timer", use_monitor=False)
def start_scheduled_jobs(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding names it
    """Start what has come due."""
    wiring.app.start_due()


@blueprint.function_name("Sweep")
@blueprint.timer_trigger(schedule=EVERY_MINUTE, arg_name="timer", use_monitor=False)
def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding names it
    """Whatever an event was missed for."""
    wiring.app.sweep()
