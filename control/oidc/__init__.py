"""Signing in by OpenID Connect: docs/decisions/0020-openid-connect.md."""
