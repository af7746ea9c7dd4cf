"""No test reaches another machine, whatever it connects with."""

import asyncio
import socket
import urllib.request

import pytest


def test_connecting_elsewhere_is_an_error() -> None:
    with socket.socket() as connection, pytest.raises(RuntimeError, match="network is closed"):
        connection.connect(("192.0.2.1", 80))
    with socket.socket(type=socket.SOCK_DGRAM) as sender, pytest.raises(RuntimeError, match="network is closed"):
        sender.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(RuntimeError, match="network is closed"):
        asyncio.run(asyncio.open_connection("192.0.2.1", 80))


def test_no_outside_name_resolves() -> None:
    with pytest.raises(OSError, match="network is closed"):
        urllib.request.urlopen("http://example.org/")
