-- A failure means that pedestrians, cyclists, motorists and others do not add up to the reported persons injured and
-- killed. Only collisions that are marked because their groups exceed the total in the source may differ.
select collision_id
from {{ ref('fct_collisions') }}
where
    has_consistent_counts <> (
        persons_injured = pedestrians_injured + cyclists_injured + motorists_injured + other_persons_injured
        and persons_killed = pedestrians_killed + cyclists_killed + motorists_killed + other_persons_killed
    )
    or casualties <> persons_injured + persons_killed
