"""Hardened XML: what is loaded, what is refused, and in which words."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from exchange.domain.errors import DocumentError
from exchange.resources import resource
from exchange.wire.xml import XML_ATTRIBUTES, XML_TAGS, Schema, legal_text, parse, place_of, schema, serialise

NAMESPACE = "urn:test"
XSD = f"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{NAMESPACE}" xmlns="{NAMESPACE}"
           elementFormDefault="qualified">
  <xs:element name="letter"><xs:complexType><xs:sequence>
    <xs:element name="pages" type="xs:nonNegativeInteger" minOccurs="0"/>
    <xs:element name="title" minOccurs="0"><xs:simpleType>
      <xs:restriction base="xs:string"><xs:maxLength value="5"/></xs:restriction>
    </xs:simpleType></xs:element>
    <xs:element name="when" minOccurs="0"><xs:simpleType>
      <xs:union memberTypes="xs:date xs:gYear"/>
    </xs:simpleType></xs:element>
    <xs:element name="person" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:element name="name" minOccurs="0"/><xs:element name="post" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:any namespace="##other" processContents="lax" minOccurs="0"/>
  </xs:sequence>
  <xs:attribute name="kind"><xs:simpleType>
    <xs:restriction base="xs:string"><xs:enumeration value="a"/><xs:enumeration value="b"/></xs:restriction>
  </xs:simpleType></xs:attribute>
  <xs:attribute name="day" type="xs:date"/>
  <xs:attribute name="number"><xs:simpleType>
    <xs:restriction base="xs:string"><xs:pattern value="[0-9]+"/></xs:restriction>
  </xs:simpleType></xs:attribute>
  <xs:attribute name="code"><xs:simpleType>
    <xs:restriction base="xs:string"><xs:maxLength value="3"/></xs:restriction>
  </xs:simpleType></xs:attribute>
  </xs:complexType></xs:element>
</xs:schema>
"""


SCHEMA = Schema(XSD)
PARTS = (
    "<pages>1</pages>", "<pages>-1</pages>", "<pages>+07</pages>", "<title>short</title>", "<title>longer</title>",
    "<when>2022-01-20</when>", "<when>2022-01-20+06:00</when>", "<when>2022-02-30</when>", "<when>12022</when>",
    "<when>0000</when>", "<person><name/><post>x</post></person>", "<person><post/><name/></person>", "x",
    "<o:any xmlns:o='o'>x</o:any>", "<other/>",
)  # fmt: skip
ATTRIBUTES = (
    "", " kind='a'", " kind='c'", " day='2022-01-20'", " day='-0001-01-01'", " day='2022-1-1'", " number='12'",
    " number='٣'", " code='abc'", " code='abcd'", " other='1'",
)  # fmt: skip


def letter(content: str = "", attributes: str = "", encoding: str = "utf-8") -> bytes:
    """A small document."""
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>\n'
    return f'{declaration}<letter xmlns="{NAMESPACE}"{attributes}>\n{content}</letter>'.encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "UTF-8", "Windows-1251"])
def test_the_declared_encoding_counts(encoding: str) -> None:
    """Both encodings of the region, and Kyrgyz letters by reference in windows-1251."""
    root = parse(letter("<title>Кат&#1187;</title>", encoding=encoding), "a.xml")
    assert root.findtext(f"{{{NAMESPACE}}}title") == "Катң"
    again = serialise(root, encoding.lower())
    assert parse(again, "b.xml").findtext(f"{{{NAMESPACE}}}title") == "Катң"


def test_without_a_declaration_it_is_utf8() -> None:
    """XML 1.0, 4.3.3; a byte order mark is let through."""
    assert parse("<a>ө</a>".encode(), "a").text == "ө"
    assert parse("\ufeff<a>ө</a>".encode(), "a").text == "ө"


@pytest.mark.parametrize("byte", ["\u04a3", "Кат"])
def test_a_wrong_declaration_is_told_with_its_line(byte: str) -> None:
    """utf-8 in a document that says windows-1251, and the reverse."""
    with pytest.raises(DocumentError, match=r"a\.xml, line 1: declared as windows-1251"):
        parse(b"<?xml version='1.0' encoding='windows-1251'?>\n<a>" + byte.encode() + b"</a>", "a.xml")
    with pytest.raises(DocumentError, match=r"a\.xml, line 2: declared as utf-8"):
        parse(b"<?xml version='1.0' encoding='utf-8'?>\n<a>" + "Кат".encode("cp1251") + b"</a>", "a.xml")


def test_comments_and_instructions_are_left_out() -> None:
    """Text around them is one."""
    root = parse(b"<a>x<!-- c -->y<?p i?>z<![CDATA[<]]></a>", "a")
    assert (root.text, len(root)) == ("xyz<", 0)


def test_a_prolog_of_many_comments_is_quick() -> None:
    """The search for a document type does not explode."""
    with pytest.raises(DocumentError, match="well-formed"):
        parse(b"<!--a-->" * 20_000 + b"<?b ?>" * 20_000 + b"<!", "a")


DECLARED = b"<?xml version='1.0' encoding='%s'?>\n"


@pytest.mark.parametrize(
    ("data", "code", "place", "words"),
    [
        (DECLARED % b"koi8-r" + b"<a/>", "document-encoding", "a.xml, line 1", "encoding 'koi8-r' is not accepted"),
        (b"\xef\xbb\xbf" + DECLARED % b"cp1251" + b"<a/>", "document-encoding", "a.xml, line 1", "byte order mark"),
        (DECLARED % b"utf-8" + b"<a>\n\xff\n</a>", "document-encoding", "a.xml, line 3", "declared as utf-8"),
        (b"\n\xff", "document-encoding", "a.xml, line 2", "declared as utf-8"),
        (DECLARED % b"cp1251" + "<a>Кат</a>".encode(), "document-encoding", "a.xml, line 1", "but written in utf-8"),
        (DECLARED % b"utf-8" + b"<!DOCTYPE a>\n<a/>", "document-type-forbidden", "a.xml", "<!DOCTYPE"),
        (DECLARED % b"utf-8" + b"<a>\n<b></a>", "document-malformed", "a.xml, line 3", "no well-formed XML"),
        (b"", "document-malformed", "a.xml, line 1", "no well-formed XML"),
        (b"<a>\n" * 65 + b"</a>" * 65, "document-malformed", "a.xml, line 65", "deeper than 64"),
    ],
)
def test_what_is_refused_is_told_with_its_place(data: bytes, code: str, place: str, words: str) -> None:
    """A code for programs, a line for people, and what is wrong there."""
    with pytest.raises(DocumentError, match=words) as caught:
        parse(data, "a.xml")
    assert (caught.value.code, caught.value.place) == (code, place)


def test_depth_is_bounded() -> None:
    """64 levels pass, 65 do not, whatever stands beside them."""
    assert parse(b"<a>" * 64 + b"</a>" * 64, "a").tag == "a"
    for siblings in (0, 5):
        with pytest.raises(DocumentError, match="deeper than 64"):
            parse(b"<a>" + b"<b/>" * siblings + b"<a>" * 64 + b"</a>" * 65, "a")


def test_size_is_bounded() -> None:
    """The limit is the caller's."""
    assert parse(b"<a/>", "a", limit=4).tag == "a"
    with pytest.raises(DocumentError, match="5 bytes, more than 4") as caught:
        parse(b"<a />", "a", limit=4)
    assert (caught.value.code, caught.value.place) == ("document-too-large", "a")


@given(st.binary(max_size=80) | st.text("<>!?DOCTYPE[]&;'\"xml \n", max_size=60).map(str.encode))
@settings(max_examples=300)
def test_any_bytes_are_a_tree_or_an_error(data: bytes) -> None:
    """Nothing else is raised."""
    try:
        root = parse(data, "a")
    except DocumentError as error:
        assert error.place
    else:
        assert root.getroottree().docinfo.internalDTD is None


@pytest.mark.parametrize(
    ("content", "attributes", "expected"),
    [
        ("<title>s3cret</title>", "", "line 3, /letter/title: value length cannot be greater than 5"),
        ("<pages>s3cret</pages>", "", "line 3, /letter/pages: not a valid nonNegativeInteger"),
        ("<pages>1</pages><pages>2</pages>", "", "line 2, /letter: Unexpected child with tag 'pages'"),
        ("", " kind='s3cret'", "line 2, /letter/@kind: must be one of a, b"),
        ("", " day='s3cret'", "line 2, /letter/@day: not a valid date"),
        ("", " code='s3cret'", "line 2, /letter/@code: breaks the limit MaxLength 3"),
        ("<when>s3cret</when>", "", "line 3, /letter/when: not a valid value"),
        ("<o:any xmlns:o='o'><letter><pages>s3cret</pages></letter></o:any>", "", "line 3, /letter/any/letter/pages: "),
        ("", " other='s3cret'", "line 2, /letter: 'other' attribute not allowed"),
        ("", " xmlns:o='urn:o' o:other='s3cret'", "line 2, /letter: 'other' attribute not allowed"),
        ("s3cret", "", "line 2, /letter: character data"),
    ],
)
def test_faults_name_field_and_line_but_no_value(content: str, attributes: str, expected: str) -> None:
    """An error may be logged, content may not."""
    with pytest.raises(DocumentError) as caught:
        Schema(XSD).check(parse(letter(content, attributes), "a.xml"), "a.xml")
    assert str(caught.value).startswith(f"a.xml, {expected}")
    assert "None" not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_further_faults_are_told_too() -> None:
    """All of a document at once, up to a bound."""
    root = parse(letter("<title>s3cret</title>", " kind='c' day='s3cret'"), "a.xml")
    with pytest.raises(DocumentError) as caught:
        Schema(XSD).check(root, "a.xml")
    assert [other.split(":")[0] for other in caught.value.others] == [
        "a.xml, line 2, /letter/@day",
        "a.xml, line 3, /letter/title",
    ]
    assert "s3cret" not in "".join(caught.value.others)


def test_a_pattern_has_no_value() -> None:
    """Nothing is told of it but that it is one."""
    with pytest.raises(DocumentError) as caught:
        Schema(XSD).check(parse(letter("", " number='s3cret'"), "a.xml"), "a.xml")
    assert str(caught.value) == "a.xml, line 2, /letter/@number: breaks the limit Pattern"


def test_a_document_that_was_built_has_no_lines() -> None:
    """What we are about to write is checked as well; its place is a path alone."""
    root = etree.Element(f"{{{NAMESPACE}}}letter")
    etree.SubElement(root, f"{{{NAMESPACE}}}pages").text = "many"
    with pytest.raises(DocumentError, match=r"^a\.xml, /ns0:letter/ns0:pages: "):
        Schema(XSD).check(root, "a.xml")


def test_schema_hints_of_a_document_load_nothing() -> None:
    """A schemaLocation that leads elsewhere is neither followed nor a fault."""
    hint = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:other file:///etc/passwd"'
    Schema(XSD).check(parse(letter('<x:y xmlns:x="urn:other"/>', hint), "a.xml"), "a.xml")


def test_a_message_is_bounded() -> None:
    """Names of a document are as long as it likes; 300 characters of them are shown."""

    def told(length: int) -> str:
        with pytest.raises(DocumentError) as caught:
            Schema(XSD).check(parse(letter(f"<{'x' * length}/>"), "a"), "a")
        return str(caught.value).removeprefix(f"{caught.value.place}: ")

    rest = len(told(1)) - 1
    assert told(300 - rest) == told(1).replace("'x'", f"'{'x' * (300 - rest)}'")
    assert told(301 - rest) == told(300 - rest).replace("x'", "xx'")[:299] + "…"


@given(content=st.lists(st.sampled_from(PARTS), max_size=4).map("".join), attributes=st.sampled_from(ATTRIBUTES))
@settings(max_examples=100)
def test_what_is_quickly_found_valid_is_valid(content: str, attributes: str) -> None:
    """libxml2 never lets pass what xmlschema refuses."""
    root = parse(letter(content, attributes), "a")
    if SCHEMA._quick.validate(root):
        assert next(SCHEMA._schema.iter_errors(root), None) is None


def test_our_schemas_load_nothing() -> None:
    """Each is whole: what one would include could be changed beside it."""
    for file in sorted(resource("schemas", "xml").glob("*.xsd")):
        assert "schemaLocation" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(("elements", "fits"), [(XML_TAGS - 2, True), (XML_TAGS - 1, False)])
def test_the_number_of_elements_is_bounded(elements: int, *, fits: bool) -> None:
    """A higher limit for what is large by its text does not let millions of elements through."""
    document = b"<a>" + b"<b/>" * elements + b"</a>"
    if fits:
        assert len(parse(document, "a", limit=len(document))) == elements
        return
    with pytest.raises(DocumentError) as caught:
        parse(document, "a", limit=len(document))
    assert caught.value.code == "document-too-large"


@pytest.mark.parametrize(("attributes", "fits"), [(XML_ATTRIBUTES, True), (XML_ATTRIBUTES + 1, False)])
def test_the_number_of_attributes_is_bounded(attributes: int, *, fits: bool) -> None:
    """To list them takes lxml time by the square of their number."""
    document = b"<a>\n<b " + b" ".join(b'c%d=""' % number for number in range(attributes)) + b"/></a>"
    if fits:
        assert len(parse(document, "a")[0].attrib) == attributes
        return
    with pytest.raises(DocumentError, match="a, line 2: .*1000 attributes") as caught:
        parse(document, "a")
    assert caught.value.code == "document-malformed"


def test_sorting_puts_children_in_order() -> None:
    """What was appended later stands where the schema wants it, at every depth; what it does not know is last."""
    content = "<x:y xmlns:x='urn:other'/><person><post/><name/></person><title>a</title><pages>1</pages>"
    root = parse(letter(content), "a")
    assert not Schema(XSD).is_valid(root)
    Schema(XSD).sort(root)
    assert Schema(XSD).is_valid(root)
    order = ["letter", "pages", "title", "person", "name", "post", "y"]
    assert [etree.QName(one).localname for one in root.iter()] == order


@pytest.mark.parametrize("name", ["medo", "gost53898", "dhx-capsule", "dhx-exchange"])
def test_our_schemas_build_once(name: str) -> None:
    """They are cached."""
    assert schema(name) is schema(name)


@given(st.text())
def test_legal_text_can_be_written(text: str) -> None:
    """Characters that XML cannot hold are replaced, all others stay."""
    element = etree.Element("a")
    element.text = legal_text(text)
    assert parse(serialise(element), "a").text == (element.text or None)


def test_each_illegal_character_becomes_one_that_says_so() -> None:
    """Legal neighbours stay, tabs and line ends among them."""
    assert legal_text("a\x00b\ufffe\ud800\t\nө\U0001f600") == "a\ufffdb\ufffd\ufffd\t\nө\U0001f600"


@pytest.mark.parametrize(("encoding", "text"), [("utf-8", "ң".encode()), ("windows-1251", b"&#1187;")])
def test_documents_are_written_for_people(encoding: str, text: bytes) -> None:
    """With a declaration of their encoding, an element on each line."""
    declaration = f"<?xml version='1.0' encoding='{encoding}'?>\n".encode()
    root = parse("<a><b>ң</b></a>".encode(), "a")
    assert serialise(root, encoding) == declaration + b"<a>\n  <b>" + text + b"</b>\n</a>\n"
    assert serialise(root) == serialise(root, "utf-8")


def test_places_are_paths() -> None:
    """File, line and local names."""
    root = parse(letter("<title>a</title>"), "a.xml")
    assert place_of(root[0], "a.xml") == "a.xml, line 3, /letter/title"


def test_attributes_are_counted_before_they_are_read() -> None:
    """By their quotation marks of either kind, since each takes more memory than its bytes."""
    many = b"<a " + b" ".join(b"a%x=''" % number for number in range(128 * 1024 + 1)) + b"/>"
    with pytest.raises(DocumentError, match="more than 131072 attributes") as caught:
        parse(many, "a.xml", limit=len(many))
    assert caught.value.code == "document-too-large"


@pytest.mark.parametrize(
    ("content", "attributes", "place"), [("<when>{}</when>", "", "3, /letter/when"), ("", " day='{}'", "2, /letter")]
)
def test_years_beyond_every_calendar(content: str, attributes: str, place: str) -> None:
    """XML allows years of any length; what no reader can hold is a fault of the document, at its place."""
    year = "9" * 40 + "-01-01"
    root = parse(letter(content.format(year), attributes.format(year)), "a.xml")
    assert not Schema(XSD).is_valid(root)
    with pytest.raises(DocumentError, match=f"a.xml, line {place}: a number or date"):
        Schema(XSD).check(root, "a.xml")


AT_ONCE = """
import sys
from threading import Barrier, Thread
from exchange.wire.xml import Schema, resource

text, start, built = resource("schemas/xml/medo.xsd").read_text(encoding="utf-8"), Barrier(4), []

def build():
    start.wait()
    built.append(Schema(text))

threads = [Thread(target=build) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(len(built) != 4)
"""


def test_the_first_schemas_of_a_process_are_built_at_once() -> None:
    """By threads of a gateway, for several bodies; libxml2 alone fails at this in some twenty of processes one."""
    for _ in range(4):
        assert subprocess.run([sys.executable, "-c", AT_ONCE], check=False).returncode == 0
