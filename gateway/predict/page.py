"""The documentation page of a deployment: static files that need no internet.

The page itself is open to all and says nothing. It asks for an API key, fetches the deployment's description with it, and forgets
it when it is left.
"""

from functools import cache
from typing import Final

from openapi_ui_bundles import swagger_ui

from serving.http import Exchange

FILES: Final = "/v1/docs/"
HTML: Final = b"text/html; charset=utf-8"
CONTENT_TYPES: Final = {
    "swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "swagger-ui.css": b"text/css; charset=utf-8",
    "favicon-32x32.png": b"image/png",
    "page.js": b"text/javascript; charset=utf-8",
    "page.css": b"text/css; charset=utf-8",
}
HEADERS: Final = (
    b"content-security-policy: default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'\r\n"
    b"x-content-type-options: nosniff\r\n"
    b"referrer-policy: no-referrer\r\n"
)
"""Styles may be inline, since Swagger UI makes some; scripts may not."""

PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Predictions</title>
<link rel="stylesheet" href="{files}swagger-ui.css">
<link rel="stylesheet" href="{files}page.css">
<link rel="icon" href="{files}favicon-32x32.png">
<form id="access">
  <h1></h1>
  <p>Descriptions are for those who may call. The key stays in this page and is forgotten with it.</p>
  <label for="key">API key</label>
  <input id="key" type="password" autocomplete="off" spellcheck="false" placeholder="hr_…" required autofocus>
  <button>Show</button>
  <p id="problem" role="alert"></p>
</form>
<main id="docs"></main>
<script src="{files}swagger-ui-bundle.js"></script>
<script src="{files}page.js"></script>
</html>
"""
SCRIPT: Final = b"""const form = document.getElementById("access");
const problem = document.getElementById("problem");
const [name] = location.pathname.split("/v1/predict/")[1].split("/");
document.title = document.querySelector("h1").textContent = decodeURIComponent(name);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const key = document.getElementById("key").value.trim();
  problem.textContent = "";
  try {
    const answer = await fetch("openapi.json", { headers: { Authorization: `Bearer ${key}` } });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.detail);
    show(body, key);
  } catch (error) {
    problem.textContent = error.message;
  }
});

function show(spec, key) {
  form.hidden = true;
  const ui = SwaggerUIBundle({
    spec,
    dom_id: "#docs",
    deepLinking: false,
    validatorUrl: null,
    onComplete: () => ui.preauthorizeApiKey("key", key),
  });
}
"""
STYLE: Final = b"""body { margin: 0; font-family: system-ui, sans-serif; }
#access { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; max-width: 40rem; margin: 4rem auto; }
#access[hidden] { display: none; }
#access h1, #access p { flex-basis: 100%; margin: 0; }
#key { flex: 1; min-width: 12rem; padding: 0.5rem; font: inherit; }
button { font: inherit; }
#access button { padding: 0.5rem 1rem; }
#problem { color: #b00020; }
"""


def answer_page(exchange: Exchange, depth: int) -> None:
    """The page, where `depth` is how many levels below `/v1/` it stands."""
    page = PAGE.replace("{files}", "../" * depth + "docs/").encode()
    exchange.respond(200, page, HTML, HEADERS + b"cache-control: no-cache\r\n")


def answer_file(exchange: Exchange, name: str) -> bool:
    """One of the files the page asks for; whether there is one."""
    content_type = CONTENT_TYPES.get(name)
    if content_type is None:
        return False
    exchange.respond(200, _read(name), content_type, HEADERS + b"cache-control: public, max-age=86400\r\n")
    return True


@cache
def _read(name: str) -> bytes:
    own = {"page.js": SCRIPT, "page.css": STYLE}
    return own[name] if name in own else (swagger_ui.static_path / name).read_bytes()
