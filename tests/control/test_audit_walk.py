"""Every operation that changes something, called with success: each leaves what stands here beside it in the audit log."""

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from httpx import AsyncClient
from litestar import Litestar

from contracts import settings as contracts
from contracts.settings import ControlSettings
from control.app import API_HANDLERS
from tests import models
from tests.control.conftest import PASSWORD, Account, NewAccount, open_client
from tests.control.mailbox import kept, link_in
from tests.control.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, serving
from tests.control.registry import create_version, deploy, model_file
from tests.control.test_invitations import invite_one, new_email
from tests.control.test_members import join
from tests.control.test_oidc import go, of
from tests.control.test_second_factor import code

ACCOUNTS = {
    "registerAccount": {"organization.create", "project.create"},
    "logIn": {"account.login"},
    "logOut": {"account.logout"},
    "endSession": {"account.end_session"},
    "changePassword": {"account.change_password"},
    "resetPassword": {"account.reset_password"},
    "verifyEmail": {"account.verify_email"},
    "deleteAccount": {"account.delete"},
}
FACTORS = {
    "confirmSecondFactor": {"account.add_second_factor"},
    "replaceRecoveryCodes": {"account.replace_recovery_codes"},
    "removeSecondFactor": {"account.remove_second_factor"},
}
SIGN_INS = {
    "finishSignIn": {"account.link_sign_in", "account.login"},
    "finishSignInWithCode": {"account.login"},
    "removeIdentity": {"account.unlink_sign_in"},
}
ORGANIZATIONS = {
    "createOrganization": {"organization.create"},
    "updateOrganization": {"organization.update"},
    "changeOrganizationSettings": {"organization.settings"},
    "deleteOrganization": {"organization.delete"},
    "restoreOrganization": {"organization.restore"},
}
INVITATIONS = {
    "createInvitations": {"invitation.send"},
    "resendInvitation": {"invitation.send"},
    "revokeInvitation": {"invitation.revoke"},
    "signUpInvited": {"member.join"},
    "acceptInvitation": {"member.join"},
}
MEMBERS = {
    "changeMember": {"member.change"},
    "transferOrganization": {"organization.transfer"},
    "removeMember": {"member.remove"},
    "leaveOrganization": {"member.leave"},
    "createServiceAccount": {"service_account.create"},
    "updateServiceAccount": {"service_account.update"},
    "deleteServiceAccount": {"service_account.delete"},
}
PROJECTS = {
    "createProject": {"project.create"},
    "updateProject": {"project.update"},
    "setProjectVisibility": {"project.visibility"},
    "setProjectMember": {"project.set_role"},
    "removeProjectMember": {"project.remove_role"},
    "archiveProject": {"project.archive"},
    "unarchiveProject": {"project.unarchive"},
    "deleteProject": {"project.delete"},
    "restoreProject": {"project.restore"},
}
KEYS = {
    "createKey": {"key.create"},
    "updateKey": {"key.update"},
    "rotateKey": {"key.rotate"},
    "revokeKey": {"key.revoke"},
}
MODELS = {
    "createModel": {"model.create"},
    "uploadModelVersion": {"version.create"},
    "createDeployment": {"deployment.create"},
    "updateDeployment": {"deployment.update"},
    "deleteDeployment": {"deployment.delete"},
    "deleteModel": {"model.delete"},
}
BATCH_JOBS = {
    "createBatchJob": {"batch_job.create"},
    "cancelBatchJob": {"batch_job.cancel"},
    "resumeBatchJob": {"batch_job.resume"},
    "deleteBatchJob": {"batch_job.delete"},
}
STORIES = (ACCOUNTS, FACTORS, SIGN_INS, ORGANIZATIONS, INVITATIONS, MEMBERS, PROJECTS, KEYS, MODELS, BATCH_JOBS)
NOTHING_TO_TELL = {
    "refreshSession": "goes on with a session; a copied token's end is told: tests/control/test_refresh.py",
    "requestPasswordReset": "sends a mail; using its link is told",
    "requestEmailVerification": "sends a mail; using its link is told",
    "beginSecondFactor": "changes nothing until it is confirmed",
    "startSignIn": "changes nothing until it is finished",
    "linkIdentity": "changes nothing until the sign-in is finished",
    "openInvitation": "reads",
    "tryDeployment": "predicts, which is in the log of requests",
}


def changing() -> dict[str, tuple[str, str]]:
    """Method and path of every operation that changes something."""
    return {
        str(handler.operation_id): (method, path)
        for handler in API_HANDLERS
        for method in handler.http_methods - {"GET", "HEAD", "OPTIONS"}
        for path in handler.paths
    }


class Ledger:
    """Calls operations, and keeps what each left in the audit log."""

    def __init__(self, database: asyncpg.Connection) -> None:
        self.database = database
        self.left: dict[str, set[str]] = {}

    async def call(self, client: AsyncClient, operation: str, *ids: object, **request: Any) -> Any:
        """What a call answers that succeeds; `ids` stand in its path in their order."""
        method, path = changing()[operation]
        given = iter(ids)
        path = re.sub(r"\{[^}]*\}", lambda _: str(next(given)), path)
        answer = await client.request(method, f"/api/v1{path}", **request)
        assert answer.is_success, (operation, answer.text)
        text = "SELECT action FROM audit_entries WHERE request_id = $1"
        rows = await self.database.fetch(text, answer.headers["X-Request-Id"])
        self.left.setdefault(operation, set()).update(it["action"] for it in rows)
        return answer.json() if answer.content else None


@pytest.fixture
def provider() -> Generator[OidcProvider]:
    with serving() as provider:
        yield provider


@pytest.fixture
def settings(settings: ControlSettings, provider: OidcProvider) -> ControlSettings:
    """One may sign in elsewhere, and batch jobs wait."""
    corporate = contracts.OidcProvider("corporate", "Corporate login", provider.issuer, CLIENT_ID, CLIENT_SECRET)
    return msgspec.structs.replace(settings, oidc=(corporate,), batch_jobs_at_once=0)


@pytest.fixture
def ledger(database: asyncpg.Connection) -> Ledger:
    return Ledger(database)


def test_every_operation_that_changes_something_is_in_one_story():
    told = [name for story in (*STORIES, NOTHING_TO_TELL) for name in story]
    assert sorted(told) == sorted(changing())


async def test_of_accounts(
    app: Litestar, client: AsyncClient, ledger: Ledger, account: Account, new_account: NewAccount, database_url: str
):
    person = {"email": new_email(), "password": PASSWORD}
    await ledger.call(client, "registerAccount", json=person | {"name": "Ada Lovelace"})
    session = await ledger.call(client, "logIn", json=person)
    async with open_client(app, {"Authorization": f"Bearer {session['access_token']}"}) as other:
        await ledger.call(other, "logOut")
    await ledger.call(client, "logIn", json={"email": account.email, "password": PASSWORD})
    sessions = (await account.client.get("/api/v1/me/sessions")).json()["items"]
    await ledger.call(account.client, "endSession", next(it["id"] for it in sessions if not it["is_current"]))
    changed = {"current_password": PASSWORD, "new_password": "four unrelated words"}
    await ledger.call(account.client, "changePassword", json=changed)
    await ledger.call(client, "verifyEmail", json={"token": await mailed(app, account.client, "/me/verification")})
    token = await mailed(app, client, "/auth/password-reset", email=account.email)
    await ledger.call(client, "resetPassword", json={"token": token, "new_password": PASSWORD})
    leaving = await join(database_url, account, await new_account(), "viewer")
    await ledger.call(leaving.client, "deleteAccount", json={"password": PASSWORD})
    assert ledger.left == ACCOUNTS


async def mailed(app: Litestar, client: AsyncClient, path: str, **body: str) -> str:
    """The token of the link that is sent on demand."""
    assert (await client.post(f"/api/v1{path}", json=body or None)).status_code == 204
    return link_in((await kept(app.state.resources.mailer))[-1]).partition("#")[2]


async def test_of_second_factors(ledger: Ledger, account: Account):
    begun = (await account.client.post("/api/v1/me/second-factor", json={"password": PASSWORD})).json()
    await ledger.call(account.client, "confirmSecondFactor", json={"code": code(begun["secret"], -1)})
    both = {"password": PASSWORD, "code": code(begun["secret"])}
    (spare, *_) = (await ledger.call(account.client, "replaceRecoveryCodes", json=both))["codes"]
    await ledger.call(account.client, "removeSecondFactor", json={"password": PASSWORD, "code": spare})
    assert ledger.left == FACTORS


async def test_of_sign_ins_elsewhere(app: Litestar, ledger: Ledger, account: Account, provider: OidcProvider):
    browser = account.client
    provider.claims = of(account)
    begun = await browser.post("/api/v1/me/identities", json={"provider": "corporate", "password": PASSWORD})
    await ledger.call(browser, "finishSignIn", json=await go(browser, begun))
    async with open_client(app, {"Origin": "http://127.0.0.1:8080"}) as other:
        await ledger.call(other, "finishSignIn", json=await go(other))
        begun = (await browser.post("/api/v1/me/second-factor", json={"password": PASSWORD})).json()
        await browser.post("/api/v1/me/second-factor/confirm", json={"code": code(begun["secret"], -1)})
        await ledger.call(other, "finishSignIn", json=await go(other))
        await ledger.call(other, "finishSignInWithCode", json={"code": code(begun["secret"])})
    (identity,) = (await browser.get("/api/v1/me/identities")).json()["items"]
    await ledger.call(browser, "removeIdentity", identity["id"], json={"password": PASSWORD})
    assert ledger.left == SIGN_INS


async def test_of_organizations(ledger: Ledger, account: Account):
    made = (await ledger.call(account.client, "createOrganization", json={"name": "Analytical Engines"}))["id"]
    await ledger.call(account.client, "updateOrganization", made, json={"name": "Difference Engines"})
    await ledger.call(account.client, "changeOrganizationSettings", made, json={"log_retention_days": 7})
    await ledger.call(account.client, "deleteOrganization", made)
    await ledger.call(account.client, "restoreOrganization", made)
    assert ledger.left == ORGANIZATIONS


async def test_of_invitations(client: AsyncClient, ledger: Ledger, account: Account, stranger: Account):
    organization, email = account.organization_id, new_email()
    sent = await ledger.call(account.client, "createInvitations", organization, json={"emails": [email], "role": "viewer"})
    ids = organization, sent["sent"][0]["invitation"]["id"]
    older = "UPDATE invitations SET sent_at = now() - interval '2 minutes' WHERE email = $1"
    await ledger.database.execute(older, email)
    await ledger.call(account.client, "resendInvitation", *ids)
    await ledger.call(account.client, "revokeInvitation", *ids)
    new = {"token": await invite_one(account, new_email()), "name": "Grace Hopper", "password": PASSWORD}
    await ledger.call(client, "signUpInvited", json=new)
    await ledger.call(stranger.client, "acceptInvitation", json={"token": await invite_one(account, stranger.email)})
    assert ledger.left == INVITATIONS


async def test_of_members(ledger: Ledger, account: Account, new_account: NewAccount, database_url: str):
    organization = account.organization_id
    first, second = [await join(database_url, account, await new_account(), "viewer") for _ in range(2)]
    await ledger.call(account.client, "changeMember", organization, first.user_id, json={"role": "admin"})
    await ledger.call(account.client, "transferOrganization", organization, json={"user_id": str(first.user_id)})
    await ledger.call(first.client, "removeMember", organization, second.user_id)
    await ledger.call(account.client, "leaveOrganization", organization)
    machine = {"name": "deployer", "role": "developer"}
    made = (await ledger.call(first.client, "createServiceAccount", organization, json=machine))["id"]
    await ledger.call(first.client, "updateServiceAccount", organization, made, json={"is_disabled": True})
    await ledger.call(first.client, "deleteServiceAccount", organization, made)
    assert ledger.left == MEMBERS


async def test_of_projects(ledger: Ledger, account: Account, new_account: NewAccount, database_url: str):
    client = account.client
    person = await join(database_url, account, await new_account(), "viewer")
    made = (await ledger.call(client, "createProject", account.organization_id, json={"name": "fraud"}))["id"]
    await ledger.call(client, "updateProject", made, json={"description": "who pays, and who does not"})
    await ledger.call(client, "setProjectVisibility", made, json={"visibility": "private"})
    await ledger.call(client, "setProjectMember", made, person.user_id, json={"role": "developer"})
    await ledger.call(client, "removeProjectMember", made, person.user_id)
    for operation in ("archiveProject", "unarchiveProject", "deleteProject", "restoreProject"):
        await ledger.call(client, operation, made)
    assert ledger.left == PROJECTS


async def test_of_keys(ledger: Ledger, account: Account):
    client, project = account.client, account.project_id
    made = (await ledger.call(client, "createKey", project, json={"name": "checkout", "scopes": ["infer"]}))["key"]["id"]
    await ledger.call(client, "updateKey", project, made, json={"name": "payments"})
    await ledger.call(client, "rotateKey", project, made, json={"overlap_s": 60})
    await ledger.call(client, "revokeKey", project, made)
    assert ledger.left == KEYS


async def test_of_models_and_deployments(ledger: Ledger, account: Account, tmp_path: Path):
    client, project = account.client, account.project_id
    model = (await ledger.call(client, "createModel", project, json={"name": "fraud"}))["id"]
    file = {"params": {"file_name": "model.onnx"}, "headers": {"Content-Type": "application/octet-stream"}}
    content = model_file(tmp_path).read_bytes()
    version = (await ledger.call(client, "uploadModelVersion", project, model, content=content, **file))["id"]
    deployment = {"name": "fraud", "model_version_id": version}
    made = (await ledger.call(client, "createDeployment", project, json=deployment))["id"]
    await ledger.call(client, "updateDeployment", project, made, json={"settings": {"batching": {"max_delay_us": 100}}})
    await ledger.call(client, "deleteDeployment", project, made)
    await ledger.call(client, "deleteModel", project, model)
    assert ledger.left == MODELS


async def test_of_batch_jobs(ledger: Ledger, account: Account, tmp_path: Path):
    client, project = account.client, account.project_id
    deployment = await deploy(account, await create_version(account, models.sum_model(tmp_path / "sum.onnx", width=2)))
    file = {
        "params": {"file_name": "rows.csv", "deployment_id": deployment["id"]},
        "headers": {"Content-Type": "application/octet-stream"},
    }
    made = (await ledger.call(client, "createBatchJob", project, content=b"x_0,x_1\n1,2\n", **file))["id"]
    for operation in ("cancelBatchJob", "resumeBatchJob", "deleteBatchJob"):
        await ledger.call(client, operation, project, made)
    assert ledger.left == BATCH_JOBS
