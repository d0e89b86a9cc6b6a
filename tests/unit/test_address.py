"""A bot token goes to Discord or to this machine, whatever is written as the sandbox's address."""

import pytest

from bot.discord_io.connection.address import require_loopback


@pytest.mark.parametrize(
    ("address", "sandbox"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("HTTP://LOCALHOST:8080", "http://localhost:8080"),
        ("http://[::1]:8080/api?x#y", "http://[::1]:8080"),
    ],
)
def test_this_machine(address: str, sandbox: str) -> None:
    assert require_loopback(address) == sandbox


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1.example.com:80",
        "http://127.0.0.1:80@example.com:80",
        "http://example.com:80@127.0.0.1:80",
        "http://127.0.0.1\\@example.com:80",
        "http://localhost.:80",
        "http://localhost.example.com:80",
        "http://0x7f.1:80",
        "http://2130706433:80",
        "http://0.0.0.0:80",
        "http://[::ffff:192.0.2.1]:80",
        "http://127.0.0.1",
        "http://127.0.0.1:65536",
        "https://127.0.0.1:443",
        "127.0.0.1:8080",
        "",
    ],
)
def test_everything_else_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is no sandbox on this machine"):
        require_loopback(address)
