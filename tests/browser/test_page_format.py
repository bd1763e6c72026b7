"""How figures are written, and what charts are drawn to."""

import pytest

WRITTEN = [
    ("usd", 0, "$0"), ("usd", 0.0000118, "$0.0000118"), ("usd", 0.1, "$0.100"), ("usd", 0.009999, "$0.0100"), ("usd", 1.927, "$1.93"),
    ("usd", 1234.5, "$1,235"), ("usd", -0.5, "−$0.500"), ("usd", None, "–"), ("usdRound", 0.01, "$0.01"), ("usdRound", 30, "$30"),
    ("usdExact", 0.000735, "$0.000735"), ("usdExact", 0, "$0"), ("usdExact", 1e-9, "$0.000000001"),
    ("percent", 0.958, "95.8 %"), ("percent", -0.02, "−2.0 %"), ("percent", None, "–"),
    ("duration", 0, "0 ms"), ("duration", 0.4, "< 1 ms"), ("duration", 412, "412 ms"), ("duration", 1890, "1.89 s"), ("duration", 3700, "3.70 s"),
    ("duration", 90000, "1.5 min"), ("duration", 7200000, "2 h"), ("duration", 864000000, "10 days"), ("duration", None, "–"), ("duration", -1, "–"),
    ("durationRound", 2000, "2 s"), ("rate", 0, "0"), ("rate", 0.004, "< 0.01"), ("rate", 6.617, "6.62"), ("rate", 1234.4, "1,234"),
    ("count", 12480, "12,480"), ("number", 812.5, "813"), ("number", 0.00001234, "0.0000123"), ("number", 1e-7, "0.0000001"),
    ("armName", "a->b", "a → b"), ("armName", "a+b", "a + b"), ("armName", "a→b", "a → b"), ("when", 0, "–"),
]


@pytest.mark.quick
def test_figures_are_written_as_people_read_them(visit):
    page = visit.open("keys")
    said = page.evaluate("rows => import('/ui/format.js').then(f => rows.map(([name, value]) => f[name](value)))", [row[:2] for row in WRITTEN])
    wrong = [(row, got) for row, got in zip(WRITTEN, said) if row[2] != got]
    assert not wrong, wrong


def test_a_column_has_its_points_below_each_other(visit):
    page = visit.open("keys")
    column = "values => import('/ui/format.js').then(f => values.map(f.usdColumn(values)))"
    assert page.evaluate(column, [0.0000043, 0.00075, None, 0]) == ["0.0000043", "0.0007500", "–", "0.0000000"]
    assert page.evaluate(column, [1.5, 20]) == ["1.50", "20.00"] and page.evaluate(column, [0]) == ["0.00"]


def test_ticks_are_round_and_within(visit):
    page = visit.open("keys")
    ticks = "([low, high, wanted]) => import('/ui/charts.js').then(c => c.ticks(low, high, wanted))"
    assert page.evaluate(ticks, [0, 10, 4]) == [0, 2, 4, 6, 8, 10]
    assert page.evaluate(ticks, [0, 1, 2]) == [0, 0.5, 1]
    for low, high, wanted in ((0.42, 0.97, 5), (-3, 8, 4), (0, 1e-9, 4), (5, 5, 3)):
        found = page.evaluate(ticks, [low, high, wanted])
        assert found and all(low - 1e-12 <= v <= high + 1e-12 for v in found) and len(found) <= 2 * wanted + 1


def test_nothing_can_be_made_that_runs(visit):
    page = visit.open("keys")
    for attributes in ('{"onclick": "x()"}', '{"style": "color:red"}', '{"srcdoc": "x"}', '{"onLoad": "x()"}'):
        made = page.evaluate("text => import('/ui/dom.js').then(d => { d.el('a', JSON.parse(text)); return 'made'; }).catch(e => e.message)", attributes)
        assert made.startswith("no such attribute"), (attributes, made)
