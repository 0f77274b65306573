{{ load_audit('raw_news', [
    {
        'entity': 'articles', 'raw': source('raw_news', 'articles'), 'validated': ref('validated_news__articles'),
        'clean': ref('clean_news__articles'), 'quarantine': ref('quarantine_news__articles'),
    },
]) }}
