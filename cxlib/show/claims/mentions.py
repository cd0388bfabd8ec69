"""What stands around the topics: who writes, on which base a share stands, what separates scores, what ratings do not say, what is new, and what must go to a person."""

import math

import pandas as pd

from cxlib.show import claims, prose
from cxlib.show.claims.topics import STUDY, UNITS, signed

MANY = 0.10  # of answers that say nothing, or fit no topic, from which questions or codeframe want revising
FEWEST = 30  # people of a group under which a sentence tells nothing of them
BASES = {"commenters": "Of those who wrote", "respondents": "Of all respondents", "evened": "Evened out by score"}


def apart(covered: pd.DataFrame) -> list[str]:
    """Say for each survey's latest quarter where more than a tenth of the comments say nothing, do not know, or fit no topic."""
    said = []
    for row in covered.sort_values("quarter").groupby("survey_id", sort=False).tail(1).to_dict("records"):
        if not row["verbatims"]:
            continue
        parts = (("nothing", "say nothing", "ask another question"), ("unknown", "do not know", "ask another question"), ("other_language", "are in a language without phrases", "add phrases in it"))
        found = [(row[key] / row["verbatims"], words, remedy) for key, words, remedy in parts] + [(row["estimate"], "of those with words fit no topic", "revise the codeframe")]
        said += [claims.say(row["opening"], f"{prose.percent(share)} {words}, more than a tenth: {remedy}.") for share, words, remedy in found if share == share and share > MANY]
    return said


def coder(check: pd.DataFrame, names: dict, *, words: bool = True) -> list[str]:
    """Say what coded the comments: phrases alone, or a model that learnt from what people coded, for which topics and how well on comments it had not seen; nothing did where no comment came in `words`."""
    if not words:
        return ["Topics are the codes that people gave to the answers before they came here, by the words that the dictionary has for each code and wave; no machine coded anything."]
    model = check[check["method"] == "model"]
    if model.empty:
        return ["Topics are found by the phrases of the codeframe alone: not enough comments have been coded by people to learn from (cx code export --kind train)."]
    better = (model["f1"].median(), model["f1_phrases"].median())
    rest = sorted(names.get(topic, topic) for topic in check.loc[check["method"] == "phrases", "topic"])
    return [f"A model that learnt from {prose.plural(int(model['n'].max()), 'comment')} coded by people finds {prose.plural(len(model), 'topic')}: on comments it had not seen its F1 is {prose.number(better[0], digits=2)} (median over topics), that of the phrases {prose.number(better[1], digits=2)}."
            + (f" {prose.join(rest)} {'stays' if len(rest) == 1 else 'stay'} with {'its' if len(rest) == 1 else 'their'} phrases." if rest else "")]


def rates(found: pd.DataFrame, *, scores: str = "") -> list[str]:
    """Say for each survey who writes: the comment rate of the lowest and of the highest scores, and whether it differs; `scores` says what they run from and to (`topics.scores`)."""
    said = []
    for _, group in found[found["scores"] != "no score"].groupby("survey_id", sort=False):
        low, high = group.iloc[0].to_dict(), group.iloc[-1].to_dict()
        told = lambda row: f"{prose.percent(row['estimate'])} of the {prose.number(row['n'])} who gave {row['scores']} (95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percent')})"
        apart_ = low["conf_low"] > high["conf_high"] or low["conf_high"] < high["conf_low"]
        verb = ("write more often" if low["estimate"] > high["estimate"] else "write less often") if apart_ else "write about as often, as far as these bases tell,"
        if len(group) > 1 and min(low["n_eff"], high["n_eff"]) < FEWEST:
            said.append(claims.say(low["opening"], f"whether people with the worst scores write more often than those with the best cannot be told: {prose.number(low['n'])} gave {low['scores']} and {prose.number(high['n'])} gave {high['scores']}{f' on a scale from {scores}' if scores else ''}, and {FEWEST} of each would be needed."))
        elif len(group) > 1:
            said.append(claims.say(low["opening"], f"people with the worst scores {verb} {'than' if apart_ else 'as'} those with the best: {told(low)} wrote something, {told(high)}{f'; scores run from {scores}' if scores else ''}."))
    return said


def wordless(states: pd.Series) -> str:
    """Return what a programme lacks in which nobody wrote a word of use: the phrases of a language, or comments that say something, with what came instead (`comments.answered`, state)."""
    counts = states.value_counts()
    if counts.get("other_language", 0):
        return "phrases in codeframe.toml in a language in which customers write"
    came = [f"{prose.number(counts[state])} {words}" for state, words in (("empty", "without words"), ("nothing", "saying nothing"), ("unknown", "not knowing")) if counts.get(state, 0)]
    return f"comment that says something ({prose.join(came)})" if came else "comment in words"


def untold(kpi) -> str:
    """Return what stands where nothing is told of who writes: of messages there is nobody who was asked and stayed silent."""
    return "Who writes cannot be told: groups of scores are too small to be shown." if kpi else "Nobody was asked for these words: there is no score, and nobody whose silence could be counted."


def bases(found: pd.DataFrame, *, most: int = 8) -> pd.DataFrame:
    """Return one survey's most criticised topics as a table of words on three bases: of those who wrote, of all respondents, and with the silence of some scores evened out."""
    own = found[(found["polarity"] == "negative")]
    wide = {base: own[own["base"] == base].set_index("topic") for base in BASES}
    order = wide["commenters"].sort_values("estimate", ascending=False, kind="stable").head(most)
    words = lambda row: f"{prose.percent(row['estimate'], digits=1)} ({prose.interval(row['conf_low'], row['conf_high'], 'percent', digits=1).removesuffix(' %')})"
    return pd.DataFrame([{"topic": f"{topic}{' (net)' if order.loc[topic, 'level'] == 'net' else ''}"} | {words_: words(wide[base].loc[topic]) if topic in wide[base].index else "–" for base, words_ in BASES.items()} for topic in order.index])


def borders(found: pd.DataFrame, *, scores: str = "") -> list[str]:
    """Say for each survey which topics separate those just below from those just above a score, where it survives all tests of its kind; `scores` says what they run from and to (`topics.scores`)."""
    said, survive = [], claims.sifted(found)
    for name, group in found.groupby("survey_id", sort=False):
        seen = survive[survive["survey_id"] == name]
        when = group["quarter"].iloc[0]
        for row in seen.head(3).to_dict("records"):
            low, high = row["border"].split(" | ")
            said.append(claims.say(row["opening"], f"{row['topic']} is mentioned by {prose.percent(row['then'])} of the {prose.number(row['n_then'])} who gave {low} and by {prose.percent(row['now'])} of the {prose.number(row['n_now'])} who gave {high} (difference {prose.interval(row['conf_low'], row['conf_high'], 'percentage points')}; {when})."))
        if seen.empty:
            said.append(claims.say(group["opening"].iloc[0], f"no topic is mentioned detectably more often on one side of a border than on the other ({when}); a difference of about {prose.number(group['detectable'].median() * 100, digits=0)} percentage points would have been seen four times in five." if group["detectable"].notna().any() else f"not enough wrote on both sides of a border to compare them ({when})."))
    return [*said, f"Scores run from {scores}."] if said and scores else said


def blocks(found: pd.DataFrame) -> list[str]:
    """Say for each survey what the topics of comments add to the ratings in explaining the KPI."""
    said = []
    for _, group in found.groupby("survey_id", sort=False):
        rows = group.set_index("part").to_dict("index")
        row = rows["added by second"]
        if row["note"]:
            said.append(claims.say(group["opening"].iloc[0], f"what comments add to the ratings is {row['note']}."))
            continue
        adds = "add to what the ratings explain" if row["p"] < 0.05 and row["conf_low"] > 0 else "add nothing that these bases could tell from chance"
        said.append(claims.say(group["opening"].iloc[0], f"ratings explain {prose.percent(max(rows['first']['estimate'], 0))} of the differences in {group['kpi'].iloc[0]} among those who wrote, the topics they chose {prose.percent(max(rows['second']['estimate'], 0))}; where the ratings are held the topics {adds} ({prose.points(row['estimate'] * 100, digits=1)} percentage points, 95 % interval {prose.interval(row['conf_low'], row['conf_high'], 'percentage points', digits=1)}, {prose.p_value(row['p'])}, {prose.plural(row['n'], 'commenter')})."))
    return said


def contributions(found: pd.DataFrame, unit: str) -> list[str]:
    """Say for each survey which topics' movement goes with the movement of the KPI among those who wrote."""
    live = found[~found["driver"].isin(["all", "unexplained"]) & (found["std_error"] > 0)]
    survive = claims.sifted(live.assign(p=[math.erfc(abs(row.estimate / row.std_error) / math.sqrt(2)) for row in live.itertuples()]))
    said = []
    for name, group in found.groupby("survey_id", sort=False):
        whole = group[group["driver"] == "all"].iloc[0].to_dict()
        if whole["note"] or whole["std_error"] != whole["std_error"]:
            said.append(claims.say(whole["opening"], f"what the topics have to do with the move since {whole['then_quarter']} is {whole['note'] or 'not estimable'}."))
            continue
        seen = survive[survive["survey_id"] == name].sort_values("estimate", key=abs, ascending=False, kind="stable")
        move = prose.change(whole["estimate"], whole["conf_low"], whole["conf_high"], unit=unit, what=f"among those who wrote, {whole['kpi']}", since=whole["then_quarter"])
        each = [f"{row['topic']} ({signed(row['estimate'], unit, digits=_digits(unit))}, 95 % interval {signed(row['conf_low'], unit, digits=_digits(unit))} to {signed(row['conf_high'], unit, digits=_digits(unit))} {unit})" for row in seen.head(3).to_dict("records")]
        said.append(claims.say(whole["opening"], f"{move}; " + (f"of this, changed criticism of {prose.join(each)} is associated with a part that can be told from chance." if each else "no topic's changed criticism is associated with a part of it that can be told from chance.")))
    return said


def _digits(unit: str) -> int:
    return 3 if unit == UNITS["scale"] else 1


def parts(found: pd.DataFrame, unit: str, *, most: int = 6) -> pd.DataFrame:
    """Return what goes with each topic's changed criticism as a table of words, the `most` largest of a survey: change of the share, what a mention goes with, and the product with its interval; last what no topic goes with."""
    own = found[(found["driver"] != "all") & found["std_error"].notna()].assign(rest=lambda rows: rows["driver"] == "unexplained").sort_values("estimate", key=abs, ascending=False, kind="stable")
    own = own[own["rest"] | (own.groupby(["survey", "rest"]).cumcount() < most)].sort_values(["survey", "rest"], kind="stable")
    digits = _digits(unit)
    return pd.DataFrame([
        {"survey": row["survey"], "topic": "Everything else" if row["driver"] == "unexplained" else row["topic"], "moved": prose.points(row['moved'] * 100, digits=1) if row["moved"] == row["moved"] else "–",
         "slope": signed(row["slope"], unit, digits=digits) if row["slope"] == row["slope"] else "–", "part": f"{signed(row['estimate'], unit, digits=digits)} ({signed(row['conf_low'], unit, digits=digits)} to {signed(row['conf_high'], unit, digits=digits)})"}
        for row in own.to_dict("records")
    ], columns=["survey", "topic", "moved", "slope", "part"])  # fmt: skip


def emerging(found: pd.DataFrame, surveys: list[str]) -> list[str]:
    """Say for each survey what its comments propose as new topics, what grows first."""
    said = [] if surveys else ["Answers came as codes, not in words: what has no topic yet are the codes without one, which the uncovered share above counts."]
    for name in surveys:
        own = found[found["survey"] == name]
        opening = own["opening"].iloc[0] if len(own) else f"{name}: " if len(surveys) > 1 else ""
        grown = own[own["status"].isin(["new", "growing"])]
        for row in grown.to_dict("records"):
            said.append(claims.say(opening, f"{'new is' if row['status'] == 'new' else 'growing is'} “{row['name']}”: {prose.number(row['count'])} of {prose.plural(row['n'], 'comment')} in {row['quarter']}, {prose.number(row['before'])} of {prose.number(row['before_n'])} in the quarters before (change {prose.interval(row['change_low'], row['change_high'], 'percentage points')})."))
        steady = len(own) - len(grown)
        if steady or not len(grown):
            said.append(claims.say(opening, f"{prose.plural(steady, 'further group') if len(grown) else prose.plural(steady, 'group')} of comments without a topic {'is' if steady == 1 else 'are'} proposed below, none of which grows beyond chance." if steady else "nothing that the codeframe does not name comes back often enough to be proposed."))
    return said


def proposals(found: pd.DataFrame) -> pd.DataFrame:
    """Return the proposals as a table of words: id, phrases, comments now and before, change, stability, status."""
    mode = {"words": "words that grow", "cluster": "stand together", "phrases": "come back"}
    return pd.DataFrame([
        {"survey": row["survey"], "id": row["id"], "words": row["phrases"].replace("|", ", "), "now": f"{row['count']} of {prose.number(row['n'])}", "before": f"{row['before']} of {prose.number(row['before_n'])}", "status": row["status"],
         "why": mode[row["mode"]] + (f", {prose.percent(row['stability'])} stable" if row["stability"] == row["stability"] else "")}
        for row in found.to_dict("records")
    ], columns=["survey", "id", "words", "now", "before", "status", "why"])  # fmt: skip


def alerts(found: pd.DataFrame, names: dict, *, told: str = "") -> list[str]:
    """Say how many comments of the latest quarter hold a topic that goes to a person at any frequency, and where the list is; `told` is what must be said of the list's cells.

    A count that is smaller than may be shown of a survey (`least`) is said to be fewer than that.
    """
    if not any(True for _ in names):
        return ["The codeframe marks no topic that must go to a person at any frequency (alert = true: injury, threat, discrimination, law, data)."]
    if found.empty:
        return [f"No comment of the latest quarter speaks of {prose.join(names.values(), last='or')}. Phrases miss some: a rare topic is tuned to find too many rather than too few, and is still no guarantee."]
    each = [f"{names[topic]} ({_many(own)})" for topic, own in sorted(found.groupby("topic"), key=lambda pair: (-pair[1]["response_id"].nunique(), pair[0]))]
    shut, open_, many = found[~found["case"]], found[found["case"]], _many(found)
    return [f"{many[0].upper()}{many[1:]} {'comment' if many == '1' else 'comments'} of the latest quarter must be read by a person now: {prose.join(each)}.",
            *([f"Somebody may follow up {_many(open_)} of them: lists/alerts.csv in the folder of this run names them for whoever reads them; no page and no edition holds that list.{' ' if told else ''}{told}"] if len(open_) else []),
            *([f"{_many(shut).capitalize()} {'comes' if _many(shut) == '1' else 'come'} from surveys whose promise permits no case: {'it' if _many(shut) == '1' else 'they'} can be read for what happened, not followed back to who wrote."] if len(shut) else [])]


def _many(found: pd.DataFrame) -> str:
    """How many answers there are, in words where they are fewer than may be told."""
    count, least = found["response_id"].nunique(), int(found["least"].max())
    return prose.number(count) if count >= least else f"fewer than {least}"


def tests(found: pd.DataFrame, quarter: str) -> pd.DataFrame:
    """Return the comparisons at the borders as exploratory rows of the ledger; those of surveys without comments in the quarter were tested when they were reported."""
    own = found[found["quarter"].str.endswith(quarter)] if len(found) else found
    about = lambda row: f"{row['opening']}{row['topic']} is mentioned as often by those just above as by those just below {row['border']}"
    return claims.tests(own.assign(kind="border"), study=STUDY, family="topic_borders", kind="exploratory", key=["survey_id", "topic_id", "border"], what=about)


def quotes(found: pd.DataFrame) -> pd.DataFrame:
    """Return comments to be read with a line beneath each: survey and quarter, the score as it was given, the segment."""
    scored = [f"{row['survey']}, {row['quarter']}" + (f" · score {row['score']:g}" if row["score"] == row["score"] else "") + (f" · {row['segment']}" if row["segment"] else "") for row in found.to_dict("records")]
    return found.assign(about=scored).sort_values(["topic", "survey"], kind="stable", ignore_index=True)[["topic", "polarity", "kind", "text", "clause", "about"]]


def first(shares: pd.DataFrame) -> str:
    """Return the topic that readers see first: the one criticised most in the latest quarter."""
    own = shares[(shares["polarity"] == "negative") & (shares["level"] == "topic")]
    return own[own["quarter"] == own["quarter"].max()].sort_values("estimate", ascending=False, kind="stable")["topic"].iloc[0] if len(own) else ""


def recoded(found: pd.DataFrame, older: str, now: str, *, programme, names: dict, least: float = 0.005) -> list[str]:
    """Say what a new version of the codeframe moves in each survey's latest quarter; all quarters are coded by it, so that no share jumps because the topics were named anew."""
    said = []
    for survey, own in found.groupby("survey", sort=True):
        own = own[(own["quarter"] == own["quarter"].max()) & (own["change"].abs() >= least)].sort_values("change", key=abs, ascending=False, kind="stable").head(5)
        told = [f"{names.get(row.topic, row.topic)} at {prose.percent(row.share_new, digits=1)} instead of {prose.percent(row.share_old, digits=1)}" for row in own.itertuples()]
        said.append(claims.say(claims.heading(programme, survey), f"all quarters are coded by version {now} of the codeframe; against version {older} it puts {prose.join(told)} in {own['quarter'].iloc[0]}." if told else f"all quarters are coded by version {now} of the codeframe; against version {older} no topic's share moves by half a percentage point in the latest quarter."))
    return said
