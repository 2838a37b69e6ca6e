"""``osgp login-test``: does the meter accept the key, and what does its answer mean?

This module does not know how a key is shown to a meter.
"""

from __future__ import annotations

from osgp.cli.exits import ExitCode
from osgp.cli.opening import Target, error_words, run, step
from osgp.cli.options import AsJson, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import note, print_json, print_lines
from osgp.errors import KeyRejected

__all__ = ["login_test"]

_CHECK = (
    "Check, in this order:",
    "  1. the key against the letter of your grid company, character by character (0 and O, 1 and l and I)",
    "  2. that it is the key of this port: the optical port has other keys than the MEP port (MBK)",
    "  3. that it is the key of this meter: after a change of the meter the old key is void",
    "  4. with your grid company, whether the key was changed",
    "Do not try keys one after another: a meter may raise an alarm or lock its port.",
)


def login_test(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    as_json: AsJson = False,
) -> None:
    """Try the key and explain what the meter says."""
    target = Target(port, key_file, security, padding=padding, token_file=token_file)

    async def work() -> ExitCode:
        key = target.key_or_ask()
        accepted = {"accepted": True, "key_form": key.form, "key_fingerprint": key.fingerprint}
        try:
            async with target.meter(key=key) as meter:
                with step("showing the key"):
                    # Both ports want the key for this one, and it holds no secret.
                    await meter.read("BT23", 0, 4)
        except KeyRejected as error:
            return _refused(error, accepted, as_json=as_json)
        if as_json:
            print_json(accepted)
        else:
            print_lines(
                [
                    f"The meter accepts the key ({key.form}, fingerprint {key.fingerprint}).",
                    "It proves that the meter has the same key; it does not tell what the key may write.",
                ]
            )
        return ExitCode.OK

    run(work, as_json=as_json)


def _refused(error: KeyRejected, document: dict[str, object], *, as_json: bool) -> ExitCode:
    if as_json:
        print_json(document | {"accepted": False, "message": str(error)})
    else:
        note(f"osgp: {error_words(error)}")
        print_lines(_CHECK)
    return ExitCode.KEY
