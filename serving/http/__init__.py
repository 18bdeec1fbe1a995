"""The HTTP/1.1 server of the hot path: an asyncio protocol on httptools, without ASGI.

`listen` serves an `Application`: a plain function that is called on the event loop with each complete request, as an
`Exchange`, and that answers it then or later by `Exchange.respond`.
"""

from serving.http.exchange import JSON, OCTETS, PLAIN, Exchange, Head
from serving.http.limits import Limits
from serving.http.server import Application, Server, listen

__all__ = ["JSON", "OCTETS", "PLAIN", "Application", "Exchange", "Head", "Limits", "Server", "listen"]
