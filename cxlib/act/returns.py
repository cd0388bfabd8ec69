"""What actions returned: an account of every input for each, from its effect, its costs and what turns the one into the money of the other."""

import numpy as np
import pandas as pd

from cxlib.act import costs, grades, lifetime, overlap, roi

Z = 1.959963984540054
MONEY = ("margin", "amount", "sales")  # outcomes in money; of the others retention has a price (a kept customer's value), and so may have what is avoided
AVOIDED = ("contacts", "returns")  # the fewer the better
LETTERS = "ABCDE"
INPUTS = ["action", *costs.COLUMNS]
MEASURES = ["action", "others", "measure", "estimate", "std_error", "conf_low", "conf_high", "unit", "n", "draws", "grade", "note"]
COURSES = ["action", "month", "estimate", "conf_low", "conf_high", "declared"]
SWINGS = ["action", "input", "low", "high", "net_low", "net_high", "roi_low", "roi_high", "roi", "net", "swing"]


def accounts(effects: pd.DataFrame, actions, tables, programme, *, kept: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the account of every action that can have one: `INPUTS`, a row an input, in the programme's currency.

    in: the finding `effects` (action, outcome, estimate, conf_low, conf_high, grade, n_treated, cut and, where they are given, times and days), the actions of the plan, the tables,
    and what `lifetime.values` returns. Actions that the design does not tell apart have one account, that of the best grade, with the costs of all: the effect of one has the others' in it.
    `attrs`: refused (why each of the others has no account, action -> words) and others (action -> ids of those in its account).
    """
    parts, refused, others, log = [], {}, {}, logged(tables)
    known = {action.id: action for action in actions}
    for group in groups(actions, tables):
        first, rest = _carrier(group, effects)
        own = effects[effects["action"] == first]
        why = _refused(own.iloc[0].to_dict() if len(own) else None, known[first], tables, programme, kept) or _unpriced(known[first], tables)
        lost = [one for one in rest if not _spent(known[one], log, programme)]
        if lost and not why:
            why = f"it cannot be told apart from {known[lost[0]].name}, done for the same customers at the same time, and nobody wrote down what that cost"
        refused |= {one: why or f"what it did cannot be told apart from {known[first].name}, done for the same customers at the same time; its cost stands in that account" for one in rest}
        if why:
            refused[first] = why
            continue
        others[first] = rest
        rows = [*_worth(own.iloc[0].to_dict(), known[first], tables, programme, kept), *_forgone(known[first], tables, programme), *_costs([known[one] for one in (first, *rest)], log, programme)]
        parts.append(pd.DataFrame(rows).assign(action=first))
    out = pd.concat(parts, ignore_index=True).reindex(columns=INPUTS) if parts else pd.DataFrame(columns=INPUTS)
    out.attrs |= {"refused": {action.id: refused[action.id] for action in actions if action.id in refused}, "others": others}
    return out


def groups(actions, tables) -> list[tuple]:
    """Return the ids of the actions in groups that the design does not tell apart, in the order of the plan; most are groups of one."""
    mixed, left, found = overlap.joint(actions, overlap.table(actions, tables)), [action.id for action in actions], []
    while left:
        group, grown = {left[0]}, True
        while grown:
            more = {one for one in left if one not in group and (group & set(mixed.get(one, ())) or any(one in mixed.get(other, ()) for other in group))}
            group, grown = group | more, bool(more)
        found.append(tuple(one for one in left if one in group))
        left = [one for one in left if one not in group]
    return found


def _carrier(group, effects):
    """Return the action of a group whose effect stands for it, the best graded that has one, and the others."""
    letters = effects[effects["estimate"].notna()].set_index("action")["grade"]
    first = min(group, key=lambda one: (letters.get(one, "F"), group.index(one)))
    return first, [one for one in group if one != first]


def _costs(actions, log, programme):
    """Return the costs of the actions of one account; what may come on top of one is a share of all in the proportion of its cost."""
    each = [costs.account(action, log, programme) for action in actions]
    total = sum(one.loc[one["role"] != "reserve", "estimate"].sum() for one in each)
    for place, (action, one) in enumerate(zip(actions, each)):
        part = one.loc[one["role"] != "reserve", "estimate"].sum() / total if total else 0.0
        for row in one.to_dict("records"):
            if row["role"] == "reserve":
                row |= {name: row[name] * part for name in ("estimate", "std_error", "conf_low", "conf_high")}
            yield row if not place else row | {"input": f"{row['input']}:{action.id}", "label": f"{row['label']}, {action.name}"}


def _spent(action, log, programme) -> bool:
    return bool(costs.account(action, log, programme)["role"].isin(["money", "people"]).any())


def logged(tables) -> pd.DataFrame:
    """Return the log of actions; an empty one where nobody was assigned to any (series, units)."""
    return tables["actions"] if "actions" in tables else pd.DataFrame({"action_id": [], "person_id": [], "arm": [], "assigned_on": pd.to_datetime([]), "delivered_on": pd.to_datetime([]), "cost": []})


def _refused(row, action, tables, programme, kept):
    """Return why an action gets no return, or nothing."""
    if not _spent(action, logged(tables), programme):
        from cxlib.act import plan

        rate = plan.exchange(action, programme)
        return f"its cost is in {action.currency}, and there is no rate of {action.start} or before" if not np.isfinite(rate) else "nobody wrote down what it cost"
    if action.outcome == "score":
        return "it was meant to move a score, and a score has no price; what a point of it goes with in money stands on the page on the value of satisfaction"
    if row is None or not np.isfinite(row["estimate"]) or not np.isfinite(row["conf_low"]):
        return "it has no measured effect" + (f": {row['note']}" if row and row.get("note") else "")
    if row["grade"] == "E":
        return row["reason"] if row.get("reason") == grades.FAILED else "its effect is unknown: nothing says what would have happened without it"
    if row.get("cut", 0):
        return f"the time in which its outcome is counted is not over for {int(row['cut'])} customers, and the whole cost must not be set against the value of some"
    if row["outcome"] == "retention" and (kept is None or not np.isfinite(_life(kept).get("plain", np.nan))):
        return "what a customer who stays is worth is not known here"
    if row["outcome"] == "contacts" and programme.finance.contact_cost is None:
        return "nobody wrote down what a contact costs (finance.contact_cost)"
    if row["outcome"] in ("amount", "sales", "returns") and not np.isfinite(_rate(row["outcome"], tables, programme)[0]):
        return f"its effect is on {'what is sent back' if row['outcome'] == 'returns' else 'sales'}, and nobody wrote down what part of that is margin (finance.margin_rate)"
    if row["outcome"] not in (*MONEY, *AVOIDED, "retention"):
        return f"an effect on {row['outcome']} has no price"
    return ""


def _rate(outcome, tables, programme) -> tuple[float, str]:
    """Return what part of sales is margin, and where that stands: the programme's word, else the orders' own margins (of what was sent back, for returns)."""
    if programme.finance.margin_rate is not None:
        return programme.finance.margin_rate, "programme.toml, finance"
    if outcome == "sales" or "orders" not in tables or tables["orders"]["margin"].isna().any():
        return np.nan, ""
    own = tables["orders"]
    own = own[own["amount"] < 0] if outcome == "returns" else own
    amount = own["amount"].sum()
    return (float(own["margin"].sum() / amount) if amount else np.nan), "orders, margin of what was sent back" if outcome == "returns" else "orders, margin of all sales"


def _unpriced(action, tables) -> str:
    """Return why an action that changed the price has no return, or nothing: what was sold anyway was sold at another margin."""
    if action.outcome != "sales" or "price" not in action.changes or np.isfinite(_prices(action, tables)).all():
        return ""
    return "it changed the price, and without pieces or prices in the sales nobody can say what margin that gave away"


def _prices(action, tables) -> np.ndarray:
    """Return the mean price of a series in the year before an action and since, and what was sold since."""
    own = tables["sales"][tables["sales"]["series"] == action.series]
    start = pd.Timestamp(action.start)
    parts = own[(own["sold_on"] < start) & (own["sold_on"] >= start - pd.Timedelta(days=365))], own[own["sold_on"] >= start]
    price = lambda part: part["value"].sum() / part["pieces"].sum() if part["pieces"].notna().all() and part["pieces"].sum() > 0 else part["price"].mean()
    return np.array([*(price(part) if len(part) else np.nan for part in parts), parts[1]["value"].sum()], float)


def _forgone(action, tables, programme):
    """Return the margin that a changed price gave away (or won, where it rose) on all that was sold since, whoever would have bought anyway.

    The margin rate is that of the old price. What a piece costs stays: (1 - rate) x old price. So margin changes by rate x effect on sales - (1 - rate) x sales since x (old price / new price - 1).
    """
    if action.outcome == "sales" and "price" in action.changes:
        old, new, sold = _prices(action, tables)
        given = (1 - programme.finance.margin_rate) * sold * (old / new - 1)
        yield {"input": "price", "role": "forgone", "label": "Margin given away by the price" if given >= 0 else "Margin won by the price", "estimate": given, "std_error": 0.0, "conf_low": np.nan, "conf_high": np.nan, "shape": "fixed", "unit": "money",
               "source": f"sales since, {old:.2f} before and {new:.2f} since a piece", "grade": "", "key": ""}  # fmt: skip


def _life(kept):
    return kept[kept["segment"] == ""].iloc[0].to_dict() if len(kept) else {}


def _worth(row, action, tables, programme, kept):
    """Return the inputs of the value: the effect, how often it counts, and what turns it into margin."""
    times = row.get("times", np.nan)
    times = row["n_treated"] if times != times else times
    given = lambda name, label, estimate, unit, source, **more: {"input": name, "role": "factor", "label": label, "estimate": float(estimate), "std_error": 0.0, "conf_low": np.nan, "conf_high": np.nan, "shape": "fixed", "unit": unit, "source": source, "grade": "", "key": ""} | more
    less = row["outcome"] in AVOIDED
    ends = (-row["conf_high"], -row["conf_low"]) if less else (row["conf_low"], row["conf_high"])
    yield given("effect", f"{row['outcome'].title()} avoided" if less else f"Effect on {row['outcome']}", -row["estimate"] if less else row["estimate"], row["outcome"], f"finding effects{', of all done at the same time' if row.get('joint') == 1 else ''}", role="effect", std_error=(ends[1] - ends[0]) / 2 / Z, conf_low=ends[0], conf_high=ends[1], shape="normal", grade=row["grade"])
    yield given("times", "How often it counts", times, "times", f"finding effects, {row['per']}" if row.get("per") else f"finding effects, {action.window_days} days a customer")
    if row["outcome"] in ("amount", "sales", "returns"):
        rate, source = _rate(row["outcome"], tables, programme)
        yield given("margin_rate", "Margin on sales", rate, "share of sales", source, key=f"margin_rate.{source}")
    if row["outcome"] == "contacts":
        yield given("contact_cost", "Cost of a contact avoided", programme.finance.contact_cost, "money", "programme.toml, finance", key="contact_cost")
    if row["outcome"] == "retention":
        life = _life(kept)
        yield given("lifetime", f"Margin of a customer kept, next {int(life['months'])} months", life["plain"], "money", "finding lifetime", std_error=life["plain_error"], conf_low=life["plain"] - Z * life["plain_error"], conf_high=life["plain"] + Z * life["plain_error"], shape="normal", grade="D", key="lifetime")


def flows(inputs: pd.DataFrame, effects: pd.DataFrame, actions, tables, programme) -> dict:
    """Return when value and cost of each action of an account fall: action -> what `roi.course` returns. A kept customer's margin comes over the months a customer of today is expected to stay."""
    out, log, rate = {}, logged(tables), programme.finance.discount_rate
    known, others = {action.id: action for action in actions}, inputs.attrs.get("others", {})
    for action in (one for one in actions if one.id in set(inputs["action"])):
        row = effects[effects["action"] == action.id].iloc[0].to_dict()
        own = log[(log["action_id"] == action.id) & (log["arm"] == "treated")].drop_duplicates("person_id")
        starts = (own["assigned_on"] - pd.Timestamp(action.start)).dt.days.clip(lower=0).to_numpy() if len(own) else np.zeros(1, int)
        days = row.get("days", np.nan) if not len(own) else np.nan
        days = action.window_days if days != days else int(days)
        together = [action, *(known[one] for one in others.get(action.id, ()))]
        money, weights = (np.concatenate(part) for part in zip(*((days + max((one.start - action.start).days, 0), paid) for one in together for days, paid in [costs.spent_on(one, log, programme)])))
        work = max((one.end - action.start).days for one in together) + 1
        beyond = {"horizon": action.horizon_days, "half_life": action.half_life_days} if row["outcome"] != "retention" and action.horizon_days else {}
        life = {"profile": _profile(tables, programme), "after": action.window_days} if row["outcome"] == "retention" else {"profile": _grown(action, days)} if action.rollout and not len(own) else {}
        out[action.id] = roi.course(days=days, starts=starts, money=money, weights=weights, people=work, discount=rate, **beyond, **life)
    return out


def grade(inputs: pd.DataFrame) -> str:
    """Return the grade of what an account gives: that of its weakest input; what stands in the books has none."""
    return max((one for one in inputs["grade"] if one), key=LETTERS.index, default="D")


def measures(inputs: pd.DataFrame, flow: dict, actions=(), *, draws: int, seed: int) -> pd.DataFrame:
    """Return value, investment, net, ROI, payback, chance that it pays and break-even effect of every account (`MEASURES`): what `roi.roi` returns, with others (names of the actions that are in it too), n (how often the effect counts) and grade."""
    parts, names = [], {action.id: action.name for action in actions}
    for name, own in inputs.groupby("action", sort=False):
        n = int(own.loc[own["input"] == "times", "estimate"].iloc[0])
        one = roi.roi(own, flow[name], draws=draws, seed=seed).assign(action=name, others="; ".join(names.get(other, other) for other in inputs.attrs.get("others", {}).get(name, ())), n=n, grade=grade(own))
        # what nobody has seen is declared, whatever the design of what was seen
        parts.append(one.assign(grade=one["grade"].where(~one["measure"].isin(["later", "net_later"]), max("D", one["grade"].iloc[0]))))
    return pd.concat(parts, ignore_index=True).reindex(columns=MEASURES) if parts else pd.DataFrame(columns=MEASURES)


def paybacks(inputs: pd.DataFrame, flow: dict, *, draws: int, seed: int) -> pd.DataFrame:
    """Return what had come back less what was spent by the end of each month of every action (`COURSES`)."""
    parts = [roi.payback(own, flow[name], draws=draws, seed=seed).assign(action=name) for name, own in inputs.groupby("action", sort=False)]
    return pd.concat(parts, ignore_index=True).reindex(columns=COURSES) if parts else pd.DataFrame(columns=COURSES)


def tornadoes(inputs: pd.DataFrame, flow: dict) -> pd.DataFrame:
    """Return by how much the net of every action moves with each of its uncertain inputs (`SWINGS`)."""
    parts = [one.assign(action=name) for name, own in inputs.groupby("action", sort=False) if len(one := roi.tornado(own, flow[name]))]
    return pd.concat(parts, ignore_index=True).reindex(columns=SWINGS) if parts else pd.DataFrame(columns=SWINGS)


def _grown(action, days) -> np.ndarray:
    """Return in which month of the `days` observed the value of a roll-out came, in shares: each unit brings alike from its own first day on."""
    month = (np.arange(days) // roi.MONTH).astype(int)
    begun = np.sum([np.arange(days) >= (day - action.start).days for day in action.rollout.values()], axis=0)
    spread = np.bincount(month, weights=begun)
    return spread / spread.sum() if spread.sum() else np.ones(1)


def _profile(tables, programme) -> np.ndarray:
    return lifetime.remaining(lifetime.tenures(tables["people"], until=tables.end), months=programme.finance.horizon_months)["profile"]
