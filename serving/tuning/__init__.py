"""Self-tuning: what a model costs is measured when it is loaded, and how it is served follows from that."""
