"""What has to hold while documents are printed, each a sentence. One that fails is told with the moment and the numbers."""

from __future__ import annotations

__all__ = ["SENTENCES"]

SENTENCES = {
    "twice": "No page comes out more often than users asked for it, unless Business Central says of the job that it may have been printed.",
    "lost": "Every job ends: in the end nothing waits while processor, Business Central and printers are well.",
    "whole": "What is reported Printed came out whole.",
    "nothing": "Of what is said to be not printed no page came out.",
    "alarm": "That a job may have been printed is said only where something really broke.",
    "cancelled": "What a user cancelled or held stays so until a user changes it.",
    "after": "What was cancelled or held while it waited does not come out.",
    "stops": "What a user takes back while it prints stops coming out within half a minute, while all is well.",
    "left": "When all is over no printer has a job of ours that has not ended.",
    "order": "Documents for a printer come out in the order in which they were printed, where nothing happened to them.",
    "journal": "After a kill or a power cut every step that was synced is in the journal.",
    "lease": "A job is not taken from a processor that lives and is heard of.",
    "calls": "When nothing is to be printed no more than 720 calls an hour go to Business Central.",
    "spool": "No document stays on the disk after its job was reported.",
    "told": "What a job waits for is told within a minute or so: on the page, in the log and in Business Central.",
    "ends": "A job that does not get on at its printer ends when it has waited for as long as the settings say.",
    "blocks": "What stops one job does not stop the next.",
    "once": "The log says a thing at most six times an hour.",
    "mistake": "The program makes no mistake: no traceback, no 'mistake of piprint', it does not end by itself.",
}
