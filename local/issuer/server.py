"""The issuer's public half: discovery document and signing keys, at the paths that Entra ID uses."""

from pathlib import Path

from aiohttp import web

from local.issuer.tokens import key_set, read_issuer

KEYS = "/discovery/v2.0/keys"


def issuer_app(state: Path) -> web.Application:
    """Serve the issuer of a state folder; a rotation of its keys shows at once."""

    async def discovery(request: web.Request) -> web.Response:
        issuer = read_issuer(state)["issuer"]
        address = f"{request.scheme}://{request.host}"
        return web.json_response(
            {
                "issuer": issuer,
                "jwks_uri": f"{address}{KEYS}",
                "response_types_supported": ["token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def keys(_: web.Request) -> web.Response:
        return web.json_response(key_set(state))

    async def healthy(_: web.Request) -> web.Response:
        return web.json_response({"status": "healthy"})

    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", discovery)
    app.router.add_get("/v2.0/.well-known/openid-configuration", discovery)
    app.router.add_get(KEYS, keys)
    app.router.add_get("/_health", healthy)
    return app
