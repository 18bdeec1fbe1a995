"""Organizations: the tenants, and who is a member of which."""
