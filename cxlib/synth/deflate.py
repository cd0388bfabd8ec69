"""Deflate (RFC 1951) in so many words: zlib's output differs from version to version and from machine to machine, this one's does not."""

import struct
import zlib

SHORTEST, LONGEST, REACH = 4, 258, 32_768        # of a repetition, and how far back it may lie
# RFC 1951, 3.2.5: first length or distance of each code, and how many extra bits follow it.
LENGTHS = ((3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 1), (13, 1), (15, 1), (17, 1), (19, 2), (23, 2), (27, 2), (31, 2), (35, 3), (43, 3), (51, 3), (59, 3),
           (67, 4), (83, 4), (99, 4), (115, 4), (131, 5), (163, 5), (195, 5), (227, 5), (258, 0))
DISTANCES = ((1, 0), (2, 0), (3, 0), (4, 0), *((2**k + half * 2**(k - 1) + 1, k - 1) for k in range(2, 15) for half in (0, 1)))


def turned(code: int, bits: int) -> int:
    """A code with its bits in the order in which they are sent."""
    return int(f"{code:0{bits}b}"[::-1], 2)


def letter(symbol: int) -> tuple[int, int]:
    """The fixed code of a literal or a length (3.2.6): bits as sent, and how many."""
    for last, bits, first, start in ((143, 8, 0, 0b00110000), (255, 9, 144, 0b110010000), (279, 7, 256, 0), (287, 8, 280, 0b11000000)):
        if symbol <= last:
            return turned(start + symbol - first, bits), bits
    raise ValueError(f"there is no symbol {symbol}")


def spread(table, most: int, code) -> list[tuple[int, int]]:
    """For each value up to `most` the bits that say it, extra bits included, and how many."""
    said, place = [(0, 0)] * (most + 1), -1
    for value in range(table[0][0], most + 1):
        while place + 1 < len(table) and table[place + 1][0] <= value:
            place += 1
        first, extra = table[place]
        bits, n = code(place)
        said[value] = bits | (value - first) << n, n + extra
    return said


def deflate(data: bytes) -> bytes:
    """The data as one block of fixed codes: each repetition of four bytes and more is told by where it last stood."""
    literal = [letter(symbol) for symbol in range(256)]
    length, distance = spread(LENGTHS, LONGEST, lambda place: letter(257 + place)), spread(DISTANCES, REACH, lambda place: (turned(place, 5), 5))
    out, held, bits, at, end, seen = bytearray(), 0b011, 3, 0, len(data), {}
    while at < end:
        key = data[at:at + SHORTEST]
        before = seen.get(key, -REACH - 1)
        seen[key] = at
        if at - before <= REACH and len(key) == SHORTEST:
            same, most = SHORTEST, min(LONGEST, end - at)
            while same < most and data[before + same] == data[at + same]:
                same += 1
            for (value, n) in (length[same], distance[at - before]):
                held, bits = held | value << bits, bits + n
            for place in range(at + 1, at + same - SHORTEST):
                seen[data[place:place + SHORTEST]] = place
            at += same
        else:
            value, n = literal[data[at]]
            held, bits, at = held | value << bits, bits + n, at + 1
        if bits > 256:
            out += (held & (1 << 256) - 1).to_bytes(32, "little")
            held, bits = held >> 256, bits - 256
    value, n = letter(256)
    held, bits = held | value << bits, bits + n
    return bytes(out + held.to_bytes((bits + 7) // 8, "little"))


def archive(files: dict[str, bytes], *, year: int, month: int, day: int) -> bytes:
    """A ZIP file of these files (APPNOTE 6.3.10: local headers, central directory, its end), all of one day."""
    date, body, listed = (year - 1980) << 9 | month << 5 | day, b"", b""
    for name, content in files.items():
        packed = deflate(content)
        about = struct.pack("<HHHHHIIIHH", 20, 0x800, 8, 0, date, zlib.crc32(content), len(packed), len(content), len(name.encode()), 0)
        listed += struct.pack("<IH", 0x02014B50, 20) + about + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name.encode()
        body += struct.pack("<I", 0x04034B50) + about + name.encode() + packed
    return body + listed + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(files), len(files), len(listed), len(body), 0)
