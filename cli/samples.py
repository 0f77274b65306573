"""Write sample input for a domain, or for all of them without a domain; `serve` serves sample APIs."""

import argparse
import json
from pathlib import Path

import settings
from ingestion.registry import domains
from samples.apis import command as serve
from samples.domains import DOMAINS


def main(arguments: list[str]) -> None:
    """Write the files that the arguments ask for, and print what a run must make of them. Exit with 2 for an error."""
    # Without defaults, so that the parser of a domain does not reset the options before the domain.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--if-empty", action="store_true", help="leave a domain that has input as it is")
    common.add_argument("--json", action="store_true", help="report as JSON, one line a domain")
    parser = argparse.ArgumentParser(prog="sluice samples", description=__doc__, parents=[common])
    commands = parser.add_subparsers(dest="domain", metavar="|".join(DOMAINS))
    for name, module in DOMAINS.items():
        domain = commands.add_parser(name, help=(module.__doc__ or "").partition("\n")[0], parents=[common])
        domain.add_argument("--out", type=Path, help="folder to write to (default: the landing folder)")
        domain.add_argument("--seed", type=int, default=1, help="the same seed writes the same files")
        module.add_options(domain)

    serve.add_options(
        commands.add_parser("serve", help=(serve.__doc__ or "").partition("\n")[0], parents=[common])
    )

    def parse(arguments: list[str]) -> argparse.Namespace:
        return parser.parse_args(arguments, argparse.Namespace(if_empty=False, json=False))

    asked = parse(arguments)
    if asked.domain == "serve":
        serve.serve(asked)
        return
    try:
        for name in [asked.domain] if asked.domain else [name for name in DOMAINS if name in domains()]:
            options = asked if asked.domain else parse([*arguments, name])
            where = settings.load()
            folder = options.out or where.landing(name)
            # Loaded files may have left for the archive.
            if options.if_empty and any([*folder.glob("[!.]*"), *where.archive(name).glob("[!.]*")]):
                continue
            delivery = DOMAINS[name].deliver(folder, options)
            print(json.dumps(delivery.as_dict()) if options.json else delivery)
    except ValueError as error:
        parser.error(str(error))
