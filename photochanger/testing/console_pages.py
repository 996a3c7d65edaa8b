"""Every page of the console. A new one joins here, and is held to what all pages are held to."""

MOST_QUERIES = 15
MOST_S = 0.15  # on the server, with a million photos
PAGES = {
    "dashboard": "/admin/",
    "dashboard, its part": "/admin/board/",
    "slot": "/admin/slots/slot/slot-001/change/",
    "slots": "/admin/slots/slot/",
    "history": "/admin/slots/slot/slot-001/history/",
    "settings": "/admin/slots/setting/",
    "statistics": "/admin/statistics/",
    "statistics of a day": "/admin/statistics/?window=1440",
    "statistics of a week": "/admin/statistics/?window=10080",
    "statistics of a month": "/admin/statistics/?window=44640",
    "statistics of a slot": "/admin/statistics/?slot=slot-001",
    "plots": "/admin/statistics/plots/",
    "plots of a month": "/admin/statistics/plots/?window=44640",
    "steps": "/admin/statistics/steps/",
    "storage": "/admin/statistics/storage/",
    "jobs": "/admin/ingest/job/",
    "jobs that failed": "/admin/ingest/job/?outcome=failed",
    "jobs of a rare kind": "/admin/ingest/job/?provider=turbotext&reason=quota&slot=slot-001",
    "job": "/admin/ingest/job/{job}/change/",
    "audit": "/admin/audit/",
    "event": "/admin/event/",
    "refusals": "/admin/refusals/",
    "refusals of a month": "/admin/refusals/?hours=720",
    "capture": "/admin/capture/",
    "files": "/admin/media/mediaobject/",
}
