"""Files of strangers: whatever they are called and said to be, a browser only stores them."""

from tests.services.api.site import Site, letter

MEDIA_TYPES = {
    "text/html": "text/html",
    "text/html\r\nX: y": "application/octet-stream",
    "": "application/octet-stream",
    "a/b; charset=utf-8": "application/octet-stream",
    "x" * 200: "application/octet-stream",
}
"""What a sender says a file is, and what it is got as."""


async def test_files_that_pretend(api: Site) -> None:
    """Attachments by name, of one plain type, with a digest; never a page of the agent's."""
    files = [
        {"name": f"'; ({number}) письмо.html", "content": "PGI+", "media_type": media_type}
        for number, media_type in enumerate(MEDIA_TYPES)
    ]
    async with api.caller("alpha") as alpha, api.caller("beta") as beta:
        sent = await alpha.post("/letters", json=letter(files=files))
        assert sent.status_code == 202, sent.text
        (arrived,) = (await beta.get("/inbox", params={"wait": 60})).json()["letters"]
        got = [await beta.get(f"/inbox/{arrived['id']}/files/{number}") for number in range(len(files))]
    assert [file.headers["content-type"].partition(";")[0] for file in got] == list(MEDIA_TYPES.values())
    for file in got:
        assert file.content == b"<b>"
        assert file.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%27%3B%20%28")
        assert file.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert file.headers["repr-digest"].startswith("sha-256=:")
        assert file.headers["cache-control"] == "no-store"
        assert "x" not in file.headers
