"""What can go wrong on the way to telemetry."""

from contracts.errors import Overloaded


class TelemetryUnavailable(Overloaded):
    title = "Telemetry unavailable"

    def __init__(self) -> None:
        super().__init__("the request log cannot be read now; inference goes on, and its calls are kept until then", 5)
