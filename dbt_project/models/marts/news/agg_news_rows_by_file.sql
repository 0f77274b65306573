{{ rows_by_file('raw_news', [
    {
        'entity': 'articles', 'raw': source('raw_news', 'articles'), 'judged': ref('judged_news__articles'),
        'clean': ref('clean_news__articles'), 'quarantine': ref('quarantine_news__articles'),
    },
]) }}
