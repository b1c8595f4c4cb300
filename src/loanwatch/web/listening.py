"""The address that a service listens on."""

import socket

from loanwatch.errors import LoanwatchError

__all__ = ["listen"]


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address, whose port nobody else has.

    Raises
    ------
    LoanwatchError
        If the address cannot be listened on.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise LoanwatchError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another port"
        ) from error
    return listener
