"""Print how often the tracking study's intervals hold the truth and its alerts are false, and keep the figures for the method card: `make proofs`."""

import argparse

from cxlib.measure import proofs

if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=400, help="worlds of each kind")
    given = options.parse_args()
    found = proofs.simulated(runs=given.runs)
    found.round(4).to_csv(proofs.KEPT, index=False, lineterminator="\n")
    for row in found.itertuples():
        print(f"{row.share:6.1%} [{row.low:.1%}, {row.high:.1%}]  {row.what}: {row.world} (wanted: {row.wanted})")
