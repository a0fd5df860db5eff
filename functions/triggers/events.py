"""Blob events of the lake: a manifest is there, a batch waits in the outbox. The content is read by the use cases."""

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
