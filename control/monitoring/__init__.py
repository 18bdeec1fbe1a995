"""How a deployment did: asked of telemetry, on behalf of a person who may know."""
