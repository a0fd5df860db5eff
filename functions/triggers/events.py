"""Blob events of the lake: a manifest is there, a batch waits in the outbox. The content is read by the use cases.

Event Grid delivers to the blob triggers, or, behind private networking, to storage queues (EVENT_DELIVERY); the worker
is shown the one kind or the other (application.py).
"""

import json

import azure.functions as func

from functions import wiring

blueprint = func.Blueprint()  # type: ignore[no-untyped-call] # the library has no types here


@blueprint.function_name("ResultReceived")
@blueprint.blob_trigger(
    arg_name="blob", path="aggregations/completed/{name}", connection="LAKE", source=func.BlobSource.EVENT_GRID
)
def result_received(blob: func.InputStream) -> None:
    """A run has finished."""
    wiring.app.manifest_appeared(blob.name or "")


@blueprint.function_name("Dispatch")
@blueprint.blob_trigger(
    arg_name="blob", path="aggregations/outbox/{name}", connection="LAKE", source=func.BlobSource.EVENT_GRID
)
def dispatch(blob: func.InputStream) -> None:
    """A batch waits to be sent."""
    wiring.app.batch_appeared(blob.name or "")


@blueprint.function_name("ResultReceivedFromQueue")
@blueprint.queue_trigger(arg_name="message", queue_name="results-received", connection="LAKE")
def result_received_from_queue(message: func.QueueMessage) -> None:
    """A run has finished."""
    wiring.app.manifest_appeared(blob_of(message))


@blueprint.function_name("DispatchFromQueue")
@blueprint.queue_trigger(arg_name="message", queue_name="outbox-written", connection="LAKE")
def dispatch_from_queue(message: func.QueueMessage) -> None:
    """A batch waits to be sent."""
    wiring.app.batch_appeared(blob_of(message))


def blob_of(message: func.QueueMessage) -> str:
    """The path that an event of Event Grid speaks of; events and CloudEvents name it alike."""
    subject = str(json.loads(message.get_body())["subject"])
    return subject.partition("/containers/")[2].replace("/blobs/", "/", 1)
