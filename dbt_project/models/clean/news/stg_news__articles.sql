with articles as (

    select
        {{ json_text('source', 'id') }} as source_id,
        {{ normalize_whitespace(json_text('source', 'name')) }} as source_name,
        {{ normalize_whitespace('author') }} as author,
        {{ normalize_whitespace('title') }} as title,
        {{ normalize_whitespace('description') }} as description,
        {{ trimmed('url') }} as url,
        {{ trimmed('published_at') }} as published_at,
        coalesce({{ trimmed('description') }}, {{ trimmed('content') }}) is not null as has_text,
        -- As ingestion computes it, which finds the enrichment of a text by it.
        {{ sha256_hex(
            "coalesce(title, '') || chr(10) || coalesce(description, '') || chr(10) || coalesce(content, '')"
        ) }} as content_hash,
        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ source('raw_news', 'articles') }}

),

staging as (

    select
        source_id,
        source_name,
        author,
        title,
        description,
        url,
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

        {{ try_timestamp('published_at') }} as published_at,
        cast({{ try_timestamp('published_at') }} as date) as published_on,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from articles

)

select * from staging
