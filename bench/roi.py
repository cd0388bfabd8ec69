"""Money at size: returns by quasi-random draws, customers without a contract, and survival of a million.

    python bench/roi.py                 least CPU time of five rounds
    python bench/roi.py --rounds 3

Limits of the project: a return with 65,536 draws of five uncertain inputs under a second of one core, its mean far closer to the truth than that of a million plain draws; BG/NBD with its errors for 100,000 customers
within a hundred evaluations of its likelihood; survival of a million with delayed entry within three times the two sorts it needs.
"""

import argparse
import time

import numpy as np
import pandas as pd

from cxlib.act import buying, lifetime, roi

TRUTH = 12.0 * 1000 * 0.5 - 5000  # the net that the account below has on average


def account() -> pd.DataFrame:
    """Return an account with five uncertain inputs whose mean net is known: value 6,000, cost 5,000 with what may come on top in it."""
    rows = [("effect", "effect", 12.0, 3.0, "normal"), ("times", "factor", 1000.0, 50.0, "normal"), ("margin", "factor", 0.5, 0.05, "lognormal"), ("people", "people", 1500.0, 100.0, "lognormal"), ("money", "money", 2500.0, 200.0, "lognormal"), ("reserve", "reserve", 0.25, 0.5 / np.sqrt(12), "uniform")]
    return pd.DataFrame(rows, columns=["input", "role", "estimate", "std_error", "shape"])


def plain(draws: int, seed: int) -> float:
    """Return the mean net of the same account by plain draws."""
    rng = np.random.default_rng(seed)
    heavy = lambda mean, sd: mean * np.exp(rng.normal(0, np.sqrt(np.log1p((sd / mean) ** 2)), draws) - np.log1p((sd / mean) ** 2) / 2)
    value = rng.normal(12, 3, draws) * rng.normal(1000, 50, draws) * heavy(0.5, 0.05)
    return float((value - (heavy(1500, 100) + heavy(2500, 200)) * (1 + rng.uniform(0, 0.5, draws))).mean())


def buyers(n: int) -> pd.DataFrame:
    """Return purchase histories such as BG/NBD takes customers to have."""
    rng = np.random.default_rng(1)
    rate, stop, age = rng.gamma(0.5, 1 / 6, n), rng.beta(0.8, 2.4, n), rng.uniform(20, 60, n)
    x, recency, clock, going = np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, bool)
    while going.any():
        clock = clock + rng.exponential(1, n) / rate
        going &= clock <= age
        x[going] += 1
        recency[going] = clock[going]
        going &= rng.random(n) > stop
    return pd.DataFrame({"x": x, "recency": recency, "age": age})


def least(rounds: int, work) -> float:
    """Return the least CPU time of some rounds, seconds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Time everything and print it, ratios first."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--rounds", type=int, default=5)
    rounds = given.parse_args().rounds
    inputs, flow = account(), roi.course(days=90, horizon=720, half_life=180, people=60)
    spent = least(rounds, lambda: roi.roi(inputs, flow))
    ours = [abs(roi.roi(inputs, flow, seed=seed).set_index("measure").loc["net", "estimate"] - TRUTH) for seed in range(8)]
    theirs = [abs(plain(10**6, seed) - TRUTH) for seed in range(8)]
    print(f"return, 65,536 draws of five inputs over {len(flow)} months: {spent:.2f} s (limit 1); error of the mean {np.sqrt(np.mean(np.square(ours))):.3f}, of a million plain draws {np.sqrt(np.mean(np.square(theirs))):.2f}: {np.sqrt(np.mean(np.square(theirs)) / np.mean(np.square(ours))):.0f} times smaller")

    frame = buyers(100_000)
    x, t, age, w, m = buying._columns(frame, "bg", None)
    once = least(rounds, lambda: buying._likelihood((0.5, 6.0, 0.8, 2.4), x, t, age, m, w))
    fitted = least(rounds, lambda: buying.fit(frame))
    print(f"BG/NBD with standard errors, 100,000 customers: {fitted:.2f} s, {fitted / once:.0f} times one likelihood with its slopes")

    n, rng = 1_000_000, np.random.default_rng(1)
    entry = rng.integers(0, 500, n).astype(float)
    tenures = pd.DataFrame({"entry": entry, "days": entry + rng.integers(1, 1500, n), "left": rng.random(n) < 0.4})
    curve = least(min(rounds, 3), lambda: lifetime.survival(tenures, entry="entry"))
    sorts = least(min(rounds, 3), lambda: (np.argsort(tenures["days"].to_numpy(), kind="stable"), np.argsort(entry, kind="stable")))
    from statsmodels.duration.survfunc import SurvfuncRight

    peer = least(1, lambda: SurvfuncRight(tenures["days"], tenures["left"].astype(int), entry=tenures["entry"]))
    print(f"survival with delayed entry, 1,000,000 customers: {curve:.2f} s, {curve / sorts:.1f} times the two sorts it needs; statsmodels {peer:.2f} s")


if __name__ == "__main__":
    main()
