"""Projects: where an organization keeps its models, deployments and keys."""
