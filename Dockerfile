# Airflow's own image, of the version in requirements.txt; slim: what it needs beside is file_lock there.
FROM apache/airflow:slim-3.3.2-python3.12

USER root
# A new volume takes over the owner of the folder that it is mounted on.
RUN install --directory --owner=airflow --group=0 /sluice /sluice/data
USER airflow
WORKDIR /sluice

# Before the code: a change of the code installs nothing.
COPY requirements.txt .
RUN pip install --no-cache-dir --requirement requirements.txt
COPY --chown=airflow:0 . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .
# What Python compiles where it may not write, it compiles at every start.
RUN python -m compileall -q .
