{{ quarantined_rows(
    judged=ref('judged_news__articles'),
    raw=source('raw_news', 'articles')
) }}
