"""What one client, and all together, may take of the server."""

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of one server.

    Times are kept by a coarse sweep: what is over may live on for a quarter of its time, at most a second.
    """

    max_body_bytes: int = 64 * 1024**2
    """A larger body is refused (413) from its announced length, or as soon as it has grown too large."""
    max_head_bytes: int = 32 * 1024
    """Request line and headers together, and trailers; more is refused (431)."""
    max_connections: int = 10_000
    """Further ones are told 503 and closed."""
    max_held_bytes: int = 1024**3
    """Bodies of all requests not yet answered, together; what would go beyond is refused (503)."""
    large_body_bytes: int = 64 * 1024
    """If at least so much of a body of tensors is still to come with its head read, it is read past the parser."""
    head_timeout_s: float = 10.0
    """From a request's first byte to the end of its headers; and for the handshake of TLS."""
    stall_timeout_s: float = 30.0
    """How long a client may go without sending more of a body, or without reading its answer."""
    min_body_bytes_per_s: float = 500.0
    """How fast a body must come and an answer be read, once either has had `stall_timeout_s`."""
    idle_timeout_s: float = 75.0
    """How long a kept-alive connection may wait for its next request."""
    linger_timeout_s: float = 5.0
    """How long a connection that was told to go is listened to, so that it can read why."""
