"""The codeframe: which topics there are, what counts as one, and since when (codeframe.toml)."""

import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from cxlib.errors import DataError, nearest

# What questions ask for, in the words of English, German, French, Portuguese and Spanish questionnaires.
_FAULTS = re.compile(
    r"\b(improv\w*|better|worst|dislike\w*|dissatisf\w*|not satisf\w*|wrong|bad|problems?|change|complain\w*|concerns?|verbesser\w*|besser|schlecht\w*|kritik\w*|beschwer\w*|unzufrieden\w*|gestört|"
    r"am[ée]lior\w*|mieux|insatisf\w*|m[ée]content\w*|probl[èe]m\w*|reclama\w*|melhor\w*|mejor\w*|problema\w*)\b")
_MERITS = re.compile(
    r"\b(good|well|best|likes?|liked|enjoy\w*|satisf(?:ied|action|ying)|praise\w*|compliment\w*|great|gut|gefallen|gefällt|zufrieden\w*|lob\w*|positiv\w*|bien|aim[ée]\w*|plu|satisfaits?|gostou|gostar\w*|bom|elogi\w*|gust\w*|bueno)\b")
STARTER = Path(__file__).with_name("starter.toml")
MOST_BYTES = 4 * 1024 * 1024
Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Phrases = tuple[Phrase, ...]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class Topic(BaseModel):
    """One topic. A phrase matches by its lemmas; one that starts with '=' matches the written form only (in any case)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Identifier = Field(description="stable id: findings of all quarters carry it; never given to another topic", examples=["billing"])
    name: str = Field(min_length=1, description="what the report calls it", examples=["Bills and charges"])
    parent: Identifier | None = Field(None, description="id of the net this topic belongs to; a respondent counts once a net, e.g. network")
    definition: str = Field("", description="what counts, in a sentence that two coders would read alike, e.g. amount, clarity or correctness of a bill")
    include: Phrases | dict[Language, Phrases] = Field((), description="phrases that make a mention, or a table of them by language, e.g. [\"bill\", \"invoice\"]")
    exclude: Phrases | dict[Language, Phrases] = Field((), description="phrases that keep a clause from being a mention of this topic, e.g. [\"fit the bill\"]")
    examples: tuple[str, ...] = Field((), description="clauses that belong here, e.g. [\"my bill was wrong again\"]")
    counter_examples: tuple[str, ...] = Field((), description="clauses that look alike and do not belong here, e.g. [\"it fits the bill\"]")
    since: str | None = Field(None, description="version of the codeframe in which the topic began, e.g. 2026-1")
    retired: str | None = Field(None, description="version in which it stopped being coded, e.g. 2027-1")
    merged_into: Identifier | None = Field(None, description="id of the topic that its mentions count for from now on, e.g. price")
    silence: Literal["faults", "merits"] | None = Field(None, description="a whole answer such as 'nothing' counts here after a question that asks for faults (all is well), or for merits (nothing is), e.g. faults")
    alert: bool = Field(False, description="goes to a person at any frequency (injury, threat, discrimination, legal, data breach)")


class Codeframe(BaseModel):
    """A versioned list of topics in a main language; phrases may be given for other languages under the same id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(min_length=1, description="version that the findings carry", examples=["2026-1"])
    language: Language = Field("en", description="language of phrases given without one, e.g. en")
    title: str = Field("", description="what the codeframe is for, e.g. comments of telecom customers")
    questions: dict[str, Literal["faults", "merits", "open"]] = Field({}, description="what a question (item) asks for, where its id does not say so: faults, merits or open, e.g. {q7 = \"faults\"}")
    topics: tuple[Topic, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self):
        seen = set()
        for topic in self.topics:
            if topic.id in seen:
                raise ValueError(f"topic '{topic.id}' is defined twice; an id names one topic only")
            seen.add(topic.id)
        by_id = {topic.id: topic for topic in self.topics}
        for key in ("parent", "merged_into"):
            points = {topic.id: getattr(topic, key) for topic in self.topics if getattr(topic, key)}
            for start, target in points.items():
                if target not in seen:
                    raise ValueError(f"topic '{start}': {key} = '{target}' is no topic of this codeframe{nearest(target, sorted(seen))}")
            for start in points:
                path = [start]
                while (following := points.get(path[-1])) is not None:
                    path.append(following)
                    if following in path[:-1]:
                        raise ValueError(f"{key} goes in a circle: {' -> '.join(path[path.index(following):])}; break it at one topic")
        nets, silent, called = {topic.parent for topic in self.topics}, {}, {}
        owner: dict[tuple[str, str], str] = {}
        for topic in self.topics:
            if topic.merged_into and by_id[topic.merged_into].retired:
                raise ValueError(f"topic '{topic.id}' is merged into '{topic.merged_into}', which is retired; merge it into a topic that is coded")
            if topic.retired:
                continue
            if not topic.merged_into and called.setdefault(topic.name.strip().lower(), topic.id) != topic.id:
                raise ValueError(f"topics '{called[topic.name.strip().lower()]}' and '{topic.id}' are both called '{topic.name}', and no page could tell which is meant; give each a name of its own, or merge one into the other (merged_into)")
            if topic.silence and silent.setdefault(topic.silence, topic.id) != topic.id:
                raise ValueError(f"silence = '{topic.silence}' is in two topics, '{silent[topic.silence]}' and '{topic.id}'; keep it in one")
            if not (topic.include or topic.examples or topic.silence or topic.merged_into or topic.id in nets):
                raise ValueError(f"topic '{topic.id}' can never be found: it has no include phrase; add some, or examples if people are to code it")
            for language in self.languages:
                kept_out = {_plain(phrase) for phrase in self.phrases(topic, language, exclude=True)}
                for phrase in self.phrases(topic, language):
                    if (key := (language, _plain(phrase)))[1] in kept_out:
                        raise ValueError(f"topic '{topic.id}': phrase '{phrase}' is both included and excluded; take it out of one")
                    if owner.setdefault(key, topic.id) != topic.id:
                        raise ValueError(f"phrase '{phrase}' is in two topics, '{owner[key]}' and '{topic.id}'; keep it in one")
        return self

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have phrases, the main one first."""
        named = {language for topic in self.topics for part in (topic.include, topic.exclude) if isinstance(part, dict) for language in part}
        return (self.language, *sorted(named - {self.language}))

    def phrases(self, topic: Topic, language: str, *, exclude: bool = False) -> Phrases:
        """Include (or exclude) phrases of a topic in a language."""
        part = topic.exclude if exclude else topic.include
        if isinstance(part, dict):
            return part.get(language, ())
        return part if language == self.language else ()

    def leaning(self, item: str) -> str:
        """What a question asks for: faults, merits or open; as declared, else by the words of its id ("what_could_we_improve")."""
        return self.questions.get(item) or leaning(item)

    def coded_as(self) -> dict[str, str]:
        """Map each topic that is coded today to the id its mentions count for: retired ones are left out, merged ones followed."""
        by_id = {topic.id: topic for topic in self.topics}
        ends = {}
        for topic in self.topics:
            end = topic
            while end.merged_into:
                end = by_id[end.merged_into]
            if not end.retired and (topic.merged_into or not topic.retired):
                ends[topic.id] = end.id
        return ends

    def nets(self) -> dict[str, tuple[str, ...]]:
        """Map each topic to the nets above it, the nearest first."""
        parent = {topic.id: topic.parent for topic in self.topics}
        above = {}
        for start in parent:
            path, at = [], parent[start]
            while at:
                path.append(at)
                at = parent[at]
            above[start] = tuple(path)
        return above

    def names(self) -> dict[str, str]:
        """Map each id to the name that the report shows."""
        return {topic.id: topic.name for topic in self.topics}


def leaning(words: str) -> str:
    """What a question asks for by its id or wording: faults ("could be better", "verbessern"), merits ("was good", "gefallen") or open.

    A question that names both, or neither, is open.
    """
    said = words.lower().replace("_", " ") if isinstance(words, str) else ""
    faults, merits = _FAULTS.search(said), _MERITS.search(_FAULTS.sub(" ", said))
    return "open" if bool(faults) == bool(merits) else "faults" if faults else "merits"


def _plain(phrase: str) -> str:
    return " ".join(phrase.lower().lstrip("=").split())


def before(path) -> Codeframe | None:
    """Return the version before the one at `path`: `codeframe_before.toml` beside it, which `cx code accept` keeps; None where there is none, or it has the same version."""
    older = path.with_name(f"{path.stem}_before{path.suffix}")
    found = read(older) if older.is_file() else None
    return found if found is not None and found.version != read(path).version else None


def starter() -> Codeframe:
    """The codeframe for services that ships: topics of nearly every trade in English, German, French and Portuguese, and five that alert."""
    return read(STARTER)


def written(codeframe: Codeframe) -> str:
    """Return a codeframe as the text of a codeframe.toml, which `read` gives back as it was."""
    quoted = lambda value: json.dumps(value, ensure_ascii=False)
    lines = [f"version = {quoted(codeframe.version)}", f"language = {quoted(codeframe.language)}", *([f"title = {quoted(codeframe.title)}"] if codeframe.title else [])]
    if codeframe.questions:
        lines += ["", "[questions]", *(f"{quoted(item)} = {quoted(asks)}" for item, asks in codeframe.questions.items())]
    for topic in codeframe.topics:
        told = topic.model_dump(exclude_defaults=True, mode="json")
        lines += ["", "[[topics]]", *(f"{key} = {quoted(value)}" for key, value in told.items() if not isinstance(value, dict))]
        lines += [line for key, value in told.items() if isinstance(value, dict) for line in (f"[topics.{key}]", *(f"{language} = {quoted(phrases)}" for language, phrases in value.items()))]
    return "\n".join(lines) + "\n"


def read(path) -> Codeframe:
    """Read and check a codeframe.

    Raises DataError, which names the file and the line, key, topic or phrase at fault, for a file that is missing, over 4 MiB,
    not UTF-8 or not TOML, for an unknown key (with the nearest valid one), an id used twice, a circle of parents or merges,
    and a phrase in two topics.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path.name}: no such file in '{path.parent}'; a codeframe is a TOML file with [[topics]]")
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path.name}: {path.stat().st_size / 1024**2:.1f} MiB, over the 4 MiB that a codeframe may have; is it the right file?")
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw[: fault.start].count(b"\n") + 1
        raise DataError(f"{path.name}, line {line}: byte {fault.start} is not UTF-8; save the file as UTF-8") from None
    try:
        content = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as fault:
        raise DataError(f"{path.name}: not valid TOML: {fault}") from None
    except RecursionError:
        raise DataError(f"{path.name}: not valid TOML: brackets nested too deeply") from None
    return parse(content, name=path.name)


def parse(content: dict, *, name: str = "codeframe.toml") -> Codeframe:
    """Check a codeframe given as a dictionary (a notebook's edit); `name` is what messages call it."""
    try:
        return Codeframe.model_validate(content)
    except ValidationError as fault:
        told = [_sentence(error, content) for error in fault.errors()]
        more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
        raise DataError(f"{name}: {told[0]}{more}") from None


def _sentence(error: dict, content: dict) -> str:
    """Say one fault with the topic it is in."""
    where = [part for part in error["loc"] if not (isinstance(part, str) and ("[" in part or part.startswith("function-")))]
    place, model = "", Codeframe
    if len(where) >= 2 and where[0] == "topics" and isinstance(where[1], int):
        topic = content["topics"][where[1]]
        given = topic.get("id", topic.get("name")) if isinstance(topic, dict) else None
        place, model = f"topic {where[1] + 1}" + (f" ('{' '.join(str(given).split())[:60]}')" if given else "") + ": ", Topic
        where = where[2:]
    key = ".".join(str(part) for part in where)
    if error["type"] == "extra_forbidden":
        return f"{place}unknown key '{key}'{nearest(key, model.model_fields)}"
    if error["type"] == "missing":
        return f"{place}key '{key}' is missing"
    said = error["msg"].removeprefix("Value error, ")
    return f"{place}key '{key}': {said}; it is {str(error['input'])[:60]!r}" if key else f"{place}{said}"
