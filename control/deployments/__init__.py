"""Deployments: which model version answers under which name, and how the workers get on with it."""
