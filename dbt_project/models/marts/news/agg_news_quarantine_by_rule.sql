{{ quarantine_by_rule('raw_news', [
    {'entity': 'articles', 'quarantine': ref('quarantine_news__articles')},
]) }}
