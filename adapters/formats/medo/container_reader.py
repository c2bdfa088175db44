"""Transport containers of MEDO 2.7 and 2.7.1, read: an archive with a passport and the files that it names."""

from dataclasses import replace

from lxml import etree
from lxml.etree import _Element as Element

from adapters.formats.archive import unpack
from adapters.formats.files import Attachments, file_info, fold
from adapters.formats.medo.message import PASSPORT_PATH, Message, drafted, read_message_id, read_route
from adapters.formats.medo.parts import read_link, read_number, read_partner
from adapters.formats.medo.passport import read_addressee, read_person
from adapters.formats.medo.versions import PASSPORTS, passport_schema
from adapters.formats.medo.words import ACCESS_WORDS, APPROVING, PASSPORT, PASSPORT_VERSION
from adapters.formats.tree import Document, Names, Reader
from adapters.formats.values import access_of, language_of, title_of
from exchange.agent.ports import DraftLetter, Package
from exchange.domain.card import DocumentSignature, Extra, FileInfo, FileRole, LetterCard, Person
from exchange.domain.errors import DocumentError
from exchange.domain.statement import Access, Urgency
from exchange.wire.xml import parse, place_of

MAIN_ID = "0"
"""Id of the document; attachments count on."""


def read_container(message: Message) -> DraftLetter:
    """The letter in the container that a message names.

    Raises:
        DocumentError: the archive or its passport cannot be read, a field or file is missing, an addressee unknown.
    """
    top = message.top
    message_id = read_message_id(top)
    body = top.at("container/body")
    name = body.text()
    inner = Package(name, unpack(message.attachments.take(name, body.place), name))
    main = next((each for each in inner.files if fold(each) == PASSPORT), "")
    if not main:
        fault = f"no {PASSPORT} in the container: add the passport that describes it"
        raise DocumentError(fault, code="document-missing", place=name)
    root, names = _open_passport(inner.files[main], f"{name}/{main}")
    document = Document(f"{name}/{main}", names)
    files = Attachments(inner, main)
    draft = _ContainerReader(message, Reader(document, root), files).letter(message_id)
    files.finish()
    extras = (*message.extras(), *(Extra(PASSPORT_PATH + each.path, each.value) for each in document.unread(root)))
    return replace(draft, card=replace(draft.card, extras=extras))


def _open_passport(data: bytes, place: str) -> tuple[Element, Names]:
    """Parse and validate a passport.

    Raises:
        DocumentError: no XML, another vocabulary, or a fault that the schema finds.
    """
    root = parse(data, place)
    names = next((each for each in PASSPORTS if root.tag == each.tag("container")), None)
    if names is None:
        message = "the root is no 'container' of MEDO 2.7 or 2.7.1: nothing else is read here"
        raise DocumentError(message, code="document-namespace", place=place_of(root, place))
    passport_schema(names).check(root, place)
    _separate_signs(root, names)
    return root, names


def _separate_signs(root: Element, names: Names) -> None:
    """Give each signature an author of its own, as passports are written here: some systems group them."""
    for author in root.findall(f"{names.tag('authors')}/{names.tag('author')}"):
        organization = author.find(names.tag("organization"))
        for sign in reversed(author.findall(names.tag("sign"))[1:]):
            another = etree.Element(author.tag)
            if organization is not None:
                etree.SubElement(another, organization.tag)[:] = [_titled(organization, names)]
            another.append(sign)
            author.addnext(another)


def _titled(organization: Element, names: Names) -> Element:
    title = etree.Element(names.tag("title"))
    title.text = organization.findtext(names.tag("title"))
    return title


class _ContainerReader:
    """Reads one passport, and takes the files that it names."""

    def __init__(self, message: Message, passport: Reader, attachments: Attachments) -> None:
        self._message = message
        self._passport = passport
        self._attachments = attachments
        self._infos: list[FileInfo] = []
        self._data: list[bytes] = []
        self._signatures: list[DocumentSignature] = []
        self._beside: list[tuple[str, str]] = []

    def letter(self, message_id: str) -> DraftLetter:
        """The letter, without extras."""
        passport = self._passport
        passport.attr_if("version", PASSPORT_VERSION)
        requisites, authors = passport.at("requisites"), passport.all("authors/author")
        named = ((read_addressee(entry), entry.place) for entry in passport.all("addressees/addressee"))
        recipients, addressees = read_route(self._message, named)
        signatories = self._signatories(authors)
        self._attached()
        self._take_beside(authors)
        registration, annotation = authors[0].at("registration"), requisites.text("annotation")
        card = LetterCard(
            document_id=passport.attr("uid"),
            kind=requisites.text("documentKind"),
            reg_number=read_number(registration),
            reg_date=registration.date("date"),
            title=title_of(annotation),
            annotation=annotation,
            language=language_of(annotation),
            sender=self._message.bodies.party(read_partner(self._message.top.at("header/source"))),
            addressees=addressees,
            signatories=signatories,
            links=tuple(read_link(entry) for entry in requisites.all("links/link") if entry.peek("linkType")),
            files=tuple(self._infos),
            signatures=tuple(self._signatures),
            source_format=self._message.version.format,
        )
        return drafted(card, message_id, recipients, self._access(requisites), Urgency.ROUTINE, tuple(self._data))

    def _access(self, requisites: Reader) -> Access:
        """Access; a word that is not the one written here for it stays an extra."""
        access = access_of(requisites.peek("classification"))
        if requisites.peek("classification") == ACCESS_WORDS[access]:
            requisites.text("classification")
        return access

    def _signatories(self, authors: list[Reader]) -> tuple[Person, ...]:
        """Who signed, and the signatures of the document, which comes first among the files."""
        main = self._passport.at("document")
        self._take(MAIN_ID, main.attr("localName"), main.place, FileRole.MAIN, pages=main.text("pagesQuantity"))
        signatories = []
        registered = [_registration(author) for author in authors]
        for author in authors:
            organization = author.text("organization/title")
            # Each author repeats the registration of the document.
            if _registration(author) == registered[0]:
                author.text("registration/number")
                author.text("registration/date")
            for sign in author.all("sign"):
                person = read_person(sign.at("person"), organization)
                signatories.append(person)
                for signed in sign.all("documentSignature"):
                    signed.attr_if("type", APPROVING)
                    self._sign(MAIN_ID, signed, person)
        return tuple(signatories)

    def _attached(self) -> None:
        """Attachments in their order, and their signatures."""
        entries = self._passport.all("attachments/attachment")
        ordered = sorted(entries, key=lambda entry: int(entry.text("order") or 0))
        for number, entry in enumerate(ordered, 1):
            name, description = entry.attr("localName"), entry.text("description")
            self._take(str(number), name, entry.place, FileRole.ANNEX, description=description)
            for signed in entry.all("signature"):
                self._sign(str(number), signed, Person())

    def _sign(self, ident: str, signed: Reader, signer: Person) -> None:
        """A signature of file `ident`."""
        name = signed.attr("localName")
        self._signatures.append(DocumentSignature(ident, name, signer))
        self._beside.append((name, signed.place))

    def _take_beside(self, authors: list[Reader]) -> None:
        """Signatures, then the pictures of stamps: they go along as data. Where a stamp belongs is an extra."""
        for author in authors:
            stamps = [author.at("registration/registrationStamp")]
            for sign in author.all("sign"):
                stamps += [signed.at("signatureStamp") for signed in sign.all("documentSignature")]
            self._beside += [(stamp.peek_attr("localName"), stamp.place) for stamp in stamps if stamp]
        taken = {info.name for info in self._infos}
        for name, place in self._beside:
            if name not in taken:
                taken.add(name)
                self._take(name, name, place, FileRole.DATA)

    def _take(
        self, ident: str, name: str, place: str, role: FileRole, *, description: str = "", pages: str = ""
    ) -> None:
        data = self._attachments.take(name, place)
        counted = int(pages or 0) or None
        self._infos.append(file_info(ident, name, data, role, description=description, pages=counted))
        self._data.append(data)


def _registration(author: Reader) -> tuple[str, str]:
    return author.peek("registration/number"), author.peek("registration/date")
