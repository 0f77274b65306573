{{ quarantined_rows(
    validated=ref('validated_news__articles'),
    raw=source('raw_news', 'articles')
) }}
