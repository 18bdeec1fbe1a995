"""The edge: API keys, routes, models in process, request log."""
