"""A real IMAP server in memory, in TLS from the first byte, with one user."""

from __future__ import annotations

import asyncio
import ssl
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imapclient import IMAPClient
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer

from tests.unit.notify.test_delivery import running

USER, PASSWORD = "bounces@cpor.example", "open sesame"


@contextmanager
def imap_server(context: ssl.SSLContext) -> Iterator[int]:
    """Its port on the loopback interface."""

    async def serve() -> asyncio.Server:
        told = Namespace(
            host=None, port="0", cert=None, key=None, tls=False, proxy_protocol=None, inherited_sockets=None,
            debug=False, passlib_cfg=None, demo_data=False, demo_user=USER, demo_password=PASSWORD,
        )  # fmt: skip
        backend, config = await DictBackend.init(told)
        config.apply_context()
        greet = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(backend.login, config))
        return await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)

    with running(serve) as port:
        yield port


@contextmanager
def mail_program(port: int, ca: Path) -> Iterator[IMAPClient]:
    """Logged in, as somebody who looks into the mailbox."""
    context = ssl.create_default_context(cafile=str(ca))
    with IMAPClient("127.0.0.1", port, ssl_context=context, timeout=10) as client:
        client.login(USER, PASSWORD)
        yield client
