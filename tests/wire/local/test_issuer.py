"""The test issuer as PyJWT and the app's own token check see it."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from local.issuer import issue, rotate, token
from local.issuer.server import KEYS, issuer_app
from local.issuer.tokens import AUDIENCE, key_set, set_up
from local.serving import serving

ISSUER = "http://127.0.0.1:1"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "issuer"
    set_up(folder, ISSUER, AUDIENCE)
    return folder


@pytest.fixture
def issuer_url(state: Path) -> Iterator[str]:
    with serving(lambda: issuer_app(state)) as url:
        yield url


def claims(issuer_url: str, text: str) -> dict[str, object]:
    key = jwt.PyJWKClient(f"{issuer_url}{KEYS}").get_signing_key_from_jwt(text)
    read: dict[str, object] = jwt.decode(text, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
    return read


def test_a_token_holds_with_the_published_key_and_names_roles_and_actor(issuer_url: str, state: Path) -> None:
    text = issue(state, ["market.request"], actor_id="5790000000001", actor_role="DDQ")
    read = claims(issuer_url, text)
    assert (read["roles"], read["actor_id"], read["actor_role"]) == (["market.request"], "5790000000001", "DDQ")
    with urllib.request.urlopen(f"{issuer_url}/.well-known/openid-configuration") as answer:
        assert json.load(answer)["jwks_uri"] == f"{issuer_url}{KEYS}"


def test_after_a_rotation_old_tokens_hold_until_the_old_key_is_dropped(issuer_url: str, state: Path) -> None:
    old = issue(state, ["settlement.run"])
    rotate(state)
    new = issue(state, ["settlement.run"])
    assert claims(issuer_url, old)["roles"] == claims(issuer_url, new)["roles"]
    rotate(state, keep_old=False)
    with pytest.raises(jwt.PyJWKClientError):
        claims(issuer_url, old)


def test_an_expired_token_and_other_claims_can_be_made(issuer_url: str, state: Path) -> None:
    with pytest.raises(jwt.ExpiredSignatureError):
        claims(issuer_url, issue(state, [], lifetime=-1000))
    with pytest.raises(jwt.InvalidAudienceError):
        claims(issuer_url, issue(state, [], claims={"aud": "api://another"}))
    with pytest.raises(jwt.MissingRequiredClaimError):
        claims(issuer_url, issue(state, [], claims={"iss": None}))


def test_keys_stay_over_a_restart_and_never_leave_their_private_half(state: Path) -> None:
    before = key_set(state)
    set_up(state, ISSUER, AUDIENCE)
    assert key_set(state) == before
    assert set(before["keys"][0]) == {"kty", "use", "kid", "n", "e"}
    assert (state / "keys.json").stat().st_mode & 0o077 == 0


def test_the_command_prints_a_token_or_says_that_there_is_no_issuer(
    state: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert token(["--role", "settlement.run", "--stack", str(state.parent)]) == 0
    read = jwt.decode(capsys.readouterr().out.strip(), options={"verify_signature": False})
    assert read["roles"] == ["settlement.run"]
    assert "actor_id" not in read
    assert token(["--role", "settlement.run", "--stack", str(tmp_path / "nothing")]) == 1
    assert "start the stack first" in capsys.readouterr().err
