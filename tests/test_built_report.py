"""Reports built by the command, looked at as a parser sees them: what may stand on a page, what hostile text becomes, and the same bytes everywhere.

The numbers in the names are those of the table of faults.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; form-action 'none'; base-uri 'none'"
QUICK = ("-p", "replicates=200", "-p", "confidence_draws=1024")
PAGES = ("index", "01_data_loading", "02_annual_drivers", "03_performance_tracking", "04_verbatim_topics", "11_roi")

# One payload a place, so that what comes out tells where it went in.
SCRIPT = "<script>document.title='{}'</script>"
IMAGE = "<img src=x onerror=\"document.title='{}'\">"
LINK = "[x](javascript:document.title='{}')"
FORMULA = "$\\href{{javascript:document.title='{}'}}{{x}}$"
STYLE = "</style></title></svg></table>" + SCRIPT


class Seen(HTMLParser):
    """A page as parsed: its tags in order with what they stand in, its visible words without the code, and the text of each place."""

    VOID = {"meta", "link", "img", "br", "hr", "input", "col", "base", "area", "source", "wbr"}

    def __init__(self, page: str):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.texts = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs), tuple(name for name, _ in self.open)))
        if tag not in self.VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs), tuple(name for name, _ in self.open)))

    def handle_endtag(self, tag):
        while any(name == tag for name, _ in self.open) and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        inside = {name for name, _ in self.open} | {f".{word}" for _, given in self.open for word in (given.get("class") or "").split()}
        self.texts.append((data, inside))

    def all(self, *names):
        return [(given, inside) for tag, given, inside in self.tags if tag in names]

    def words(self, *, without=("style", "script", ".code")) -> str:
        return " ".join(text for text, inside in self.texts if not inside & set(without))

    @property
    def ids(self):
        return [given["id"] for _, given, _ in self.tags if given.get("id")]


def seen(draft: Path) -> dict[str, Seen]:
    return {path.stem: Seen(path.read_text("utf-8")) for path in sorted(draft.glob("*.html"))}


@pytest.fixture(scope="module")
def sample_pages(sample_report):
    return seen(sample_report)


@pytest.fixture(scope="module")
def hostile_report(cx, tmp_path_factory):
    """The report of a programme in which everything that a file or a contract can say is an attack, or looks like something else."""
    folder = tmp_path_factory.mktemp("hostile") / "hostile"
    write_hostile(folder)
    code, said, errors = cx("report", folder, "--out", folder.parent / "reports", *QUICK)
    assert code == 0, errors
    assert "Traceback" not in errors
    return Path(said.strip().splitlines()[-1]).parent


@pytest.fixture(scope="module")
def hostile_pages(hostile_report):
    return seen(hostile_report)


FILE = "a<img src=x onerror=alert(1)>.csv"
BRANDS = [SCRIPT.format("brand"), IMAGE.format("brand"), FORMULA.format("brand"), LINK.format("brand"), STYLE.format("brand")]


def write_hostile(folder: Path) -> None:
    """Three waves of a survey: the last one a Qualtrics file with scores off the scale, codes that look like nothing, and attacks in every text."""
    (folder / "raw").mkdir(parents=True)

    def quoted(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    waves = [("2024", "2024Q1", "old.csv"), ("2025", "2025Q1", "mid.csv"), ("2026", "2026Q1", FILE)]
    columns = f'{{response_id = "id", country = "land", person_id = "person", brand = {quoted("brand " + SCRIPT.format("column"))}}}'
    toml = [
        f"name = {quoted('Hostile ' + SCRIPT.format('programme') + IMAGE.format('programme'))}", 'timezone = "Europe/Berlin"', f"about = {quoted(STYLE.format('about'))}",
        "[scales.recommend]", "low = 0", "high = 10", f"low_label = {quoted(SCRIPT.format('scale'))}", "[scales.five]", "low = 1", "high = 5", f"missing = {{6 = {quoted(SCRIPT.format('missing'))}}}",
        "[[surveys]]", 'id = "poll"', f"label = {quoted('Poll ' + SCRIPT.format('survey') + FORMULA.format('survey'))}", 'kind = "relationship"', 'promise = "confidential"',
        'uses = ["aggregate", "link", "quote"]', f"population = {quoted(IMAGE.format('population'))}",
    ]  # fmt: skip
    for wave, quarter, file in waves:
        toml += ["[[waves]]", f'id = "{wave}"', 'survey = "poll"', f'quarter = "{quarter}"', f"first = {wave}-03-01", f"last = {wave}-03-31", f"file = {quoted(file)}", f"columns = {columns}",
                 f"note = {quoted('Note ' + SCRIPT.format('note'))}"]  # fmt: skip
    toml += ["[[items]]", 'id = "recommend"', f"wording = {quoted('Would you? ' + SCRIPT.format('wording'))}", 'scale = "recommend"']
    for name in ("price", "network", "staff"):
        toml += ["[[items]]", f'id = "{name}"', f"wording = {quoted(STYLE.format(name))}", f"label = {quoted(f'{name} ' + SCRIPT.format(name) + FORMULA.format(name))}", 'scale = "five"']
    toml += ["[[items]]", 'id = "comment"', 'kind = "verbatim"', 'question = "comment"', f"wording = {quoted(IMAGE.format('why'))}"]
    toml += ["[[kpis]]", 'id = "nps"', f"label = {quoted('NPS ' + SCRIPT.format('kpi') + LINK.format('kpi'))}", 'item = "recommend"', 'definition = "nps_0_10"', "target = 20"]
    toml += ["[[drivers]]", 'survey = "poll"', 'kpis = ["nps"]', 'items = ["price", "network", "staff"]']
    toml += ["[[segments]]", 'id = "brand"', f"label = {quoted('Brand ' + SCRIPT.format('segment'))}", 'field = "brand"', "[[segments]]", 'id = "country"', 'field = "country"']
    (folder / "programme.toml").write_text("\n".join(toml) + "\n", encoding="utf-8")
    topics = [f"[[topics]]\nid = \"{name}\"\nname = {quoted(f'{name} ' + SCRIPT.format('topic') + IMAGE.format('topic'))}\ninclude = [\"{name}\"]\n" for name in ("price", "network", "staff")]
    (folder / "codeframe.toml").write_text('version = "1"\n' + "\n".join(topics), encoding="utf-8")

    said = [SCRIPT.format("verbatim"), IMAGE.format("verbatim"), LINK.format("verbatim"), FORMULA.format("verbatim"), STYLE.format("verbatim"), "<b>bold</b> & <i>all</i>"]

    def cell(text):
        return '"' + str(text).replace('"', '""') + '"'

    for wave, _, file in waves:
        lines = [",".join(map(cell, ["id", "land", "person", "brand " + SCRIPT.format("column"), "recommend", "price", "network", "staff", "comment"]))]
        if wave == "2026":
            lines += [",".join(map(cell, [f"Question {SCRIPT.format('row2')}"] * 9)), ",".join(cell(f'{{"ImportId":"QID{place}"}}') for place in range(9))]
        for i in range(220):
            price, network, staff = 1 + i % 5, 1 + (i // 5) % 5, 1 + (i // 3) % 5
            score = min(10, price + network + i % 2)
            identity = {0: "007", 1: "12345678901234567890", 2: "1e5"}.get(i, f"r{i:03d}")
            comment = "NA"
            if i % 4 == 1:  # two attacks a topic, so that each is among the typical complaints that the page quotes
                score, at = i % 3, i // 4 % len(said)
                comment = f"The {('price', 'network', 'staff')[at // 2]} is terrible, {said[at]}"
            elif i % 4 == 3:
                score, comment = 10, f"The {('price', 'network', 'staff')[i // 4 % 3]} is very good, thank you."
            lines.append(",".join(map(cell, [identity, "NA" if i % 2 else "DE", f"00{i}", BRANDS[i % 5], score, price, network, staff, comment])))
        if wave == "2026":
            for place, value in enumerate(["11", "-1", "7.5", "ten", "９", SCRIPT.format("score")]):
                lines.append(",".join(map(cell, [f"x{place}", "DE", f"p{place}", BRANDS[0], value, 3, 3, 3, "Hm."])))
            lines.append(",".join(map(cell, ["y", "DE", "py", BRANDS[0], " 10 ", 3, 3, 3, "Hm."])))
        (folder / "raw" / file).write_text("\n".join(lines) + "\n", encoding="utf-8")


# ---------------------------------------------------------------------------------------------------- every page


@pytest.fixture(scope="module", params=["sample", "hostile"])
def pages(request):
    return request.getfixturevalue(f"{request.param}_pages")


@pytest.fixture(scope="module", params=PAGES)
def page(request, pages):
    return pages[request.param]


def test_a_page_a_study_and_no_other(pages):
    assert set(pages) == set(PAGES)


def test_language_one_title_and_the_policy_before_what_it_governs(page):
    assert [given["lang"] for given, _ in page.all("html")] == ["en"]
    assert len(page.all("h1")) == len(page.all("title")) - len([inside for _, inside in page.all("title") if "svg" in inside]) == 1
    policies = [given["content"] for given, _ in page.all("meta") if (given.get("http-equiv") or "").lower() == "content-security-policy"]
    assert policies == [POLICY]
    order = [(tag, given.get("http-equiv")) for tag, given, _ in page.tags]
    assert order.index(("meta", "Content-Security-Policy")) < min(place for place, (tag, _) in enumerate(order) if tag in ("title", "style", "body"))


def test_fault_19_no_script_no_handler_no_outside_address(page):
    assert page.all("script", "iframe", "object", "embed", "base", "form", "link", "frame", "applet", "audio", "video", "source", "animate", "set", "foreignobject") == []
    for tag, given, inside in page.tags:
        assert not [name for name in given if name.startswith("on") or name in ("srcdoc", "srcset", "formaction", "action", "ping", "background", "xlink:href")], (tag, given)
        assert tag != "style" or inside == ("html", "head"), inside
        for name in ("src", "href", "data", "poster", "cite"):
            address = given.get(name)
            if address is not None and not address.startswith("data:image/png;base64,"):
                assert re.fullmatch(r"#[\w.-]+|[\w/-]+\.(?:html|csv|svg)(?:#[\w.-]+)?", address), (tag, name, address)
        assert not re.search(r"url\s*\((?!#)", given.get("style") or ""), given
        assert tag != "meta" or (given.get("http-equiv") or "").lower() in ("", "content-security-policy")
    style = " ".join(text for text, inside in page.texts if "style" in inside)
    assert not re.search(r"url\s*\(|@import|expression|://", style)


def test_every_figure_has_a_title_that_names_it(page):
    drawn = [given for given, inside in page.all("svg") if "svg" not in inside]
    for given in drawn:
        assert given["role"] == "img"
        assert given.get("aria-label", "").strip() or given["aria-labelledby"].split()
        assert set((given.get("aria-labelledby") or "").split()) <= set(page.ids)
    titles = [text for text, inside in page.texts if {"svg", "title"} <= inside and text.strip()]
    assert len(titles) >= len(drawn)


def test_every_table_has_a_caption_and_every_header_a_scope(page):
    tables = [place for place, (tag, _, _) in enumerate(page.tags) if tag == "table"]
    assert [page.tags[place + 1][0] for place in tables] == ["caption"] * len(tables)
    assert all(given.get("scope") in ("row", "col", "rowgroup", "colgroup") for given, _ in page.all("th"))
    assert not tables or page.all("th")


def test_headings_never_skip_a_level_and_ids_are_unique(page):
    levels = [int(tag[1]) for tag, _, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    assert len(page.ids) == len(set(page.ids))


def test_menu_leads_to_every_page_and_marks_this_one(page, pages):
    menu = [given for given, inside in page.all("a") if "nav" in inside and "header" in inside]
    assert [given["href"] for given in menu] == ["index.html", *(f"{name}.html" for name in PAGES[1:])]
    assert sum(given.get("aria-current") == "page" for given in menu) == 1
    assert {f"{name}.html" for name in pages} == {given["href"] for given in menu}


def test_anchors_on_the_page_and_neighbours_are_there(page, pages):
    for given, _ in page.all("a"):
        file, _, anchor = given.get("href", "#top").partition("#")
        if anchor:
            assert anchor in (pages[Path(file).stem] if file else page).ids


def test_no_word_is_that_of_a_program(page):
    words = page.words()
    for word in ("Traceback", "NaN", "nan", "NaT", "inf", "-inf", "None", "<NA>", "null", "ValueError", "dtype", "DataFrame"):
        found = re.search(rf"(?<![\w'’.-]){re.escape(word)}(?![\w'’-])", words)
        assert not found, words[max(0, found.start() - 120): found.end() + 60]
    assert not re.search(r"<(Axes|Figure|[\w.]+ object at 0x)|0x[0-9a-f]{8}", words)


def test_no_raw_name_of_a_column_stands_where_a_reader_looks(page):
    words = page.words(without=("style", "script", ".code", "pre"))
    assert re.findall(r"\b(?:conf_low|conf_high|n_eff|std_error|p_adjusted|test_id|survey_id|weighted_n)\b", words) == []


# ---------------------------------------------------------------------------------------------------- hostile text


def test_fault_19_attacks_are_visible_as_text_where_they_were_put(hostile_pages):
    words = {name: re.sub(r"\s+", " ", page.words()) for name, page in hostile_pages.items()}
    places = {"programme": PAGES, "survey": PAGES[3:5], "kpi": ("index", "02_annual_drivers", "03_performance_tracking"), "brand": ("03_performance_tracking",), "note": ("03_performance_tracking",),
              "verbatim": ("04_verbatim_topics",), "topic": ("04_verbatim_topics",), "price": ("02_annual_drivers",), "score": ("01_data_loading",)}  # fmt: skip
    missing = [(place, name) for place, names in places.items() for name in names if SCRIPT.format(place) not in words[name]]
    assert missing == []
    for brand in BRANDS:
        assert brand in words["03_performance_tracking"]
    assert FILE in words["01_data_loading"]
    for attack in (IMAGE, LINK, FORMULA, STYLE):
        assert attack.format("verbatim") in words["04_verbatim_topics"]


def test_fault_19_tables_and_figures_beside_the_pages_carry_the_text_and_run_nothing(hostile_report):
    said = (hostile_report / "tables" / "quotes.csv").read_text("utf-8")
    assert "<script>" in said
    figures = sorted((hostile_report / "figures").glob("*.svg"))
    assert len(figures) > 5
    for path in figures:
        drawing = Seen(path.read_text("utf-8"))
        assert not drawing.all("script", "foreignobject", "image", "iframe", "a", "set", "animate")
        assert not [given for _, given, _ in drawing.tags if any(name.startswith("on") or (name.endswith("href") and not (value or "").startswith("#")) for name, value in given.items())]
    assert any("<script>" in "".join(text for text, _ in Seen(path.read_text("utf-8")).texts) for path in figures)


def test_hostile_names_of_files_stay_in_their_folders(hostile_report):
    names = [path.relative_to(hostile_report).as_posix() for path in hostile_report.rglob("*") if path.is_file()]
    assert all(re.fullmatch(r"(?:(?:findings|tables|figures|\.outputs)/)?[\w.-]+", name) for name in names), names


def test_fault_8_scores_off_the_scale_are_counted_and_listed_on_the_page(hostile_report, hostile_pages):
    repairs = pd.read_csv(hostile_report / "tables" / "repairs.csv", dtype=str, keep_default_na=False)
    assert repairs["value"].tolist() == ["11", "-1", "7.5", "ten", "９", SCRIPT.format("score")]
    assert repairs["row"].astype(int).tolist() == list(range(224, 230))  # three header rows, then 220 that fit
    assert set(repairs["column"]) == {"recommend"}
    intake = pd.read_parquet(hostile_report / "findings" / "intake.parquet").set_index("file").loc[FILE]
    assert intake[["rows", "kept", "quarantined", "duplicates", "trimmed"]].tolist() == [227, 221, 6, 0, 1]
    assert "６" not in hostile_pages["01_data_loading"].words()


def test_fault_11_a_qualtrics_file_is_known_by_its_importid_row(hostile_report, hostile_pages):
    store = next(hostile_report.parents[1].glob(".store/*"))
    last = pd.read_parquet(store / "responses.parquet").query("wave == '2026'")
    assert len(last) == 221
    assert last["recommend"].between(0, 10).all()
    assert not any("ImportId" in page.words() for page in hostile_pages.values())


def test_fault_17_codes_that_look_like_nothing_stay_text(hostile_report, hostile_pages):
    store = next(hostile_report.parents[1].glob(".store/*"))
    last = pd.read_parquet(store / "responses.parquet").query("wave == '2026'")
    assert last["response_id"].tolist()[:3] == ["007", "12345678901234567890", "1e5"]
    assert last["person_id"].tolist()[:2] == ["000", "001"]
    assert set(last["country"]) == {"NA", "DE"}
    cut = pd.read_parquet(hostile_report / "findings" / "kpis_by_segment.parquet").query("segment == 'country' and wave == '2026'")
    assert cut.set_index("value")["n"].to_dict() == {"DE": 111, "NA": 110}
    shown = pd.read_csv(hostile_report / "tables" / "segments.csv", dtype=str, keep_default_na=False)
    assert {"NA", "DE"} <= set(shown.astype(str).stack())
    assert re.search(r"(?<!\w)NA(?!\w)", hostile_pages["03_performance_tracking"].words())


# ---------------------------------------------------------------------------------------------------- the record


def test_the_record_names_what_went_in_and_what_came_out(sample_report):
    record = json.loads((sample_report / "run.json").read_text("utf-8"))
    assert record["complete"] is True
    assert record["partial"] is False
    assert record["quarter"] == "2026Q3"
    assert len(record["inputs"]) == 24
    assert set(record["studies"]) == {"00_summary", *PAGES[1:]}
    assert record["unclaimed"] == []
    assert all(entry["seconds"] > 0 for entry in record["studies"].values())
    assert {"pandas", "papermill", "duckdb"} <= set(record["packages"])
    assert set(record["findings"]) == {path.stem for path in (sample_report / "findings").iterdir()}


def test_clock_times_stand_in_the_record_only(sample_report):
    from datetime import datetime, timezone

    record = json.loads((sample_report / "run.json").read_text("utf-8"))
    day = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    assert record["started"][:4] == day[:4]
    for path in sample_report.rglob("*"):
        if path.is_file() and path.name != "run.json":
            assert day.encode() not in path.read_bytes(), path.name


def test_every_finding_keeps_its_columns(sample_report):
    from cxlib import schema

    for path in (sample_report / "findings").glob("*.parquet"):
        frame = pd.read_parquet(path)
        assert list(frame.columns) == [column.name for column in schema.finding(path.stem)], path.stem
        schema.check(path.stem, frame)


def test_every_table_on_a_page_stands_beside_it_as_a_file(sample_report, sample_pages):
    files = {path.stem for path in (sample_report / "tables").glob("*.csv")}
    for page in sample_pages.values():
        assert {given["id"] for given, _ in page.all("table") if given.get("id")} <= {name for file in files for name in (file, f"{file}-data", f"table-{file}", f"{file}-table")}
    for path in (sample_report / "tables").glob("*.csv"):
        assert len(pd.read_csv(path, keep_default_na=False).columns) > 0, path.name


# ---------------------------------------------------------------------------------------------------- the same bytes


def test_fault_35_the_same_bytes_in_another_zone_and_locale_with_other_hashes_and_jobs(cx, tmp_path):
    """Pages, findings, tables and figures, the store too: everything but the record of the run."""
    code, _, errors = cx("sample", tmp_path / "company", "--customers", "300")
    assert code == 0, errors
    surroundings = [
        (1, {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "2"}),
        (2, {"TZ": "America/Denver", "LC_ALL": "C", "PYTHONHASHSEED": "99", "PYTHONUTF8": "0", "COLUMNS": "40", "MPLBACKEND": "agg"}),
    ]
    trees = []
    for jobs, env in surroundings:
        out = tmp_path / f"reports{jobs}"
        code, _, errors = cx("report", tmp_path / "company", "--fresh", "--jobs", jobs, "--out", out, *QUICK, env=env)
        assert code == 0, errors
        place = out / "company" / "2026Q3"
        draft = (place / "draft").resolve()
        trees.append({path.relative_to(draft).as_posix(): path.read_bytes() for path in draft.rglob("*") if path.is_file()})
        trees[-1] |= {f"store/{path.name}": path.read_bytes() for path in place.parent.glob(".store/*/*.parquet")}
    one, two = trees
    assert set(one) == set(two)
    assert [name for name in sorted(one) if one[name] != two[name] and name != "run.json"] == []
    assert {Path(name).suffix for name in one} >= {".html", ".parquet", ".csv", ".svg"}
    assert one["run.json"] != two["run.json"]
