"""The subcommands of `headrace`, one module a subject."""
