{% set columns = {
    'source_id': {'type': 'code', 'source': json_text('source', 'id')},
    'source_name': {'type': 'text', 'source': json_text('source', 'name')},
    'author': {'type': 'text'},
    'title': {'type': 'text'},
    'description': {'type': 'text'},
    'url': {'type': 'word'},
    'content_hash': {'type': 'expression', 'source': sha256_hex(
        "coalesce(title, '') || chr(10) || coalesce(description, '') || chr(10) || coalesce(content, '')"
    )},
    'has_text': {'type': 'expression', 'source': (
        'coalesce(' ~ trimmed('description') ~ ', ' ~ trimmed('content') ~ ') is not null'
    )},
    'published_at': {'type': 'timestamp'},
} %}

with articles as (

    {{ stage_columns(source('raw_news', 'articles'), columns) }}

),

staging as (

    select
        source_id,
        source_name,
        author,
        title,
        description,
        url,
        -- As ingestion computes it, which finds the enrichment of a text by it.
        content_hash,

        -- A page that asks for consent has another address in every session.
        case
            when has_text
                then {{ sha256_hex(
                    "coalesce(source_name, '') || chr(10) || content_hash || chr(10) || coalesce("
                    ~ dbt.split_part('url', "'?'", 1) ~ ", '')"
                ) }}
            else _row_id
        end as story_id,

        published_at,
        cast(published_at as date) as published_on,

        _unreadable,
        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from articles

)

select * from staging
