"""All actions together: no euro counted twice, inputs they share drawn once, and the programme's own cost on top."""

import numpy as np
import pandas as pd

from cxlib.act import adjustment, returns, roi

COLUMNS = ["action", "value", "investment", "estimate", "conf_low", "conf_high", "roi", "p_pays", "n", "grade", "note"]


def reached(actions, tables) -> int:
    """Return how many customers the actions of the log reached, each counted once."""
    log = returns.logged(tables)
    return int(log.loc[(log["arm"] == "treated") & log["action_id"].isin([action.id for action in actions]), "person_id"].nunique())


def correlation(assigned: dict) -> pd.DataFrame:
    """Return how the estimates of effects go together because they rest on the same customers: 1 on the diagonal, 0 without a customer in common.

    in: action -> the customers compared (person_id, arm, outcome, and before where it is known). From what each customer adds to the error of an effect (`adjustment.influence`).
    """
    parts = {}
    for name, people in assigned.items():
        pull = adjustment.influence(people)
        parts[name] = pd.Series(pull.to_numpy(), index=people.loc[pull.index, "person_id"].to_numpy())
    table = pd.DataFrame(parts).fillna(0.0)
    cross = table.T @ table
    size = np.sqrt(np.diag(cross))
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.nan_to_num(cross.to_numpy() / np.outer(size, size))
    np.fill_diagonal(out, 1.0)
    return pd.DataFrame(out, index=cross.index, columns=cross.columns)


def together(inputs: pd.DataFrame, flow: dict, actions, tables, programme, *, draws: int, seed: int, assigned: dict | None = None) -> pd.DataFrame:
    """Return every action, the programme itself, those of grade A or B together (sure, where others are weaker) and all of it: value, investment, net (estimate, conf_low, conf_high), roi, p_pays, n (how often the effect counts; of all: customers reached, each once), grade, note.

    All present values are those of the first day of the first action. No euro counts twice: actions that the design does not tell apart have one account (`returns.accounts`), and what a lot tells apart is in one effect only. Inputs with one key are one draw;
    effects that rest on the same customers (`assigned`: action -> those compared) move together by `correlation`. The programme's own cost counts from the first action's first day to the quarter's end.
    """
    if inputs.empty:
        return pd.DataFrame(columns=COLUMNS)
    shared = inputs.attrs.get("others", {})
    inputs = inputs[inputs["action"].isin(flow)].reset_index(drop=True)
    # what is nobody's else is the action's own
    inputs["key"] = np.where(inputs["key"].fillna("") == "", inputs["action"] + "." + inputs["input"], inputs["key"])
    inputs = pd.concat([roi.checked(own) for _, own in inputs.groupby("action", sort=False)], ignore_index=True)
    order = list(dict.fromkeys(inputs["action"]))
    known = correlation({name: people for name, people in (assigned or {}).items() if name in order}) if assigned else pd.DataFrame()
    joint = pd.DataFrame(np.eye(len(order)), index=order, columns=order)
    joint.loc[known.index, known.columns] = known
    drawn = roi.draw(inputs, draws=draws, seed=seed, correlation=_definite(joint.to_numpy()))
    start, names, finance = {action.id: action.start for action in actions}, {action.id: action.name for action in actions}, programme.finance
    first, members = min(start[name] for name in order), {name: [name, *shared.get(name, ())] for name in order}
    rows, value, cost, sure = [], np.zeros(draws), np.zeros(draws), []
    for name in order:
        own = (inputs["action"] == name).to_numpy()
        money = roi.amounts(inputs[own].reset_index(drop=True), flow[name], drawn[:, own])
        back = (1 + finance.discount_rate) ** (-(start[name] - first).days / roi.YEAR)
        one, two = money["value"] * back, money["investment"] * back
        value, cost = value + one, cost + two
        if returns.grade(inputs[own]) in "AB":
            sure.append((name, one, two))
        n = int(inputs.loc[own & (inputs["input"] == "times"), "estimate"].iloc[0])
        rows.append(_line(name, one, two, n, returns.grade(inputs[own]), f"with {'; '.join(names[other] for other in members[name][1:])}" if len(members[name]) > 1 else ""))
    years = ((pd.Timestamp(tables.end) - pd.Timestamp(first)).days + 1) / roi.YEAR
    if finance.programme_cost and years > 0:
        force = np.log1p(finance.discount_rate)
        paid = np.full(draws, finance.programme_cost * (years if force == 0 else -np.expm1(-force * years) / force))
        cost = cost + paid
        rows.append({"action": "programme", "value": 0.0, "investment": paid[0], "estimate": -paid[0], "conf_low": np.nan, "conf_high": np.nan, "roi": np.nan, "p_pays": np.nan, "n": 0, "grade": "", "note": ""})
    worst = max((row["grade"] for row in rows if row["grade"]), key=returns.LETTERS.index)
    people = lambda names: reached([action for action in actions if action.id in {one for name in names for one in members[name]}], tables)
    if 0 < len(sure) < len(order):
        best = max((returns.grade(inputs[(inputs["action"] == name).to_numpy()]) for name, *_ in sure), key=returns.LETTERS.index)
        rows.append(_line("sure", sum(one for _, one, _ in sure), sum(two for _, _, two in sure), people([name for name, *_ in sure]), best, f"{len(sure)} accounts" if len(sure) > 1 else "1 account"))
    rows.append(_line("all", value, cost, people(order), worst, ""))
    return pd.DataFrame(rows, columns=COLUMNS)


def _line(name, value, cost, n, grade, note):
    mean, _, low, high = roi.summary(value - cost)
    return {"action": name, "value": value.mean(), "investment": cost.mean(), "estimate": mean, "conf_low": low, "conf_high": high, "roi": mean / cost.mean(), "p_pays": roi.chance(value - cost), "n": n, "grade": grade, "note": note}


def _definite(matrix):
    """Return a correlation that can be drawn from: rounding may leave it a hair short of that."""
    low = np.linalg.eigvalsh(matrix).min()
    return matrix if low > 1e-9 else (matrix + (1e-9 - low) * np.eye(len(matrix))) / (1 + 1e-9 - low)
