"""Calendars that other programs take: days with a title and a text, in the form of RFC 5545."""

import re


def calendar(entries: list[dict], *, name: str) -> str:
    """Return entries (id, day, title, text) as an iCalendar file of whole days. The same entries give the same bytes: ids are the entries' own, the stamp is their day."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//cxlib//alerts//EN", f"X-WR-CALNAME:{_text(name)}"]
    for entry in entries:
        day = f"{entry['day']:%Y%m%d}"
        lines += ["BEGIN:VEVENT", f"UID:{re.sub(r'[^A-Za-z0-9.-]', '-', entry['id'])}@cxlib", f"DTSTAMP:{day}T000000Z", f"DTSTART;VALUE=DATE:{day}", f"SUMMARY:{_text(entry['title'])}", f"DESCRIPTION:{_text(entry['text'])}", "TRANSP:TRANSPARENT", "END:VEVENT"]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _text(text: str) -> str:
    """Escape what has a meaning in a value (RFC 5545, 3.3.11); control characters go."""
    text = re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", " ", text.replace("\r\n", "\n"))
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Break a line of more than 75 bytes, never within a character (3.1)."""
    parts, part = [], ""
    for letter in line:
        if len(f"{part}{letter}".encode()) > (75 if not parts else 74):
            parts.append(part)
            part = ""
        part += letter
    return "\r\n ".join([*parts, part])
