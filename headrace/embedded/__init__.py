"""The embedded services: how to prepare each one's directory and with which command it runs."""
