"""The audit log: who changed what, from where, in rows that are only ever added and each sealed over the one before."""
