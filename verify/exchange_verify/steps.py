"""What is looked at, in this order. Each step relies on those before it.

 1. The file is a plain zip, and its manifest names every file in it with its SHA-256.
 2. The index, `case.json`, is about one letter of the exchange whose first root the reader has brought.
 3. Each decision is about exactly the statement beside it, and all are about that letter.
 4. Each statement is signed over exactly its bytes by a certificate that comes with it.
 5. That certificate was its body's by the directory that the decision names, and valid when it was decided.
 6. Each decision is in the transparency log, under a checkpoint that enough witnesses cosigned.
 7. Statements of one origin, and decisions of one lane, that follow one another name one another.
 8. Contents are what the statements commit to; those that are left out, the index says so.
 9. Time-stamps are of these very bytes, by an authority that the reader trusts.
10. The index says what was found and nothing else, and there is no file that nothing explains.
"""

import json
import re
from datetime import datetime
from hashlib import sha256
from mmap import mmap

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exchange_verify import cms, log
from exchange_verify.certificates import STATEMENTS, Certificates, Directory, chain, check_lists
from exchange_verify.container import MIMETYPE, STAMP, read_manifest, read_zip
from exchange_verify.errors import Refused, require, within
from exchange_verify.statements import Said

_MANIFEST, _CASE, _ISSUERS = "META-INF/ASiCManifest.xml", "case.json", "directory/issuers.crt.pem"
_NAMES = {"contents", "directory", "events", "exchange", "format", "letter", "level", "policy", "time_stamps"}
_RECORD, _SIGNATURE = r"META-INF/(evidencerecord\.ers|ASiCEvidenceRecordManifest\.xml)", "META-INF/signature.p7s"
_FOR_OTHERS = re.compile(rf"{_RECORD}|log\.policy|report(\.(ky|ru|en))?\.(html|pdf)")


class Verification:
    """One package, looked at step by step: each step says what it found, or refuses."""

    def __init__(self, data: bytes | mmap, root: bytes, policy: str, authorities: Certificates, at: datetime) -> None:
        """Beside the package what the reader brings, and since when they have it."""
        with within("the policy that you brought"):
            self._policy = log.Policy(policy)
        self._package, self._root, self._authorities, self._at = data, root, authorities, at
        self._seen, self._checkpoints = set[str](), dict[str, log.Checkpoint]()
        self.said, self.unchecked = list[Said](), ""

    def run(self) -> tuple[list[str], str]:
        """What each step found; and why the one behind them does not hold, empty when all do."""
        first = (self._container, self._brought, self._decisions, self._signatures, self._certificates)
        told: list[str] = []
        try:
            for step in (*first, self._log, self._chains, self._contents, self._time_stamps, self._index_and_level):
                with within(f"step {len(told) + 1}"):
                    told.append(step())
        except Refused as error:
            return told, str(error)
        return told, ""

    def _container(self) -> str:
        self._files = read_zip(self._package, "application/vnd.etsi.asic-e+zip")
        with within(_MANIFEST):
            self._stamped, digests = read_manifest(self._file(_MANIFEST))
        self._seen |= {MIMETYPE, *([STAMP] if self._stamped else [])}
        for name in sorted({*self._files} ^ {*self._seen, *digests}):
            raise Refused(f"{name}: {'no manifest names it' if name in self._files else 'is not in the package'}")
        for name, digest in digests.items():
            found = sha256(self._package[self._files[name]]).digest()
            require(found == digest, f"{name}: is not the file that the manifest names")
        return f"a plain zip; each of its {len(digests)} files is the one that the manifest names"

    def _brought(self) -> str:
        files = {name: self._package[at] for name, at in self._files.items() if name.startswith("directory/")}
        self._directory = Directory(self._root, files)
        exchange = self._directory.exchange.hex()
        with within(_CASE):
            index = json.loads(self._file(_CASE).decode())
            require(_written(index) == self._file(_CASE), "it is not in the one encoding that it has")
            own = (index["format"], index["exchange"], {*index}) == ("exchange-case/1", exchange, _NAMES)
            require(own, "it is no exchange-case/1, or of another exchange than your root file")
            require(f"{self._policy.log_name}/".startswith(f"exchange/{exchange}/"), "your policy is of another log")
            # Steps put into it what they find; in the end it must still be as it was.
            self._index = index
        return f"letter {index['letter']} of exchange {exchange[:16]}…, whose first root you brought"

    def _decisions(self) -> str:
        for number, event in enumerate(self._index["events"], 1):
            with within(entry := f"entries/{number:04}.entry"):
                said = Said(number, self._file(entry), event["crls"])
                first = (self.said or [said])[0].digest.hex()
                require(said.about.hex() == first == self._index["letter"], f"{said.container} is about another letter")
                require(said.head["exchange"] == self._directory.exchange, "it is of another exchange")
                require(self._signed(said)[0] == said.statement, f"it is not about the statement in {said.container}")
            self.said.append(said)
            self._index["events"][number - 1] = said.indexed()
        different = len({said.digest for said in self.said})
        require(different == len(self.said) > 0, f"{_CASE}: has no events, or one statement twice")
        return f"{len(self.said)} decisions, each about exactly the statement beside it"

    def _signatures(self) -> str:
        for said in self.said:
            with within(f"{said.container}, {_SIGNATURE}"):
                said.signer, said.stamps = cms.verify_statement(self._signed(said)[1], said.statement, said.signature)
        return "each statement is signed over exactly its bytes (CMS, ECDSA P-256 or RSA, SHA-256)"

    def _certificates(self) -> str:
        every = set[x509.Certificate]()
        for said in self.said:
            decision, at, body = said.decision, said.decision["decided"], said.head["body"]
            version, digest = decision["directory_version"], decision["directory_digest"]
            with within(f"{said.container}, certificate of {body} in version {version} of the directory"):
                der, policy = said.signer.public_bytes(Encoding.DER), self._file(said.policy)
                issuers, partitions = self._directory.listed(der, body, at, digest, version)
                require(sha256(policy).digest() == decision["policy_digest"], f"{said.policy}: is another policy")
                lists = {name: self._file(name, "crls/") for name in said.crls}
                check_lists(chain(said.signer, issuers, [], at, STATEMENTS), policy, lists, issuers, at)
            said.partition = int.from_bytes(said.about[:4], "big") % partitions
            every |= {*issuers}
        with within(_ISSUERS):
            require({*x509.load_pem_x509_certificates(self._file(_ISSUERS))} == every, "it holds other issuers")
        return "each certificate was its body's by the directory, and valid when the exchange decided"

    def _log(self) -> str:
        places = list[tuple[int, int]]()
        for said in self.said:
            with within(said.proof):
                partition, index, checkpoint = log.verify(self._file(said.proof), said.entry, self._policy)
                require(partition == said.partition, f"the entry is in log {partition}, due is {said.partition}")
            places.append((partition, index))
            self._checkpoints[checkpoint[0]] = checkpoint
        require(places[1:] == sorted({*places[1:]}), f"{_CASE}: what followed the letter is not in the log's order")
        sizes = ", ".join(str(size) for _, size, *_ in self._checkpoints.values())
        witnesses = sorted({name for *_, cosigned in self._checkpoints.values() for name in cosigned})
        by = ", ".join(witnesses) or "nobody, which your policy accepts"
        return f"each decision is in the log, by its checkpoint of size {sizes}, cosigned by {by}"

    def _chains(self) -> str:
        lanes = [(said.decision["place"], said.entry) for said in self.said]
        for what, links in (("lane", lanes), ("origin", [(said.head, said.statement) for said in self.said])):
            digests = {(at[what], at["number"]): sha256(own).digest() for at, own in links}
            require(len(digests) == len(links), f"{_CASE}: two statements have one number in their {what}")
            for at, _ in links:
                before = digests.get((at[what], at["number"] - 1), at["previous"])
                require(before == at["previous"], f"{_CASE}: number {at['number']} of a {what} follows another")
        return "no number is there twice, and where one follows another of the package it names it"

    def _contents(self) -> str:
        committed = [(said, *each) for said in self.said for each in enumerate(said.fields.get("contents", []))]
        items = self._index["contents"]
        require(len(committed) == len(items), f"{_CASE}: names {len(items)} items of {len(committed)}")
        for number, (said, place, each) in enumerate(committed):
            file, salt, missing = (items[number][name] for name in ("file", "salt", "missing"))
            with within(f"{file or _CASE}, item {place} of {said.container}"):
                found = {"file": file, "salt": salt, "missing": missing, "item": place, "statement": said.digest.hex()}
                found |= {name: each[name] for name in ("form", "media_type", "size")}
                items[number] = found | {"commitment": each["digest"].hex()}
                if file is None:
                    require(salt is None and missing in {"withheld", "not-kept"}, "it is left out, its salt is not")
                    continue
                require(missing is None and file not in self._seen, "it is there twice, or said to be missing")
                data, random = self._file(file, "contents/"), bytes.fromhex(salt)
                found |= {"salt": random.hex(), "size": len(data), "commitment": sha256(random + data).hexdigest()}
                require(found == items[number] and len(random) == 32, "it is not what the statement commits to")
        left_out = sum(item["file"] is None for item in items)
        return f"{len(items) - left_out} items are what was committed to; {left_out} are left out and stay unknown"

    def _time_stamps(self) -> str:
        stamps = [(STAMP, _MANIFEST, self._file(_MANIFEST), self._file(STAMP))] if self._stamped else []
        for number, each in enumerate(self._index["time_stamps"]):
            note, response = each["checkpoint"], each["response"]
            with within(note):
                require(self._policy.open(self._file(note, "tokens/"))[0] in self._checkpoints, "no proof leads to it")
                stamps.append((response, note, self._file(note), self._file(response, "tokens/")))
            self._index["time_stamps"][number] = {"checkpoint": note, "response": response}
        stamps += [(said.container, said.container, *each) for said in self.said for each in said.stamps]
        if stamps and not self._authorities:
            self.unchecked = "time-stamps were not looked at: bring roots of their authorities (--tsa-root)"
            return self.unchecked
        told = []
        for name, stamped, data, stamp in stamps:
            with within(name):
                at, until = cms.verify_time_stamp(stamp, data, self._authorities, response=stamped[:7] == "tokens/")
                require(until >= self._at, f"it ended {until}: say with --at since when you have the package")
                told.append(f"{stamped} was there at {at:%Y-%m-%dT%H:%M:%SZ}")
        return "; ".join(told) or "there are none: when it was at the latest, the witnesses' clocks say"

    def _index_and_level(self) -> str:
        index, level = self._index, self._index["level"]
        reached = [self._stamped, all(said.crls for said in self.said), bool(index["time_stamps"]), False]
        levels = ("B", "T", "LT", "LTA")[: 1 + reached.index(False)]
        require(level in levels, f"{_CASE}: claims level {level}, what is here makes {levels[-1]}")
        found = {(said.decision["directory_version"], said.decision["directory_digest"].hex()) for said in self.said}
        require(len(dict(found)) == len(found) == len(index["directory"]), f"{_CASE}: has not each version once")
        for number, (version, digest) in enumerate(sorted(found)):
            files = index["directory"][number]["files"]
            index["directory"][number] = {"version": version, "digest": digest, "files": files}
            for file in files:
                require(self._file(file, "directory/") in self._directory.used, f"{file}: proves nothing here")
        index["policy"] = self.said[0].policy
        for name, said in json.loads(self._file(_CASE)).items():
            require(_written(said) == _written(index[name]), f"{_CASE}: its '{name}' is not what was found")
        for name in sorted({*self._files} - self._seen):
            require(_FOR_OTHERS.fullmatch(name), f"{name}: nothing says what this file is")
        return f"level {level}; reports and an evidence record are for others, nothing in them was looked at"

    def _file(self, name: str, folder: str = "") -> bytes:
        """A file that from now on something explains."""
        require(name.startswith(folder) and name in self._files, f"{name}: is not in the package's {folder}")
        self._seen.add(name)
        return self._package[self._files[name]]

    def _signed(self, said: Said) -> tuple[bytes, bytes]:
        """A statement and its signature, as they lie in its container."""
        with within(said.container):
            files = read_zip(data := self._file(said.container), "application/vnd.etsi.asic-s+zip")
            require([*files] == [MIMETYPE, "statement", _SIGNATURE], "it is no container of one statement")
            return data[files["statement"]], data[files[_SIGNATURE]]


def _written(index: object) -> bytes:
    return (json.dumps(index, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()
