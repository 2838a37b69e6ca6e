"""Write docs/mqtt-topics.md from the dialects' tables, so that the page cannot say anything else than is published.

python tools/generate_topics.py           write the page
python tools/generate_topics.py --check   fail if the committed page is out of date
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from nes2mqtt.outputs.mqtt.config import DialectName
from nes2mqtt.outputs.mqtt.dialects import dabbler, homeassistant, nmr_raw
from nes2mqtt.outputs.mqtt.dialects.rows import INTEGER, TEXT, Cell, Row, When
from osgp.sources import SOURCES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "mqtt-topics.md"

INTRODUCTION = """\
<!-- Written by tools/generate_topics.py; edit the code, then run `make reference`. -->
# MQTT topics

**A released topic, key, unit or number format never changes.** A release may add topics and keys. What the gateway
does not know is not published: there is no zero, no empty text and no old value in its place.

Which sets of topics ("dialects") are published is set per broker; several can be used side by side:

```toml
[[mqtt]]
host = "192.168.1.10"
username = "nes2mqtt"
password = { file = "/etc/nes2mqtt/mqtt-password" }
dialects = ["homeassistant", "nmr-raw", "dabbler"]
base_topic = "nes2mqtt"         # of homeassistant and nmr-raw

[mqtt.homeassistant]
every = 10                      # seconds between live values; 0: each one read

[mqtt.nmr-raw]
every = 2

[mqtt.dabbler]
base_topic = "dabbler"
```

With several meters `nmr-raw` and `dabbler` need the meter in their topic: `base_topic = "nes2mqtt/{meter}"`.

How topics behave:

- *live* topics are published at the dialect's pace while the meter's values are fresh, and never when they are stale.
- *register* topics carry every register reading once it is verified, in order, with QoS 1. While the broker is away they
  wait on disk (in the history); afterwards the oldest come first, and live values do not wait behind them. A reading
  whose confirmation was lost comes twice, with the same `seq`; after each connect the last one is sent again.
- *status* topics are published on connect, when the meter's state or identity changes, and repeated every
  `diagnostics_every` seconds.
- *cost* topics are published on connect and when prices or costs changed, at most once a minute.
- *retained* topics are sent again on every connect: a broker that lost its memory is whole again at once.
- What a meter or gateway retained under a name that left the configuration is removed at the next connect. The gateway remembers its
  topics in the data folder (`mqtt-*.json`).
- While nobody knows the time of day (the computer's clock cannot be right and no meter tells it), documents carry no times.

`<base>/status` (retained) is `online` while the gateway is connected. The broker itself sets it to `offline` when the
connection is lost (last will). `<base>` is the dialect's base topic, `<meter>` the meter's id in the configuration.

`<base>/gateway` (not retained) says who the gateway is when it connects: `instance` (new with each start), `name`, `host`. A second
gateway with the same base topic answers (`answer`), and both say so in their status: give each its own `name` and `base_topic`.
The same is said below the base topic of each other dialect, and on `homeassistant/device/nes2mqtt_<name>/gateway` and
`homeassistant/device/nes2mqtt_<name>_<meter>/gateway`, because two gateways with one `name` announce themselves in the same topics, and
so do gateway `home` with meter `barn_house` and gateway `home_barn` with meter `house`. A user of the broker with an access list needs
to read and write these topics.

## What the broker refuses

The gateway speaks MQTT 5, and 3.1.1 with a broker that knows no 5 (`protocol = "auto"`). Only with 5 a broker can say what it
refuses and why. A refusal is logged once, with topic, reason and what to do; the gateway's status shows it as long as it lasts.

- **A refused register reading is kept** and tried again after 10 seconds to 10 minutes; later ones of that topic wait behind it. Other
  topics go on. When 250 readings were delivered ahead of it, it is passed over (and counted as dropped): one topic that is
  refused for ever must not stop the others. It stays in the history. A broker that takes nothing at all loses nothing.
- **Limits** a broker names (size of a packet, QoS, retained messages, messages at once) are kept. Home Assistant's announcements are cut
  into smaller messages when the broker finds them too large.
- **With MQTT 3.1.1** a broker throws away what it refuses and confirms it. The gateway therefore asks for the first retained
  message on each topic back; when it does not come, that counts as a refusal. Where the gateway may not read, it cannot know.
"""

NOTES = {
    DialectName.HOMEASSISTANT: """\
JSON objects. Numbers are in the unit people read (kWh, W, V, A, Hz); the keys are the names of
[measured values](reference/sources.md). Besides, `present` has `time` (when the reply arrived) and `net_power` (import
minus export, W); `registers` has `time`, `meter_time` (the meter's clock, if it was read), `seq` (the reading's number in the
history), `segment` (counts physical meters at this place) and, once a register started anew, `last_reset` (from when
each register counts). Once the meter was exchanged `registers` also has `since_swap`: an object with what each register counted
since then, from 0 on; the other keys are what the meter shows. (Without a history, which remembers where the registers stood, it is
empty, and `last_reset` is left out.) `link` has `state`, `since`, `message` and `code` (what is wrong), identity, `last_reply`, `clock_ahead` (s), `clock` (what is wrong with
this computer's clock), `answered` (% of requests) and the counts since the program started; for a meter behind a [module](module.md) also what that one
tells of itself: `module_uptime` (s), `module_firmware`, `module_wifi_strength` (dBm), `module_free_memory` (bytes), `module_restart_reason`.

`event` (QoS 1, not retained) tells once what happened to the meter: `{"event_type": "exchanged", "segment": 2, "serial": "..."}`,
`{"event_type": "alert", "count": 1}` or `{"event_type": "power_cycle", "count": 1}`.

`condition` (retained) tells what the meter says of itself: `problem` (an alarm that is a trouble is on, the wiring is wrong or a phase is missing), `alarms` (all that are on, by
name), `troubles` (those that are more than a note), `cover_removed`, `low_battery`, `mis_wiring`, `phase_loss`, `lost_phases`, `contactor` (`closed`, `closing`, `open`, `opening`),
`tariff` (from 1, as on the display), `set_by`, `next_tariff` and `next_tariff_at`. An alarm stays on until the grid company takes it away. What the meter does not tell is left out.

`alerts` (retained; only with [alerts](alerts.md)) tells what needs attention: `raised` (the kinds, `["phase_load"]`), and for each kind that is watched an object with `state` (`on` or `off`; left out while
nothing is known), and of those that are on `phases`, `since`, `limit` and `unit`, `title` and `text` (in your language), and `stale` (`true` while the value is absent or old: whether it is still so is not known).
`alert` (QoS 1, not retained) tells what people are told, after quiet hours: `event_type` (`raised`, `cleared`, `passed`, `happened`), `title`, `text`, and the rest as the [webhook](alerts.md#the-webhook) has it.

`costs` (retained; only of a meter with a [contract](costs.md)) has `currency`, `import_price` and `export_price` (of a kWh now, with taxes and VAT), `cost_today`, `cost_month`, `income_today`,
`income_month` (with VAT; income is of what was fed in), `today_began` and `month_began`, and `today_unmeasured` and `month_unmeasured` (quarter hours that are in no sum because nobody read the meter).
A price or a sum is left out while a spot price that it needs is missing. The local day ends here two minutes after midnight, when the reading that ends it has come: then its last sums are told once more with
its own `today_began`, and those of the new day follow at once. The charge for a month's peak is in the last sum of the month only.

`logged` (QoS 1, not retained) tells each new entry of the meter's own logs, in the order in which the gateway learned of them: `event_type` (`outage`, the name of the event, or
`other` where it has none), `seq` (as `number` in `/api/v1/events`), `kind` (`event` or `outage`), `time` (by the meter's clock), `number` and `name` of the event, `who` (`nobody`, `power_line`, `mep_port`,
`optical_port`), `user`, `argument`, `sequence`; of an outage `end`, `seconds`, `cause`. What the meter had logged before the gateway first read its logs is not sent.

`filled` (QoS 1, not retained) tells each interval of the meter's load profile that filled a gap: `{"time": "...", "since": "...", "meter": "house", "segment": 1, "registers": {...}}`, with what the
registers showed at `time`, in kWh; `since` is the reading before it.

Of `logged`, `filled` and `alert` each broker gets what came while it was away, also over restarts of the gateway; with a history none is passed over, and one whose confirmation was lost
comes twice. A broker that is new gets what comes from now on.

Gas, water and heat meters behind a meter have topics of their own, by maker and serial number: `<base>/devices/<device>/status` is `online` while the
meter lists the device, and `<base>/devices/<device>/state` a JSON object: `meter`, `place`, `kind` (`gas`, `water`, `heat`, `other`), `type`, `manufacturer`, `serial`,
`version`, `read` (when the meter read it, by the gateway's time zone), `reachable`, `battery_low`, `permanent_error`, `temporary_error`, `alarm`, `trouble` (why values are
missing), `counter` (the key of what it is there to count), `values` and `units` by key. Both are retained, with QoS 1.

The topics of a meter stand below `<base>/meters/<meter>/`.
""",
    DialectName.NMR_RAW: """\
One value per topic, as text. Names and formats are those of NES-MEP-Reader's raw payload; the topics of its README of May 2023
are marked *older name* and can be switched off with `aliases = false`. Topics of NES-MEP-Reader whose value the gateway does
not have (memory, WiFi, prices, bills, peaks) are not published.
""",
    DialectName.DABBLER: """\
JSON objects with whole numbers: mA, mV, mHz, W, Wh, var, power factors in 1/1000. A field the meter does not have is left out;
negative numbers are negative. `<base>/lwt` (retained) is `Online` or `Offline`; because a connection has one last will, this
dialect has a second connection when another dialect is used beside it.
""",
}

DOCUMENTS = {
    homeassistant.PRESENT: "all present values",
    homeassistant.REGISTERS: "all registers",
    homeassistant.LINK: "state, identity and link counts",
    homeassistant.CONDITION: "alarms, contactor, tariff, phases",
    homeassistant.ALERTS: "what needs attention, by kind",
    homeassistant.COSTS: "prices now, costs of today and this month",
}


def _meaning(cell: Cell) -> str:
    source = SOURCES.get(cell.value)
    return f"`{cell.value}`" if source is not None else cell.value.replace("_", " ")


def _form(cell: Cell) -> str:
    if cell.form is INTEGER or cell.form is TEXT:
        return str(cell.form)
    return f"{cell.unit}, {cell.form}" if cell.unit else str(cell.form)


def _cells(row: Row) -> tuple[str, str]:
    """Return what a row tells, and how."""
    if isinstance(row.body, Cell):
        return _meaning(row.body), _form(row.body)
    if isinstance(row.body, tuple):
        return ", ".join(f"`{cell.key}`" for cell in row.body), "JSON, whole numbers"
    return DOCUMENTS[row.topic], "JSON"


def _table(rows: Iterable[Row], *, older: frozenset[Row] = frozenset()) -> Iterator[str]:
    yield "| Topic | Value | Format | When | Retained | QoS |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        value, form = _cells(row)
        when = {When.LIVE: "live", When.REGISTERS: "register", When.STATUS: "status", When.COSTS: "cost"}[row.when]
        value += " (older name)" if row in older else ""
        yield f"| `{row.topic}` | {value} | {form} | {when} | {'yes' if row.retain else ''} | {row.qos} |"


def page() -> str:
    """Return the page."""
    tables = {
        DialectName.HOMEASSISTANT: _table(homeassistant.ROWS),
        DialectName.NMR_RAW: _table(nmr_raw.ROWS + nmr_raw.ALIASES, older=frozenset(nmr_raw.ALIASES)),
        DialectName.DABBLER: _table(dabbler.ROWS),
    }
    sections = [f"## {name}\n\n{NOTES[name]}\n" + "\n".join(table) + "\n" for name, table in tables.items()]
    return "\n".join([INTRODUCTION, *sections])


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description="Write docs/mqtt-topics.md from the dialects' tables.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the page is out of date")
    options = parser.parse_args(arguments)
    current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
    if options.check and not current:
        print("docs/mqtt-topics.md is out of date; run `make reference`")
        return 1
    if not current:
        PAGE.write_text(page(), encoding="utf-8")
        print("wrote docs/mqtt-topics.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
