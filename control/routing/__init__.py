"""The route table that gateways serve from."""
