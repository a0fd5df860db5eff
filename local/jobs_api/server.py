"""The Jobs API's routes and its error forms."""

import html
import json
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from local.faults import ROUTE, Faults, add_fault_routes, breaking
from local.jobs_api.answers import Refused, answers_as_databricks, body_of, number, operation_names, refusal
from local.jobs_api.run import TASK, Run, shown
from local.jobs_api.runner import Runner

logger = logging.getLogger(__name__)
JOB_ID = 1
JOB_NAME = "settlement"
LONGEST_TOKEN = 64
LARGEST_PAGE = 25


def jobs_app(
    state: Path,
    command: Sequence[str],
    *,
    at_once: int = 2,
    with_faults: bool = False,
    job_name: str = JOB_NAME,
) -> web.Application:
    """The API for one job.

    Args:
        state: where runs and their output are kept.
        command: the console script that every run is, with leading arguments.
        at_once: how many runs work at the same time; the others wait in a queue.
        with_faults: whether the route /_faults is there.
        job_name: the name that `jobs/list` finds it by.
    """
    faults = Faults()
    api = JobsApi(job_name, at_once)

    async def run_runs(_: web.Application) -> AsyncIterator[None]:
        api.runner = Runner(state.absolute(), command, at_once, faults)
        await api.runner.start()
        yield
        await api.runner.stop()

    middlewares: list[Middleware] = [answers_as_databricks]
    if with_faults:
        middlewares.append(breaking(faults, operation_names, refusal))
    app = web.Application(middlewares=middlewares)
    app.cleanup_ctx.append(run_runs)
    if with_faults:
        add_fault_routes(app, faults)
        app.router.add_post(f"{ROUTE}/runs/{{run_id}}", api.strike)
    app.add_routes(api.routes())
    return app


class JobsApi:
    """What the routes do."""

    runner: Runner

    def __init__(self, job_name: str, at_once: int) -> None:
        self._settings = {
            "name": job_name,
            "max_concurrent_runs": at_once,
            "queue": {"enabled": True},
            "format": "MULTI_TASK",
            "tasks": [
                {"task_key": TASK, "python_wheel_task": {"package_name": "aggregations", "entry_point": TASK}},
            ],
        }
        self._job_name = job_name

    def routes(self) -> list[web.RouteDef]:
        """Every route of the API, in the versions that clients may ask for."""
        calls = [
            web.get("list", self.list_jobs),
            web.get("get", self.get_job),
            web.post("run-now", self.run_now),
            web.get("runs/get", self.get_run),
            web.get("runs/list", self.list_runs),
            web.get("runs/get-output", self.output),
            web.post("runs/cancel", self.cancel),
            web.post("runs/delete", self.delete),
        ]
        prefix = "/api/{version:2\\.[012]}/jobs/"
        return [
            *(web.RouteDef(call.method, prefix + call.path, call.handler, {}) for call in calls),
            web.get("/.well-known/databricks-config", _host_config),
            web.get("/_health", _healthy),
            web.get("/runs/{run_id}", self.page),
        ]

    async def list_jobs(self, request: web.Request) -> web.Response:
        """The one job, if the name asked for is its name."""
        wanted = request.query.get("name", self._job_name)
        jobs = [self._job()] if wanted.lower() == self._job_name.lower() else []
        return web.json_response({"jobs": jobs, "has_more": False} if jobs else {"has_more": False})

    async def get_job(self, request: web.Request) -> web.Response:
        """The job's settings."""
        self._check_job(number(request.query.get("job_id"), "job_id"))
        return web.json_response(self._job())

    async def run_now(self, request: web.Request) -> web.Response:
        """A new run, or the one that this idempotency token started."""
        body = await body_of(request)
        self._check_job(number(body.get("job_id"), "job_id"))
        token, parameters = body.get("idempotency_token") or "", body.get("job_parameters") or {}
        if len(token) > LONGEST_TOKEN:
            raise Refused(f"idempotency_token must have at most {LONGEST_TOKEN} characters")
        if not isinstance(parameters, dict) or not all(isinstance(value, str) for value in parameters.values()):
            raise Refused("job_parameters must be an object of texts", "MALFORMED_REQUEST")
        try:
            run = self.runner.submit(parameters, token)
        except KeyError as error:
            raise Refused(f"The run of idempotency token {token} was deleted.") from error
        return web.json_response({"run_id": run.run_id, "number_in_job": run.run_id})

    async def get_run(self, request: web.Request) -> web.Response:
        """One run."""
        return web.json_response(self._shown(request, self._run(request.query.get("run_id"))))

    async def list_runs(self, request: web.Request) -> web.Response:
        """Runs, newest first, in pages."""
        query = request.query
        size = min(int(query.get("limit", 20)), LARGEST_PAGE) or LARGEST_PAGE
        before = int(query["page_token"]) if query.get("page_token") else None
        chosen = [
            run
            for run in reversed(self.runner.runs.values())
            if not run.forgotten
            and (before is None or run.run_id < before)
            and (query.get("active_only") != "true" or run.active)
            and (query.get("completed_only") != "true" or not run.active)
            and run.submitted >= int(query.get("start_time_from", 0))
            and run.submitted <= int(query.get("start_time_to", run.submitted))
        ]
        page, more = chosen[:size], len(chosen) > size
        answer: dict[str, Any] = {"runs": [self._shown(request, run) for run in page], "has_more": more}
        if query.get("expand_tasks") != "true":
            for run in answer["runs"]:
                del run["tasks"], run["job_parameters"]
        return web.json_response(answer | ({"next_page_token": str(page[-1].run_id)} if more else {}))

    async def output(self, request: web.Request) -> web.Response:
        """What a task's run wrote, and the error that it ended with."""
        asked = number(request.query.get("run_id"), "run_id")
        run = self._run(asked)
        if asked != run.task_run_id:
            raise Refused("Retrieving the output of runs with multiple tasks is not supported: ask for a task's run.")
        answer: dict[str, Any] = {"metadata": self._shown(request, run), "logs": run.log("stdout") + run.log("stderr")}
        if not run.active and run.result not in ("SUCCESS", "CANCELED"):
            answer |= {"error": run.error(), "error_trace": run.log("stderr")}
        return web.json_response(answer)

    async def cancel(self, request: web.Request) -> web.Response:
        """Ask for the end of a run."""
        self.runner.cancel(self._run((await body_of(request)).get("run_id")))
        return web.json_response({})

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a run that has ended."""
        run = self._run((await body_of(request)).get("run_id"))
        if run.active:
            raise Refused(f"Run {run.run_id} has not ended: cancel it first.", "INVALID_STATE")
        self.runner.forget(run)
        return web.json_response({})

    async def strike(self, request: web.Request) -> web.Response:
        """A fault for one run: {"fault": "kill" or "forget"}."""
        run = self._run(request.match_info["run_id"])
        strike = {"kill": self.runner.kill, "forget": self.runner.forget}.get((await body_of(request)).get("fault", ""))
        if strike is None:
            raise Refused("fault must be kill or forget")
        strike(run)
        return web.json_response({})

    async def page(self, request: web.Request) -> web.Response:
        """What a person wants to see of a run."""
        run = self._run(request.match_info["run_id"])
        parts = {
            "parameters": json.dumps(run.parameters, indent=1),
            "stdout": run.log("stdout"),
            "stderr": run.log("stderr"),
        }
        told = "".join(f"<h2>{name}</h2><pre>{html.escape(text)}</pre>" for name, text in parts.items())
        again = '<meta http-equiv="refresh" content="2">' if run.active else ""
        title = f"Run {run.run_id}: {run.phase} {run.result}"
        text = f"<!doctype html><title>{title}</title>{again}<h1>{title}</h1><p>{html.escape(run.message)}</p>{told}"
        return web.Response(text=text, content_type="text/html")

    def _job(self) -> dict[str, Any]:
        return {"job_id": JOB_ID, "creator_user_name": "local", "created_time": 0, "settings": self._settings}

    def _check_job(self, job_id: int) -> None:
        if job_id != JOB_ID:
            raise Refused(f"Job {job_id} does not exist.")

    def _run(self, given: Any) -> Run:
        run_id = number(given, "run_id")
        run = self.runner.find(run_id)
        if run is None:
            raise Refused(f"Run {run_id} does not exist.")
        return run

    def _shown(self, request: web.Request, run: Run) -> dict[str, Any]:
        return shown(run, f"{request.scheme}://{request.host}", JOB_ID, self._job_name)


async def _host_config(_: web.Request) -> web.Response:
    return web.json_response({"workspace_id": "1", "cloud": "Azure"})


async def _healthy(_: web.Request) -> web.Response:
    return web.json_response({"status": "healthy"})
