"""Mail to people: sent by SMTP, or kept as files where no server is set."""
