"""Which passwords are refused."""

import pytest

from control.identity.errors import PasswordUnfit
from control.identity.passwords import check_password


@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "PasswordPassword",
        "Password123!",
        "...password...",
        "qwertyuiop",
        "aaaaaaaaaabb",
        "Headrace2026",
        "ada.lovelace",
        "Ada.Lovelace@example.com",
        "ada lovelace 1815",
    ],
)
def test_what_anybody_would_try_first_is_refused(password: str):
    with pytest.raises(PasswordUnfit, match="first that anybody would try"):
        check_password(password, "ada.lovelace@example.com", "Ada Lovelace")


@pytest.mark.parametrize("password", ["a good enough password", "tidal-copper-ninety", "Пароль от моей почты", "abcd" * 18])
def test_other_passwords_will_do(password: str):
    check_password(password, "ada.lovelace@example.com", "Ada Lovelace")
