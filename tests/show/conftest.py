"""Frames with the columns of the findings, a notebook with real outputs, and a reader that judges a page as a browser would parse it."""

import re
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) $\\href{javascript:alert(1)}{x}$ </style></svg>"
DRIVERS = ["Network quality", "Price and value", "Customer service", "Billing clarity", "Mobile app", "Roaming", "Shop staff", "Speed of fixing faults"]
TOPICS = ["Network coverage", "Price increase", "Waiting time on the phone", "Billing error", "Friendly staff", "App crashes"]
QUARTERS = ["2023Q4", *(f"{year}Q{quarter}" for year in (2024, 2025) for quarter in (1, 2, 3, 4)), "2026Q1", "2026Q2", "2026Q3"]


def _importance():
    share = np.array([0.11, 0.08, 0.077, 0.075, 0.061, 0.06, 0.04, 0.038])
    return pd.DataFrame({"driver": DRIVERS, "estimate": share, "conf_low": share * 0.75, "conf_high": share * 1.25, "n": 1000, "n_eff": [820.0] * 7 + [41]})


def _matrix():
    level, share = np.array([3.6, 2.98, 3.8, 4.05, 3.78, 4.27, 2.87, 3.65]), _importance()
    return pd.DataFrame({"driver": DRIVERS, "importance": share.estimate, "importance_low": share.conf_low, "importance_high": share.conf_high,
                         "performance": level, "performance_low": level - 0.06, "performance_high": level + 0.06, "n": 1000, "n_eff": 900})  # fmt: skip


def _contrasts():
    poor, best = np.array([-1.0, -0.6, -0.2, -0.1, -0.5, 0.0, -0.9, -0.3]), np.array([0.7, 0.1, 0.3, 0.0, 0.5, 0.2, 0.6, 0.4])
    limits = {f"{name}{end}": value + shift for name, value in (("penalty", poor), ("reward", best)) for end, shift in (("", 0), ("_low", -0.3), ("_high", 0.3))}
    return pd.DataFrame({"driver": DRIVERS, **limits, "n": 1000, "n_eff": 900})


def _ranks():
    place = np.arange(8)
    weight = np.exp(-0.8 * (place[None, :] - place[:, None]) ** 2)
    weight /= weight.sum(axis=1, keepdims=True)
    return pd.DataFrame([{"driver": name, "rank": rank + 1, "probability": weight[row, rank]} for row, name in enumerate(DRIVERS) for rank in place])


def _series(shift=0.0):
    level = np.array([20.2, 17.7, 16.4, 16.2, 14.3, 14.2, 14.3, 14.4, 13.4, 14.6, 16.4, 17.0]) + shift
    return pd.DataFrame({"quarter": QUARTERS, "estimate": level, "conf_low": level - 4, "conf_high": level + 4, "n": range(516, 684, 14), "n_eff": 500.0})


def _changes():
    return pd.DataFrame({"label": ["NPS", "CSAT", "CES", "Repurchase"], "estimate": [6, -4, 1, 2.0], "conf_low": [2, -7, -3, -1.0], "conf_high": [10, -1, 5, 5.0],
                         "detectable": [5, 4, 5, 4.2], "n": [1200, 1210, 1180, 45]})  # fmt: skip


def _shares():
    rows = [(topic, polarity, 0.02 + 0.013 * place + (0.03 if polarity == "negative" else 0)) for place, topic in enumerate(TOPICS) for polarity in ("positive", "negative")]
    frame = pd.DataFrame(rows, columns=["topic", "polarity", "estimate"])
    return frame.assign(conf_low=frame.estimate * 0.8, conf_high=frame.estimate * 1.2, n=1840, n_eff=1700)


def _trend():
    rows = [(topic, quarter, 0.04 + 0.02 * place + 0.001 * ((7 * place + 3 * step) % 11)) for place, topic in enumerate(TOPICS) for step, quarter in enumerate(QUARTERS)]
    frame = pd.DataFrame(rows, columns=["topic", "quarter", "estimate"])
    return frame.assign(conf_low=frame.estimate * 0.8, conf_high=frame.estimate * 1.2, n=300)


def _impact():
    level = np.array([-10, -8.6, -2, 0, 4.9, 14.2])
    return pd.DataFrame({"topic": TOPICS, "estimate": level, "conf_low": level - 4, "conf_high": level + 4, "n": [87, 200, 223, 247, 94, 44]})


def _effect():
    return pd.DataFrame({"arm": ["treated", "control", "difference"], "estimate": [0.81, 0.76, 0.05], "conf_low": [0.79, 0.735, 0.018],
                         "conf_high": [0.83, 0.785, 0.082], "n": [1250, 1251, 2501]})  # fmt: skip


def _recovery():
    return pd.DataFrame({"group": ["Called", "Low score, nobody called"], "contacted": [True, False], "estimate": [0.42, 0.40], "conf_low": [0.36, 0.35],
                         "conf_high": [0.48, 0.45], "n": [260, 340]})  # fmt: skip


def _event():
    at = np.arange(-12.0, 9)
    return pd.DataFrame({"kind": "event", "at": at, "label": at.astype(str), "estimate": np.where(at < 0, 0.1 * (-1) ** at, 2.0), "n": 12}).assign(conf_low=lambda f: f["estimate"] - 1.1, conf_high=lambda f: f["estimate"] + 1.1)


def _course():
    at = np.arange(-104.0, 26)
    level = 100 + 20 * np.sin(at / 8)
    rows = pd.DataFrame({"at": at, "label": pd.date_range("2023-07-03", periods=130, freq="W-MON").strftime("%Y-%m-%d"), "n": 1})
    return pd.concat([rows.assign(kind="observed", estimate=level + 15 * (at >= 0), conf_low=np.nan, conf_high=np.nan), rows.assign(kind="expected", estimate=level, conf_low=np.where(at < 0, np.nan, level - 6), conf_high=np.where(at < 0, np.nan, level + 6))])


def _alike():
    names = ["Score", "Margin before", "Tenure", "Contract: prepaid"]
    return pd.concat([pd.DataFrame({"kind": kind, "label": names, "estimate": values, "n": 632}) for kind, values in (("before", [-0.4, 0.22, 0.1, -0.07]), ("after", [0.0, 0.01, -0.02, 0.0]))])


def _parts():
    return pd.DataFrame({"label": ["Margin kept", "Cost of the action", "Net"], "estimate": [190000, -70000, 120000.0], "conf_low": [90000, -72000, 20000.0],
                         "conf_high": [290000, -68000, 220000.0]})  # fmt: skip


def _values():
    return pd.DataFrame({"value": np.random.default_rng(1).normal(120000, 60000, 1000)})


def _tornado():
    return pd.DataFrame({"label": ["Effect on churn", "Margin a customer", "Horizon", "Unit cost"], "low": [20000, 60000, 80000, 105000.0], "high": [220000, 180000, 150000, 130000.0]})


def _intake():
    return pd.DataFrame({"file": ["annual_2026.csv", "annual_2025.xlsx", "pulse.csv", "orders.parquet"], "kept": [2104, 1980, 24012, 51000],
                         "duplicates": [3, 0, 41, 0], "quarantined": [12, 1, 230, 0]})  # fmt: skip


def _answers():
    rows = [(item, wave, 2000, asked, int(asked * 0.9)) for wave in ("2024Q3", "2025Q3", "2026Q3") for item, asked in (("Recommend", 2000), ("Ease", 1990), ("Billing", 900))]
    return pd.DataFrame(rows, columns=["item", "wave", "rows", "asked", "answered"])


def _kpis():
    share = _series().assign(**{name: 0.7 + _series()[name] / 400 for name in ("estimate", "conf_low", "conf_high")})
    return pd.concat([_series().assign(kpi="NPS", unit="points"), share.assign(kpi="CSAT", unit="percent"), share.assign(kpi="CES", unit="percent")], ignore_index=True)


def _cards():
    return pd.DataFrame([
        {"label": "Net Promoter Score", "estimate": 38.2, "conf_low": 34.1, "conf_high": 42.3, "unit": "points", "n": 2104, "n_eff": 1875.0, "change": 6.0, "change_low": 2.0, "change_high": 10.0, "since": "2025Q3", "definition": "0 to 10: promoters (9, 10) less detractors (0 to 6)", "note": None},
        {"label": "Satisfaction", "estimate": 0.712, "conf_low": 0.69, "conf_high": 0.733, "unit": "percent", "n": 2104, "n_eff": 1875.0, "change": 0.004, "change_low": -0.02, "change_high": 0.028, "since": "2025Q3", "definition": "4 or 5 on the scale of five", "note": None},
        {"label": "Made it easy", "estimate": np.nan, "conf_low": np.nan, "conf_high": np.nan, "unit": "percent", "n": 0, "n_eff": np.nan, "change": np.nan, "change_low": np.nan, "change_high": np.nan, "since": None, "definition": None, "note": "not asked in this wave"},
    ])  # fmt: skip


FRAMES = {
    "drivers.importance": _importance, "drivers.matrix": _matrix, "drivers.ranks": _ranks, "drivers.contrasts": _contrasts, "tracking.series": _series, "tracking.changes": _changes,
    "topics.shares": _shares, "topics.trend": _trend, "topics.impact": _impact, "effects.effect": _effect, "effects.recovery": _recovery, "effects.event": _event, "effects.course": _course, "effects.balance": _alike, "roi.worth": _parts,
    "roi.tornado": _tornado, "loading.intake": _intake, "loading.answers": _answers, "summary.kpis": _kpis,
}  # fmt: skip


def frame_of(name):
    return FRAMES[name]()


def draw(name, frame=None, **options):
    from cxlib.show import figures

    module, function = name.split(".")
    return getattr(getattr(figures, module), function)(frame_of(name) if frame is None else frame, **options)


@cache
def block(name):
    """Return the embedded figure of a name, drawn once a session."""
    from cxlib.show import figures

    return figures.embed(draw(name), id=name.replace(".", "-"), title=f"{name} says something", caption="Dots are estimates, bars 95 % intervals.", alt="A described picture", data=frame_of(name))


class Audit(HTMLParser):
    """What a page holds, as a parser sees it: tags with attributes, text by tag, and what offends."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.tags, self.stack, self.text, self.ids = [], [], [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given, tuple(self.stack)))
        if given.get("id"):
            self.ids.append(given["id"])
        if tag not in ("br", "hr", "img", "meta", "col", "input", "link"):
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if self.stack and self.stack[-1] == tag:
            self.stack.pop()

    def handle_endtag(self, tag):
        assert self.stack, f"</{tag}> closes nothing"
        assert self.stack[-1] == tag, f"</{tag}> closes <{self.stack[-1]}>"
        self.stack.pop()

    def handle_data(self, data):
        self.text.append((self.stack[-1] if self.stack else "", data))

    def all(self, name):
        return [(given, inside) for tag, given, inside in self.tags if tag == name]

    def words(self, *skipped):
        return re.sub(r"\s+", " ", "".join(data for tag, data in self.text if tag not in ("style", *skipped)))

    def offences(self):
        found = []
        for tag, given, inside in self.tags:
            if tag in ("script", "iframe", "object", "embed", "form", "link", "base", "foreignobject", "animate", "set") or (tag == "style" and "head" not in inside):
                found.append(f"<{tag}>")
            for name, value in given.items():
                value = "" if (value or "").startswith(("data:image/png;base64,", "data:image/jpeg;base64,")) and name == "src" else value or ""
                if name.startswith("on"):
                    found.append(f"{tag} {name}")
                if re.search(r"(?i)javascript:|vbscript:|https?://|//|data:(?!image/(png|jpeg);base64,)", value) and name not in ("xmlns", "content", "alt", "aria-label"):
                    found.append(f"{tag} {name}={value[:40]}")
                if re.search(r"(?i)url\((?!#)|expression\(|@import", value) and name == "style":
                    found.append(f"{tag} style={value[:40]}")
        if self.stack:
            found.append(f"never closed: {self.stack}")
        return found


def notebook():
    """Return a notebook as a run leaves it: parameters, code, figures, tables, prose, stderr, a traceback and hostile text."""
    import nbformat.v4 as nb

    from cxlib.show import tables
    from cxlib.show.fragments import Fragment

    def html(piece):
        return [nb.new_output("display_data", {"text/html": piece._repr_html_(), "text/plain": ""})]

    cells = [
        nb.new_markdown_cell("# 02 Annual drivers\n\nThe board decides with this page where next year's service money goes."),
        nb.new_code_cell("quarter = '2026Q3'", metadata={"tags": ["parameters"]}, outputs=[nb.new_output("stream", name="stdout", text="parameter output")]),
        nb.new_code_cell("quarter = '2026Q2'", metadata={"tags": ["injected-parameters"]}),
        nb.new_code_cell("import cxlib as cx", outputs=[nb.new_output("stream", name="stderr", text="secret warning")]),
        nb.new_code_cell("run.cards(kpis)", outputs=html(tables.cards(_cards()))),
        nb.new_markdown_cell("## What matters most\n\nSee [topics](04_verbatim_topics.html) and [the source](https://doi.org/10.1/x). <math><msup><mi>R</mi><mn>2</mn></msup></math>"),
    ]
    for name in FRAMES:
        cells.append(nb.new_code_cell(f"# {name}\nfigure({name!r}, unit=3.5)", outputs=html(Fragment(block(name)))))
    cells += [
        nb.new_code_cell("run.table(frame)", outputs=html(tables.table(_importance(), id="importance-table", caption="Importance", formats={"estimate": "interval:percent"}))),
        nb.new_markdown_cell(f"## What we cannot tell\n\n{HOSTILE}\n\n## What we cannot tell\n\n# Another title"),
        nb.new_code_cell("1/0", outputs=[
            nb.new_output("execute_result", {"text/html": _importance().head(2).to_html(), "text/plain": "x"}),
            nb.new_output("execute_result", {"text/plain": "0.123 <b>"}),
            nb.new_output("execute_result", {"text/plain": "<Axes: xlabel='x'>"}),
            nb.new_output("stream", name="stdout", text=f"printed {HOSTILE}"),
            nb.new_output("display_data", {"text/markdown": f"**told** {HOSTILE}"}),
            nb.new_output("display_data", {"text/html": f"raw {HOSTILE}<iframe src='https://x.y'></iframe><div id='show-code' onclick='x' style='position:fixed'>a</p></b><table><tr><td>1"}),
            nb.new_output("display_data", {"text/html": "<svg onload=alert(1)><style><img src=x onerror=alert(1)></style><title>a</title><a href='javascript:x'>b</a><use href='https://x.y/z.svg#a'/></svg>"}),
            nb.new_output("display_data", {"application/javascript": "alert('js')", "text/plain": "plain"}),
            nb.new_output("display_data", {"image/png": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "text/plain": "<Figure size 1x1>"}),
            nb.new_output("display_data", {"image/svg+xml": "<svg viewBox='0 0 2 2'><path d='M0 0L1 1'/></svg>", "text/plain": ""}),
            nb.new_output("error", ename="ZeroDivisionError", evalue="v", traceback=["secret traceback"]),
        ]),
    ]  # fmt: skip
    return nb.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}})


MENU = [("index.html", "Summary"), ("02_annual_drivers.html", "Drivers"), ("04_verbatim_topics.html", "Topics")]


def make_page(given=None, **options):
    from cxlib.show import report

    chosen = {"title": "Where service money would move satisfaction most", "menu": MENU, "page_id": "02_annual_drivers", "programme_name": "Northwind Telecom", "quarter": "2026Q3"}
    return report.page(notebook() if given is None else given, **{**chosen, **options})


@pytest.fixture(scope="session")
def page():
    return make_page(edition="Draft", summary="Network quality leads.", facts=[("Made from", "annual_2026.csv")])


@pytest.fixture(scope="session")
def audit(page):
    return Audit(page)
