"""Tokens, roles and whose rows an actor sees (coordinator 3)."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from functions.adapters import entra
from functions.adapters.entra import EntraTokens
from functions.ports import InvalidToken, Unavailable
from functions.triggers.application import SettlementApp
from tests.support.app import DAY, World

ISSUER, AUDIENCE = "https://issuer.example/v2.0", "api://settlement"
KEY = generate_private_key(65537, 2048)
OTHER_KEY = generate_private_key(65537, 2048)


class Issuer:
    """Serves signing keys; counts how often it is asked."""

    def __init__(self) -> None:
        self.keys = {"first": KEY}
        self.asked = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                body = json.dumps({"keys": [issuer.jwk(kid) for kid in issuer.keys]}).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def jwk(self, kid: str) -> dict[str, Any]:
        described: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self.keys[kid].public_key(), as_dict=True)
        return described | {"kid": kid, "use": "sig"}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    served = Issuer()
    yield served
    served.server.shutdown()
    served.server.server_close()


def token(key: RSAPrivateKey | str = KEY, kid: str = "first", algorithm: str = "RS256", **claims: Any) -> str:
    fitting = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600, "sub": "caller"}
    wanted = {name: value for name, value in (fitting | claims).items() if value is not None}
    return jwt.encode(wanted, key, algorithm=algorithm, headers={"kid": kid})


def test_a_good_token_gives_its_claims(issuer: Issuer) -> None:
    assert EntraTokens(ISSUER, AUDIENCE, issuer.url).verify(token(roles=["settlement.run"]))["sub"] == "caller"


@pytest.mark.parametrize(
    "forged",
    [
        token(OTHER_KEY),
        token(kid="unknown"),
        token(aud="api://other"),
        token(iss="https://other.example"),
        token(exp=int(time.time()) - 3600),
        token(exp=int(time.time()) - 1),
        token(exp=None),
        token(aud=None),
        token(nbf=int(time.time()) + 3600),
        token("a secret of some length that HS256 wants to have", algorithm="HS256"),
        jwt.encode({"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 600}, None, algorithm="none"),
        token()[:-8] + "AAAAAAAA",
        "nonsense",
        "a.b.c",
    ],
)
def test_forged_expired_and_foreign_tokens_are_refused(issuer: Issuer, forged: str) -> None:
    with pytest.raises(InvalidToken):
        EntraTokens(ISSUER, AUDIENCE, issuer.url).verify(forged)


def test_new_keys_are_fetched_but_unknown_ones_do_not_load_the_issuer(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = EntraTokens(ISSUER, AUDIENCE, issuer.url)
    tokens.verify(token())
    with pytest.raises(InvalidToken):
        tokens.verify(token(OTHER_KEY, "second"))
    issuer.keys["second"] = OTHER_KEY
    assert tokens.verify(token(OTHER_KEY, "second"))
    assert issuer.asked == 3
    for _ in range(20):
        with pytest.raises(InvalidToken):
            tokens.verify(token(OTHER_KEY, "third"))
    assert issuer.asked == entra.REFRESHES
    issuer.keys["third"] = OTHER_KEY
    monkeypatch.setattr(entra, "REFRESHES_WITHIN", -1.0)
    assert tokens.verify(token(OTHER_KEY, "third"))


def test_where_no_issuer_is_set_no_token_holds() -> None:
    with pytest.raises(InvalidToken, match="no issuer is set"):
        EntraTokens("", "", "").verify(token())


def test_an_issuer_that_cannot_be_reached_is_named() -> None:
    with pytest.raises(Unavailable, match="entra"):
        EntraTokens(ISSUER, AUDIENCE, "http://127.0.0.1:1/keys").verify(token())


@pytest.fixture
def world(issuer: Issuer) -> World:
    made = World()
    made.new_host(AUTH_ANONYMOUS="", ENTRA_ISSUER=ISSUER, ENTRA_AUDIENCE=AUDIENCE, ENTRA_JWKS_URL=issuer.url)
    return made


def bearer(**claims: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {token(**claims)}"}


def test_without_a_token_only_what_is_open_answers(world: World) -> None:
    for path in ("health/live", "openapi.json"):
        assert world.call("GET", path).status == 200
    for path in ("jobs", "health/ready", "KickStartJob"):
        answered = world.call("GET", path)
        assert (answered.status, answered.headers["WWW-Authenticate"]) == (401, "Bearer")
    for header in ("Basic abc", "Bearer", "Bearer x", token()):
        assert world.call("GET", "jobs", headers={"authorization": header}).status == 401


def test_reading_needs_read_and_starting_needs_run(world: World) -> None:
    start = {"body": DAY}
    for roles, reads, starts in (
        (["settlement.run"], 200, 202),
        (["settlement.read"], 200, 403),
        (["market.request"], 403, 403),
        ([], 403, 403),
        ("settlement.read", 200, 403),
        (None, 403, 403),
    ):
        assert world.call("GET", "jobs", headers=bearer(roles=roles)).status == reads
        assert world.call("POST", "KickStartJob", headers=bearer(roles=roles), **start).status == starts


def test_a_bad_token_is_refused_even_where_none_is_needed(issuer: Issuer) -> None:
    world = World()
    world.new_host(ENTRA_ISSUER=ISSUER, ENTRA_AUDIENCE=AUDIENCE, ENTRA_JWKS_URL=issuer.url)
    assert world.call("GET", "jobs").status == 200
    assert world.call("GET", "jobs", headers={"authorization": "Bearer x"}).status == 401


def test_what_is_open_to_all_stays_open_whatever_token_is_sent(world: World) -> None:
    for header in ("Basic abc", "Bearer", "Bearer x", f"Bearer {token(OTHER_KEY)}", f"Bearer {token(exp=1)}"):
        for path in ("health/live", "openapi.json"):
            assert world.call("GET", path, headers={"authorization": header}).status == 200


def test_the_names_of_the_claims_can_be_chosen(issuer: Issuer) -> None:
    world = World()
    entra_settings = {"ENTRA_ISSUER": ISSUER, "ENTRA_AUDIENCE": AUDIENCE, "ENTRA_JWKS_URL": issuer.url}
    world.new_host(AUTH_ANONYMOUS="", CLAIM_ROLES="groups", **entra_settings)
    assert world.call("GET", "jobs", headers=bearer(groups=["settlement.read"])).status == 200


def test_two_callers_with_the_same_key_get_two_jobs(world: World) -> None:
    made = set()
    for subject, process_type in (("a", "D03"), ("b", "D03")):
        headers = bearer(sub=subject, roles=["settlement.run"]) | {"idempotency-key": "k"}
        body = DAY | {"processType": process_type, "simulation": True}
        made.add(json.loads(world.call("POST", "KickStartJob", body=body, headers=headers).body)["jobId"])
    assert len(made) == 2


def test_the_app_does_not_start_inside_azure_when_anybody_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_ANONYMOUS", "allow")
    monkeypatch.setenv("WEBSITE_INSTANCE_ID", "1")
    with pytest.raises(RuntimeError, match="AUTH_ANONYMOUS"):
        SettlementApp().get_functions()
    world = World()
    world.new_host(WEBSITE_INSTANCE_ID="1")
    assert world.call("GET", "jobs").status == 503
