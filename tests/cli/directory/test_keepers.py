"""Keepers change the directory: one enters, another approves, the clock puts it in force."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Targets
from typer.testing import CliRunner

from exchange.cli import app
from exchange.domain.directory import BodyStatus, Paper
from exchange.domain.ids import digest
from exchange.security.authority import Authority
from exchange.security.directory.ceremony import Holders, Quorum, make_root, sign_root
from exchange.security.directory.draft import Draft
from exchange.security.directory.publisher import DirectoryPublisher
from exchange.security.errors import DirectoryRefused
from exchange.security.keys import load_private_key, make_key
from tests.cli.directory.place import NOW, Place
from tests.patience import PATIENCE


@pytest.fixture
def draft(tmp_path: Path) -> str:
    """Where a draft goes."""
    return str(tmp_path / "draft.json")


def enter(place: Place, draft: str, *arguments: str, keeper: int = 0) -> None:
    """One keeper enters a change."""
    why = () if arguments[0] == "trust" else ("--reason", "because")
    done = place.run(*arguments, *why, "--key", place.keeper(keeper), "--draft", draft)
    assert done.exit_code == 0, done.stderr
    assert "another keeper" in done.stdout


def test_one_enters_and_another_approves(place: Place, draft: str) -> None:
    """Nothing changes before; the second sees what would; the clock puts it in force."""
    enter(place, draft, "suspend", "mfa")
    assert place.status("mfa") is BodyStatus.CONNECTED
    shown = place.run("draft", draft)
    assert shown.exit_code == 1, "too few have signed"
    assert "mfa, by keeper-1: because" in shown.stdout
    assert "status: connected → suspended" in shown.stdout
    done = place.run("approve", draft, "--key", place.keeper(1))
    assert "version 2 is complete" in done.stdout
    assert place.status("mfa") is BodyStatus.CONNECTED, "nobody vouches for version 2 yet"
    assert "version 2 is in force" in place.run("stamp", "--key", place.clock).stdout
    assert place.status("mfa") is BodyStatus.SUSPENDED


def test_nobody_approves_what_they_entered(place: Place, draft: str) -> None:
    """Nor does somebody who is no keeper."""
    enter(place, draft, "suspend", "mfa")
    assert "error[draft-signed-before]" in place.run("approve", draft, "--key", place.keeper(0)).stderr
    assert "error[directory-signature-invalid]" in place.run("approve", draft, "--key", place.clock).stderr
    refused = place.run("suspend", "mfa", "--reason", "r", "--key", place.clock, "--draft", draft)
    assert "error[keeper-unknown]" in refused.stderr
    assert place.folder.head() == place.folder.latest()


def test_two_drafts_at_once(place: Place, draft: str) -> None:
    """Of different lists both come into force; of the same one the second is told to begin again."""
    lists = {code: place.folder.list_of(1, code) for code in place.folder.latest().bodies}
    other = next(code for code, name in lists.items() if name != lists["mfa"])
    drafts = [f"{draft}.{number}" for number in range(3)]
    enter(place, drafts[0], "suspend", "mfa")
    enter(place, drafts[1], "suspend", other)
    enter(place, drafts[2], "leave", "mfa", keeper=1)
    for each in drafts[:2]:
        assert place.run("approve", each, "--key", place.keeper(1), "--clock", place.clock).exit_code == 0
    assert place.folder.latest().version == 3
    assert place.status("mfa") is place.status(other) is BodyStatus.SUSPENDED
    overtaken = place.run("approve", drafts[2], "--key", place.keeper(0))
    assert "error[draft-overtaken]" in overtaken.stderr
    assert "enter the change again" in overtaken.stderr


def test_a_status_that_may_not_follow(place: Place) -> None:
    """Who left never returns; the message names what may follow."""
    assert place.run("leave", "mfa", "--reason", "dissolved", *place.keys()).exit_code == 0
    refused = place.run("resume", "mfa", "--reason", "r", *place.keys())
    assert "error[directory-status-invalid]" in refused.stderr
    assert "bodies.mfa.status: connected may not follow left, only nothing" in refused.stderr
    again = place.run("leave", "mfa", "--reason", "r", *place.keys())
    assert "error[draft-empty]" in again.stderr, "it is so already"
    unknown = place.run("suspend", "nobody", "--reason", "r", *place.keys())
    assert "error[body-unknown]" in unknown.stderr


def test_a_certificate_comes_and_another_goes(place: Place, tmp_path: Path) -> None:
    """Both are listed meanwhile; the revoked one is told with its time."""
    new = place.certificate("mfa", tmp_path)
    assert place.run("certify", "mfa", str(new), "--reason", "rotation", *place.keys()).exit_code == 0
    listed = place.folder.latest().bodies["mfa"].certificates
    assert len(listed) == 3
    first, second, _ = json.loads(place.run("show", "mfa", "--json").stdout)["result"]["certificates"]
    for name in (first["digest"][:16], second["number"].upper()):
        assert place.run("revoke", "mfa", name, "--reason", "stolen", *place.keys()).exit_code == 0
        again = place.run("revoke", "mfa", name, "--reason", "stolen", *place.keys())
        assert "error[certificate-not-listed]" in again.stderr
    revoked = [each.revoked is not None for each in place.folder.latest().bodies["mfa"].certificates]
    assert revoked == [True, True, False]


def test_somebody_else_s_certificate_is_not_listed(place: Place, tmp_path: Path) -> None:
    """Another body's, or one of an authority that nobody trusts, for statements or connections: told by code."""
    strange = Authority(tmp_path / "strange", now=NOW).body("mfa")
    other = place.certificate("minjust", tmp_path)
    for file, codes in (
        (other, ["certificate-names-another"]),
        (strange.statement.certificate, ["certificate-untrusted"]),
        (strange.transport.certificate, ["certificate-untrusted"]),
    ):
        refused = place.run("certify", "mfa", str(file), "--reason", "r", *place.keys(), "--json")
        assert refused.exit_code == 1
        assert [problem["code"] for problem in json.loads(refused.stdout)["result"]] == codes
    assert place.folder.latest().version == 1


def test_a_connection_s_certificate_is_listed(place: Place) -> None:
    """Its issuer is one whom this machine and the brokers trust, whatever the directory says of statements."""
    files = Authority(Path(place.authority), now=NOW).body("newcomer").transport
    place.change(replace(place.folder.latest().bodies["mfa"], code="newcomer", uids=(), certificates=()))
    done = place.run("certify", "newcomer", str(files.certificate), "--reason", "r", *place.keys())
    assert "    + transport: CN=newcomer" in done.stdout


def test_what_is_in_a_draft_is_not_believed(place: Place, draft: str) -> None:
    """Other bytes, another body's entry, a change that nobody who signed it entered."""
    enter(place, draft, "suspend", "mfa")
    good = Draft.decode(Path(draft).read_bytes())
    (name,) = good.files
    for files, code in (
        ({}, "directory-file-differs"),
        ({name: good.files[name].replace(b"because", b"because!")}, "directory-file-differs"),
    ):
        Path(draft).write_bytes(replace(good, files=files).encode())
        assert f"error[{code}]" in place.run("approve", draft, "--key", place.keeper(1)).stderr
    for junk in (b"", b"{}", b"[]", b"\xff", b'{"format":2,"lists":{"a":"b"},"files":{}}', good.encode()[:-3]):
        Path(draft).write_bytes(junk)
        assert "error[draft-unreadable]" in place.run("draft", draft).stderr
    assert "error[draft-missing]" in place.run("draft", f"{draft}.no").stderr


def test_a_change_needs_its_words_and_its_place(place: Place) -> None:
    """Without a change, with a number or name of somebody else, or with a body dropped, nothing is entered."""
    publisher, key = DirectoryPublisher(place.folder), load_private_key(Path(place.keeper(0)))
    head = place.folder.latest()
    suspended = replace(head.bodies["mfa"], status=BodyStatus.SUSPENDED)
    dropped = {code: body for code, body in head.bodies.items() if code != "mfa"}
    for changed, word in (
        (replace(head, bodies={**head.bodies, "mfa": suspended}), "mfa"),
        (replace(head, bodies=dropped), "mfa"),
        (replace(head, lanes=head.lanes + 1), "lanes"),
    ):
        with pytest.raises(DirectoryRefused, match=word) as caught:
            publisher.draft(changed, key, NOW)
        assert caught.value.code == "directory-change-invalid"
    with pytest.raises(DirectoryRefused, match="nothing would change") as caught:
        publisher.draft(head, key, NOW)
    assert caught.value.code == "draft-empty"


def test_a_keeper_lets_nobody_else_sign(place: Place, draft: str) -> None:
    """A draft whose lists name other keepers than the root is not approved: it would look like any other."""
    enter(place, draft, "trust", str(place.issuer()))
    good = Draft.decode(Path(draft).read_bytes())
    metadata = Metadata[Targets].from_bytes(good.lists["targets"])
    delegations = metadata.signed.delegations
    assert delegations is not None
    assert delegations.succinct_roles is not None
    delegations.succinct_roles.threshold = 1
    metadata.sign(CryptoSigner(load_private_key(Path(place.keeper(0)))))
    Path(draft).write_bytes(replace(good, lists={"targets": metadata.to_bytes()}).encode())
    refused = place.run("approve", draft, "--key", place.keeper(1))
    assert "error[directory-change-invalid]: the draft would let others sign" in refused.stderr


def test_another_authority_is_trusted(place: Place, draft: str, tmp_path: Path) -> None:
    """Whoever approves sees which; one has to stay; a body's own certificate makes no authority."""
    enter(place, draft, "trust", str(place.issuer()))
    panel = place.run("draft", draft).stdout.splitlines()
    comes = next(at for at, line in enumerate(panel) if line.startswith("    + CN=Exchange transport root, number "))
    assert panel[comes - 1] == "  issuers of statement certificates:"
    assert panel[comes + 1].startswith("      SHA-256 ")
    assert place.run("approve", draft, "--key", place.keeper(1), "--clock", place.clock).exit_code == 0
    both = [digest(der).hex() for der in place.folder.latest().issuers]
    assert len(both) == 2
    gone = place.run("distrust", both[0][:16], *place.keys())
    assert "    − CN=Exchange statement root, number " in gone.stdout
    body = place.certificate("mfa", tmp_path)
    assert "error[certificate-not-issuer]" in place.run("trust", str(body), *place.keys()).stderr
    assert "error[draft-empty]" in place.run("trust", str(place.issuer()), *place.keys()).stderr, "it is there"
    assert place.run("distrust", both[1][:16], *place.keys()).stderr.startswith("error[certificate-not-listed]")


def test_a_new_root_comes_into_force(place: Place, tmp_path: Path) -> None:
    """Its keepers sign the directory again; whoever reads goes on by the version before until then."""
    keys = place.root_keys()
    held = {name: key.public_key() for name, key in keys.items()}
    keepers = {f"keeper-{number}": load_private_key(Path(place.keeper(number))).public_key() for number in (0, 1)}
    new_clock = tmp_path / "clock"
    make_key(new_clock)
    holders = Holders(Quorum(held, 2), Quorum(keepers, 2), load_private_key(new_clock).public_key())
    root = make_root(holders, 2, NOW)
    for key in list(keys.values())[:2]:
        root = sign_root(root, key, place.folder.root)
    (tmp_path / "2.root.json").write_bytes(root)
    before = place.folder.latest()
    published = CliRunner().invoke(
        app, ["root", "publish", str(tmp_path / "2.root.json"), "--config", str(place.config)]
    )
    assert published.exit_code == 0, published.stderr
    with pytest.raises(DirectoryRefused):
        place.folder.latest(before)
    both = [part for number in (0, 1) for part in ("--key", place.keeper(number))]
    assert place.run("renew", *both, "--clock", str(new_clock)).exit_code == 0
    assert place.folder.latest(before).version == 2
    assert place.run("stamp", "--key", place.clock).stderr.startswith("error[directory-signature-invalid]")


def plan_ayil_okmotu(place: Place) -> None:
    """One that is not connected yet."""
    place.change(replace(place.folder.latest().bodies["ak-bulun"], status=BodyStatus.PLANNED))


def test_a_body_is_carried(place: Place) -> None:
    """By a bridge, until the days that two keepers agree on; who is electronic already only has the days."""
    plan_ayil_okmotu(place)
    days = ("--taken-until", "2022-04-01", "--sent-until", "2022-03-01", "--reason", "no agent yet", *place.keys())
    done = place.run("paper", "ak-bulun", "--bridge", "mfa", *days)
    assert done.exit_code == 0, done.stderr
    assert "paper: nothing → taken until 2022-04-01, sent until 2022-03-01" in done.stdout
    carried = place.folder.latest().bodies["ak-bulun"]
    assert carried.carried
    assert (carried.gateway, carried.paper) == ("mfa", Paper(date(2022, 4, 1), date(2022, 3, 1)))
    assert place.run("paper", "minjust", *days).exit_code == 0
    assert not place.folder.latest().bodies["minjust"].carried
    assert "taken until 2022-04-01, sent until 2022-03-01" in place.run("show", "ak-bulun").stdout


def test_a_body_ends_with_paper(place: Place) -> None:
    """Without a day nothing more goes by paper, and without a bridge nobody carries it."""
    plan_ayil_okmotu(place)
    why = ("--reason", "connected", *place.keys())
    assert place.run("paper", "ak-bulun", "--bridge", "mfa", "--taken-until", "2022-04-01", *why).exit_code == 0
    assert place.folder.latest().bodies["ak-bulun"].paper == Paper(date(2022, 4, 1), None)
    assert place.run("paper", "ak-bulun", "--bridge", "", *why).exit_code == 0
    body = place.folder.latest().bodies["ak-bulun"]
    assert (body.paper, body.gateway, body.reachable) == (None, "", False)


def test_paper_of_a_body_that_nobody_lists(place: Place) -> None:
    """Neither as carried nor as the bridge."""
    refused = place.run("paper", "nobody", "--reason", "r", *place.keys())
    assert "error[body-unknown]" in refused.stderr
    refused = place.run("paper", "ak-bulun", "--bridge", "nobody", "--reason", "r", *place.keys())
    assert "error[body-unknown]" in refused.stderr


def test_two_keepers_approve_at_the_same_moment(place: Place, draft: str) -> None:
    """One writes after the other: both changes are there, in two versions that continue each other."""
    head = place.folder.latest()
    lists = {code: place.folder.list_of(1, code) for code in head.bodies}
    other = next(code for code, name in lists.items() if name != lists["mfa"])
    drafts = [f"{draft}.{code}" for code in ("mfa", other)]
    for code, file in zip(("mfa", other), drafts, strict=True):
        enter(place, file, "suspend", code)
    arguments = ["directory", "approve", "--key", place.keeper(1), "--config", str(place.config)]
    command = [sys.executable, "-m", "exchange.cli", *arguments]
    running = [subprocess.Popen([*command, file], stdout=subprocess.DEVNULL) for file in drafts]
    assert [process.wait(PATIENCE) for process in running] == [0, 0]
    assert place.run("stamp", "--key", place.clock).exit_code == 0
    latest = place.folder.latest(head)
    assert latest.version == 3
    assert {latest.bodies[code].status for code in ("mfa", other)} == {BodyStatus.SUSPENDED}


def test_a_draft_is_not_overwritten(place: Place, draft: str) -> None:
    """By the next change: nobody would notice that the first is gone."""
    enter(place, draft, "suspend", "mfa")
    again = place.run("suspend", "minjust", "--reason", "r", "--key", place.keeper(0), "--draft", draft)
    assert "error[draft-exists]" in again.stderr


def test_the_wrong_clock_is_told_before_anything_is_written(place: Place) -> None:
    """Else the version would be complete, and not in force."""
    keys = place.keys()
    keys[-1] = place.keeper(0)
    assert "is not the clock's" in place.run("suspend", "mfa", "--reason", "r", *keys).stderr
    assert place.folder.head() == place.folder.latest()


def test_a_certificate_for_nothing_here(place: Place) -> None:
    """One without a usage of the exchange is refused by name."""
    refused = place.run("certify", "mfa", str(place.issuer()), "--reason", "r", *place.keys())
    assert "error[certificate-usage-unknown]" in refused.stderr
    carried = place.run("paper", "mfa", "--bridge", "mfa", "--reason", "r", *place.keys())
    assert "error[gateway-unknown]" in carried.stderr
