"""What tracing columns costs: the lineage of all models, and of a domain's build, in CPU seconds."""

import json
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

from bench.measuring import progress, run, spread, table
from lineage.artefact import write_lineage
from lineage.models import resolve_models
from settings import DBT_PROJECT_DIR, Settings
from transformation.dbt import run_dbt
from transformation.manifest import SHARED, Manifest

RUNS = 9
# What a process that runs dbt has not imported yet.
IMPORT = "import time; from dbt.cli.main import dbtRunner; t = time.process_time(); import lineage.artefact; print(time.process_time() - t)"


def measure(quick: bool) -> tuple[str, dict]:
    """Compile all models without data, and trace them some times, all together and by domain."""
    runs = 2 if quick else RUNS
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        settings = Settings(data_dir=Path(folder) / "data", env="dev", target="duckdb")
        progress("dbt compile")
        run_dbt(["compile"], settings, quiet=True)
        content = json.loads((settings.dbt_target / "manifest.json").read_text())
        manifest = Manifest(content)
        imports = [
            float(
                run(["-c", IMPORT], cwd=DBT_PROJECT_DIR.parent, data_dir=settings.data_dir).output.split()[-1]
            )
            for _ in range(runs)
        ]
        steps: dict[str, list[float]] = {}
        for domain in manifest.domains:
            progress(domain)
            target = Path(folder) / domain
            target.mkdir()
            shutil.copyfile(settings.dbt_target / "manifest.json", target / "manifest.json")
            steps[domain] = [_step(target, domain, settings) for _ in range(runs)]
        # All models as those of one domain, so that the shared ones count once.
        for node in content["nodes"].values():
            node["tags"] = [*node["tags"], SHARED]
        found = [_traced(manifest) for _ in range(runs)]
    models, columns = found[0][1:]
    rows = [
        [f"all {models} models, {columns} columns", str(runs), spread([each[0] for each in found], 2)],
        *(
            [f"the step after a build of {name}", str(runs), spread(times, 2)]
            for name, times in steps.items()
        ),
        ["imports beside dbt's, once a process", str(runs), spread(imports, 2)],
    ]
    raw = {
        "all": [each[0] for each in found],
        "steps": steps,
        "imports": imports,
        "median": median(each[0] for each in found),
    }
    return table(["what", "runs", "CPU seconds"], rows), raw


def _traced(manifest: Manifest) -> tuple[float, int, int]:
    start = time.process_time()
    lineage, problems = resolve_models(manifest, SHARED, manifest.adapter, {})
    seconds = time.process_time() - start
    assert not problems, problems
    models = [each for each in lineage.tables.values() if each.kind == "model"]
    return seconds, len(models), sum(len(each.columns) for each in models)


def _step(target: Path, domain: str, settings: Settings) -> float:
    start = time.process_time()
    write_lineage(target, domain, settings)
    return time.process_time() - start
