"""Serve sample APIs on loopback until Ctrl-C, and print the variables that point to them.

Faults spoil the first answers of each API, in the order given: `--fault 429 --fault cut`.
"""

import argparse

from samples.apis.faults import KINDS
from samples.apis.news import ARTICLES
from samples.apis.products import PRODUCTS


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the server."""
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--brief", action="store_true", help="print only the address")
    parser.add_argument("--products", type=int, default=PRODUCTS, help=f"default: {PRODUCTS}")
    parser.add_argument("--articles", type=int, default=ARTICLES, help=f"default: {ARTICLES}")
    parser.add_argument("--crashes", type=int, default=0, help="of the city's API; default: it is not served")
    parser.add_argument(
        "--fault",
        action="append",
        choices=KINDS,
        default=[],
        help="spoils an answer of each API; can be repeated",
    )


def serve(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C."""
    # Imported only to serve, because the import is slow.
    from samples.apis.server import SampleApis, listen, server_of
    from samples.apis.variables import collisions_variables, variables

    apis = SampleApis(options.products, options.articles, options.crashes)
    for faults in (apis.faults, apis.news_faults, apis.model_faults, apis.city_faults):
        faults.coming = [KINDS[kind] for kind in options.fault]
    listening, base = listen(options.port)
    print(f"# serving {base}", flush=True)
    if not options.brief:
        city = collisions_variables(base) if options.crashes else {}
        for name, value in (variables(base) | city).items():
            print(f"export {name}={value}", flush=True)
    server_of(apis).run(sockets=[listening])
