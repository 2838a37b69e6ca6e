"""One word for each kind of trouble of a meter or a clock, so that programs and translations need not read English.

A message for people stands beside its code (:attr:`nes2mqtt.readings.reading.MeterStatus.code`); what differs between two
messages of one kind stands in ``params``. Outputs name the codes of their own troubles beside their own texts.

=====================  ============  ====================================================================
code                   params        what it says
=====================  ============  ====================================================================
``timeout``                          no reply from the meter
``corrupt``                          damaged bytes arrive
``digest``                           replies are not signed with our key
``sequence``                         another client talks to the meter
``line``                             other trouble of the line
``port_missing``       port          there is no such port, or nobody listens there
``port_permission``    port          the operating system does not let us open it
``port_busy``          port          another program holds it
``port_lost``          port          it cannot be used for another reason
``key_rejected``                     the meter refuses the key; asked again later
``password_refused``                 the optical port refuses the key; not asked again before a restart
``no_values``                        the meter says who it is, and gives no value that can be believed
``table_refused``      table         that table cannot be read; the others are
``mistake``            kind          this program made a mistake
``clock_behind``       seconds       the host's clock is so far behind the clock of ``meter``
                       meter
``clock_ahead``        seconds       the same, ahead
                       meter
``clock_unknown``                    the host's clock cannot be right, and no meter tells the time
``stopped``                          an output stopped by a mistake of this program; it is started again
``mqtt_connected``     broker        all is well
``mqtt_connecting``    broker        not connected yet
``mqtt_unreachable``   broker        no connection
``mqtt_auth``          broker        the broker refuses user, password or certificate
``mqtt_refused``       broker        the broker refuses the connection or what is published
``mqtt_shared``        broker        another gateway publishes to the same topics
=====================  ============  ====================================================================

This module does not know how any of these come about.
"""

from __future__ import annotations

from osgp import errors

__all__ = [
    "CLOCK_AHEAD",
    "CLOCK_BEHIND",
    "CLOCK_UNKNOWN",
    "MISTAKE",
    "NO_VALUES",
    "OUTPUT_MISTAKE",
    "TABLE_REFUSED",
    "code_of",
]

NO_VALUES = "no_values"
TABLE_REFUSED = "table_refused"
MISTAKE = "mistake"
OUTPUT_MISTAKE = "stopped"
CLOCK_BEHIND = "clock_behind"
CLOCK_AHEAD = "clock_ahead"
CLOCK_UNKNOWN = "clock_unknown"

_BY_ERROR: tuple[tuple[type[Exception], str], ...] = (
    (errors.ResponseTimeout, "timeout"),
    (errors.CorruptFrame, "corrupt"),
    (errors.DigestMismatch, "digest"),
    (errors.SequenceLost, "sequence"),
    (errors.LinkError, "line"),
    (errors.PortMissing, "port_missing"),
    (errors.PortPermission, "port_permission"),
    (errors.PortBusy, "port_busy"),
    (errors.TransportError, "port_lost"),
    (errors.PasswordRefused, "password_refused"),
    (errors.KeyRejected, "key_rejected"),
    (errors.MeterRefused, TABLE_REFUSED),
    (errors.TableError, TABLE_REFUSED),
)
"""The first that fits counts: kinds stand before what they are kinds of."""


def code_of(error: Exception) -> str:
    """Return the code of an error; of one that is none of the library's, that it is our mistake."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), MISTAKE)
