with articles as (

    select * from {{ ref('fct_articles') }}

),

days as (

    select
        published_on,
        coalesce(topic, 'unknown') as topic,
        count(*) as articles,
        count(sentiment) as articles_with_sentiment,
        count(case when sentiment >= 0.05 then 1 end) as positive_articles,
        count(case when sentiment <= -0.05 then 1 end) as negative_articles,
        sum(sentiment) as sentiment_sum
    from articles
    group by published_on, coalesce(topic, 'unknown')

),

sentiment_by_topic_day as (

    select
        published_on,
        topic,
        articles,
        articles_with_sentiment,
        positive_articles,
        negative_articles,
        {{ safe_divide('sentiment_sum', 'articles_with_sentiment', 4) }} as average_sentiment
    from days

)

select * from sentiment_by_topic_day
