"""Invitations: people who are asked into an organization by mail, and how they come in."""
