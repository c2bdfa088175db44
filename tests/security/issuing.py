"""What an issuer does with a request for a certificate, for tests and benches."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from exchange.security.keys import KeyFiles, load_key_pair
from exchange.security.renewal import request_file


def certify_next(files: KeyFiles, root: Path, now: datetime) -> x509.Certificate:
    """Answer the request that lies beside a pair: the next certificate, for 99 days.

    Args:
        files: the present pair.
        root: PEM certificate of a development root, whose key lies beside it.
        now: present time.
    """
    issuer = load_key_pair(KeyFiles(root.with_name(root.name.replace(".crt.", ".key.")), root))
    request = x509.load_pem_x509_csr(request_file(files).read_bytes())
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=99))
    )
    for extension in request.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    made = builder.sign(issuer.key, hashes.SHA256())
    files.next.certificate.write_bytes(made.public_bytes(Encoding.PEM))
    return made
