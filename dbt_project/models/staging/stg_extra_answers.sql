with

responses as (
    select * from {{ source('lake', 'responses') }}
),

deliveries as (
    select * from {{ source('lake', 'deliveries') }}
),

extra_questions as (
    select * from {{ source('register', 'extra_questions') }}
),

scales as (
    select * from {{ ref('scales') }}
),

{{ answers_to('extra_questions', of_delivery='association_id') }}

select * from final
