"""The console's cookies: named after the console's port, because cookies do not tell ports apart and instances share hosts."""

from typing import Final, Literal
from urllib.parse import urlsplit

from litestar.datastructures import Cookie
from msgspec import Struct

from contracts.settings import ControlSettings

ACCESS_PATH: Final = "/api"
REFRESH_PATH: Final = "/api/v1/auth"


class CookieNames(Struct, frozen=True):
    """What this instance calls its cookies."""

    access: str
    refresh: str
    csrf: str


def console_url(settings: ControlSettings) -> str:
    """Where people find the console."""
    return settings.public_url or f"http://{settings.host}:{settings.control_port}"


def cookie_names(settings: ControlSettings) -> CookieNames:
    """The names, by the port in the browser's address bar."""
    url = urlsplit(console_url(settings))
    port = url.port if url.port is not None else (443 if url.scheme == "https" else 80)
    return CookieNames(f"headrace_access_{port}", f"headrace_refresh_{port}", f"headrace_csrf_{port}")


def session_cookies(settings: ControlSettings, access_token: str, refresh_token: str, csrf_token: str) -> list[Cookie]:
    """The three cookies of a session; only the CSRF token is for scripts to read."""
    names = cookie_names(settings)
    return [
        _cookie(settings, names.access, access_token, ACCESS_PATH, settings.access_token_s),
        _cookie(settings, names.refresh, refresh_token, REFRESH_PATH, settings.refresh_token_s),
        _cookie(settings, names.csrf, csrf_token, "/", settings.refresh_token_s, httponly=False),
    ]


def cleared_cookies(settings: ControlSettings) -> list[Cookie]:
    """Cookies that make the browser forget the session."""
    names = cookie_names(settings)
    paths = {names.access: ACCESS_PATH, names.refresh: REFRESH_PATH, names.csrf: "/"}
    return [_cookie(settings, name, "", path, 0) for name, path in paths.items()]


def _cookie(settings: ControlSettings, name: str, value: str, path: str, life_s: int, httponly: bool = True) -> Cookie:
    samesite: Literal["strict"] = "strict"
    secure = console_url(settings).startswith("https:")
    return Cookie(name, path, value, max_age=life_s, httponly=httponly, secure=secure, samesite=samesite)
