"""How a deployment did: requests, errors and latency over time, and the latest calls."""
