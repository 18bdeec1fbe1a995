"""The control plane: accounts, projects, the registry, deployments, keys, and the web console's files."""
