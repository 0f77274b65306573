with articles as (

    select
        _row_id as article_id,

        source_id,
        source_name,
        author,
        title,
        description,
        url,
        content_hash,

        published_at,
        published_on,

        _source_file,
        _source_row,
        _row_id,
        _dlt_load_id
    from {{ ref('validated_news__articles') }}
    where row_status = 'valid'

)

select * from articles
