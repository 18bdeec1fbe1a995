"""Members: who belongs to an organization, and in which role."""
