"""Limits of keys and deployments: token buckets on each worker that spend what one ledger in Redis has leased to them."""
