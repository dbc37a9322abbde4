"""A real mail server with TLS and log-in, and an authority of its own that signed its certificate."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cpor.devstack.ports import LOOPBACK
from cpor.runtime.mailserver import Tls

USER, PASSWORD = "claims", "a long pass phrase"


class Inbox:
    """What arrived, and how: over TLS, and as whom."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.logins = 0
        self.secure: set[bool] = set()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.arrived.append(envelope.rcpt_tos[0])
        transport = server.transport
        self.secure.add(transport is not None and transport.get_extra_info("ssl_object") is not None)
        return "250 2.0.0 taken"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, how: str, told: object) -> AuthResult:
        known = isinstance(told, LoginPassword) and (told.login, told.password) == (USER.encode(), PASSWORD.encode())
        self.logins += known
        return AuthResult(success=known, handled=False)


class Authority:
    """Signs certificates; its own lies in `path`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._folder = folder
        self.path = folder / f"{name}.pem"
        basic = x509.BasicConstraints(ca=True, path_length=None)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        own = self._built(self._name, self._key.public_key()).add_extension(basic, True).add_extension(usage, True)
        self.path.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def context(self, name: x509.GeneralName | None = None) -> ssl.SSLContext:
        """A server's, with a certificate for this machine or for `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        about = x509.SubjectAlternativeName([name or x509.IPAddress(ipaddress.ip_address(LOOPBACK))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        built = self._built(subject, key.public_key()).add_extension(about, False).add_extension(signer, False)
        signed = built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self._folder / f"{id(key)}.pem"
        path.write_bytes(private + signed)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        return context

    def _built(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
        named = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        return named.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)


def secured(inbox: Inbox, tls: Tls, context: ssl.SSLContext) -> Callable[[], Awaitable[asyncio.Server]]:
    """How to start it on this machine; nobody gets in without the password."""

    def server() -> SMTP:
        starttls = tls == Tls.STARTTLS
        return SMTP(
            inbox,
            tls_context=context if starttls else None,
            require_starttls=starttls,
            auth_required=True,
            auth_require_tls=starttls,
            authenticator=inbox.authenticate,
        )

    async def serve() -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(server, LOOPBACK, 0, ssl=context if tls == Tls.TLS else None)

    return serve
