"""An identity provider that means harm, or is broken, or is not the one it says it is."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from exchange.console.auth.answers import ANSWER_BYTES
from exchange.console.auth.claims import user_by
from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.identity import Identity
from exchange.console.auth.oidc import DISCOVERED_FOR, Provider, open_provider
from exchange.domain.errors import ConfigurationError
from exchange.domain.user import Role
from exchange.settings.oidc import OidcSettings
from tests.world import NOW

ISSUER = "https://id.example"
BACK = "https://console.example/sign-in/provider/done"
ENTRY = "E" * 43
SECRET = "a secret of forty characters, or of fewer"
ROLES = {"operators": Role.OPERATOR, "administrators": Role.BODY_ADMINISTRATOR}
SETTINGS = OidcSettings(ISSUER, "console", Path("secret"), ("profile",), "sub", "groups", "body", ROLES)

Change = Callable[[dict[str, Any]], object]


def unchanged(_: dict[str, Any]) -> None:
    """As it should be."""


@dataclass
class Fake:
    """A provider whose answers a test may change."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1"}))
    signing: ECKey | OctKey | None = None
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "ES256", "kid": "1"})
    metadata: Change = unchanged
    claims: Change = unchanged
    userinfo: Change = unchanged
    tokens: Change = unchanged
    nonce: str = ""
    forms: list[Mapping[str, list[str]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answer: Response | None = None

    async def handle(self, request: Request) -> Response:
        """Whatever is asked."""
        self.asked.append(request.url.path)
        if self.answer is not None:
            return self.answer
        if request.url.path == "/keys":
            return JSONResponse({"keys": [self.key.as_dict(private=False)]})
        told = getattr(self, request.url.path.strip("/").replace(".well-known/openid-configuration", "discovery"))
        return JSONResponse(await told(request))

    async def discovery(self, _: Request) -> dict[str, Any]:
        """What it says of itself."""
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token_", "userinfo_endpoint": "person"}
        told = {name: f"{ISSUER}/{path}" for name, path in places.items()}
        told |= {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys", "end_session_endpoint": f"{ISSUER}/leave?a=b"}
        self.metadata(told)
        return told

    async def token_(self, request: Request) -> dict[str, Any]:
        """An ID token for a code."""
        self.forms.append(parse_qs((await request.body()).decode()) | {"auth": [request.headers["authorization"]]})
        now = int(NOW.timestamp())
        claims = {"iss": ISSUER, "aud": "console", "sub": "aida", "iat": now, "exp": now + 300, "nonce": self.nonce}
        self.claims(claims)
        registry = JWSRegistry(algorithms=[self.header["alg"]])
        told = {
            "access_token": "access",
            "id_token": jwt.encode(self.header, claims, self.signing or self.key, registry=registry),
        }
        self.tokens(told)
        return told

    async def person(self, _: Request) -> dict[str, Any]:
        """More about the person."""
        told = {"sub": "aida", "groups": ["operators", "kitchen"], "name": "Aida"}
        self.userinfo(told)
        return told

    def provider(self, settings: OidcSettings = SETTINGS) -> Provider:
        """The console's side."""
        app = Starlette(routes=[Route("/{path:path}", self.handle, methods=["GET", "POST"])])
        return Provider(settings, SECRET, httpx.AsyncClient(transport=httpx.ASGITransport(app)), lambda: NOW)

    async def sign_in(
        self, provider: Provider | None = None, changes: Mapping[str, str] = MappingProxyType({})
    ) -> Identity:
        """The whole way; `changes` are to what the browser brings back."""
        provider = provider or self.provider()
        query = parse_qs(urlsplit(await provider.begin(ENTRY, BACK)).query)
        self.nonce = query["nonce"][0]
        return await provider.end(ENTRY, {"code": "the-code", "state": query["state"][0], **changes}, BACK)


async def test_the_whole_way() -> None:
    """PKCE, state and nonce of this browser; our secret in no address; claims of ID token and userinfo."""
    fake = Fake()
    provider = fake.provider()
    query = parse_qs(urlsplit(await provider.begin(ENTRY, BACK)).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["scope"] == ["openid profile"]
    assert query["redirect_uri"] == [BACK]
    identity = await fake.sign_in(provider)
    assert (identity.issuer, identity.subject, identity.user.name) == (ISSUER, "aida", "Aida")
    assert identity.user.roles == {Role.OPERATOR}
    form = fake.forms[0]
    assert form["code"] == ["the-code"]
    assert len(form["code_verifier"][0]) == 43
    assert form["auth"][0].startswith("Basic ")
    other = parse_qs(urlsplit(await provider.begin("F" * 43, BACK)).query)
    assert not {*map(str, query.values())} & {str(other[name]) for name in ("state", "nonce", "code_challenge")}
    assert (await provider.leave("a token", "https://console.example/sign-in")).startswith(f"{ISSUER}/leave?a=b&id_tok")


WRONG_CLAIMS: dict[str, Change] = {
    "another issuer": lambda claims: claims.update(iss="https://evil.example"),
    "for another client": lambda claims: claims.update(aud="another"),
    "for several, not said for whom": lambda claims: claims.update(aud=["console", "another"]),
    "authorized for another": lambda claims: claims.update(azp="another"),
    "expired": lambda claims: claims.update(exp=int(NOW.timestamp()) - 120),
    "of the future": lambda claims: claims.update(iat=int(NOW.timestamp()) + 3600),
    "not yet": lambda claims: claims.update(nbf=int(NOW.timestamp()) + 3600),
    "another nonce": lambda claims: claims.update(nonce="another"),
    "no nonce": lambda claims: claims.pop("nonce"),
    "no end": lambda claims: claims.pop("exp"),
    "nobody": lambda claims: claims.pop("sub"),
    "a number": lambda claims: claims.update(sub=7),
    "another access token": lambda claims: claims.update(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}


@pytest.mark.parametrize("change", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
async def test_id_tokens_that_do_not_hold(change: Change) -> None:
    """Each claim of OpenID Connect Core, 3.1.3.7."""
    with pytest.raises(AccessRefused) as caught:
        await Fake(claims=change).sign_in()
    assert caught.value.code == "provider-answer-wrong"


@pytest.mark.parametrize(
    ("header", "signing"),
    [
        ({"alg": "HS256"}, OctKey.import_key(SECRET)),
        ({"alg": "HS256", "kid": "1"}, OctKey.import_key(SECRET)),
        ({"alg": "ES256", "kid": "1"}, ECKey.generate_key("P-256")),
        ({"alg": "ES256", "kid": "2"}, ECKey.generate_key("P-256", {"kid": "2"})),
    ],
)
async def test_signatures_by_others(header: dict[str, str], signing: ECKey | OctKey) -> None:
    """By our own secret, by a stranger's key under the provider's id, by a key that it does not publish."""
    with pytest.raises(AccessRefused) as caught:
        await Fake(header=header, signing=signing).sign_in()
    assert caught.value.code == "provider-answer-wrong"


@pytest.mark.parametrize("token", [None, "", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhaWRhIn0.", 7, "x" * 1000])
async def test_no_id_token(token: object) -> None:
    """None, no signature, none at all."""
    with pytest.raises(AccessRefused) as caught:
        await Fake(tokens=lambda told: told.update(id_token=token)).sign_in()
    assert caught.value.code == "provider-answer-wrong"


async def test_a_new_key_is_asked_for() -> None:
    """When the provider changes its key, nobody has to start the console again."""
    fake = Fake()
    provider = fake.provider()
    await fake.sign_in(provider)
    fake.key, fake.header = ECKey.generate_key("P-256", {"kid": "2"}), {"alg": "ES256", "kid": "2"}
    assert (await fake.sign_in(provider)).subject == "aida"
    assert fake.asked.count("/keys") == 2
    assert sum("well-known" in path for path in fake.asked) == 1
    assert DISCOVERED_FOR.total_seconds() > 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "another"}, "provider-answer-wrong"),
        ({"state": ""}, "provider-answer-wrong"),
        ({"iss": "https://evil.example"}, "provider-answer-wrong"),
        ({"error": "access_denied"}, "provider-refused"),
    ],
)
async def test_what_the_browser_brings_back(changes: dict[str, str], code: str) -> None:
    """Another browser's answer, another provider's (mix-up), and a no."""
    with pytest.raises(AccessRefused) as caught:
        await Fake().sign_in(changes=changes)
    assert caught.value.code == code


async def test_a_provider_that_says_who_it_is_must() -> None:
    """RFC 9207: when it promises `iss`, an answer without it is none of its own."""
    fake = Fake(metadata=lambda told: told.update(authorization_response_iss_parameter_supported=True))
    with pytest.raises(AccessRefused) as caught:
        await fake.sign_in()
    assert caught.value.code == "provider-answer-wrong"
    assert (await fake.sign_in(changes={"iss": ISSUER})).subject == "aida"


async def test_userinfo_of_another_person() -> None:
    """Its roles are not this person's."""
    with pytest.raises(AccessRefused) as caught:
        await Fake(userinfo=lambda told: told.update(sub="bakyt")).sign_in()
    assert caught.value.code == "provider-answer-wrong"


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(issuer="https://evil.example"),
        lambda told: told.update(token_endpoint="http://id.example/token"),
        lambda told: told.update(jwks_uri="file:///etc/passwd"),
        lambda told: told.pop("authorization_endpoint"),
        lambda told: told.update(userinfo_endpoint=["https://id.example"]),
        lambda told: told.update(end_session_endpoint="javascript:alert(1)"),
    ],
)
async def test_discovery_that_leads_elsewhere(change: Change) -> None:
    """Another issuer's, or addresses that are not safe."""
    with pytest.raises(AccessRefused) as caught:
        await Fake(metadata=change).sign_in()
    assert caught.value.code == "provider-wrong"


@pytest.mark.parametrize(
    "answer",
    [
        Response("no JSON"),
        Response("[]", media_type="application/json"),
        Response(b"{" + b" " * ANSWER_BYTES + b"}"),
        Response("", 500),
        Response("", 302, {"Location": "https://evil.example"}),
    ],
)
async def test_a_provider_that_is_broken(answer: Response) -> None:
    """503 with a time after which to try again; bounded whatever it sends; sent nowhere else."""
    with pytest.raises(AccessRefused) as caught:
        await Fake(answer=answer).sign_in()
    assert (caught.value.code, caught.value.status, caught.value.retriable) == ("provider-away", 503, True)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sub": "a b", "groups": "operators"}, "claims-unusable"),
        ({"sub": ["aida"], "groups": "operators"}, "claims-unusable"),
        ({"groups": "operators"}, "claims-unusable"),
        ({"sub": "aida"}, "role-missing"),
        ({"sub": "aida", "groups": {"operators": True}}, "role-missing"),
        ({"sub": "aida", "groups": ["Operators", 7, None]}, "role-missing"),
        ({"sub": "aida", "groups": "administrators"}, "role-missing"),
        ({"sub": "aida", "groups": "administrators", "body": "svc-router"}, "role-missing"),
        ({"sub": "aida", "groups": "administrators", "body": ["mfa"]}, "role-missing"),
    ],
)
def test_claims_that_make_nobody(claims: dict[str, object], code: str) -> None:
    """Of any type; what they do not say, nobody is."""
    with pytest.raises(AccessRefused) as caught:
        user_by(claims, SETTINGS)
    assert caught.value.code == code


def test_claims_that_make_somebody() -> None:
    """One role as a text, several as a list, a body for who administrates it; names cannot command anything."""
    user = user_by({"sub": "Aida@MFA.kg", "groups": "operators", "name": "A\n\x1b[31mB"}, SETTINGS)
    assert (user.login, user.name, user.body) == ("aida@mfa.kg", "A[31mB", "")
    both = user_by({"sub": "b", "groups": ["administrators", "operators"], "body": "mfa"}, SETTINGS)
    assert both.roles == {Role.OPERATOR, Role.BODY_ADMINISTRATOR}
    assert both.body == "mfa"
    assert user_by({"sub": "b", "groups": "operators", "body": "mfa"}, SETTINGS).body == ""


async def test_settings_that_cannot_be_used(tmp_path: Path) -> None:
    """The secret's file and the list of roots."""
    missing = replace(SETTINGS, secret_file=tmp_path / "none")
    with pytest.raises(ConfigurationError) as caught:
        async with open_provider(missing, lambda: NOW):
            pass
    assert caught.value.code == "provider-secret-unreadable"
    (tmp_path / "secret").write_text(json.dumps("x"))
    wrong = replace(SETTINGS, secret_file=tmp_path / "secret", ca=tmp_path / "secret")
    with pytest.raises(ConfigurationError) as caught:
        async with open_provider(wrong, lambda: NOW):
            pass
    assert caught.value.code == "ca-invalid"
