"""HTTP calls as the worker gets them from Azure's host, and its answers as HTTP."""

from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, unquote

from aiohttp import web
from multidict import CIMultiDict

from local.functions_host import invocations
from local.functions_host.protos import RpcHttp, TypedData
from local.functions_host.routes import Routes

LARGEST_BODY = 100 * 1024 * 1024
"""Azure's limit; the app's own are smaller."""
_OF_THE_CONNECTION = ("content-length", "transfer-encoding", "connection")


async def answer(request: web.Request, routes: Routes) -> web.Response:
    """Run the function of a route; 404 without a body when none takes this path with this method."""
    path, _, query = request.raw_path.partition("?")
    found = routes.find(request.method, path)
    if found is None:
        return web.Response(status=404)
    function, parameters = found
    call = RpcHttp(
        method=request.method,
        url=f"{request.scheme}://{request.host}{unquote(path)}{'?' + query if query else ''}",
        headers=_joined([(name.lower(), value) for name, value in request.headers.items()]),
        params=parameters,
        query={name: value for name, value in _joined(parse_qsl(query, keep_blank_values=True)).items() if value},
        body=TypedData(bytes=await request.read()),
    )
    trace_parent = request.headers.get("traceparent")
    outcome = await invocations.run(function, TypedData(http=call), trace_parent=trace_parent)
    return web.Response(status=500) if outcome.error is not None else _response(outcome.value)


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Repeated names with their values joined by commas, as the host hands them over."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _response(value: Any) -> web.Response:
    kind = value.WhichOneof("data") if value is not None else None
    if kind is None:
        return web.Response(status=204)
    if kind != "http":
        content = getattr(value, kind)
        return web.Response(body=content if isinstance(content, bytes) else str(content).encode())
    http = value.http
    headers = CIMultiDict((name, text) for name, text in http.headers.items() if name.lower() not in _OF_THE_CONNECTION)
    for cookie in http.cookies or ():
        headers.add("Set-Cookie", SimpleCookie({cookie.name: cookie.value}).output(header="").strip())
    return web.Response(status=int(http.status_code), headers=headers, body=http.body.bytes)
