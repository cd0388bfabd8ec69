"""In which languages the comments of a draft's files are written, as far as they tell."""

from cxlib.load.draft.tables import Part

LONG = 20  # characters below which a text tells no language
SURE = 0.8  # chance from which a text is taken to be in a language
SHARE, FEW = 0.1, 5  # of the comments that tell one, and comments, from which a language is one of the programme's
EACH = 200  # comments of a column that are looked at
NAMES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "pt": "Portuguese", "it": "Italian", "nl": "Dutch", "ja": "Japanese", "zh": "Chinese", "ko": "Korean", "pl": "Polish", "sv": "Swedish", "da": "Danish", "no": "Norwegian", "nb": "Norwegian", "fi": "Finnish", "cs": "Czech", "tr": "Turkish", "ru": "Russian", "ar": "Arabic", "he": "Hebrew", "hu": "Hungarian", "el": "Greek"}  # fmt: skip


def of(parts: list[Part], chances) -> tuple[list[str], str]:
    """Return the languages of the comments, the most frequent first, and why; none where no comment tells.

    `chances(text)` returns the languages of a text with the chance of each, the likeliest first (`cxlib.text.languages.chances`).
    """
    seen: dict = {}
    for part in parts:
        for column, one in part.roles.items():
            if part.kind != "responses" or one.role != "verbatim":
                continue
            for cell in [cell for cell in part.file.cells(column, 5 * EACH) if len(cell) >= LONG][:EACH]:
                code, chance = (chances(cell) or [("", 0.0)])[0]
                if chance >= SURE:
                    seen[code] = seen.get(code, 0) + 1
    told = sum(seen.values())
    kept = [code for code in sorted(seen, key=lambda one: (-seen[one], one)) if seen[code] >= max(FEW, SHARE * told)]
    said = " and ".join(f"{NAMES.get(code, code)} ({100 * seen[code] / told:.0f} %)" for code in kept)
    return kept, f"guessed from {told:,} comments, which are in {said}" if kept else ""
