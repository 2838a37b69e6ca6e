"""The one-time code: typed in any way, compared once, dead after an hour, a use, or twenty wrong tries."""

import os
import re

import pytest

from nes2mqtt.setup.code import (
    ALPHABET,
    LIFETIME,
    USED,
    Code,
    CodeFile,
    Tried,
    Verdict,
    ask_for_code,
    new_code,
    read_code,
)


def test_codes_have_forty_random_bits_and_no_letters_that_look_alike():
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)
    assert len(ALPHABET) == 32
    assert set("".join(codes)) == {*ALPHABET, "-"}


@pytest.mark.parametrize("typed", ["K701-2XDA", "k7o1-2xda", "K7OI2XDA", " k 7 0 l - 2 x d a ", "K701\N{EN DASH}2XDA"])
def test_a_code_is_read_as_people_type_it(typed):
    assert read_code(typed) == "K7012XDA"


def test_the_right_code_opens(moving_clock):
    code = Code(None, moving_clock)
    assert code.look(code.text.lower().replace("-", " "), "192.168.1.7") == Tried(Verdict.RIGHT)


def test_five_wrong_tries_then_one_each_half_minute_also_of_the_right_one(moving_clock):
    code = Code(None, moving_clock)
    assert [code.look("0000-0000", "192.168.1.7") for _ in range(5)] == [
        Tried(Verdict.WRONG, left) for left in (19, 18, 17, 16, 15)
    ]
    assert code.look(code.text, "192.168.1.7").verdict is Verdict.WAIT
    assert code.look(code.text, "192.168.1.8").verdict is Verdict.RIGHT
    moving_clock.time += 30
    assert code.look(code.text, "192.168.1.7").verdict is Verdict.RIGHT


def test_twenty_wrong_tries_from_wherever_end_it(moving_clock):
    code = Code(None, moving_clock)
    right = code.text
    for number in range(20):
        moving_clock.time += 3
        tried = code.look("0000-0000", f"192.168.{number}.7")
        assert tried.verdict is (Verdict.ENDED if number == 19 else Verdict.WRONG)
    assert code.look(right, "192.168.99.1").verdict is Verdict.ENDED
    assert not code.valid()


def test_an_empty_code_never_opens_one_that_has_ended(moving_clock):
    code = Code(None, moving_clock)
    code.end()
    assert code.look("", "192.168.1.7").verdict is Verdict.ENDED


def test_it_lasts_an_hour(moving_clock):
    code = Code(None, moving_clock)
    moving_clock.time += LIFETIME - 1
    assert code.valid()
    moving_clock.time += 1
    assert code.look(code.text, "192.168.1.7").verdict is Verdict.ENDED


class TestFile:
    def test_it_holds_the_code_for_its_owner_alone_as_long_as_the_first_run_goes_on(self, tmp_path, moving_clock):
        folder = tmp_path / "data"
        before = os.umask(0)
        try:
            with CodeFile.held(folder) as file:
                code = Code(file, moving_clock)
                path = folder / "setup-code"
                assert path.read_text() == f"{code.text}\n"
                assert path.stat().st_mode & 0o777 == 0o600
                assert folder.stat().st_mode & 0o777 == 0o700
                assert ask_for_code(folder) == code.text
        finally:
            os.umask(before)
        assert list(folder.iterdir()) == []
        assert ask_for_code(folder) is None

    def test_the_command_makes_a_new_code_when_the_old_one_has_ended(self, tmp_path, moving_clock):
        with CodeFile.held(tmp_path) as file:
            code = Code(file, moving_clock)
            old = code.text
            for number in range(20):
                code.look("0000-0000", f"10.0.{number}.1")
            assert ask_for_code(tmp_path) != old
            new = ask_for_code(tmp_path)
            assert code.look(old, "10.1.1.1").verdict is Verdict.WRONG
            assert code.look(new, "10.1.1.2").verdict is Verdict.RIGHT

    def test_a_new_code_is_valid_for_an_hour_of_its_own(self, tmp_path, moving_clock):
        with CodeFile.held(tmp_path) as file:
            code = Code(file, moving_clock)
            moving_clock.time += LIFETIME
            assert not code.valid()
            new = ask_for_code(tmp_path)
            assert code.look(new, "10.1.1.2").verdict is Verdict.RIGHT

    def test_once_it_is_used_there_is_no_new_one(self, tmp_path, moving_clock):
        with CodeFile.held(tmp_path) as file:
            code = Code(file, moving_clock)
            code.end(used=True)
            assert ask_for_code(tmp_path) == USED
            assert not code.valid()
            assert code.look(USED, "10.1.1.2").verdict is Verdict.ENDED

    def test_a_file_left_by_a_kill_opens_nothing(self, tmp_path):
        (tmp_path / "setup-code").write_text("K7QM-2XDA\n")
        assert ask_for_code(tmp_path) is None

    def test_two_first_runs_do_not_share_one(self, tmp_path):
        with CodeFile.held(tmp_path) as first, CodeFile.held(tmp_path) as second:
            assert first is not None
            assert second is None

    def test_a_link_in_its_place_is_not_followed(self, tmp_path):
        (tmp_path / "else").write_text("kept")
        (tmp_path / "setup-code").symlink_to(tmp_path / "else")
        with CodeFile.held(tmp_path) as file:
            assert file is None
        assert (tmp_path / "else").read_text() == "kept"
