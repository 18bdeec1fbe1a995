"""Where a call comes from: `X-Forwarded-For` counts from configured proxies alone."""

from pathlib import Path
from uuid import uuid4

import pytest

from contracts.errors import SettingInvalid
from contracts.settings import ControlSettings, load_settings
from tests.control import processes
from tests.control.conftest import PASSWORD, SECRET

PROXIES = "HEADRACE_TRUSTED_PROXIES"


@pytest.mark.parametrize(
    ("trusted", "address"),
    [("", "127.0.0.1"), ("127.0.0.0/8,10.0.0.0/8", "203.0.113.9")],
)
def test_an_address_said_is_believed_of_trusted_proxies_alone(database_url: str, tmp_path: Path, trusted: str, address: str):
    with processes.serving(database_url, tmp_path / "log", **{PROXIES: trusted}) as (_, client):
        forwarded = {"X-Forwarded-For": "6.6.6.6, 203.0.113.9, 10.0.0.2"}
        person = {"email": f"{uuid4().hex}@example.com", "password": PASSWORD, "name": "Ada"}
        session = client.post("/api/v1/auth/register", json=person, headers=forwarded).json()
        (own,) = client.get("/api/v1/me/sessions", headers={"Authorization": f"Bearer {session['access_token']}"}).json()["items"]
        assert own["address"] == address


@pytest.mark.parametrize("value", ["*", "proxy.example", "10.0.0.0/8,", "10.0.0.1 10.0.0.2", "10.0.0.1;::1"])
def test_what_is_no_list_of_addresses_stops_the_program(value: str):
    with pytest.raises(SettingInvalid, match=PROXIES):
        load_settings({"HEADRACE_SECRET": SECRET, PROXIES: value}, ControlSettings)


@pytest.mark.parametrize("value", ["", "::1", "10.0.0.1", "10.0.0.0/8,fd00::/8,127.0.0.1"])
def test_addresses_and_networks_will_do(value: str):
    assert load_settings({"HEADRACE_SECRET": SECRET, PROXIES: value}, ControlSettings).trusted_proxies == value
