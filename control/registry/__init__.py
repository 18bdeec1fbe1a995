"""Models and their versions: what was uploaded, what is in it, and where its file lies."""
