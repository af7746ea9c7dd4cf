"""What several of these modules start from."""

import datetime
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crawler.providers import registry
from tests.crawler.told import Told


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Makes certificates as asked; `trust` is a client context that believes in them."""
    folder = tmp_path_factory.mktemp("ca")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    now = datetime.datetime.now(datetime.UTC)

    def certificate(subject, public_key, *, days=(-1, 30), is_ca=False, names=()):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(name).public_key(public_key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now + datetime.timedelta(days=days[0])).not_valid_after(
            now + datetime.timedelta(days=days[1])
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False)
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    (folder / "ca.pem").write_bytes(certificate(name, key.public_key(), is_ca=True))

    class Authority:
        @staticmethod
        def trust():
            return ssl.create_default_context(cafile=str(folder / "ca.pem"))

        @staticmethod
        def server(**options):
            own = ec.generate_private_key(ec.SECP256R1())
            file = folder / f"{len(list(folder.iterdir()))}.pem"
            pem = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
            file.write_bytes(pem + certificate(subject, own.public_key(), **options))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(str(file))
            return context

    return Authority


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setitem(registry.PROVIDERS, "told", registry.Entry("Told", "tests.crawler.told:Told"))
    monkeypatch.setitem(registry.PLATFORMS, "told", registry.Platform("Told", "told"))
    Told.pages, Told.cursors, Told.closed = [], [], 0
    return Told


@pytest.fixture
def tiktok(sample, settings):
    """The platform's TikTok, as settings know it."""
    settings.TIKTOK_URL = sample.tiktok_url
    settings.SCRAPECREATORS_URL = sample.scrapecreators_url
    settings.SCRAPECREATORS_API_KEY = "sample-scrapecreators-key"
    sample.clear_faults()
    yield sample
    sample.clear_faults()
