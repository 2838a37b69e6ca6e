"""What tables are called that this library does not decode, so that a list of them can be read.

A table that is decoded carries its own title, which counts. Names are those of the MEP guide v1.1 (its pages, and p. 260-264)
and the Optical guide v1.1 (p. 60-63); where they differ, both. BT02 to BT45 where neither has one: of C12.19-1997.

This module does not know what stands in them.
"""

from __future__ import annotations

from collections.abc import Mapping

from osgp.tables import TABLES

__all__ = ["title"]

_TITLES: Mapping[str, str] = {
    "BT02": "Device Nameplate",
    "BT04": "Pending Status",
    "BT05": "Device Identification",
    "BT06": "Utility Information",
    "BT07": "Procedure Initiate",
    "BT08": "Procedure Response",
    "BT10": "Dimension Sources",
    "BT12": "Unit of Measure Entry",
    "BT13": "Demand Control",
    "BT16": "Source Definition",
    "BT24": "Previous Season Data",
    "BT25": "Previous Demand Reset Data",
    "BT26": "Self-Read Data",
    "BT30": "Dimension Display",
    "BT33": "Primary Display List",
    "BT40": "Dimension Security",
    "BT42": "Security",
    "BT43": "Default Access Control",
    "BT44": "Access Control",
    "BT45": "Key",
    "BT60": "Dimension Load Profile",
    "BT61": "Actual Load Profile",
    "BT62": "Load Profile Control",
    "BT63": "Load Profile Status",
    "BT64": "Load Profile Data, Data Set 1",
    "BT65": "Load Profile Data, Data Set 2",
    "BT66": "Load Profile Data, Data Set 3",
    "BT67": "Load Profile Data, Data Set 4",
    "BT70": "Dimension Log",
    "BT71": "Actual Log",
    "BT72": "Events Identification",
    "BT73": "History Log Control",
    "BT74": "History Log Data (Primary Event Log)",
    "ET01": "Pulse Output Options",
    "ET02": "RTC Calibration (Battery Information)",
    "ET05": "Control Output Settings",
    "ET06": "Pulse Inputs",
    "ET07": "LCD Display Configuration",
    "ET09": "Power Quality",
    "ET14": "MEP/M-Bus Device Status",
    "ET15": "MEP/M-Bus On-demand Requests",
    "ET16": "MEP/M-Bus Device Data",
    "ET21": "Load Profile Internal Configuration",
    "ET23": "Miscellaneous Information",
    "ET29": "Hardware Configuration",
    "ET30": "Maximum Power or Current Level Control",
    "ET31": "Meter One-time-read Log",
    "ET34": "Additional M-Bus/MEP Device Configuration",
    "ET36": "Manufacturer (Extended) Table Actual Dimensions",
    "ET40": "Demand Configuration",
    "ET41": "Historical Demand Reset Log",
    "ET45": "MEP Recurring Read Log",
    "ET46": "Control Output Read-Only Data",
    "ET47": "Calendar Override Settings",
    "ET51": "MEP Device Configuration",
    "ET52": "MEP Transaction Request",
    "ET53": "MEP Transaction Response",
    "ET57": "M-Bus Data Type",
    "ET58": "M-Bus/MEP Status Extension",
    "ET59": "MEP Procedure Response",
    "ET61": "Time-Based Relay Control Calendar",
    "ET62": "Load Profile Display Configuration",
    "ET66": "Load Profile Source ID Mapping",
    "ET67": "Display Source ID Mapping",
    "ET70": "RAM Only Status",
    "ET71": "Delta Data Alerts",
    "ET74": "MEP Recurring Read Extended Log",
    "ET75": "Primary Load Profile Channel Change Log",
    "ET76": "Externally Configurable Hardware Options",
    "ET77": "Secondary Display List",
    "ET79": "History Log Data (Alternate Event Log)",
    "ET80": "Average Power Settings",
    "ET81": "Power Outage Log",
    "ET85": "MEP Procedure Response (MEP2)",
    "ET89": "Meter LN Status",
    "ET90": "Dimension LN",
    "ET92": "P2P Connection Configuration",
    "ET93": "P2P Connection Status",
    "ET94": "P2P Gateway Module Configuration",
    "ET95": "P2P Gateway Module Status",
    "ET96": "P2P Gateway Modem Socket Status",
    "ET97": "Meter Configuration LN",
    "ET98": "P2P AT Command Response",
}


def title(name: str) -> str:
    """Return what a table is called; empty where no document says."""
    described = TABLES.get(name)
    return described.title if described is not None else _TITLES.get(name, "")
