"""The messages that the worker library and its host exchange, without gRPC.

The library builds its answers with a `protos` module that the host injects: any class with keyword construction will
do. Unknown attributes raise AttributeError, which the library relies on (it probes `typed_data.TypedData`).
"""

from types import SimpleNamespace


class Message(SimpleNamespace):
    """A message with whatever fields it was made with."""


class TypedData(Message):
    """One value, under the name of its kind: string, bytes, json, http, int, double."""

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - the name that protobuf gives it
        """The name of the one field that is set."""
        assert group == "data", group  # noqa: S101 - the only group there is
        return next(iter(vars(self)), None)


class ParameterBinding(Message):
    """A named value: `name` and `data`."""

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - the name that protobuf gives it
        """Values always travel as data, never by shared memory."""
        assert group == "rpc_data", group  # noqa: S101 - the only group there is
        return "data"


class BindingInfo(Message):
    """Type, direction and data type of a binding; the numbers are those of azure-functions."""

    IN, out, inout = 0, 1, 2
    undefined = None


class StatusResult(Message):
    """How a request to the worker ended."""

    Failure, Success = 0, 1


class RpcHttpCookie(Message):
    """A cookie of an HTTP answer."""

    SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})


class RpcHttp(Message):
    """An HTTP request or answer."""


class RpcException(Message):
    """An error that a function or the indexing raised: message and stack trace."""


class RpcFunctionMetadata(Message):
    """One function: name, id, raw bindings."""


class RpcRetryOptions(Message):
    """The retry policy of a function."""


class WorkerMetadata(Message):
    """What the worker says of itself."""


class WorkerInitResponse(Message):
    """Answer to the first request: was the app indexed?"""


class FunctionMetadataResponse(Message):
    """All functions of the app."""


class FunctionLoadResponse(Message):
    """Whether one function was loaded."""


class InvocationResponse(Message):
    """What an invocation gave."""


class NullableString(Message):
    """A string that may be absent."""


class NullableBool(Message):
    """A truth value that may be absent."""


class NullableDouble(Message):
    """A number that may be absent."""


class NullableTimestamp(Message):
    """An instant that may be absent."""
