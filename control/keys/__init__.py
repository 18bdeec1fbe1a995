"""API keys: what applications show to the gateway."""
