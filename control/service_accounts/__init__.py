"""Service accounts: callers that are machines, owned by an organization rather than by whoever made them."""
