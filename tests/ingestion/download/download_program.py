"""Downloads one file: `python -m tests.ingestion.download.download_program URL FOLDER`."""

import sys
from pathlib import Path

from ingestion.download.download import download
from ingestion.retry_policy import RetryPolicy

if __name__ == "__main__":
    print(download(sys.argv[1], Path(sys.argv[2]), RetryPolicy(first_wait=0.01)).status)
