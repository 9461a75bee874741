with

responses as (
    select * from {{ source('lake', 'responses') }}
),

deliveries as (
    select * from {{ source('lake', 'deliveries') }}
),

questions as (
    select * from {{ ref('questions') }}
),

scales as (
    select * from {{ ref('scales') }}
),

{{ answers_to('questions') }}

select * from final
