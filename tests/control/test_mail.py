"""Mail: what goes over the wire, what is kept, and what never leaves."""

import asyncio
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Invalid, SettingInvalid
from control.background import running
from control.mail.errors import AddressUnfit, MailQueueFull
from control.mail.letters import Letter, compose
from control.mail.mailer import MOST_WAITING, Mailer
from control.mail.server import MailServer, read_server
from tests.control.mailbox import files, kept, link_in, listening

SENDER = "headrace@example.com"
LETTER = Letter("ada@example.com", "You are invited · ünïcode", "Open http://127.0.0.1:8080/invite/abc_-1 soon.\nGrüße")


def mailer(url: str, directory: Path) -> Mailer:
    return Mailer(read_server(url), SENDER, directory, retry_after_s=(0.01, 0.01))


def modes(directory: Path) -> set[int]:
    return {it.stat().st_mode & 0o777 for it in (directory, *directory.iterdir())}


async def test_a_letter_reaches_the_mail_server(tmp_path: Path):
    async with listening() as mailbox:
        sending = mailer(f"smtp://127.0.0.1:{mailbox.port}", tmp_path)
        async with running(sending.deliver_forever()):
            sending.post(LETTER)
            message = await mailbox.next()
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, LETTER.to, LETTER.subject)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == LETTER.text.splitlines()
    assert files(tmp_path) == []


async def test_without_a_server_a_letter_is_kept_for_this_user_alone(tmp_path: Path):
    keeping = mailer("", tmp_path / "mail")
    async with running(keeping.deliver_forever()):
        keeping.post(LETTER)
        (message,) = await kept(keeping)
    assert not keeping.is_sending
    assert link_in(message) == "http://127.0.0.1:8080/invite/abc_-1"
    assert modes(tmp_path / "mail") == {0o600, 0o700}


async def test_a_mail_server_in_trouble_is_asked_again(tmp_path: Path):
    async with listening() as mailbox:
        mailbox.refusals = ["451 later"]
        sending = mailer(f"smtp://127.0.0.1:{mailbox.port}", tmp_path)
        async with running(sending.deliver_forever()):
            sending.post(LETTER)
            assert (await mailbox.next())["To"] == LETTER.to


async def test_what_a_server_will_not_take_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    async with listening() as mailbox:
        mailbox.refusals = ["554 no"]
        sending = mailer(f"smtp://127.0.0.1:{mailbox.port}", tmp_path)
        async with running(sending.deliver_forever()):
            sending.post(LETTER)
            sending.post(Letter("bob@example.com", "Second", "text"))
            assert (await mailbox.next())["To"] == "bob@example.com"
            assert [it["To"] for it in await kept(sending)] == [LETTER.to]
    assert "kept a mail" in caplog.text
    assert "abc_-1" not in caplog.text


async def test_a_password_never_travels_in_the_clear(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    async with listening() as mailbox:
        sending = mailer(f"smtp://ada:hunter22@127.0.0.1:{mailbox.port}", tmp_path)
        async with running(sending.deliver_forever()):
            sending.post(LETTER)
            assert len(await kept(sending)) == 1
        assert mailbox.arrived.empty()
    assert "hunter22" not in caplog.text


async def test_an_unreachable_server_loses_nothing_when_the_program_stops(tmp_path: Path):
    sending = Mailer(read_server("smtp://127.0.0.1:1"), SENDER, tmp_path, retry_after_s=(60,))
    for _ in range(3):
        sending.post(LETTER)
    async with running(sending.deliver_forever()):
        await asyncio.sleep(0)
    assert len(files(tmp_path)) == 3


def test_the_queue_has_an_end(tmp_path: Path):
    idle = mailer("", tmp_path)
    for _ in range(MOST_WAITING):
        idle.post(LETTER)
    with pytest.raises(MailQueueFull):
        idle.post(LETTER)
    with pytest.raises(MailQueueFull):
        idle.check_room(1)


@pytest.mark.parametrize(
    "to",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "ada@example.com\n",
        "@example.com",
        "ada@",
        "ada",
        "",
        "a\x00da@example.com",
        "ada@exa\u2028mple.com",
        '"ada',
    ],
)
def test_an_address_is_one_address(to: str):
    with pytest.raises(AddressUnfit):
        compose(Letter(to, "Hello", "text"), SENDER)


@pytest.mark.parametrize("subject", ["Hello\r\nBcc: eve@example.com", "Hello\nX: y", "Hello\r"])
def test_a_subject_is_one_line(subject: str):
    with pytest.raises(Invalid):
        compose(Letter("ada@example.com", subject, "text"), SENDER)


HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
}


@given(st.text(), st.text(), st.text())
def test_no_text_makes_a_header(to: str, subject: str, text: str):
    try:
        message = compose(Letter(to, subject, text), SENDER)
    except Invalid:
        return
    head, _, _ = message.as_bytes().partition(b"\n\n")
    names = {line.split(b":")[0].decode() for line in head.split(b"\n") if not line.startswith((b" ", b"\t"))}
    assert names <= HEADERS


SERVERS = {
    "smtp://mail.example.com": MailServer("mail.example.com", 587, None, None, "if offered"),
    "smtp://u%40x:p%3A%2F@mail:25": MailServer("mail", 25, "u@x", "p:/", "required"),
    "smtps://u:p@mail/": MailServer("mail", 465, "u", "p", "from the start"),
    "smtp://[::1]:2525": MailServer("::1", 2525, None, None, "if offered"),
    "": None,
}


@pytest.mark.parametrize("url", SERVERS)
def test_a_server_is_named_by_a_url(url: str):
    assert read_server(url) == SERVERS[url]


@pytest.mark.parametrize(
    "url", ["mail.example.com", "http://mail", "smtp:", "smtp://u@mail", "smtp://mail:99999", "smtp://mail/in"]
)
def test_a_wrong_url_is_refused_and_not_repeated(url: str):
    with pytest.raises(SettingInvalid, match="HEADRACE_SMTP_URL") as refusal:
        read_server(url)
    assert "mail" not in str(refusal.value)
