"""The `headrace` command: supervisor of the embedded stack, and HTTP client of the programs it starts."""
