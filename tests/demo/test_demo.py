"""`exchange demo` as a user runs it: the whole story, and nothing left behind."""

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from exchange.security.files import PRIVATE
from tests.demo.conftest import Program
from tests.demo.transcript import BLOCK, README, masked, transcript
from tests.patience import PATIENCE
from tests.requirements import requires_tool

pytestmark = pytest.mark.server


def deliveries(result: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Deliveries by the letter's registration number at its sender and the recipient."""
    return {
        (story["letter"]["document"]["number"], part["recipient"]): part["delivery"]
        for story in result["outcome"]["letters"]
        for part in story["deliveries"]
    }


@requires_tool("openssl", debian="openssl")
def test_the_story_comes_to_its_end(tmp_path: Path, installed: Path) -> None:
    """States, registrations, refusals, receipts in folders, evidence; afterwards only files are left.

    It's told by the files of an installed wheel, away from the checkout.
    """
    program = Program(tmp_path / "state", site=installed)
    result = program.ask("demo")
    folder = Path(result["folder"])
    assert result["outcome"]["complete"]

    found = deliveries(result)
    states = {key: delivery["state"] for key, delivery in found.items()}
    assert states == {
        ("01-5/123", "mfa"): "registered",
        ("01-5/123", "minekonom"): "registered",
        ("01-5/123", "minjust"): "in-work",
        ("01-5/123", "natstatkom"): "registered",
        ("01-5/123", "kyzmat"): "registered",
        ("11-10/77", "prezident"): "registered",
        ("14-2/905", "natstatkom"): "answered",
        ("14-2/911", "minjust"): "refused",
        ("02-7/51", "minjust"): "in-work",
        ("05-3/40", "ak-bulun"): "registered",
        ("05-3/40", "chon-oruktu"): "registered",
        ("07/12", "natstatkom"): "registered",
        ("01-20/8", "natstatkom"): "registered",
        ("11-10/81", "minzdrav"): "rejected",
        ("11-08/318", "minekonom"): "registered",
    }
    assert found["05-3/40", "ak-bulun"]["reg_number"] == "кир-1"
    assert found["05-3/40", "chon-oruktu"]["reg_number"] == "№ 1"
    assert "листа согласования" in found["14-2/911", "minjust"]["text"]
    assert found["11-10/81", "minzdrav"]["reason"] == "recipient-unknown"
    refused = {refused["code"]: refused for refused in result["outcome"]["refused"]}
    assert set(refused) == {"wrong-signer", "document-invalid"}
    assert "not a valid date" in refused["document-invalid"]["detail"]

    check_folders(folder)
    check_signature(result["openssl"])
    *words, name = result["package"].split()
    packed = program.ask(*words, str(tmp_path / name))
    assert packed["level"] == "B"
    assert packed["events"] >= 4
    command, name, *brought = result["verify"].split()
    assert "Everything that is claimed holds." in program.run(command, str(tmp_path / name), *brought)
    assert program.leaves_nothing(), program.left_behind()
    assert not (folder / "kafka").exists()
    # The timeline is there without any server: the tracker's database is a file.
    number = next(story["letter"]["digest"] for story in result["outcome"]["letters"])
    assert program.ask("track", number[:12])["letter"]["digest"] == number


def check_folders(folder: Path) -> None:
    """Receipts came back in the sender's format, letters arrived in the recipient's, keys are private."""
    registered = next(folder.glob("edms/prezident/in/registered-from-mfa-*/document.xml"))
    assert etree.parse(registered).getroot().tag == "{http://www.infpres.com/IEDMS}communication"
    arrived = next(folder.glob("edms/ak-bulun/in/letter-from-minjust-*/DocInfo.xml"))
    assert etree.parse(arrived).getroot().tag == "{http://www.eos.ru/2010/sev}DocInfo"
    assert any(folder.glob("edms/minekonom/in/letter-from-prezident-*/План перехода.txt"))
    sent = next(folder.glob("edms/prezident/sent/*/prezident-01-5-123/document.xml"))
    assert b"windows-1251" in sent.read_bytes().splitlines()[0].lower()
    assert (
        next(folder.glob("edms/natstatkom/quarantine/*/problem.txt")).read_text().strip().endswith("(document-invalid)")
    )
    assert all(key.stat().st_mode & 0o777 == PRIVATE for key in folder.glob("authority/**/*.key.pem"))


def check_signature(command: str) -> None:
    """The printed command confirms the letter, and no longer does when a byte is changed."""
    assert subprocess.run(command.split(), capture_output=True, check=False).returncode == 0
    words = command.split()
    statement = Path(words[words.index("-content") + 1])
    statement.write_bytes(statement.read_bytes()[:-1] + b"!")
    assert subprocess.run(words, capture_output=True, check=False).returncode != 0


def test_an_interrupt_leaves_nothing(program: Program) -> None:
    """Ctrl-C while it starts ends every process and removes every file."""
    process = program.start("demo", "--keep")
    assert process.stderr is not None
    for line in process.stderr:
        if "starting Kafka" in line:
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, told
    assert "nothing was left behind" in told
    assert program.leaves_nothing(), program.left_behind()
    assert list(program.state.iterdir()) == []


def test_kept_it_runs_until_it_is_ended(program: Program) -> None:
    """`--keep` leaves it for play: other commands find it; a second demo is refused; Ctrl-C removes it all.

    What it printed is what the README shows.
    """
    process = program.start("demo", "--keep")
    assert process.stderr is not None
    for line in process.stderr:
        if "letters keep moving" in line:
            break
    assert (
        program.ask("letters", "--to", "minjust", "--state", "refused")[0]["delivery"]["reason"]
        == "refused-by-recipient"
    )
    assert program.ask("demo", code=4)["code"] == "demo-running"
    assert program.ask("audit", "replay")["report"]["findings"] == []
    assert program.ask("audit", "verify")["findings"] == []
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert program.leaves_nothing(), program.left_behind()
    assert list(program.state.iterdir()) == []
    (shown,) = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert masked(transcript(printed, program.state / "demo")) == masked(shown)
