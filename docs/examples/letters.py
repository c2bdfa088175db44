"""Letters by the agent's HTTP API, with Python's standard library only.

    python letters.py send MESSAGE-ID RECIPIENT TITLE FILE    send a letter, wait until it is delivered
    python letters.py receive FOLDER                          take in the letters that wait, register each

The agent's address, the body and its token come from the environment: EXCHANGE_API, EXCHANGE_BODY,
EXCHANGE_TOKEN. Whoever may install packages uses `exchange.http_client` instead.
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

BODY = f"{os.environ['EXCHANGE_API']}/v1/bodies/{os.environ['EXCHANGE_BODY']}"
HEADERS = {"Authorization": f"Bearer {os.environ['EXCHANGE_TOKEN']}", "Content-Type": "application/json"}


def call(path: str, document: object = None) -> bytes:
    """The bytes of an answer; a problem ends the program with its words."""
    data = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(BODY + path, data, HEADERS)
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        sys.exit(f"{problem['code']}: {problem['detail']}")


def send(message_id: str, recipient: str, title: str, file: str) -> None:
    """Repeated after a crash, with the same message id and file, it sends nothing twice."""
    content = base64.b64encode(Path(file).read_bytes()).decode()
    files = [{"name": Path(file).name, "content": content}]
    call("/letters", {"message_id": message_id, "recipients": [recipient], "title": title, "files": files})
    cursor = 0
    events: list[str] = []
    while "delivered" not in events:
        page = json.loads(call(f"/receipts?after={cursor}&wait=30"))
        cursor = page["cursor"]
        events += [receipt["event"] for receipt in page["receipts"] if receipt["message_id"] == message_id]
    print(f"{message_id} delivered")


def receive(folder: str) -> None:
    """The cursor is kept beside the letters: what was taken in is not asked for again."""
    kept = Path(folder) / "cursor"
    cursor = int(kept.read_text()) if kept.exists() else 0
    page = json.loads(call(f"/inbox?after={cursor}&wait=30"))
    for letter in page["letters"]:
        ident = letter["id"]
        (Path(folder) / f"{ident}.json").write_bytes(call(f"/inbox/{ident}"))
        for number in range(letter["files"]):
            (Path(folder) / f"{ident}.{number}").write_bytes(call(f"/inbox/{ident}/files/{number}"))
        now = datetime.now(UTC)
        receipt = {"message_type": "receipt", "event": "registered", "event_time": now.isoformat()}
        receipt |= {"reg_number": f"IN-{ident[:8]}", "reg_date": now.date().isoformat()}
        call(f"/inbox/{ident}/receipts", receipt)
        print(f"{letter['title']} from {letter['sender']} registered")
    kept.write_text(str(page["cursor"]))


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(*sys.argv[2:])
    else:
        receive(*sys.argv[2:])
