# The image of Airflow, in the version of requirements.txt; slim, because requirements.txt has the providers.
FROM apache/airflow:slim-3.3.2-python3.12

USER root
# A new volume takes over the owner of the folder that it is mounted on.
RUN install --directory --owner=airflow --group=0 /sluice /sluice/data
USER airflow
WORKDIR /sluice

# Before the code, so that a change of the code installs no packages again.
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes --requirement requirements.txt
COPY --chown=airflow:0 . .
# The command `sluice`.
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .
# Python would compile files in a folder that it may not write at every start.
RUN python -m compileall -q .
