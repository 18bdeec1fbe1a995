"""Predictions for application developers: rows by feature name in, predictions by name out, and each deployment's own OpenAPI."""
