"""What is looked at, in this order. Each step relies on those before it.

 1. The file is a plain zip, and its manifest names every file in it with its SHA-256.
 2. The index, `case.json`, is about one letter of the exchange whose first root the reader has brought.
 3. Each decision is about exactly the statement beside it, and the index says nothing else of either.
 4. Each statement is signed over exactly its bytes by a certificate that comes with it.
 5. That certificate was its body's by the directory that the decision names, and valid when it was decided.
 6. Each decision is in the transparency log, under a checkpoint that enough witnesses cosigned.
 7. Statements of one origin, and decisions of one lane, that follow one another name one another.
 8. Contents are what the statements commit to; those that are left out, the index says so.
 9. Time-stamps are of these very bytes, by an authority that the reader trusts.
10. The package is of the level that it claims, and holds no file that nothing explains.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from exchange_verify import case, certificates, cms, log, stamps
from exchange_verify.container import MIMETYPE, Container
from exchange_verify.directory import Directory, once
from exchange_verify.errors import Refused, require, within

_ASIC_E, _ASIC_S = "application/vnd.etsi.asic-e+zip", "application/vnd.etsi.asic-s+zip"
_MANIFEST, _CASE, _ISSUERS = "META-INF/ASiCManifest.xml", "case.json", "directory/issuers.crt.pem"
_STATEMENT, _SIGNATURE = "statement", "META-INF/signature.p7s"
_NAMES = {"contents", "directory", "events", "exchange", "format", "letter", "level", "policy", "time_stamps"}
_FOR_PEOPLE = re.compile(r"log\.policy|report(\.(ky|ru|en))?\.(html|pdf)")
_LEVELS = ("B", "T", "LT", "LTA")
Steps = tuple[Callable[[], str], ...]


@dataclass(frozen=True, slots=True)
class Trusted:
    """What the reader brings: the exchange's first root, the log's policy, roots of time-stamp authorities, a time."""

    root: bytes
    policy: str
    authorities: certificates.Certificates
    at: datetime


class Verification:
    """One package, looked at step by step: `steps` are to be called in order; each says what it found, or refuses."""

    def __init__(self, source: BinaryIO, trusted: Trusted) -> None:
        """Nothing is looked at yet."""
        self._source, self._trusted = source, trusted
        self.said: list[case.Said] = []
        self.unchecked = ""
        self._signers: list[x509.Certificate] = []
        self._partitions: list[int] = []
        self._explained = {MIMETYPE, _MANIFEST, _CASE, _ISSUERS}
        first: Steps = (self._container, self._read_index, self._decisions, self._signatures, self._certificates)
        self.steps: Steps = (*first, self._log, self._chains, self._contents, self._time_stamps, self._level)

    def run(self) -> tuple[list[str], str]:
        """What each step found; and why the one behind them does not hold, empty when all do."""
        told: list[str] = []
        try:
            for step in self.steps:
                with within(f"step {len(told) + 1}"):
                    told.append(step())
        except Refused as error:
            return told, str(error)
        return told, ""

    def _container(self) -> str:
        package = self._package = Container(self._source, _ASIC_E)
        with within(_MANIFEST):
            self._stamped, digests = case.read_manifest(package.read(_MANIFEST))
        around = {MIMETYPE, _MANIFEST, *([case.STAMP] if self._stamped else [])}
        for name in sorted({*package.files} ^ {*around, *digests}):
            raise Refused(f"{name}: {'no manifest names it' if name in package.files else 'is not in the package'}")
        for name, digest in digests.items():
            require(sha256(package.read(name)).digest() == digest, f"{name}: is not the file that the manifest names")
        return f"a plain zip; each of its {len(digests)} files is the one that the manifest names"

    def _read_index(self) -> str:
        data = self._package.read(_CASE)
        self._policy = log.Policy(self._trusted.policy)
        self._directory = Directory(self._trusted.root, self._folder("directory/"))
        with within(_CASE):
            self._index = index = json.loads(data.decode(), object_pairs_hook=once)
            written = json.dumps(index, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
            require(written.encode() == data, "it is not in the one encoding that it has")
            require({*index} == _NAMES and index["format"] == "exchange-case/1", "it is no exchange-case/1")
            exchange = self._directory.exchange.hex()
            require(index["exchange"] == exchange, "it is of another exchange than your root file")
            require(f"{self._policy.log.name}/".startswith(f"exchange/{exchange}/"), "your policy is of another log")
        return f"letter {index['letter']} of exchange {exchange[:16]}…, whose first root you brought"

    def _decisions(self) -> str:
        for number, event in enumerate(self._index["events"], 1):
            statement, entry = (self._named(event[name]) for name in ("statement", "entry"))
            with within(entry):
                said = case.read(number, self._inner(statement).read(_STATEMENT), self._package.read(entry))
                require(said.head["exchange"] == self._directory.exchange, "it is of another exchange")
                about = said.digest if number == 1 else said.about
                require(about.hex() == self._index["letter"], f"{statement} is about another letter")
            with within(f"{_CASE}, event {number}"):
                _require_same(event, said.indexed() | {"crls": event["crls"]})
            self._named(event["proof"])
            self.said.append(said)
        different = len({said.digest for said in self.said})
        require(self.said and different == len(self.said), f"{_CASE}: has no events, or one statement twice")
        return f"{len(self.said)} decisions, each about exactly the statement beside it"

    def _signatures(self) -> str:
        for said in self.said:
            inner = self._inner(said.files[0])
            with within(f"{said.files[0]}, {_SIGNATURE}"):
                self._signers.append(cms.verify(inner.read(_SIGNATURE), said.statement, said.signature))
        return "each statement is signed over exactly its bytes (CMS, ECDSA P-256 or RSA, SHA-256)"

    def _certificates(self) -> str:
        crls, self._lists = self._folder("crls/"), list[list[str]]()
        versions, issuers = dict[int, str](), set[x509.Certificate]()
        for said, signer, event in zip(self.said, self._signers, self._index["events"], strict=True):
            decision, at, body = said.decision, said.decision["decided"], said.head["body"]
            version, digest = decision["directory_version"], decision["directory_digest"]
            with within(f"{said.files[0]}, certificate of {body} in version {version} of the directory"):
                listed = self._directory.look_up(digest, version, body)
                require((name := signer.fingerprint(hashes.SHA256())) in listed.certificates, "it is not listed")
                revoked = listed.certificates[name]
                require(revoked is None or revoked > at, f"it was revoked at {revoked}, the decision is of {at}")
                path = certificates.chain(signer, *_by_rank(listed.issuers), at, certificates.STATEMENTS)
                policy = self._package.read(self._named(event["policy"]))
                require(sha256(policy).digest() == decision["policy_digest"], f"{event['policy']}: is another policy")
                lists = certificates.require_unrevoked(path, policy, crls, listed.issuers, at)
                _require_same({"crls": event["crls"]}, {"crls": [self._named(each) for each in lists]})
            self._partitions.append(int.from_bytes(said.about[:4], "big") % listed.partitions)
            self._lists.append(lists)
            issuers |= {*listed.issuers}
            require(versions.setdefault(version, digest.hex()) == digest.hex(), f"{_CASE}: two versions {version}")
        stated = [{"version": version, "digest": digest} for version, digest in sorted(versions.items())]
        with within(_CASE):
            files = [self._named(file, "directory/") for each in self._index["directory"] for file in each.pop("files")]
            found = {"directory": self._index["directory"], "policy": self._index["policy"]}
            _require_same(found, {"directory": stated, "policy": self._index["events"][0]["policy"]})
        held = x509.load_pem_x509_certificates(self._package.read(_ISSUERS))
        require({*held} == issuers, f"{_ISSUERS}: holds others than the directory's issuers")
        return f"each certificate was its body's by {len(files)} files of the directory, and valid at the decision"

    def _log(self) -> str:
        found = {}
        for said, partition in zip(self.said, self._partitions, strict=True):
            with within(said.files[2]):
                place = log.verify(self._package.read(said.files[2]), said.entry, self._policy)
                require(place[0] == partition, f"the entry is in log {place[0]}, due is {partition}")
                require(place[:2] not in found, "another entry is at this place")
                found[place[:2]] = place[2]
        self._checkpoints = {each.text: each for each in found.values()}
        witnesses = sorted({name for each in self._checkpoints.values() for name in each.cosigned})
        sizes = ", ".join(str(each.size) for each in self._checkpoints.values())
        by = ", ".join(witnesses) or "nobody, which your policy accepts"
        return f"each decision is in the log, by its checkpoint of size {sizes}, cosigned by {by}"

    def _chains(self) -> str:
        lanes = [(said.decision["place"], said.decision["place"]["lane"], sha256(said.entry)) for said in self.said]
        origins = [(said.head, said.head["origin"], sha256(said.statement)) for said in self.said]
        for what, links in (("lane", lanes), ("origin", origins)):
            digests = {(one, place["number"]): own.digest() for place, one, own in links}
            require(len(digests) == len(links), f"{_CASE}: two statements have one number in their {what}")
            for place, one, _ in links:
                before = digests.get((one, place["number"] - 1), place["previous"])
                require(before == place["previous"], f"{_CASE}: number {place['number']} of a {what} follows another")
        return "no number is there twice, and where one follows another of the package it names it"

    def _contents(self) -> str:
        committed = [(said, *each) for said in self.said for each in enumerate(said.fields.get("contents", []))]
        listed = self._index["contents"]
        require(len(committed) == len(listed), f"{_CASE}: names {len(listed)} items of {len(committed)}")
        left_out = 0
        for (said, place, each), item in zip(committed, listed, strict=True):
            file, salt, missing = item["file"], item["salt"], item["missing"]
            with within(f"{file or _CASE}, item {place} of {said.files[0]}"):
                expected = {"file": file, "salt": salt, "missing": missing, "item": place}
                expected |= {name: each[name] for name in ("form", "media_type", "size")}
                _require_same(item, expected | {"commitment": each["digest"].hex(), "statement": said.digest.hex()})
                if file is None:
                    require(salt is None and missing in {"withheld", "not-kept"}, "it is left out, its salt is not")
                    left_out += 1
                    continue
                require(file not in self._explained and missing is None, "it is there twice, or said to be missing")
                data, random = self._package.read(self._named(file, "contents/")), bytes.fromhex(salt)
                found = (len(random), len(data), sha256(random + data).digest())
                require(found == (32, each["size"], each["digest"]), "it is not what the statement commits to")
        return f"{len(committed) - left_out} items are what was committed to; {left_out} are left out and stay unknown"

    def _time_stamps(self) -> str:
        over = {case.STAMP: _MANIFEST} if self._stamped else {}
        for each in self._index["time_stamps"]:
            note, name = (self._named(each[what], "tokens/") for what in ("checkpoint", "response"))
            with within(note):
                opened = self._policy.open(self._package.read(note))
                require(opened.text in self._checkpoints, "no proof of this package leads to it")
            over[name] = note
        self._explained |= {*over}
        if over and not self._trusted.authorities:
            self.unchecked = "time-stamps were not looked at: bring roots of their authorities (--tsa-root)"
            return self.unchecked
        told = []
        for name, stamped in over.items():
            with within(name):
                token = self._package.read(name) if name == case.STAMP else stamps.token_of(self._package.read(name))
                at, until = stamps.verify(token, self._package.read(stamped), self._trusted.authorities)
                late = f"its authority's certificate ended {until}: say with --at since when you have the package"
                require(until >= self._trusted.at, late)
                told.append(f"{stamped} was there at {at:%Y-%m-%dT%H:%M:%SZ}")
        return "; ".join(told) or "there are none: when it was at the latest, the witnesses' clocks say"

    def _level(self) -> str:
        level, reached = self._index["level"], [self._stamped, all(self._lists), self._index["time_stamps"], False]
        levels = _LEVELS[: 1 + [bool(each) for each in reached].index(False)]
        require(level in levels, f"{_CASE}: claims level {level}, what is here makes {levels[-1]}")
        for name in self._package.files:
            require(name in self._explained or _FOR_PEOPLE.fullmatch(name), f"{name}: nothing says what this file is")
        return f"level {level}; reports are for people, nothing in them was looked at"

    def _inner(self, name: str) -> Container:
        inner = self._package.inner(name, _ASIC_S)
        require([*inner.files] == [MIMETYPE, _STATEMENT, _SIGNATURE], f"{name}: is no container of one statement")
        return inner

    def _named(self, name: str, folder: str = "") -> str:
        """A file that the index names, which from now on something explains."""
        require(name.startswith(folder) and name in self._package.files, f"{name}: is not in the package's {folder}")
        self._explained.add(name)
        return name

    def _folder(self, prefix: str) -> Mapping[str, bytes]:
        return {name: self._package.read(name) for name in self._package.files if name.startswith(prefix)}


def _require_same(stated: Mapping[str, object], expected: Mapping[str, object]) -> None:
    """Refuse a part of the index that is not as it must be; as texts, since to Python 1 is the same as true."""
    for name in sorted({*stated} | {*expected}):
        one, other = (json.dumps(each.get(name, "(nothing)"), sort_keys=True) for each in (stated, expected))
        require(one == other, f"'{name}' is said to be {one[:200]}, it is {other[:200]}")


def _by_rank(issuers: certificates.Certificates) -> tuple[certificates.Certificates, certificates.Certificates]:
    """Those that stand at the top, and those below."""
    top = [each for each in issuers if not any(each.issuer == by.subject != each.subject for by in issuers)]
    return top, [each for each in issuers if each not in top]
