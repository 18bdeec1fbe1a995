"""Load tests: they speak HTTP to running programs and know nothing of their insides."""
