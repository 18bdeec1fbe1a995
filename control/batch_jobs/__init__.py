"""Batch prediction jobs: a file of rows in, the same rows with the model's answers out."""
