"""The page's scripts go out without their comments, and with everything else, each line at its number."""

from pathlib import Path

from nes2mqtt.outputs.web import assets

STATIC = Path(assets.__file__).parent / "static"


def test_a_script_goes_out_with_all_its_code_and_no_comment_of_its_own_line():
    served = assets.load()
    scripts = [path for path in STATIC.rglob("*.js") if path.parent.name != "vendor"]
    assert len(scripts) > 20
    for path in scripts:
        lines = path.read_text("utf-8").split("\n")
        out = served[path.relative_to(STATIC).as_posix()].content.decode().split("\n")
        inside = False
        assert len(out) == len(lines), path
        for line, sent in zip(lines, out, strict=True):
            # Written by hand, line by line, and not by the expression of the program.
            begins = line.strip()[:3] == "/**"
            comment = inside or begins or line.strip()[:2] == "//"
            assert sent == ("" if comment else line), path
            inside = (inside or begins) and "*/" not in line
        assert not inside


def test_the_licence_of_what_is_not_ours_stays():
    assert assets.load()["vendor/uPlot.min.js"].content.startswith(b"/*! https://github.com/leeoniya/uPlot")
