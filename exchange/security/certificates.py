"""Certificates as this exchange issues them: what stands in those of roots, bodies, services and brokers."""

from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exchange.security.keys import KeyPair, PublicKey
from exchange.security.purpose import Purpose
from exchange.security.validity import Validity, seconds


def certify_root(key: ec.EllipticCurvePrivateKey, name: str, validity: Validity) -> x509.Certificate:
    """A root: it certifies leaves, without intermediates."""
    subject = _name(name)
    builder = _builder(subject, subject, key.public_key(), validity)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(key_usage(None), critical=True)
    return builder.sign(key, hashes.SHA256())


def certify_leaf(
    key: PublicKey, name: str, purpose: Purpose, validity: Validity, root: KeyPair, hosts: tuple[str, ...] = ()
) -> x509.Certificate:
    """A certificate of `key` for one purpose.

    Args:
        key: whose holder proved to have the private one.
        name: the common name: of a body its code.
        purpose: what it may be used for, and nothing else.
        validity: from when until when, whole seconds.
        root: certifies it.
        hosts: names or addresses under which a server is reached.
    """
    identifier = root.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    builder = _builder(_name(name), root.certificate.subject, key, validity)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(key_usage(purpose), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(purpose.usages), critical=False)
    builder = builder.add_extension(issuer, critical=False)
    if hosts:
        names = [_general_name(host) for host in hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(root.key, hashes.SHA256())


def key_usage(purpose: Purpose | None) -> x509.KeyUsage:
    """What the key of a certificate for `purpose` may do; None: of a root."""
    return x509.KeyUsage(
        digital_signature=purpose is not None and not purpose.encrypts,
        content_commitment=purpose is not None and purpose.signs,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=purpose is not None and purpose.encrypts,
        key_cert_sign=purpose is None,
        crl_sign=purpose is None,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: PublicKey, validity: Validity
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(seconds(validity.not_before))
        .not_valid_after(seconds(validity.not_after))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def hosts_of(certificate: x509.Certificate) -> list[str]:
    """Names and addresses that a server's certificate is valid for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names]
