{{ failed_rules_audit('raw_news', [
    {'entity': 'articles', 'quarantine': ref('quarantine_news__articles')},
]) }}
