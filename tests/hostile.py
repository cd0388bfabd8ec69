"""A programme in which everything that a file or a contract can say is an attack, or looks like something else."""

from pathlib import Path

# One payload a place, so that what comes out tells where it went in.
SCRIPT = "<script>document.title='{}'</script>"
IMAGE = "<img src=x onerror=\"document.title='{}'\">"
LINK = "[x](javascript:document.title='{}')"
FORMULA = "$\\href{{javascript:document.title='{}'}}{{x}}$"
STYLE = "</style></title></svg></table>" + SCRIPT
FILE = "a<img src=x onerror=alert(1)>.csv"
BRANDS = [SCRIPT.format("brand"), IMAGE.format("brand"), FORMULA.format("brand"), LINK.format("brand"), STYLE.format("brand")]


def write(folder: Path) -> None:
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
