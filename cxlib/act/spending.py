"""What a purchase is worth: the gamma-gamma model of each customer's mean spend."""

import numpy as np
import pandas as pd
from scipy import optimize, special

from cxlib.errors import DataError

Z = 1.959963984540054


def fit(frame: pd.DataFrame) -> pd.DataFrame:
    """Fit the gamma-gamma model of the mean value of a purchase (Fader & Hardie 2013, note 25; Fader, Hardie & Lee 2005, JMR 42:415).

    in: x (repeat purchases) and spend (their mean); customers without a repeat, or with a mean that is not above 0 (returns), are left out and counted in the note.
    out: parameter (p, q, gamma), estimate, std_error, conf_low, conf_high, n, log_likelihood, note; `attrs["covariance"]` of the logs,
    `attrs["correlation"]` of x and spend, which the model takes to be 0.
    """
    used = frame[(frame["x"] > 0) & (frame["spend"] > 0)]
    odd = int(((frame["x"] > 0) & ~(frame["spend"] > 0)).sum())
    if len(used) < 10:
        raise DataError(f"Only {len(used)} customers bought again; the value of a purchase needs ten.")
    x, z = used["x"].to_numpy(float), used["spend"].to_numpy(float)
    scale, n = z.mean(), len(used)
    z = z / scale  # gamma is in the unit of money; the others have none

    def cost(logs):
        p, q, g = np.exp(logs)
        px, total = p * x, g + x * z
        value = special.gammaln(px + q) - special.gammaln(px) - special.gammaln(q) + q * np.log(g) + (px - 1) * np.log(z) + px * np.log(x) - (px + q) * np.log(total)
        digamma, rest = special.digamma(px + q), np.log(total)
        dp = x * (digamma - special.digamma(px) + np.log(z) + np.log(x) - rest)
        dq = digamma - special.digamma(q) + np.log(g) - rest
        dg = q / g - (px + q) / total
        return -value.mean(), -np.array([dp.mean() * p, dq.mean() * q, dg.mean() * g])

    starts = ((1.0, 2.0, 1.0), (6.0, 4.0, 0.5), (0.5, 6.0, 6.0))
    found = min((optimize.minimize(cost, np.log(start), jac=True, method="L-BFGS-B", bounds=[(-14, 14)] * 3, options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-10}) for start in starts), key=lambda one: one.fun)
    step, logs = 1e-4, found.x
    hessian = np.array([(cost(logs + step * e)[1] - cost(logs - step * e)[1]) / (2 * step) for e in np.eye(3)]) * n
    hessian = (hessian + hessian.T) / 2
    sure = np.linalg.eigvalsh(hessian).min() > 1e-6 * n and (np.abs(logs) < 13.5).all()
    covariance = np.linalg.inv(hessian) if sure else np.full((3, 3), np.nan)
    error, value = np.sqrt(np.diag(covariance)), np.exp(logs) * np.array([1, 1, scale])
    notes = [f"{odd} customers whose repeat purchases net of returns are not above 0 are left out"] if odd else []
    notes += [] if sure else ["not sure: the likelihood is flat in a parameter"]
    notes += ["the mean of all customers does not exist (q is not above 1)"] if value[1] <= 1 else []
    out = pd.DataFrame({"parameter": ("p", "q", "gamma"), "estimate": value, "std_error": value * error, "conf_low": value * np.exp(-Z * error), "conf_high": value * np.exp(Z * error), "n": n, "log_likelihood": -found.fun * n - n * np.log(scale), "note": "; ".join(notes)})
    out.attrs |= {"covariance": covariance, "correlation": float(np.corrcoef(x, z)[0, 1]) if x.std() > 0 and z.std() > 0 else np.nan}
    return out


def expected(frame: pd.DataFrame, parameters) -> np.ndarray:
    """Return each customer's expected mean value of a purchase: the own mean drawn towards everybody's, the more so the fewer the purchases.

    E(Z) = p (gamma + x z) / (p x + q - 1); with x = 0 the mean of all, p gamma / (q - 1).
    """
    p, q, gamma = parameters["estimate"] if isinstance(parameters, pd.DataFrame) else parameters
    x = np.where(frame["spend"].fillna(0) > 0, frame["x"], 0).astype(float)
    return p * (gamma + x * frame["spend"].fillna(0).clip(lower=0).to_numpy()) / (p * x + q - 1) if q > 1 else np.full(len(frame), np.nan)
