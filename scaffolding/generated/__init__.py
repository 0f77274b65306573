"""The dbt files of a domain that follow from its declarations; `sluice generate` writes them to the folders `generated`.

From the declaration of its source and the staging models with their rules follow the description of the raw tables, the
models `validated_`, `clean_` and `quarantine_`, and the audits; from its marts, reports and pages its exposures. A model of
the same name beside the domain's own ones replaces the generated one, as do properties of a model in a YAML file there.
"""
