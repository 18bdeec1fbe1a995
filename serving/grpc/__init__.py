"""The protocol over gRPC: messages of its own descriptor pool, calls, and the server."""

import os

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC reads it when it is imported; what it prints, it raises as well
