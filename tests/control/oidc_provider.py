"""A small OpenID Connect provider on loopback: real HTTP, real RS256 keys, codes good once, PKCE checked."""

import hashlib
import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "headrace"
CLIENT_SECRET = "a secret: of/the provider+"


@cache
def first_key() -> RSAKey:
    """Made once, which takes longer than most tests."""
    return RSAKey.generate_key(2048, {"kid": "first"})


class OidcProvider:
    """Signs in whoever asks as the person of `claims`; the other attributes let it misbehave."""

    def __init__(self) -> None:
        self.issuer = ""
        self.keys = [first_key()]
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.signing_key: Any = None
        self.id_token: str | None = None
        """Instead of a good one."""
        self.metadata: dict[str, Any] = {}
        self.tells_apart = False
        """Whether name and address are told by the userinfo endpoint alone."""
        self.granted: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        """Paths, in their order."""

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self.keys.insert(0, RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)}))

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is led back to."""
        code = secrets.token_urlsafe(16)
        self.granted[code] = query
        return f"{query['redirect_uri']}?code={code}&state={query['state']}"

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The answer to a code: tokens for the client it was given to, once."""
        asked = self.granted.pop(form["code"], None)
        challenge = urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        client = b64decode(authorization.removeprefix("Basic ")).decode()
        if client != "headrace:a%20secret%3A%20of%2Fthe%20provider%2B":
            return 401, {"error": "invalid_client"}
        if asked is None or (asked["code_challenge"], asked["redirect_uri"]) != (challenge, form["redirect_uri"]):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "an access token", "token_type": "Bearer", "id_token": self.token(asked["nonce"])}

    def token(self, nonce: str) -> str:
        """An ID token, with what the test wants otherwise."""
        if self.id_token is not None:
            return self.id_token
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce, "sub": "1"}
        told = {"sub": self.claims["sub"]} if self.tells_apart else self.claims
        header = {"alg": "RS256", "kid": self.keys[0].kid} | self.header
        return jwt.encode(header, claims | told, self.signing_key or self.keys[0])

    def published(self, path: str) -> dict[str, Any]:
        """What anybody may read."""
        if path == "/jwks":
            return {"keys": [it.as_dict(private=False) for it in self.keys]}
        if path == "/userinfo":
            return self.claims
        endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        urls = {name: f"{self.issuer}/{it}" for name, it in (endpoints | {"userinfo_endpoint": "userinfo"}).items()}
        return {"issuer": self.issuer} | urls | self.metadata


@contextmanager
def serving() -> Generator[OidcProvider]:
    """A provider on a free port."""
    provider = OidcProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            provider.asked.append(url.path)
            if url.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            else:
                self.answer(200, provider.published(url.path))

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            fields = {name: values[0] for name, values in form.items()}
            self.answer(*provider.exchange(fields, self.headers.get("Authorization", "")))

        def answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the test says what went wrong."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
