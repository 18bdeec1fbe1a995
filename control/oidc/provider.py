"""One OpenID Connect provider: where it is, whom it says somebody is, and why that is believed.

Authorization code with PKCE. What the provider publishes (its endpoints and keys) is kept for an hour; an ID token with a key
never seen has the keys fetched again, twice a minute at most. Answers are read up to a bound and none is followed elsewhere.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from msgspec import Meta, Struct

from contracts.errors import SettingInvalid
from contracts.settings import OidcProvider
from control.oidc.errors import ProviderNotFound, ProviderUnavailable, SignInRefused, TooManySignIns

logger = logging.getLogger(__name__)

ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Of ID tokens: signatures by a key that only the provider has."""
SCOPES: Final = "openid email profile"
LEEWAY_S: Final = 60
"""How far the provider's clock may be off."""
KEPT_S: Final = 3600.0
REFETCH_AFTER_S: Final = 30.0
TIMEOUT_S: Final = 5.0
LARGEST_ANSWER_BYTES: Final = 256 << 10
MOST_AT_ONCE: Final = 16
"""Requests to providers."""

Wanted = TypeVar("Wanted")


class Endpoints(Struct, frozen=True):
    """What the provider publishes about itself, as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Tokens(Struct, frozen=True):
    """What a code is exchanged for."""

    id_token: str
    access_token: str | None = None


class Claims(Struct, frozen=True):
    """Who somebody is, as their provider says."""

    sub: Annotated[str, Meta(min_length=1, max_length=255)]
    email: str | None = None
    email_verified: Any = False
    name: str | None = None

    @property
    def vouches_for_email(self) -> bool:
        """Nothing but `true` will do."""
        return self.email_verified is True


class Published(Struct):
    """Endpoints and keys, and when they were fetched, on the monotonic clock."""

    endpoints: Endpoints
    keys: KeySet
    at: float
    keys_at: float = -REFETCH_AFTER_S
    """When an unknown key last had them fetched again."""


class Provider:
    """Methods raise ProviderUnavailable when it does not answer as it should, TooManySignIns when too many ask at once."""

    def __init__(self, settings: OidcProvider, http: httpx.AsyncClient, slots: asyncio.Semaphore) -> None:
        self.settings = settings
        self.http = http
        self.slots = slots
        self.published: Published | None = None

    async def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser goes to say who it is."""
        published = await self._published()
        return prepare_grant_uri(
            published.endpoints.authorization_endpoint,
            self.settings.client_id,
            "code",
            redirect_uri,
            SCOPES,
            state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )

    async def claims(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Claims:
        """Who the browser that brought `code` belongs to. Raises SignInRefused."""
        endpoints = (await self._published()).endpoints
        tokens = await self._exchange(endpoints, code, redirect_uri, verifier)
        claims = await self._verified(tokens, nonce)
        if claims.email is None and endpoints.userinfo_endpoint and tokens.access_token:
            return await self._asked(endpoints.userinfo_endpoint, tokens.access_token, claims)
        return claims

    async def _exchange(self, endpoints: Endpoints, code: str, redirect_uri: str, verifier: str) -> Tokens:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        client = self.settings.client_id, self.settings.client_secret
        if "client_secret_basic" in endpoints.token_endpoint_auth_methods_supported:
            request = self.http.build_request("POST", endpoints.token_endpoint, data=form)
            answer = await self._send(request, httpx.BasicAuth(*(quote(it, safe="") for it in client)))
        else:
            form |= {"client_id": client[0], "client_secret": client[1]}
            answer = await self._send(self.http.build_request("POST", endpoints.token_endpoint, data=form))
        return self._read(answer, Tokens)

    async def _verified(self, tokens: Tokens, nonce: str) -> Claims:
        try:
            token = await self._decoded(tokens.id_token)
            params = {"nonce": nonce, "client_id": self.settings.client_id, "access_token": tokens.access_token}
            claims = CodeIDToken(token.claims, token.header, self._options(), params)
            claims.validate(int(time.time()), LEEWAY_S)
            if not nonce or not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
                raise SignInRefused(self.settings.label)
            return msgspec.convert(dict(claims), Claims)
        except (JoseError, ValueError, TypeError, msgspec.ValidationError) as error:
            logger.warning("an ID token of %s was refused: %s", self.settings.name, type(error).__name__)
            raise SignInRefused(self.settings.label) from error

    def _options(self) -> dict[str, Any]:
        return {
            "iss": {"essential": True, "value": self.settings.issuer},
            "aud": {"essential": True, "value": self.settings.client_id},
            "sub": {"essential": True},
            "exp": {"essential": True},
        }

    async def _asked(self, userinfo_endpoint: str, access_token: str, known: Claims) -> Claims:
        """With what the provider tells apart from the ID token, which must be of the same person."""
        headers = {"Authorization": f"Bearer {access_token}"}
        answer = await self._send(self.http.build_request("GET", userinfo_endpoint, headers=headers))
        claims = self._read(answer, Claims)
        if claims.sub != known.sub:
            raise SignInRefused(self.settings.label)
        return claims

    async def _decoded(self, id_token: str) -> jwt.Token:
        """With a good signature; the keys are fetched again if the token names one that is not among them."""
        published = await self._published()
        try:
            return jwt.decode(id_token, published.keys, ALGORITHMS)
        except InvalidKeyIdError:
            now = time.monotonic()
            if now - published.keys_at < REFETCH_AFTER_S:
                raise
            published.keys_at = now
            published.keys = await self._fetch_keys(published.endpoints)
            return jwt.decode(id_token, published.keys, ALGORITHMS)

    async def _published(self) -> Published:
        now = time.monotonic()
        if self.published is None or now - self.published.at > KEPT_S:
            url = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            endpoints = self._read(await self._send(self.http.build_request("GET", url)), Endpoints)
            self._check(endpoints)
            self.published = Published(endpoints, await self._fetch_keys(endpoints), now)
        return self.published

    def _check(self, endpoints: Endpoints) -> None:
        """It speaks for itself, and nothing secret goes over plain HTTP unless it is on this machine."""
        wanted = self.settings.issuer.partition(":")[0]
        urls = [endpoints.authorization_endpoint, endpoints.token_endpoint, endpoints.jwks_uri, endpoints.userinfo_endpoint]
        if endpoints.issuer != self.settings.issuer or any(it and it.partition(":")[0] not in ("https", wanted) for it in urls):
            logger.error("%s publishes what does not fit its issuer %s", self.settings.name, self.settings.issuer)
            raise ProviderUnavailable(self.settings.label)

    async def _fetch_keys(self, endpoints: Endpoints) -> KeySet:
        found = self._read(await self._send(self.http.build_request("GET", endpoints.jwks_uri)), dict[str, list[dict[str, Any]]])
        signing = [it for it in found.get("keys", []) if it.get("kty") in ("RSA", "EC") and it.get("use", "sig") == "sig"]
        try:
            return KeySet.import_key_set({"keys": signing})  # pyright: ignore[reportArgumentType]
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise self._unavailable(error) from error

    async def _send(self, request: httpx.Request, auth: httpx.Auth | None = None) -> bytes:
        """The body of a good answer. Raises SignInRefused for one that blames the caller."""
        if self.slots.locked():
            raise TooManySignIns
        try:
            async with self.slots, asyncio.timeout(TIMEOUT_S):
                answer = await self.http.send(request, auth=auth, stream=True)
                try:
                    body = await _read_some(answer)
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            raise self._unavailable(error) from error
        if answer.is_client_error:
            logger.warning("%s refused a sign-in with status %d", self.settings.name, answer.status_code)
            raise SignInRefused(self.settings.label)
        if not answer.is_success:
            raise self._unavailable(ValueError(f"status {answer.status_code}"))
        return body

    def _read(self, body: bytes, wanted: type[Wanted]) -> Wanted:
        try:
            return msgspec.json.decode(body, type=wanted)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> ProviderUnavailable:
        logger.warning("sign-in provider %s: %s", self.settings.name, error or type(error).__name__)
        return ProviderUnavailable(self.settings.label)


class Providers:
    """Those that are configured, by name."""

    def __init__(self, settings: tuple[OidcProvider, ...], http: httpx.AsyncClient) -> None:
        slots = asyncio.Semaphore(MOST_AT_ONCE)
        self.by_name: Mapping[str, Provider] = {it.name: Provider(it, http, slots) for it in settings}
        if len(self.by_name) < len(settings):
            raise SettingInvalid("HEADRACE_OIDC has two providers of one name")

    def get(self, name: str) -> Provider:
        """Raises ProviderNotFound."""
        if name not in self.by_name:
            raise ProviderNotFound(name)
        return self.by_name[name]

    def label_of(self, issuer: str) -> str:
        """What people here call who issues for `issuer`."""
        return next((it.settings.label for it in self.by_name.values() if it.settings.issuer == issuer), issuer)


@asynccontextmanager
async def open_providers(settings: tuple[OidcProvider, ...]) -> AsyncGenerator[Providers]:
    """Contacts nobody yet."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as http:
        yield Providers(settings, http)


async def _read_some(answer: httpx.Response) -> bytes:
    body = b""
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER_BYTES:
            raise ValueError(f"an answer above {LARGEST_ANSWER_BYTES} bytes")
    return body
