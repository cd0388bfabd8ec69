"""What an edition and an earlier one tell together: counts of anonymous answers that can be had by subtracting one publication from another."""

from pathlib import Path

from cxlib import cells, editions

KEYS = ["survey", "wave", "kpi"]


def earlier(place: Path) -> list[Path]:
    """Return the last edition of every quarter of a programme up to this one's folder, latest first: what readers hold already."""
    quarters = sorted((path for path in Path(place).parent.iterdir() if editions.QUARTER.fullmatch(path.name) and path.name <= Path(place).name), reverse=True)
    return [path / f"r{numbers[-1]}" for path in quarters if (numbers := editions.editions(path))]


def differences(draft: Path, before: Path, *, programme) -> list[str]:
    """Return a sentence for everything that a draft and an earlier edition tell together of fewer persons than may be shown; none is the aim.

    Looked at are the waves both hold of surveys whose small cells are withheld. A figure that changed by 1 to limit - 1 answers, two groups of
    a segment that was cut anew and differ by so few, and a withheld group that the other publication shows, or shows the rest of.
    """
    import pandas as pd

    found: list[str] = []
    whole = [_read(pd, folder, "kpis") for folder in (before, draft)]
    for (survey, wave, kpi), (then, now) in _both(*whole):
        least = cells.limit(programme, survey)
        if 0 < abs(then["n"].iloc[0] - now["n"].iloc[0]) < least:
            found.append(f"{_named(survey, wave, kpi)}: {before.name} counts {then['n'].iloc[0]:,.0f} answers and the draft {now['n'].iloc[0]:,.0f}; the difference tells of {abs(then['n'].iloc[0] - now['n'].iloc[0]):,.0f}.")
    for (survey, wave, kpi), (then, now) in _both(*[_read(pd, folder, "kpis_by_segment") for folder in (before, draft)]):
        least = cells.limit(programme, survey)
        if least <= 1:
            continue
        for segment in sorted(set(then["segment"]) & set(now["segment"])):
            old, new = (_counts(frame, segment) for frame in (then, now))
            where = f"{_named(survey, wave, kpi)} by {segment}"
            found += _regrouped(where, old, new, least, before.name) if set(old) != set(new) else _same(where, old, new, least, before.name)
    return list(dict.fromkeys(found))


def _same(where: str, old: dict, new: dict, least: int, name: str) -> list[str]:
    said = [f"{where}: '{value}' had {old[value]:,.0f} answers in {name} and has {new[value]:,.0f}; the difference tells of {abs(old[value] - new[value]):,.0f}." for value in new if _known(old[value]) and _known(new[value]) and 0 < abs(old[value] - new[value]) < least]
    # With an unchanged grouping readers may put both publications together: what one hides the other must hide as well.
    for one, other, who in ((new, old, f"the draft hides, {name} shows"), (old, new, f"{name} hides, the draft shows")):
        if any(not _known(n) for n in one.values()):
            said += [f"{where}: '{value}' is withheld in one and not in the other ({who})." for value in one if not _known(one[value]) and _known(other[value])]
    return said


def _regrouped(where: str, old: dict, new: dict, least: int, name: str) -> list[str]:
    pairs = [(a, b) for a in old for b in new if _known(old[a]) and _known(new[b]) and 0 < abs(old[a] - new[b]) < least]
    said = [f"{where} was cut otherwise in {name}: '{a}' with {old[a]:,.0f} answers there and '{b}' with {new[b]:,.0f} here differ by {abs(old[a] - new[b]):,.0f}." for a, b in pairs]
    hidden = [value for value in set(old) & set(new) if _known(old[value]) != _known(new[value])]
    return said + [f"{where} was cut otherwise in {name}: '{value}' is withheld in one and not in the other." for value in sorted(hidden)]


def _known(n: float) -> bool:
    return n == n


def _counts(frame, segment: str) -> dict:
    own = frame[frame["segment"] == segment]
    return dict(zip(own["value"], own["n"].astype(float)))


def _named(survey: str, wave: str, kpi: str) -> str:
    return f"{kpi} of {survey} {wave}"


def _read(pd, folder: Path, name: str):
    path = Path(folder) / "findings" / f"{name}.parquet"
    return pd.read_parquet(path) if path.is_file() else pd.DataFrame(columns=[*KEYS, "segment", "value", "n"])


def _both(then, now):
    groups = {key: own for key, own in now.groupby(KEYS, sort=False)}
    return [(key, (own, groups[key])) for key, own in then.groupby(KEYS, sort=False) if key in groups]
