"""Files of a GOST R 53898 package, by the numbers of its resource list."""

from datetime import tzinfo

from adapters.formats.files import Attachments, file_info
from adapters.formats.gost53898.additions import Additions
from adapters.formats.tree import Reader
from adapters.formats.values import read_time
from exchange.domain.card import (
    DocumentSignature,
    FileInfo,
    FileRole,
    Person,
)
from exchange.domain.errors import DocumentError

MAX_PAGES = 1_000_000


class ResourceReader:
    """Collects the files that a document refers to by the numbers of the resource list."""

    def __init__(self, header: Reader, attachments: Attachments, zone: tzinfo) -> None:
        """Read the resource list of a header.

        Raises:
            DocumentError: `file-name-repeated`: two resources of one number.
        """
        self._names: dict[str, tuple[str, str]] = {}
        self._attachments = attachments
        self._zone = zone
        self._wanted: list[tuple[str, str]] = []
        self._taken: set[str] = set()
        self.infos: list[FileInfo] = []
        self.data: list[bytes] = []
        self.signatures: list[DocumentSignature] = []
        for entry in header.all("ResourceList/Resource"):
            ident = entry.attr("UID")
            if ident in self._names:
                fault = f"the resource '{ident}' is listed twice: number the resources"
                raise DocumentError(fault, code="file-name-repeated", place=entry.place)
            self._names[ident] = (entry.attr("UniqueName"), entry.place)

    def add(self, entry: Reader, index: int, fields: Additions) -> None:
        """A file of the document."""
        resource = entry.attr("ResourceID")
        name = self._resource(resource, entry.place)
        ident = entry.attr("UID") or f"resource-{resource}"
        entry.attr("Size")
        entry.text("Extension")
        default = FileRole.ANNEX if index else FileRole.MAIN
        self._take(ident, name, entry.place, default, fields, description=entry.text("Description"))
        for signed in entry.all("EDS"):
            signature = self._resource(signed.attr("ResourceID"), signed.place)
            time = signed.attr("Date")
            when = read_time(time, signed.place, self._zone) if time else None
            self.signatures.append(DocumentSignature(ident, signature, Person(name=signed.text()), when))
            self._wanted.append((signature, signed.place))

    def add_rest(self, own: set[str], fields: Additions) -> None:
        """What the resource list names and nothing refers to goes along as data; `own` is the document itself."""
        signatures = {name for name, _ in self._wanted}
        for ident, (name, place) in self._names.items():
            if not {name, ident} & own and name not in self._taken | signatures:
                self._take(f"resource-{ident}", name, place, FileRole.DATA, fields)

    def add_signatures(self) -> None:
        """Files of signatures that are not files of the document themselves."""
        for name, place in self._wanted:
            if name not in self._taken:
                self._take(name, name, place, FileRole.DATA, Additions.none())

    def _resource(self, ident: str, place: str) -> str:
        if ident not in self._names:
            fault = f"the resource '{ident}' is not in Header/ResourceList: list it"
            raise DocumentError(fault, code="file-missing", place=place)
        return self._names[ident][0]

    def _take(
        self, ident: str, name: str, place: str, role: FileRole, fields: Additions,
        *, description: str = "",
    ) -> None:  # fmt: skip
        data = self._attachments.take(name, place)
        if any(info.id == ident for info in self.infos):
            fault = f"two files have the UID '{ident}': give each its own"
            raise DocumentError(fault, code="file-name-repeated", place=place)
        said = fields.get("file-role", ident)
        pages = fields.get("file-pages", ident)
        counted = int(pages) if pages.isascii() and pages.isdigit() and len(pages) < len(str(MAX_PAGES)) else None
        role = FileRole(said) if said in set(FileRole) else role
        self.infos.append(file_info(ident, name, data, role, description=description, pages=counted or None))
        self.data.append(data)
        self._taken.add(name)
