"""Program: make the trigger of sales as the triggerer does, and print whether it is the same, and its arguments."""

import importlib
import json
import sys

from airflow.sdk.module_loading import import_string

sys.path.insert(0, "dags")
asset = importlib.import_module("landing_trigger").landing_asset("sales")
# The triggerer imports nothing from the folder of the DAGs.
sys.path.remove("dags")
classpath, kwargs = asset.watchers[0].trigger.serialize()
made = import_string(classpath)(**kwargs)
print("RESULT" + json.dumps([made.serialize() == (classpath, kwargs), kwargs]))
