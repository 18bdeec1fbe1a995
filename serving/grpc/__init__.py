"""The protocol over gRPC: messages of its own descriptor pool, calls, and the server."""
