"""Limits of delivered files, so that no file takes the machine's memory or disk."""

from pydantic import Field, PositiveInt
from pydantic_settings import SettingsConfigDict

from settings.variables import EnvSettings


class FileLimits(EnvSettings):
    """What a delivered file may hold; a file or line beyond it is rejected with the setting's name."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_MAX_")

    columns: PositiveInt = Field(1_000, description="columns of a file")
    line_bytes: PositiveInt = Field(
        1_000_000, description="bytes of one record of a CSV file; a longer one is rejected"
    )
    file_bytes: PositiveInt = Field(
        100_000_000_000, description="bytes of a CSV file, those of a gzip after decompression"
    )
    gzip_ratio: PositiveInt = Field(
        200, description="bytes that a byte of a gzip may become, beyond the first 100 MB"
    )
    rejected_lines: PositiveInt = Field(
        10_000, description="rejected lines kept per file; further ones are counted"
    )
