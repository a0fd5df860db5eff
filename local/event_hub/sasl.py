"""The server's half of SASL: every mechanism that a stock client may choose succeeds (the hub is on loopback only).

It stands before the AMQP engine, whose own SASL knows neither MSSBCBS nor, without Cyrus, PLAIN.
"""

from local.event_hub import encoding

MECHANISMS = ("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL")
_SASL_HEADER = b"AMQP\x03\x01\x00\x00"
_MECHANISMS, _INIT, _OUTCOME = 0x40, 0x41, 0x44
_OK, _AUTHENTICATION_FAILED = 0, 1


class SaslServer:
    """Takes the frames of the SASL layer until `done`; a client that begins with plain AMQP skips it."""

    def __init__(self) -> None:
        self.done = False
        self.refused = False

    def answer(self, frame: bytes) -> bytes | None:
        """What to send back for this frame; None when it is not SASL's and belongs to the AMQP engine."""
        if frame == _SASL_HEADER:
            offered = b"".join(bytes([len(name)]) + name.encode() for name in MECHANISMS)
            array = bytes([0xE0, len(offered) + 2, len(MECHANISMS), 0xA3]) + offered
            return _SASL_HEADER + _frame(_MECHANISMS, encoding.listing(1, array))
        if frame.startswith(b"AMQP"):
            self.done = True
            return None
        code, start = encoding.described(frame, frame[4] * 4)
        if code != _INIT:
            raise encoding.Malformed(f"a SASL frame with the code 0x{code:02x}, where sasl-init (0x41) was due")
        _, first = encoding.items(frame, start)
        self.refused = (encoding.text(frame, first) or b"").decode("ascii", "replace") not in MECHANISMS
        self.done = not self.refused
        return _frame(_OUTCOME, encoding.listing(1, bytes([0x50, _AUTHENTICATION_FAILED if self.refused else _OK])))


def _frame(code: int, fields: bytes) -> bytes:
    body = encoding.section(code, fields)
    return (len(body) + 8).to_bytes(4, "big") + b"\x02\x01\x00\x00" + body
