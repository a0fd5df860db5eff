"""HTTP functions, one per path and set of methods.

Every route declares all methods, since the host answers an undeclared one with 404 instead of 405 (coordinator 3).
"""

import azure.functions as func

from functions import observability, wiring
from functions.web.answer import UNKNOWN, answer
from functions.web.http import Request

blueprint = func.Blueprint()  # type: ignore[no-untyped-call] # the library has no types here
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
ALL_BUT_DELETE = [method for method in METHODS if method != "DELETE"]


def respond(request: func.HttpRequest, path: str) -> func.HttpResponse:
    """Hand a request over and the answer back."""
    app = wiring.app
    observability.configure(app.settings["TELEMETRY_FILE"])
    headers = {name.lower(): value for name, value in request.headers.items()}
    asked = Request(request.method or "GET", request.url, headers, dict(request.route_params), request.get_body())
    given = answer(asked, path, app)
    return func.HttpResponse(
        given.body, status_code=given.status, headers=dict(given.headers), mimetype=given.media_type, charset="utf-8"
    )


@blueprint.function_name("KickStartJob")
@blueprint.route("KickStartJob", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def kick_start_job(req: func.HttpRequest) -> func.HttpResponse:
    """Start a job."""
    return respond(req, "KickStartJob")


@blueprint.function_name("ListJobs")
@blueprint.route("jobs", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def list_jobs(req: func.HttpRequest) -> func.HttpResponse:
    """The jobs, newest first."""
    return respond(req, "jobs")


@blueprint.function_name("GetJob")
@blueprint.route("jobs/{jobId}", methods=ALL_BUT_DELETE, auth_level=func.AuthLevel.ANONYMOUS)
def get_job(req: func.HttpRequest) -> func.HttpResponse:
    """One job."""
    return respond(req, "jobs/{jobId}")


@blueprint.function_name("CancelJob")
@blueprint.route("jobs/{jobId}", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
def cancel_job(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel a job."""
    return respond(req, "jobs/{jobId}")


@blueprint.function_name("RetryJob")
@blueprint.route("jobs/{jobId}/retry", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def retry_job(req: func.HttpRequest) -> func.HttpResponse:
    """Try a job again."""
    return respond(req, "jobs/{jobId}/retry")


@blueprint.function_name("PromoteJob")
@blueprint.route("jobs/{jobId}/promote", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def promote_job(req: func.HttpRequest) -> func.HttpResponse:
    """Make a simulation an actual job."""
    return respond(req, "jobs/{jobId}/promote")


@blueprint.function_name("ListResults")
@blueprint.route("jobs/{jobId}/results", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def list_results(req: func.HttpRequest) -> func.HttpResponse:
    """Which result tables a job has."""
    return respond(req, "jobs/{jobId}/results")


@blueprint.function_name("GetResults")
@blueprint.route("jobs/{jobId}/results/{table}", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def get_results(req: func.HttpRequest) -> func.HttpResponse:
    """A page of rows of one result table."""
    return respond(req, "jobs/{jobId}/results/{table}")


@blueprint.function_name("GetMessages")
@blueprint.route("jobs/{jobId}/messages", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def get_messages(req: func.HttpRequest) -> func.HttpResponse:
    """Who was sent what of a job, and when."""
    return respond(req, "jobs/{jobId}/messages")


@blueprint.function_name("GetMessage")
@blueprint.route("messages/{messageId}", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def get_message(req: func.HttpRequest) -> func.HttpResponse:
    """One document."""
    return respond(req, "messages/{messageId}")


@blueprint.function_name("HealthLive")
@blueprint.route("health/live", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def health_live(req: func.HttpRequest) -> func.HttpResponse:
    """The app answers."""
    return respond(req, "health/live")


@blueprint.function_name("HealthReady")
@blueprint.route("health/ready", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def health_ready(req: func.HttpRequest) -> func.HttpResponse:
    """What the app needs can be reached."""
    return respond(req, "health/ready")


@blueprint.function_name("OpenApi")
@blueprint.route("openapi.json", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def open_api(req: func.HttpRequest) -> func.HttpResponse:
    """The description of the interface."""
    return respond(req, "openapi.json")


# Azure's host tries the more literal route first; last by order and by name as well, this one shadows no other.
@blueprint.function_name("UnknownPath")
@blueprint.route("{*path}", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def unknown_path(req: func.HttpRequest) -> func.HttpResponse:
    """Whatever no other route takes."""
    return respond(req, UNKNOWN)
