"""Signing in by an identity provider: OpenID Connect's authorization code flow with PKCE.

Sources: OpenID Connect Core 1.0 (3.1), Discovery 1.0, RP-Initiated Logout 1.0; RFC 7636 (PKCE), RFC 9207
(who answers), RFC 9700 (what else can go wrong). Authlib and joserfc make and check what goes over the
wire; this module says what must hold.

`state`, `nonce` and PKCE's verifier are derived from the secret in the browser's entry cookie: nothing
is stored while somebody is away at the provider, and what another browser began cannot be ended here.
"""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from exchange.console.auth.answers import ANSWER_SECONDS, Answers
from exchange.console.auth.claims import user_by
from exchange.console.auth.errors import AccessRefused
from exchange.console.auth.identity import Identity
from exchange.console.auth.secret import derived, same
from exchange.domain.errors import ConfigurationError
from exchange.settings.oidc import OidcSettings

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by a private key; never by our own secret, never none."""
LEEWAY_SECONDS = 60
DISCOVERED_FOR = timedelta(hours=1)


class Provider:
    """One identity provider. For one event loop; any number of tasks."""

    def __init__(
        self, settings: OidcSettings, secret: str, client: httpx.AsyncClient, now: Callable[[], datetime]
    ) -> None:
        """Nothing is asked before somebody signs in.

        Args:
            settings: where it is, and what its claims mean.
            secret: ours there.
            client: follows no redirects.
            now: the present time.
        """
        self._settings = settings
        self._secret = secret
        self._answers = Answers(client)
        self._now = now
        self._metadata: Mapping[str, Any] = {}
        self._discovered: datetime | None = None
        self._keys: KeySet | None = None

    @property
    def issuer(self) -> str:
        """Its identifier."""
        return self._settings.issuer

    async def begin(self, entry: str, redirect_uri: str) -> str:
        """The address at the provider to which a browser is sent.

        Args:
            entry: the secret of the browser's entry cookie.
            redirect_uri: where the provider sends it back to.

        Raises:
            AccessRefused: `provider-away`, retriable; `provider-wrong`.
        """
        metadata = await self._discover()
        address: str = prepare_grant_uri(
            metadata["authorization_endpoint"],
            self._settings.client,
            "code",
            redirect_uri=redirect_uri,
            scope=["openid", *self._settings.scopes],
            state=derived(entry, "state"),
            nonce=derived(entry, "nonce"),
            code_challenge=create_s256_code_challenge(derived(entry, "verifier")),
            code_challenge_method="S256",
        )
        return address

    async def end(self, entry: str, answer: Mapping[str, str], redirect_uri: str) -> Identity:
        """Whom the provider vouches for, by what the browser brought back.

        1. The answer is to this browser's question: `state`.
        2. It comes from this provider: `iss`, where it says so.
        3. The provider gives tokens for the code, to us, who know the verifier.
        4. The ID token is signed by the provider, for us, now, in answer to this question: `nonce`.
        5. Claims that are not in it are asked for by the access token; they are of the same person.

        Raises:
            AccessRefused: `provider-refused`: it, or the person there, said no; `provider-answer-wrong`: one of
                these does not hold; `claims-unusable`, `role-missing`; `provider-away`; `provider-wrong`.
        """
        metadata = await self._discover()
        if not same(answer.get("state", ""), derived(entry, "state")):
            raise _wrong("it answers another browser's question, or one that is too old")
        if answer.get("iss", self.issuer if not _says_who(metadata) else "") != self.issuer:
            raise _wrong("it comes from another provider")
        if "error" in answer or "code" not in answer:
            message = "the identity provider did not let you in: sign in again, or ask its administrator"
            raise AccessRefused(message, code="provider-refused")
        tokens = await self._tokens(entry, answer["code"], redirect_uri)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise _wrong("it gave no ID token")
        claims = await self._checked(id_token, access_token, derived(entry, "nonce"))
        if "userinfo_endpoint" in metadata:
            claims = {**await self._userinfo(access_token, claims["sub"]), **claims}
        return Identity(self.issuer, claims["sub"], user_by(claims, self._settings), id_token)

    async def leave(self, id_token: str, back: str) -> str:
        """The address at which the provider's own session is ended; empty when it has none."""
        endpoint = (await self._discover()).get("end_session_endpoint", "")
        if not endpoint:
            return ""
        query = {"id_token_hint": id_token, "client_id": self._settings.client, "post_logout_redirect_uri": back}
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def _discover(self) -> Mapping[str, Any]:
        """What the provider says of itself, asked for once an hour."""
        now = self._now()
        if self._discovered is None or now - self._discovered > DISCOVERED_FOR:
            metadata = await self._answers.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            _require_right(metadata, self.issuer)
            self._metadata, self._discovered, self._keys = metadata, now, None
        return self._metadata

    async def _tokens(self, entry: str, code: str, redirect_uri: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": derived(entry, "verifier"),
        }
        credentials = httpx.BasicAuth(quote(self._settings.client, safe=""), quote(self._secret, safe=""))
        return await self._answers.post(self._metadata["token_endpoint"], form, credentials)

    async def _checked(self, id_token: str, access_token: str, nonce: str) -> Mapping[str, Any]:
        try:
            token = await self._decoded(id_token)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {"iss": {"value": self.issuer}, "aud": {"value": self._settings.client}},
                {"nonce": nonce, "client_id": self._settings.client, "access_token": access_token},
            )
            claims.validate(now=int(self._now().timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError) as error:
            raise _wrong(f"its ID token does not hold: {type(error).__name__}") from error
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise _wrong("its ID token names nobody")
        return dict(claims)

    async def _decoded(self, id_token: str) -> jwt.Token:
        """The token by the provider's keys, which are asked for again when it has a new one."""
        if self._keys is not None:
            try:
                return jwt.decode(id_token, self._keys, algorithms=ALGORITHMS)
            except InvalidKeyIdError:
                pass
        keys: Any = await self._answers.get(self._metadata["jwks_uri"])
        self._keys = KeySet.import_key_set(keys)
        return jwt.decode(id_token, self._keys, algorithms=ALGORITHMS)

    async def _userinfo(self, access_token: str, subject: str) -> Mapping[str, Any]:
        bearer = {"Authorization": f"Bearer {access_token}"}
        claims = await self._answers.get(self._metadata["userinfo_endpoint"], bearer)
        if claims.get("sub") != subject:
            raise _wrong("it tells of another person than its ID token")
        return claims


@asynccontextmanager
async def open_provider(settings: OidcSettings, now: Callable[[], datetime]) -> AsyncIterator[Provider]:
    """A provider by its settings; nothing is asked yet.

    Raises:
        ConfigurationError: `provider-secret-unreadable`; `ca-invalid`.
    """
    try:
        secret = settings.secret_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"[console.oidc] secret_file: {settings.secret_file} cannot be read: name the file with our secret"
        raise ConfigurationError(message, code="provider-secret-unreadable") from error
    context = ssl.create_default_context()
    if settings.ca is not None:
        try:
            context.load_verify_locations(settings.ca)
        except OSError as error:
            message = f"[console.oidc] ca: {settings.ca} is no PEM certificate that could be read: name its file"
            raise ConfigurationError(message, code="ca-invalid") from error
    async with httpx.AsyncClient(verify=context, timeout=ANSWER_SECONDS, trust_env=False) as client:
        yield Provider(settings, secret, client, now)


def _require_right(metadata: Mapping[str, Any], issuer: str) -> None:
    """What a provider says of itself must fit what the settings say, or somebody else may be answering."""
    if metadata.get("issuer") != issuer:
        message = "the discovery document is another issuer's: set issuer in [console.oidc] to what it says itself"
        raise AccessRefused(message, code="provider-wrong")
    optional = [name for name in ("userinfo_endpoint", "end_session_endpoint") if name in metadata]
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", *optional):
        address = metadata.get(name)
        is_safe = isinstance(address, str) and address.startswith(("https://", f"{_own_scheme(issuer)}://"))
        if not is_safe:
            message = f"the discovery document's {name} is no https address: ask the provider's administrator"
            raise AccessRefused(message, code="provider-wrong")


def _own_scheme(issuer: str) -> str:
    """Plain HTTP is for a provider on this very machine only, as the settings have it."""
    return issuer.partition(":")[0]


def _says_who(metadata: Mapping[str, Any]) -> bool:
    return metadata.get("authorization_response_iss_parameter_supported") is True


def _wrong(why: str) -> AccessRefused:
    return AccessRefused(
        f"the identity provider's answer cannot be taken ({why}): sign in again", code="provider-answer-wrong"
    )
