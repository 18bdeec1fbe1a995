"""Events: what changes in a project, told to the pages that show it."""
