"""What a Japanese keyboard writes full-width by accident is named, with its line; what is meant so stays."""

from pathlib import Path

import pytest

from gateway.settings.document import Document, Fault


def faults(folder: Path, text: str) -> list[Fault]:
    file = folder / "gateway.yaml"
    file.write_text(text, "utf-8")
    document = Document(file)
    document.read()
    return document.faults


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("state: x\nport：1883\nkeys: y\n", 2, 5, "colon"),
        ("state: x\ndoors:\n  - {port： 1883}\n", 3, 6, "colon"),
        ("state：x\n", 1, 1, "colon"),
        ("doors:\n  - name：x\n", 2, 5, "colon"),
        ("state: x\n　port: 1883\n", 2, 1, "space"),
        ("doors:\n　　- port: 1883\n", 2, 1, "space"),
        ("port: １８８３\n", 1, 7, "digit"),
        ("retain: 20　d\n", 1, 9, "space"),
        ("radius: ５０ m\n", 1, 9, "digit"),
    ],
)
def test_a_full_width_letter_is_named(
    tmp_path: Path, text: str, line: int, column: int, what: str
) -> None:
    """Space, colon and digit; at the letter, or at the name or value that it stands in."""
    found = faults(tmp_path, text)[0]

    assert found[:2] == (line, column)
    assert found.sentence.startswith(f"there is a full-width {what} here: write it half-width")


@pytest.mark.parametrize(
    "text",
    [
        'name: "１２"\n',
        "name: １号車　富山駅\n",
        "purpose: 登下校：見守りのため　２０日\n",
        "# 注意：　１２\nport: 1883\n",
        "- 見守り：はい\n",
        '"駅　１": x\n',
    ],
)
def test_japanese_texts_stay_as_they_are(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text) == []
