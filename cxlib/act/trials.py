"""Actions decided by lot: their effects with the checks of the design, and who recovers without a call."""

import pandas as pd
from scipy import stats

from cxlib.act import adjustment, effects, grades, outcomes
from cxlib.errors import DataError

BEFORE = {"amount": "sales", "contacts": "number of contacts", "returns": "value of goods sent back"}


def recoveries(actions, tables, *, days: int = 400) -> pd.DataFrame:
    """Return for every action that picked customers by a low score how many of them scored above its cut the next time, and how many do without it.

    out: action, then what `effects.regression_to_mean` returns, the untouched weighted to the scores and quarters of those called; asked again
    within `days`. An action without a cut or whose question was not asked has no row.
    """
    log, responses, parts = tables["actions"], tables["responses"], []
    for action in actions:
        if action.design == "list" and action.outcome == "score" and action.kpi in responses and action.cut is not None:
            pairs = outcomes.retests(responses, log[log["action_id"] == action.id], survey=action.survey or None, item=action.kpi, days=days)
            alike, everyone = outcomes.comparable(pairs, cut=action.cut), outcomes.first(pairs, cut=action.cut)
            parts.append(effects.regression_to_mean(alike, before="before", after="after", contacted="contacted", cut=action.cut, weight="weight", everyone=everyone).assign(action=action.id))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["action", "group", "estimate", "std_error", "conf_low", "conf_high", "n", "n_eff", "mean_before", "mean_after", "p", "note"])


def one(action, tables, *, joint: bool = False) -> tuple[dict, pd.DataFrame]:
    """Return the intention-to-treat effect of an action decided by lot with the checks of its design and its grade, and the mean of each arm.

    errors: DataError where no window is over in both arms, or a person is in both.
    """
    log = tables["actions"]
    people = outcomes.of(action, log[log["action_id"] == action.id], tables)
    if not {"treated", "control"} <= set(people["arm"]):
        raise DataError(f"its effect cannot be counted yet, because no window of {action.window_days} days after assignment was over in both arms")
    return judged(action, people, joint=joint), arms(action, people)


def judged(action, people: pd.DataFrame, *, joint: bool = False) -> dict:
    """Return the row of an action decided by lot: what `outcomes.of` returns in, a row of `measured.COLUMNS` out. The sample ratio is checked against the share of the plan, or the mean probability in the log.

    An outcome that one customer decides is said: `largest` is the largest share of an arm's total, and above 25 % the effect is a description.
    """
    found = effects.difference(people, outcome="outcome", arm="arm", before="before").iloc[0].to_dict()
    before = effects.difference(people, outcome="before", arm="arm").iloc[0] if people["before"].notna().any() else {"p": float("nan")}
    drawn = people["probability"].where(people["arm"] == "treated", 1 - people["probability"])  # each row has the probability of its own arm
    expected = action.share or (drawn.mean() if drawn.notna().any() else 0.5)
    ratio = effects.sample_ratio(people, arm="arm", expected=expected).iloc[0]
    most = outcomes.largest(people, "arm") if action.outcome != "retention" else 0.0
    letter, reason = grades.grade(design="randomised", sample_ratio_ok=bool(ratio["ok"]), attrition_p=found["attrition_p"], largest=most, joint=joint)
    row = found | {"design": "randomised", "per": f"customer in {action.window_days} days", "times": float(found["n_treated"]), "days": action.window_days, "cut": people.attrs["cut"], "ratio_p": ratio["p"], "before_p": before["p"], "largest": most, "grade": letter, "reason": reason}
    row["comparison"] = f"{found['n_control']:,} customers held back by lot"
    if found["adjusted"]:  # what customers brought anyway is taken out of both arms
        row["comparison"] += f", both at the same {BEFORE.get(action.outcome, action.outcome)} in the {action.window_days} days before"
        row["naive"] = found["plain"]
    gone, back = people.attrs.get("gone", 0), int((people["outcome"] < 0).sum()) if action.outcome in ("margin", "amount") else 0
    notes = [found["note"], f"{gone} had left before they were assigned" if gone else "", f"{back} customer{'s' if back > 1 else ''} sent back more than {'they' if back > 1 else 'he or she'} bought, and count{'' if back > 1 else 's'} with what that cost" if back else ""]
    return row | {"note": "; ".join(note for note in notes if note)}


def arms(action, people: pd.DataFrame) -> pd.DataFrame:
    """Return the mean outcome of each arm (where both brought the same before, if that is known) and the difference, with 95 % intervals (t), as paths: action, kind (the arm), at, label, estimate, conf_low, conf_high, n."""
    gap, rows = effects.difference(people, outcome="outcome", arm="arm", before="before").iloc[0], []
    for place, (arm, own) in enumerate(people.groupby("arm", sort=True)["outcome"]):
        rest = adjustment.influence(people)[own.index] * (1.0 if arm == "treated" else -1.0)
        mean, n = gap[f"mean_{arm}"], len(own)
        half = stats.t.ppf(0.975, n - 1) * float((rest**2).sum() * n / (n - 1)) ** 0.5 if n > 1 else float("nan")
        rows.append((action.id, arm, float(place), arm, mean, mean - half, mean + half, n))
    rows.append((action.id, "difference", 2.0, "difference", gap["estimate"], gap["conf_low"], gap["conf_high"], int(gap["n"])))
    return pd.DataFrame(rows, columns=["action", "kind", "at", "label", "estimate", "conf_low", "conf_high", "n"])
