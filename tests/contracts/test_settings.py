"""Settings: read once, typed, and a typo stops the program at start."""

from pathlib import Path

import pytest

from contracts.errors import SettingInvalid
from contracts.settings import ControlSettings, GatewaySettings, load_settings

SECRET = {"HEADRACE_SECRET": "s" * 32}


def test_text_becomes_what_the_field_says() -> None:
    settings = load_settings(SECRET | {"HEADRACE_CONTROL_PORT": "9000", "HEADRACE_DATA": "/srv/headrace"}, ControlSettings)
    assert (settings.control_port, settings.data) == (9000, Path("/srv/headrace"))
    assert settings.artifacts_location() == "/srv/headrace/artifacts"


def test_a_program_passes_over_the_settings_of_another() -> None:
    assert load_settings({"HEADRACE_DATABASE_URL": "postgresql://x", "HEADRACE_WORKERS": "3"}, GatewaySettings).workers == 3


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"HEADRACE_CONTRL_PORT": "1"}, "unknown setting HEADRACE_CONTRL_PORT"),
        ({"HEADRACE_CONTROL_PORT": "99999"}, "HEADRACE_CONTROL_PORT: .*65535"),
        ({"HEADRACE_CONTROL_PORT": "many"}, "HEADRACE_CONTROL_PORT: Expected `int`"),
        ({"HEADRACE_LOG_LEVEL": "loud"}, "HEADRACE_LOG_LEVEL: .*debug"),
        ({"HEADRACE_SECRET": "short"}, "HEADRACE_SECRET: .*16"),
    ],
)
def test_a_value_that_will_not_do_names_the_variable(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SettingInvalid, match=message):
        load_settings(SECRET | environment, ControlSettings)


def test_a_secret_that_is_not_set_is_named() -> None:
    with pytest.raises(SettingInvalid, match="HEADRACE_SECRET is not set"):
        load_settings({}, ControlSettings)
